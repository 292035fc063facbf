package docker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/cloudnode"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// world is one drill on a fleet.
type world struct {
	target *Target
	fleet  *Fleet
	setup  drill.Setup

	origin  int64     // of the run, on the containers' clock
	began   time.Time // the same moment on this process's
	names   cloudnode.Info
	servers map[uint32]dr.Region
	version string

	mu     sync.Mutex
	marks  []measure.Mark
	seen   map[dr.Region]int // marks read from each Region's functions
	opened bool              // the promoted server has been seen to accept a write
	faults map[string]effect
	cuts   map[[2]string]map[string]bool // the faults that hold each link down

	closing sync.Once
	closed  error
}

var _ drill.World = (*world)(nil)

// Clock implements drill.Observer.
func (w *world) Clock() time.Duration { return time.Since(w.began) }

// Model implements drill.Operator.
func (w *world) Model() string {
	return fmt.Sprintf("two real MySQL %s servers with asynchronous GTID replication, %v round trip between them; the functions' programs under an "+
		"emulated Lambda service, with a tick every %v; emulated AWS control plane: "+
		"a promotion takes what the servers need, and the endpoint changes with it", w.version, 2*distance(w.regions()[0], w.regions()[1]), functions.DefaultEvery)
}

// Writer implements drill.Operator.
func (w *world) Writer(ctx context.Context) (dr.Region, error) {
	var answer cloudnode.Writer
	n, err := w.fleet.Node(cloudName)
	if err != nil {
		return "", err
	}
	err = n.Get(ctx, "/cloud/writer", &answer)
	return answer.Region, err
}

// Acknowledge implements drill.Operator, at the console of the Region that would
// be promoted.
func (w *world) Acknowledge(ctx context.Context, by, reason string) error {
	writer, err := w.Writer(ctx)
	if err != nil {
		return err
	}
	query := url.Values{"by": {by}, "reason": {reason}}
	return w.call(ctx, lambdaName(w.setup.Topology.Peer(writer)), "/lambda/acknowledge", query, nil, nil)
}

// Close implements drill.World: it ends what runs, and removes the containers
// unless the target keeps them.
func (w *world) Close(ctx context.Context) error {
	w.closing.Do(func() {
		if w.target.opt.Keep {
			w.closed = w.rest(ctx)
		}
		w.closed = errors.Join(w.closed, w.target.release())
	})
	return w.closed
}

// rest ends the load, the watches, the functions and the control plane. The next reset
// removes faults that were not healed.
func (w *world) rest(ctx context.Context) error {
	return errors.Join(
		w.each(ctx, w.regions(), func(ctx context.Context, r dr.Region) error {
			return errors.Join(
				w.call(ctx, lambdaName(r), "/lambda/stop", nil, nil, nil),
				w.call(ctx, clientsName(r), "/crowd/stop", nil, nil, nil),
				w.call(ctx, clientsName(r), "/watch/stop", nil, nil, nil))
		}),
		w.call(ctx, cloudName, "/cloud/stop", nil, nil, nil))
}

// call posts to a node by its name.
func (w *world) call(ctx context.Context, node, path string, query url.Values, in, out any) error {
	n, err := w.fleet.Node(node)
	if err != nil {
		return err
	}
	return n.Call(ctx, path, query, in, out)
}

// each does something for every Region at once.
func (w *world) each(ctx context.Context, regions []dr.Region, do func(context.Context, dr.Region) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range regions {
		g.Go(func() error { return do(ctx, r) })
	}
	return g.Wait()
}
