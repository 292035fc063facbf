package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// world is two Regions and a witness in one process.
type world struct {
	cfg   Config
	setup drill.Setup
	began time.Time
	net   *drtest.Network
	pair  *drtest.Pair
	cloud *cloud.Cloud
	lag   atomic.Int64 // what a fault adds to the delay of replication
	half  atomic.Pointer[[]*half]
	third third

	life  context.Context
	end   context.CancelFunc
	tasks sync.WaitGroup

	lambdas map[dr.Region]*lambda // written while the world comes up
	failed  chan error            // why a function can't work

	mu     sync.Mutex
	silent map[dr.Region]int    // faults that keep a Region in blackout
	cuts   map[[2]dr.Region]int // faults that cut a link
	marks  []measure.Mark
	// entries are the journal's, by their text in the table.
	entries map[string]failover.Entry
	// injected says when the injection of a fault began.
	injected map[fault.Fault]time.Duration
	// shown says when a half-failure that is healed first showed.
	shown map[fault.Fault]int64
}

var _ drill.World = (*world)(nil)

// Clock implements drill.Observer.
func (w *world) Clock() time.Duration { return time.Since(w.began) }

// Marks implements drill.Observer.
func (w *world) Marks(context.Context) ([]measure.Mark, error) {
	return w.said(), nil
}

func (w *world) mark(m measure.Mark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks = append(w.marks, m)
}

// Model implements drill.Operator.
func (w *world) Model() string {
	return fmt.Sprintf("in-memory databases, replication %v to %v; emulated control plane, promotion drawn from %v to %v; "+
		"the functions in process, a tick some time within every %v, cold starts drawn from %v to %v",
		w.cfg.ShipMin, w.cfg.ShipMax, w.cfg.PromoteMin, w.cfg.PromoteMax, w.cfg.Tick, w.cfg.ColdMin, w.cfg.ColdMax)
}

// Writer implements drill.Operator.
func (w *world) Writer(context.Context) (dr.Region, error) { return w.cloud.Writer(), nil }

// Acknowledge implements drill.Operator: a person asks the trigger to go on.
func (w *world) Acknowledge(ctx context.Context, by, reason string) error {
	at := w.setup.Topology.Peer(w.setup.Writer)
	store, err := w.table(at, w.http(at))
	if err != nil {
		return err
	}
	last, err := store.Latest(ctx)
	if err != nil {
		return err
	}
	return w.ask(ctx, last.Execution.To, event.AnswerTo(last.Execution, by, reason))
}

// Load implements drill.Clients.
func (w *world) Load(ctx context.Context, done func(workload.Op)) ([]workload.Op, error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		ops  []workload.Op
		errs []error
	)
	for i, c := range w.setup.Clients {
		s := &session{from: c.Region, resolve: w.resolve, dial: w.dial, world: w}
		if c.Pinned {
			s.pinned = c.Region
		}
		l := workload.Load{
			Client: c.Name, Region: c.Region, Rate: c.Rate, FirstID: int64(i+1) * 1_000_000,
			Session: s, Clock: w.Clock, Done: done,
		}
		wg.Go(func() {
			mine, err := l.Run(ctx)
			mu.Lock()
			defer mu.Unlock()
			ops, errs = append(ops, mine...), append(errs, err)
		})
	}
	probe, stop := context.WithCancel(ctx)
	wg.Go(func() { w.watchWritable(probe, w.setup.Topology.Peer(w.setup.Writer)) })
	<-ctx.Done()
	stop()
	wg.Wait()
	return ops, errors.Join(errs...)
}

// Survivors implements drill.Clients.
func (w *world) Survivors(_ context.Context, r dr.Region) ([]int64, error) {
	return w.pair.DB(r).Rows(), nil
}

// watchWritable marks the first write that the other member's server accepts. It
// asks the server itself, with no network between.
func (w *world) watchWritable(ctx context.Context, r dr.Region) {
	tick := time.NewTicker(w.cfg.Probe)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !w.pair.DB(r).Accepts() {
			continue // as a probe would find, at twenty times the cost
		}
		call, cancel := context.WithTimeout(ctx, probeEvery)
		err := w.pair.DB(r).Probe(call)
		cancel()
		if err == nil {
			w.mark(measure.Mark{At: w.Clock(), Source: "probe " + r.String(), Name: measure.MarkWritable, Region: r})
			return
		}
	}
}

// probeEvery is the resolution of the independent probes.
const probeEvery = 50 * time.Millisecond

// Close implements drill.World.
func (w *world) Close(context.Context) error {
	w.end()
	for _, l := range w.lambdas {
		l.Close()
	}
	w.tasks.Wait()
	return nil
}

// resolve looks the global writer endpoint up in a Region's DNS.
func (w *world) resolve(ctx context.Context, asking dr.Region) (dr.Region, time.Duration, error) {
	if w.inBlackout(asking) {
		<-ctx.Done()
		return "", 0, ctx.Err()
	}
	if w.half.Load() != nil {
		if acts, err := w.trouble(ctx, w.depends(asking, fault.DNS), errors.New("embedded: SERVFAIL")); err != nil || acts {
			if err == nil {
				<-ctx.Done()
				err = ctx.Err()
			}
			return "", 0, err
		}
	}
	to, _, ttl := w.cloud.Resolve(asking)
	return to, ttl, nil
}

// dial returns a Region's database as another Region reaches it.
func (w *world) dial(from, to dr.Region) *drtest.Conn { return w.net.Dial(from, w.pair.DB(to)) }

// hook gives every call on the network its delay, and silences a blackout inside
// the Region, too.
func (w *world) hook(c drtest.Call) drtest.Fault {
	if w.inBlackout(c.From) || w.inBlackout(c.To) {
		return drtest.Fault{Hang: true}
	}
	out := drtest.Fault{Delay: roundTrip(c.From, c.To) + w.jitter(string(c.From), string(c.To), string(c.Op))}
	if w.half.Load() == nil && !w.third.away.Load() {
		return out
	}
	return w.suffer(c, out)
}

func (w *world) inBlackout(r dr.Region) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.silent[r] > 0
}

// roundTrip is about what AWS's Regions are from each other.
func roundTrip(a, b dr.Region) time.Duration {
	switch {
	case a == b:
		return time.Millisecond
	case a == drill.West || b == drill.West:
		if a == drill.Witness || b == drill.Witness {
			return 50 * time.Millisecond
		}
		return 60 * time.Millisecond
	}
	return 12 * time.Millisecond
}
