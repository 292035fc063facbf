package simulation

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The time line of a world.
const (
	// Length is how long a world lasts.
	Length = 10 * time.Minute
	// calm is when the first fault may come: by then a lag is known everywhere.
	calm = 15 * time.Second
	// stormy is when the last fault begins and longest how long one lasts at the most.
	stormy, longest = 4*time.Minute + 30*time.Second, 90 * time.Second
	// Bound is how long after the last heal there must be a writer that clients reach,
	// and no execution that has not ended. An operator who answers late, and a promotion
	// that is given up and asked for again, are in it.
	Bound = 3 * time.Minute
)

// Draw returns the world of a seed.
func Draw(seed uint64) World {
	rng := rand.New(rand.NewPCG(seed, 0x51b))
	w := World{
		Seed: seed,
		Policy: dr.Policy{
			Watchdog: rng.IntN(4) == 0, RPOGuard: rng.IntN(5) == 0, MaxFailovers: new(1 + rng.IntN(2)),
			EffectTimeout: 25 * time.Second, // of the default's 10 min a world has not enough
		},
		BootReadOnly: rng.IntN(2) == 0,
		Patience:     between(rng, 3*time.Second, 40*time.Second),
	}
	w.pace(rand.New(rand.NewPCG(seed, 0x9ace)))
	switch rng.IntN(8) {
	case 0:
		w.Plan = loss(rng)
	case 1:
		for len(w.Plan) == 0 || !Harmless(w.Plan) {
			w.Plan = slices.DeleteFunc(storm(rng), func(s fault.Step) bool { return !harmless(s.Fault) })
		}
	default:
		w.Plan = storm(rng)
	}
	return w
}

// pace draws how often the deployment looks, renews and is ticked. One world in 16 has
// the default policy and the drills' tick. The others are two to four times slower, the
// looks and the lease each by themselves, within what Policy.Validate allows, and most of
// them have the deployed schedule's minute: a slow world costs a fraction of a fast one, and
// has the longer gaps.
func (w *World) pace(rng *rand.Rand) {
	if rng.IntN(16) == 0 {
		w.Tick = 10 * time.Second
		return
	}
	w.Tick = time.Minute
	if rng.IntN(4) == 0 {
		w.Tick = between(rng, 10*time.Second, time.Minute)
	}
	times := func(slow float64, d time.Duration) time.Duration {
		return time.Duration(slow * float64(d)).Truncate(time.Millisecond)
	}
	looks, lease := 2+2*rng.Float64(), 2+rng.Float64()
	p, def := &w.Policy, dr.DefaultPolicy()
	p.ProbeInterval, p.ProbeTimeout, p.MaxLagAge = times(looks, def.ProbeInterval), times(looks, def.ProbeTimeout), times(looks, def.MaxLagAge)
	p.LeaseTTL, p.LeaseMargin, p.LeaseDrift = times(lease, def.LeaseTTL), times(lease, def.LeaseMargin), times(lease, def.LeaseDrift)
	p.RenewInterval, p.ObserveInterval = between(rng, p.LeaseTTL/6, p.LeaseTTL/4), between(rng, p.LeaseTTL/6, p.LeaseTTL/4)
	if p.Watchdog { // needs two beats and a tick within the lease
		p.RenewInterval = between(rng, p.LeaseTTL/12, p.LeaseTTL/10)
	}
	p.Objectives.OwnShare, p.Objectives.RTO = time.Minute, 2*time.Minute
}

// loss is the clean loss of the writer's Region, for longer than a failover takes.
func loss(rng *rand.Rand) fault.Plan {
	kinds := []fault.Kind{fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate}
	return fault.Plan{{
		Fault: fault.Fault{Kind: kinds[rng.IntN(len(kinds))], Region: drill.East},
		At:    between(rng, calm, stormy), For: between(rng, 60*time.Second, longest),
	}}
}

// storm is anything at any time.
func storm(rng *rand.Rand) fault.Plan {
	var out fault.Plan
	at := between(rng, calm, stormy/2)
	for range 1 + rng.IntN(6) {
		if rng.IntN(3) == 0 { // else it overlaps with the last one, or follows it closely
			at = between(rng, calm, stormy)
		} else {
			at = min(at+between(rng, 0, 12*time.Second), stormy)
		}
		f := draw(rng)
		lasts := between(rng, 200*time.Millisecond, 8*time.Second)
		if rng.IntN(2) == 0 {
			lasts = between(rng, 8*time.Second, longest)
		}
		times := 1
		if rng.IntN(6) == 0 { // it flaps
			times, lasts = 2+rng.IntN(5), between(rng, 200*time.Millisecond, 10*time.Second)
		}
		pause := between(rng, 100*time.Millisecond, 10*time.Second)
		for i := range times {
			begin := at + time.Duration(i)*(lasts+pause)
			out = append(out, fault.Step{Fault: f, At: min(begin, stormy+longest/2), For: min(lasts, longest/2+time.Duration(rng.Int64N(int64(longest/2))))})
		}
	}
	return out
}

// whole are the kinds that break something whole: all but None and the half-failures,
// which [DrawHarm] draws.
func whole() []fault.Kind {
	return slices.DeleteFunc(fault.Kinds(), func(k fault.Kind) bool { return k == fault.None || len(fault.Hows(k)) > 0 })
}

// draw returns a fault of any kind, most often where the writer is at the beginning.
func draw(rng *rand.Rand) fault.Fault {
	kinds := whole()
	f := fault.Fault{Kind: kinds[rng.IntN(len(kinds))], Region: drill.East}
	top := drill.Topology()
	where := top.Members
	switch f.Kind {
	case fault.Isolate, fault.KillMonitor, fault.StopMonitor, fault.LoseTicks, fault.DoubleTicks, fault.ColdStart, fault.LambdaDown, fault.CutLink:
		where = top.Vantages()
	}
	if rng.IntN(2) == 0 {
		f.Region = where[rng.IntN(len(where))]
	}
	switch f.Kind {
	case fault.CutLink:
		others := slices.DeleteFunc(top.Vantages(), func(r dr.Region) bool { return r == f.Region })
		f.Peer = others[rng.IntN(len(others))]
	case fault.ReplicationLag:
		f.Peer, f.Duration = top.Peer(f.Region), between(rng, 300*time.Millisecond, 6*time.Second)
	case fault.ColdStart:
		f.Duration = between(rng, 200*time.Millisecond, 5*time.Second)
	case fault.ThrottleRDS:
		f.Duration = between(rng, time.Second, longest)
	}
	return f
}

func between(rng *rand.Rand, lo, hi time.Duration) time.Duration {
	return (lo + time.Duration(rng.Int64N(int64(hi-lo)))).Truncate(time.Millisecond)
}

// Due reports whether a plan is nothing but the loss of the writer's Region, which
// must be answered by a failover.
func Due(p fault.Plan) bool {
	if len(p) != 1 || p[0].Fault.Region != drill.East || p[0].At < calm || p[0].For < time.Minute {
		return false
	}
	switch p[0].Fault.Kind {
	case fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate:
		return true
	}
	return false
}

// Harmless reports whether nothing in a plan takes the first writer from its clients
// or from the lease store: then no monitor may move it.
func Harmless(p fault.Plan) bool {
	cut := make(map[dr.Region]bool) // whom the writer's Region can't always reach
	for _, s := range p {
		if !harmless(s.Fault) {
			return false
		}
		switch f := s.Fault; f.Kind {
		case fault.Isolate, fault.Blackout:
			cut[f.Region] = true
		case fault.CutLink:
			cut[f.Region], cut[f.Peer] = cut[f.Region] || f.Peer == drill.East, cut[f.Peer] || f.Region == drill.East
		}
	}
	return !cut[drill.West] || !cut[drill.Witness]
}

func harmless(f fault.Fault) bool {
	switch f.Kind {
	case fault.None, fault.CutLink, fault.ReplicationLag, fault.ThrottleRDS, fault.KillController, fault.KillSteps,
		fault.LoseTicks, fault.DoubleTicks, fault.DoubleTrigger, fault.ColdStart, fault.Dependency, fault.Promotion:
		return true
	case fault.Console:
		return false
	}
	return f.Region != drill.East
}
