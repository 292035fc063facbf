package docker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// byLambda reports whether a Region's Lambda service alone carries a kind of fault out.
func byLambda(k fault.Kind) bool {
	switch k {
	case fault.KillMonitor, fault.StopMonitor, fault.KillController, fault.KillSteps,
		fault.LoseTicks, fault.DoubleTicks, fault.DoubleTrigger, fault.ColdStart, fault.LambdaDown:
		return true
	}
	return false
}

// Supports implements fault.Injector.
func (w *world) Supports(f fault.Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	t := w.setup.Topology
	no := func(why string) error { return fmt.Errorf("docker: %s: %w: %s", f, fault.ErrUnsupported, why) }
	all := f.Kind == fault.Dependency && f.Region == fault.Everywhere
	if f.Region != "" && !all && !slices.Contains(t.Vantages(), f.Region) || f.Peer != "" && !slices.Contains(t.Vantages(), f.Peer) {
		return no(fmt.Sprintf("its Regions are %v", t.Vantages()))
	}
	switch f.Kind {
	case fault.None, fault.Blackout, fault.Kill, fault.Isolate, fault.CutLink, fault.ThrottleRDS,
		fault.KillMonitor, fault.StopMonitor, fault.LoseTicks, fault.DoubleTicks, fault.ColdStart, fault.LambdaDown:
		return nil
	case fault.KillController, fault.KillSteps, fault.DoubleTrigger:
		if !slices.Contains(t.Members, f.Region) {
			return no("there is no trigger in " + f.Region.String())
		}
		return nil
	case fault.FreezeDatabase:
		if !slices.Contains(t.Members, f.Region) {
			return no("there is no database in " + f.Region.String())
		}
		return nil
	case fault.ReplicationLag:
		if t.Peer(f.Region) != f.Peer {
			return no("nothing replicates there")
		}
		return nil
	case fault.Dependency, fault.Database, fault.Promotion, fault.Console:
		if why := w.halfBuilt(f); why != "" {
			return no(why)
		}
		return nil
	}
	return no("it is not known")
}

// Inject implements fault.Injector. What a fault needs is done everywhere at
// once.
func (w *world) Inject(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	if err := w.expect(ctx, f); err != nil {
		return nil, err
	}
	heal, err := w.carryOut(ctx, f)
	if err == nil {
		w.injected(f)
	}
	return heal, err
}

func (w *world) carryOut(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	if byLambda(f.Kind) {
		return w.lambda(ctx, f)
	}
	switch f.Kind {
	case fault.Blackout:
		return w.blackout(ctx, f)
	case fault.Kill:
		return w.kill(ctx, f)
	case fault.FreezeDatabase:
		db := w.database(f.Region)
		_, err := db.Freeze(ctx, true)
		return fault.Once(func(ctx context.Context) error { _, err := db.Thaw(ctx); return err }), err
	case fault.Isolate:
		var links [][2]dr.Region
		for _, other := range w.others(f.Region) {
			links = append(links, [2]dr.Region{f.Region, other})
		}
		return w.cut(ctx, f, links...)
	case fault.CutLink:
		return w.cut(ctx, f, [2]dr.Region{f.Region, f.Peer})
	case fault.ReplicationLag:
		road, err := w.fleet.Road(f.Region.String(), f.Peer.String())
		if err != nil {
			return nil, err
		}
		// Slowly, or replication would take it for a lost link: see Road.Lag.
		err = road.Lag(ctx, f.Region.String(), f.Duration, 2*f.Duration)
		return fault.Once(func(ctx context.Context) error { return road.Lag(ctx, f.Region.String(), 0, 0) }), err
	case fault.ThrottleRDS:
		query := url.Values{"region": {f.Region.String()}, "for": {f.Duration.String()}}
		err := w.call(ctx, cloudName, "/cloud/throttle", query, nil, nil)
		return fault.Once(func(ctx context.Context) error {
			return w.call(ctx, cloudName, "/cloud/throttle", url.Values{"region": {f.Region.String()}}, nil, nil)
		}), err
	}
	return w.half(ctx, f)
}

// lambda has a Region's Lambda service carry a fault out.
func (w *world) lambda(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	query := url.Values{"fault": {f.String()}}
	err := w.call(ctx, lambdaName(f.Region), "/lambda/inject", query, nil, nil)
	return fault.Once(func(ctx context.Context) error {
		return w.call(ctx, lambdaName(f.Region), "/lambda/heal", query, nil, nil)
	}), err
}

func (w *world) others(r dr.Region) []dr.Region {
	return slices.DeleteFunc(w.setup.Topology.Vantages(), func(o dr.Region) bool { return o == r })
}

// together does everything at once and waits for all of it, whatever fails.
func together(acts ...func() error) error {
	errs := make([]error, len(acts))
	var g errgroup.Group
	for i, act := range acts {
		g.Go(func() error {
			errs[i] = act()
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	return errors.Join(errs...)
}

// blackout silences a Region: its nodes, its links, and its control plane.
func (w *world) blackout(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	set := func(ctx context.Context, network func() error, dark bool) error {
		acts := []func() error{network, func() error { return w.silence(ctx, f.Region, dark) }}
		for _, other := range w.others(f.Region) {
			acts = append(acts, func() error { return w.link(ctx, f, f.Region, other, !dark) })
		}
		return together(acts...)
	}
	err := set(ctx, func() error { _, err := w.fleet.Blackout(ctx, f.String(), f.Region.String()); return err }, true)
	return fault.Once(func(ctx context.Context) error {
		return set(ctx, func() error { _, err := w.fleet.Heal(ctx, f.String()); return err }, false)
	}), err
}

// kill kills what runs in a Region: its server, if it has one, and its functions, which
// nothing starts before the heal.
func (w *world) kill(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	var revive fault.Heal
	acts := []func() error{func() (err error) { revive, err = w.lambda(ctx, f); return err }}
	member := slices.Contains(w.setup.Topology.Members, f.Region)
	if member {
		acts = append(acts, func() error { _, err := w.database(f.Region).Kill(ctx); return err })
	}
	err := together(acts...)
	return fault.Once(func(ctx context.Context) error {
		acts := []func() error{func() error { return revive(ctx) }}
		if member {
			acts = append(acts, func() error { _, err := w.database(f.Region).Start(ctx); return err })
		}
		return together(acts...)
	}), err
}

// cut cuts links between Regions, and tells the control plane.
func (w *world) cut(ctx context.Context, f fault.Fault, links ...[2]dr.Region) (fault.Heal, error) {
	var acts []func() error
	for _, l := range links {
		road, err := w.fleet.Road(l[0].String(), l[1].String())
		if err != nil {
			return nil, err
		}
		acts = append(acts,
			func() error { _, err := road.Cut(ctx, f.String(), Cut{Mode: netfault.All}); return err },
			func() error { return w.link(ctx, f, l[0], l[1], false) })
	}
	heal := func(ctx context.Context) error {
		acts := []func() error{func() error { _, err := w.fleet.Heal(ctx, f.String()); return err }}
		for _, l := range links {
			acts = append(acts, func() error { return w.link(ctx, f, l[0], l[1], true) })
		}
		return together(acts...)
	}
	return fault.Once(heal), together(acts...)
}

// link notes whether a fault holds a link down, and tells the control plane
// whether the two Regions reach each other.
func (w *world) link(ctx context.Context, f fault.Fault, a, b dr.Region, up bool) error {
	ends := pair(a.String(), b.String())
	w.mu.Lock()
	if w.cuts[ends] == nil {
		w.cuts[ends] = map[string]bool{}
	}
	if up {
		delete(w.cuts[ends], f.String())
	} else {
		w.cuts[ends][f.String()] = true
	}
	up = len(w.cuts[ends]) == 0
	w.mu.Unlock()
	query := url.Values{"a": {a.String()}, "b": {b.String()}, "up": {strconv.FormatBool(up)}}
	return w.call(ctx, cloudName, "/cloud/link", query, nil, nil)
}

// silence tells the control plane whether anything in a Region answers.
func (w *world) silence(ctx context.Context, r dr.Region, on bool) error {
	query := url.Values{"region": {r.String()}, "on": {strconv.FormatBool(on)}}
	return w.call(ctx, cloudName, "/cloud/silence", query, nil, nil)
}
