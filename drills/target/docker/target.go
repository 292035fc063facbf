package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Options say how the target treats its containers.
type Options struct {
	// Image is the MySQL image; see Config.Image.
	Image string
	// Keep keeps the containers from one drill to the next, which then begins in
	// seconds, with empty databases. Target.Close ends them.
	Keep bool
	// Sessions bounds the pool of each client; zero is no bound. A client with an
	// unbounded pool opens a session more whenever its server is slow.
	Sessions int
	// KeepSignals leaves Ctrl-C and SIGTERM to the caller, who must end the drill's
	// context; see Config.KeepSignals.
	KeepSignals bool
	// Logs returns where the output of a container goes; see Config.Logs.
	Logs func(name string) io.Writer
}

// Target runs drills on two real MySQL servers, with the programs that are deployed,
// under a Lambda service in each Region, and an emulated AWS control plane that acts
// on the servers.
type Target struct {
	opt Options

	mu       sync.Mutex
	busy     bool        // a drill is using the containers
	fleet    *Fleet      // kept, or in use
	topology dr.Topology // of fleet
}

var _ drill.Target = (*Target)(nil)

// New returns the target. It starts nothing.
func New(o Options) *Target { return &Target{opt: o} }

// Name implements drill.Target.
func (t *Target) Name() string { return "docker" }

// Up implements drill.Target. One world at a time can be up.
func (t *Target) Up(ctx context.Context, s drill.Setup) (drill.World, error) {
	s.Policy = s.Policy.WithDefaults()
	if s.Progress == nil {
		s.Progress = func(string) {}
	}
	if err := validate(s); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy {
		return nil, errors.New("docker: a drill is running on this target: close its world first")
	}
	if err := t.supply(ctx, s); err != nil {
		return nil, err
	}
	w, err := newWorld(ctx, t, t.fleet, s)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	t.busy = true
	return w, nil
}

func validate(s drill.Setup) error {
	errs := []error{s.Topology.Validate(), s.Policy.ValidateFor(s.Topology)}
	if s.Topology.Witness == "" {
		errs = append(errs, errors.New("docker: the topology has no witness: the emulated lease table needs three Regions"))
	}
	if !slices.Contains(s.Topology.Members, s.Writer) {
		errs = append(errs, fmt.Errorf("docker: the writer is in %q: use one of the members %v", s.Writer, s.Topology.Members))
	}
	for _, c := range s.Clients {
		if !slices.Contains(s.Topology.Vantages(), c.Region) {
			errs = append(errs, fmt.Errorf("docker: client %s stands in %s, which is not in the topology", c.Name, c.Region))
		}
		if c.Pinned && !slices.Contains(s.Topology.Members, c.Region) {
			errs = append(errs, fmt.Errorf("docker: client %s is pinned to the database in %s, where there is none", c.Name, c.Region))
		}
	}
	return errors.Join(errs...)
}

// supply makes containers, or resets those that are kept.
func (t *Target) supply(ctx context.Context, s drill.Setup) error {
	if t.fleet != nil && !slices.Equal(t.topology.Vantages(), s.Topology.Vantages()) {
		if err := t.close(); err != nil {
			return err
		}
	}
	if t.fleet != nil {
		s.Progress("resetting the databases")
		if err := t.fleet.Reset(ctx, s.Writer.String()); err != nil {
			return errors.Join(err, t.close())
		}
		return nil
	}
	s.Progress("starting containers")
	f, err := Up(ctx, t.config(s))
	if err != nil {
		return err
	}
	t.fleet, t.topology = f, s.Topology
	return nil
}

// release takes the containers back from a world.
func (t *Target) release() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy = false
	if t.opt.Keep {
		return nil
	}
	return t.close()
}

// Close ends the containers that are kept, and returns when they are gone. It
// implements what Options.Keep needs, and may be called again.
func (t *Target) Close(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy = false
	return t.close()
}

func (t *Target) close() error {
	if t.fleet == nil {
		return nil
	}
	f := t.fleet
	t.fleet = nil
	return f.Close()
}

// aws is the network of the emulated control plane. It stands for no Region: it
// is next to each of them.
const aws = "aws"

// awsDistance is the one-way delay from a Region to its control plane.
const awsDistance = time.Millisecond

// distances are the one-way delays between Regions, about what AWS's are.
var distances = map[[2]string]time.Duration{
	pair("us-east-1", "us-west-2"): 30 * time.Millisecond,
	pair("us-east-1", "us-east-2"): 12 * time.Millisecond,
	pair("us-east-2", "us-west-2"): 25 * time.Millisecond,
}

// distance returns the one-way delay between two Regions; 30 ms for those that
// have not been measured.
func distance(a, b dr.Region) time.Duration {
	if d, ok := distances[pair(a.String(), b.String())]; ok {
		return d
	}
	return 30 * time.Millisecond
}

// config returns the containers of a world. None of them knows its work yet.
func (t *Target) config(s drill.Setup) Config {
	c := Config{
		Image: t.opt.Image, KeepSignals: t.opt.KeepSignals, Logs: t.opt.Logs, Writer: s.Writer.String(),
		Regions: []Region{{Name: aws}},
		Nodes:   []NodeSpec{{Name: cloudName, Region: aws, Role: "cloud"}},
	}
	all := s.Topology.Vantages()
	for i, r := range all {
		name := r.String()
		c.Regions = append(c.Regions, Region{Name: name, Database: slices.Contains(s.Topology.Members, r)})
		c.Links = append(c.Links, Link{A: aws, B: name, OneWay: awsDistance})
		for _, other := range all[:i] {
			c.Links = append(c.Links, Link{A: other.String(), B: name, OneWay: distance(other, r)})
		}
		c.Nodes = append(c.Nodes,
			NodeSpec{Name: lambdaName(r), Region: name, Role: "lambda"},
			NodeSpec{Name: clientsName(r), Region: name, Role: "clients"})
	}
	return c
}

const cloudName = aws + "/cloud"

func lambdaName(r dr.Region) string  { return r.String() + "/lambda" }
func clientsName(r dr.Region) string { return r.String() + "/clients" }
