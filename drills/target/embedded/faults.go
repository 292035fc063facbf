package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Supports implements fault.Injector.
func (w *world) Supports(f fault.Fault) error {
	switch f.Kind {
	case fault.None, fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate, fault.CutLink, fault.ReplicationLag, fault.KillController:
		return f.Validate()
	}
	return fmt.Errorf("embedded: %s: %w", f, fault.ErrUnsupported)
}

// Inject implements fault.Injector.
func (w *world) Inject(_ context.Context, f fault.Fault) (fault.Heal, error) {
	switch f.Kind {
	case fault.Blackout:
		return w.blackout(f.Region), nil
	case fault.Kill:
		return w.kill(f.Region), nil
	case fault.FreezeDatabase:
		w.pair.DB(f.Region).Freeze()
		return undo(w.pair.DB(f.Region).Thaw), nil
	case fault.Isolate:
		return undo(w.isolate(f.Region)), nil
	case fault.CutLink:
		w.link(f.Region, f.Peer, false)
		return undo(func() { w.link(f.Region, f.Peer, true) }), nil
	case fault.ReplicationLag:
		w.lag.Store(int64(f.Duration))
		return undo(func() { w.lag.Store(0) }), nil
	case fault.KillController:
		return w.killController(f.Region), nil
	}
	return nil, w.Supports(f)
}

func undo(f func()) fault.Heal {
	return fault.Once(func(context.Context) error { f(); return nil })
}

// blackout silences everything from, to and inside a Region.
func (w *world) blackout(r dr.Region) fault.Heal {
	set := func(on bool) {
		w.mu.Lock()
		w.silent[r] = on
		w.mu.Unlock()
	}
	set(true)
	mend := w.isolate(r)
	return undo(func() {
		set(false)
		mend()
	})
}

// isolate cuts a Region off from the others and returns what mends it.
func (w *world) isolate(r dr.Region) (mend func()) {
	set := func(up bool) {
		for _, other := range w.setup.Topology.Vantages() {
			if other != r {
				w.link(r, other, up)
			}
		}
	}
	set(false)
	return func() { set(true) }
}

// link cuts or mends everything between two Regions: traffic, replication, and
// what their control planes know of each other.
func (w *world) link(a, b dr.Region, up bool) {
	w.net.SetLink(a, b, up)
	w.cloud.SetLink(a, b, up)
	if w.setup.Topology.Peer(a) == b {
		w.pair.SetLink(up)
	}
}

// kill kills a Region's server and its agent; connections are refused.
func (w *world) kill(r dr.Region) fault.Heal {
	w.pair.DB(r).Kill()
	w.killAgent(r)
	return fault.Once(func(context.Context) error {
		w.pair.DB(r).Start()
		return w.startAgent(r)
	})
}

// restartAfter is how long a killed controller is away, as a Lambda is until its
// next invocation.
const restartAfter = time.Second

// killController kills a Region's agent, which comes back with nothing but what
// the lease store knows.
func (w *world) killController(r dr.Region) fault.Heal {
	w.killAgent(r)
	w.tasks.Go(func() {
		t := time.NewTimer(restartAfter)
		defer t.Stop()
		select {
		case <-w.life.Done():
		case <-t.C:
			if err := w.startAgent(r); err != nil {
				w.mark(measure.Mark{At: w.Clock(), Source: "embedded", Name: "problem", Region: r, Detail: err.Error()})
			}
		}
	})
	return func(context.Context) error { return w.startAgent(r) }
}

// killAgent ends an agent in whatever it is doing, and waits until it is gone.
func (w *world) killAgent(r dr.Region) {
	w.mu.Lock()
	a := w.agents[r]
	delete(w.agents, r)
	w.mu.Unlock()
	if a != nil {
		a.kill()
		<-a.done
	}
}

// Effective implements drill.Observer: a client of its own asks until it gets no
// answer. Its place is the third Region, or the other end of a cut link.
func (w *world) Effective(ctx context.Context, f fault.Fault) (time.Duration, error) {
	from := w.setup.Topology.Witness
	switch f.Kind {
	case fault.CutLink:
		from = f.Peer
	case fault.KillController, fault.ReplicationLag, fault.None:
		return w.Clock(), nil // nothing that a client could see
	}
	for {
		at := w.Clock()
		call, cancel := context.WithTimeout(ctx, 5*probeEvery)
		err := w.dial(from, f.Region).Probe(call)
		cancel()
		if err != nil && ctx.Err() == nil {
			return at, nil
		}
		t := time.NewTimer(probeEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return 0, fmt.Errorf("embedded: %s had no effect: %w", f, ctx.Err())
		case <-t.C:
		}
	}
}
