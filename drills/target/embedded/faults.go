package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Supports implements fault.Injector.
func (w *world) Supports(f fault.Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	l := w.lambdas[f.Region]
	switch f.Kind {
	case fault.None, fault.CutLink, fault.ReplicationLag:
		return nil
	case fault.Isolate, fault.KillMonitor, fault.StopMonitor, fault.LoseTicks, fault.DoubleTicks, fault.ColdStart, fault.LambdaDown:
		if l == nil {
			return fmt.Errorf("embedded: %s: %w: use one of %v", f, fault.ErrUnsupported, w.setup.Topology.Vantages())
		}
		return nil
	case fault.Dependency:
		if f.Region != fault.Everywhere && l == nil {
			return fmt.Errorf("embedded: %s: %w: use one of %v, or %s", f, fault.ErrUnsupported, w.setup.Topology.Vantages(), fault.Everywhere)
		}
		return w.supportsHow(f)
	case fault.Console:
		if w.cloud.ClusterARN(f.Region) == "" {
			return fmt.Errorf("embedded: %s: %w: no member of the global database is there", f, fault.ErrUnsupported)
		}
		return nil
	case fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.ThrottleRDS, fault.KillController, fault.KillSteps, fault.DoubleTrigger,
		fault.Database, fault.Promotion:
		if l == nil || w.setup.Topology.Peer(f.Region) == "" {
			return fmt.Errorf("embedded: %s: %w: use one of %v, which have a database", f, fault.ErrUnsupported, w.setup.Topology.Members)
		}
		return nil
	}
	return fmt.Errorf("embedded: %s: %w", f, fault.ErrUnsupported)
}

// supportsHow refuses what a service can't do here: only an emulated service's answers
// can be old.
func (w *world) supportsHow(f fault.Fault) error {
	name, operation := f.Service.Split()
	if f.How == fault.Stale && name != fault.RDS && name != fault.DynamoDB {
		return fmt.Errorf("embedded: %s: %w: only rds and dynamodb answer as of earlier", f, fault.ErrUnsupported)
	}
	if _, ok := emulated[name]; !ok && operation != "" {
		return fmt.Errorf("embedded: %s: %w: %s goes wrong as a whole", f, fault.ErrUnsupported, name)
	}
	return nil
}

// Inject implements fault.Injector.
func (w *world) Inject(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	if err := w.Supports(f); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.injected[f] = w.Clock()
	w.mu.Unlock()
	switch f.Kind {
	case fault.None:
		return undo(func() {}), nil
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
		w.lag.Add(int64(f.Duration))
		return undo(func() { w.lag.Add(-int64(f.Duration)) }), nil
	case fault.ThrottleRDS:
		return w.throttle(f.Region, f.Duration), nil
	case fault.Dependency:
		return w.dependency(f), nil
	case fault.Database:
		return w.database(f), nil
	case fault.Promotion:
		return w.promotion(f), nil
	case fault.Console:
		return undo(func() {}), w.console(ctx, f)
	}
	return w.lambdas[f.Region].inject(f, &w.mu)
}

func undo(f func()) fault.Heal {
	return fault.Once(func(context.Context) error { f(); return nil })
}

// blackout silences everything from, to and inside a Region.
func (w *world) blackout(r dr.Region) fault.Heal {
	add := func(d int) {
		w.mu.Lock()
		w.silent[r] += d
		w.mu.Unlock()
	}
	add(1)
	mend := w.isolate(r)
	return undo(func() {
		add(-1)
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

// link cuts everything between two Regions, or takes a cut back: traffic,
// replication, and what their control planes know of each other. What several faults
// cut is up when all of them have mended it.
func (w *world) link(a, b dr.Region, up bool) {
	pair := [2]dr.Region{min(a, b), max(a, b)}
	w.mu.Lock()
	before := w.cuts[pair]
	if up {
		w.cuts[pair]--
	} else {
		w.cuts[pair]++
	}
	same := (before > 0) == (w.cuts[pair] > 0)
	w.mu.Unlock()
	if same {
		return
	}
	w.net.SetLink(a, b, up)
	w.cloud.SetLink(a, b, up)
	if w.setup.Topology.Peer(a) == b {
		w.pair.SetLink(up)
	}
}

// kill kills a Region's server and its functions; connections and invocations are
// refused. The heal starts the server and ticks the monitor.
func (w *world) kill(r dr.Region) fault.Heal {
	w.pair.DB(r).Kill()
	mend := w.lambdas[r].takeDown()
	return undo(func() {
		w.pair.DB(r).Start()
		mend()
		w.tasks.Go(func() { w.tick(r) }) // Lambda may be slow, or not answer at all
	})
}

// throttle has a Region's RDS API refuse every call for a while.
func (w *world) throttle(r dr.Region, for_ time.Duration) fault.Heal {
	clear := w.cloud.SetFault(cloud.On(r, cloud.RDS, "*").Throttle())
	healed := make(chan struct{})
	w.tasks.Go(func() {
		defer clear()
		t := time.NewTimer(for_)
		defer t.Stop()
		select {
		case <-w.life.Done():
		case <-healed:
		case <-t.C:
		}
	})
	return undo(func() { close(healed); clear() })
}
