package simulation

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// DrawHarm returns the world of a seed with half-failures, and with people at the
// console: half of the worlds have nothing else, the others have it beside what [Draw]
// draws. Such a world also holds invariants 7 and 8 of the design.
func DrawHarm(seed uint64) World {
	w := Draw(seed)
	w.Harm = true
	rng := rand.New(rand.NewPCG(seed, 0x4a12))
	quiet := rng.IntN(2) == 0
	if quiet {
		w.Plan = nil
	}
	for range 1 + rng.IntN(3) {
		f := drawHalf(rng, quiet)
		at, lasts := between(rng, calm, stormy), between(rng, time.Second, longest)
		w.Plan = append(w.Plan, fault.Step{Fault: f, At: at, For: lasts})
	}
	return w
}

// drawHalf returns a half-failure of any kind; only one of a service where it must do no
// harm.
func drawHalf(rng *rand.Rand, quiet bool) fault.Fault {
	members := drill.Topology().Members
	kinds := []fault.Kind{fault.Dependency, fault.Dependency, fault.Database, fault.Promotion, fault.Console}
	f := fault.Fault{Kind: kinds[rng.IntN(len(kinds))], Region: members[rng.IntN(2)]}
	if quiet {
		f.Kind = fault.Dependency
	}
	hows := fault.Hows(f.Kind)
	f.How = hows[rng.IntN(len(hows))]
	if f.Kind == fault.Dependency {
		services := slices.DeleteFunc(fault.Services(), func(s fault.Service) bool { return s == fault.DNS }) // the clients' own
		f.Service = services[rng.IntN(len(services))]
		if where := append(drill.Topology().Vantages(), fault.Everywhere); rng.IntN(2) == 0 {
			f.Region = where[rng.IntN(len(where))]
		}
		if f.How == fault.Stale {
			f.Service = fault.RDS
		}
	}
	if f.Validate() != nil {
		f.Duration = between(rng, 100*time.Millisecond, 3*time.Second)
	}
	return f
}

// moved reports whether a move of the control plane's was asked for at the console.
func (g *game) moved(op cloud.Operation) bool {
	return slices.ContainsFunc(g.steps, func(s step) bool {
		at := g.begun.Add(s.At)
		return s.Fault.Kind == fault.Console && s.Fault.Region == op.To && string(s.Fault.How) == op.Kind &&
			!op.AcceptedAt.Before(at) && op.AcceptedAt.Before(at.Add(time.Second))
	})
}

// forced reports whether the control plane's last move was a failover to a Region that a
// person forced at the console.
func (g *game) forced(to dr.Region) bool {
	last, ok := g.brought(to)
	return ok && last.Kind == string(fault.Forced)
}

// brought returns the control plane's newest move, if it has brought the writer to a Region.
func (g *game) brought(to dr.Region) (last cloud.Operation, ok bool) {
	ops := g.inside.Cloud.Operations()
	if len(ops) == 0 {
		return last, false
	}
	last = ops[len(ops)-1]
	return last, last.To == to && g.moved(last)
}

// closed is told that a guard has fenced its writer, or has had it cut off.
func (g *game) closed(c dr.LeaseChange) {
	if g.audit == nil || !g.Harm || c.What != dr.LeaseFenced && c.What != dr.LeaseIsolated {
		return
	}
	if peer := drill.Topology().Peer(c.Region); Unharmed(g.Plan) && !g.inside.Acts(peer) && g.gone(fault.DynamoDB) {
		// With the store away everywhere a monitor can't be replaced, and one that was being
		// replaced in that moment promises nothing.
		g.audit.mu.Lock()
		defer g.audit.mu.Unlock()
		g.audit.excused["the store was lost everywhere while the other member's monitor was being replaced"]++
		return
	}
	if Unharmed(g.Plan) {
		g.audit.fail("harm", "%s: the guard of %s has %s a writer from which nothing was taken", c.Detail, c.Region, c.What)
	}
}

// gone reports whether a service is ill everywhere now.
func (g *game) gone(s fault.Service) bool {
	since := time.Since(g.begun)
	return slices.ContainsFunc(g.steps, func(x step) bool {
		return x.Fault.Kind == fault.Dependency && x.Fault.Service == s && x.Fault.Region == fault.Everywhere && x.At <= since && since <= x.At+x.For+tick
	})
}

// Unharmed reports whether nothing in a plan is wrong but AWS's own services: then
// nothing may be stopped, rebooted or moved.
func Unharmed(p fault.Plan) bool {
	return !slices.ContainsFunc(p, func(s fault.Step) bool { return s.Fault.Kind != fault.Dependency })
}

// agree is how long lease and control plane may name two writers once both answer.
const agree = 10 * time.Second

// owner holds invariant 8: lease and control plane name one writer again within agree of
// the last heal and of the control plane's own move, or people were told.
func (g *game) owner() {
	if !g.Harm || g.healed.IsZero() {
		return
	}
	lease, known := g.inside.Lease()
	x, err := g.last()
	since := g.healed
	for _, op := range g.inside.Cloud.Operations() {
		if op.DoneAt.IsZero() {
			return
		}
		if op.DoneAt.After(since) {
			since = op.DoneAt
		}
	}
	if !known || err != nil || lease.Holder == g.inside.Cloud.Writer() || x.ID != "" && !x.State.Ended() {
		g.split = time.Time{}
		return
	}
	switch {
	case !g.inside.Acts(lease.Holder) || !g.inside.Acts(g.inside.Cloud.Writer()):
		g.split = time.Now() // no process runs that could see to it
	case g.split.IsZero() || g.split.Before(since):
		g.split = since
	}
	told := slices.ContainsFunc(g.inside.Cloud.Published(), func(p cloud.Publication) bool { return p.At.After(since) })
	if time.Since(g.split) > agree+time.Second && !told {
		g.audit.fail("owner", "the lease is with %s and the writer in %s, %v after both answered, and no person was told", lease.Holder, g.inside.Cloud.Writer(), time.Since(g.split))
	}
}

// unharmed holds invariant 7 at the end.
func (g *game) unharmed() {
	if !g.Harm || !Unharmed(g.Plan) {
		return
	}
	if g.audit.lease.Epoch != 1 {
		g.audit.fail("harm", "the writer moved while nothing but AWS's own services was wrong")
	}
	for _, e := range g.inside.Cloud.Events() {
		if e.ID == "RDS-EVENT-0004" {
			g.audit.fail("harm", "the server in %s was rebooted at %v while nothing but AWS's own services was wrong", e.Region, e.At.Sub(g.begun))
		}
	}
}
