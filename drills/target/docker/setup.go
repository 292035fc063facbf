package docker

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/cloudnode"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// newWorld gives every node of a fleet its work, and waits until the functions have
// found everything well. The databases replicate and are empty.
func newWorld(ctx context.Context, t *Target, f *Fleet, s drill.Setup) (*world, error) {
	w := &world{
		target: t, fleet: f, setup: s,
		servers: map[uint32]dr.Region{}, seen: map[dr.Region]int{}, faults: map[string]effect{},
		cuts: map[[2]string]map[string]bool{},
	}
	s.Progress("starting the control plane and the functions")
	for _, step := range []func(context.Context) error{w.readClock, w.readServers, w.startCloud, w.startFunctions, w.steady} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// readClock learns what the containers' clock says now: by the quickest of some
// questions, half of whose round trip is the error.
func (w *world) readClock(ctx context.Context) error {
	cloud, err := w.fleet.Node(cloudName)
	if err != nil {
		return err
	}
	best := time.Hour
	for range 8 {
		var st host.Status
		asked := time.Now()
		if err := cloud.Get(ctx, "/status", &st); err != nil {
			return err
		}
		if took := time.Since(asked); took < best {
			best, w.origin, w.began = took, st.Now, asked.Add(took/2)
		}
	}
	return nil
}

func (w *world) readServers(ctx context.Context) error {
	for _, r := range w.setup.Topology.Members {
		db, err := w.fleet.Database(r.String())
		if err != nil {
			return err
		}
		rows, err := db.Query(ctx, "SELECT @@server_id, @@version")
		if err != nil {
			return err
		}
		id, err := strconv.ParseUint(*rows.Rows[0][0], 10, 32)
		if err != nil {
			return fmt.Errorf("docker: server_id of %s: %w", r, err)
		}
		w.servers[uint32(id)], w.version = r, *rows.Rows[0][1]
	}
	return nil
}

// firstPort is the port of the first Region's API and names on the cloud node.
const firstPort = 8000

// regions are the Regions as the cloud wants them: the members, the writer's
// first, and the witness.
func (w *world) regions() []dr.Region {
	t := w.setup.Topology
	return []dr.Region{w.setup.Writer, t.Peer(w.setup.Writer), t.Witness}
}

func (w *world) startCloud(ctx context.Context) error {
	cloud, err := w.fleet.Node(cloudName)
	if err != nil {
		return err
	}
	cfg := cloudnode.Config{
		GlobalCluster: w.setup.Topology.GlobalCluster, Table: "lifeboat", Topic: "lifeboat", Seed: w.setup.Seed,
		EndpointTTL: w.setup.Policy.EndpointTTL, Admin: mysqld.Admin, Apps: []mysqld.Account{mysqld.App},
	}
	all := w.regions()
	for i, r := range all {
		region := cloudnode.Region{Name: r, Network: w.fleet.Subnet(r.String()), Port: w.port(r)}
		if db, err := w.fleet.Database(r.String()); err == nil {
			region.Server = db.Endpoint()
			region.Control = netip.AddrPortFrom(db.Addr(), control.Port)
		}
		cfg.Regions = append(cfg.Regions, region)
		for _, other := range all[:i] {
			cfg.Latency = append(cfg.Latency, cloudnode.Latency{A: other, B: r, RoundTrip: 2 * distance(other, r)})
		}
	}
	return cloud.Call(ctx, "/cloud/start", nil, cfg, &w.names)
}

func (w *world) port(r dr.Region) uint16 { return uint16(firstPort + slices.Index(w.regions(), r)) }

// at returns the address of a Region's API and names.
func (w *world) at(r dr.Region) string {
	cloud := w.fleet.byName[cloudName]
	return netip.AddrPortFrom(cloud.addr, w.port(r)).String()
}

// endpoint is what clients of the writer are configured with.
func (w *world) endpoint() string { return w.names.Endpoint + ":" + strconv.Itoa(mysqld.Port) }

func (w *world) startFunctions(ctx context.Context) error {
	cfg := functions.Config{
		Topology: w.setup.Topology, Policy: w.setup.Policy, Origin: w.origin,
		APIs: map[dr.Region]string{}, Endpoint: w.endpoint(), Clusters: w.names.Clusters,
		Databases: map[dr.Region]string{}, Servers: w.servers, Table: "lifeboat", User: mysqld.App.User,
	}
	for _, r := range w.regions() {
		cfg.APIs[r] = "http://" + w.at(r)
		if db, err := w.fleet.Database(r.String()); err == nil {
			cfg.Databases[r] = db.Endpoint().String()
		}
	}
	err := w.each(ctx, w.regions(), func(ctx context.Context, r dr.Region) error {
		mine := cfg
		mine.Region, mine.DNS, mine.Topic = r, w.at(r), w.names.Topics[r]
		mine.Seed = w.setup.Seed*firstPort + uint64(w.port(r)) // schedules know nothing of each other
		mine.Secret, mine.Admin = w.names.Secrets[r][mysqld.App.User], w.names.Secrets[r][mysqld.Admin.User]
		return w.call(ctx, lambdaName(r), "/lambda/configure", nil, mine, nil)
	})
	if err != nil {
		return err
	}
	return w.each(ctx, w.regions(), func(ctx context.Context, r dr.Region) error {
		return w.call(ctx, lambdaName(r), "/lambda/start", nil, nil, nil)
	})
}

// steadyTimeout bounds the wait for the functions to find everything well.
const steadyTimeout = 20 * time.Second

// steady waits until the writer's Region has taken the lease, and the others have
// found it healthy.
func (w *world) steady(ctx context.Context) error {
	// The writer's guard has bootstrapped the deployment and opened the writer, or has held
	// the lease since.
	guarded := "guard " + w.setup.Writer.String() + " lease." + dr.LeaseHeld
	opened := "guard " + w.setup.Writer.String() + " lease." + dr.LeaseOpened
	missing := map[string]bool{guarded: true}
	for _, r := range w.regions()[1:] {
		missing["monitor "+r.String()+" verdict.Healthy"] = true
	}
	late := time.NewTimer(steadyTimeout)
	defer late.Stop()
	for {
		marks, err := w.Marks(ctx)
		if err != nil {
			return err
		}
		for _, m := range marks {
			name := m.Source + " " + m.Name
			if name == opened {
				name = guarded
			}
			delete(missing, name)
		}
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late.C:
			return fmt.Errorf("docker: no steady state in %v: missing %v; marked so far:\n%v\n%s",
				steadyTimeout, slices.Sorted(maps.Keys(missing)), marks, w.outputs())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// outputs is the last that the functions wrote.
func (w *world) outputs() string {
	var out strings.Builder
	for _, r := range w.regions() {
		fmt.Fprintf(&out, "%s:\n%s\n", lambdaName(r), w.fleet.byName[lambdaName(r)].Output())
	}
	return out.String()
}
