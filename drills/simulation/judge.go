package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// trial is one execution as the journal tells it.
type trial struct {
	id      string
	entries []failover.Entry
}

func (t trial) last() failover.Execution { return t.entries[len(t.entries)-1].Execution }

// when returns the time of the first entry of a kind, and false when there is none.
func (t trial) when(k failover.Kind) (time.Time, bool) {
	for _, e := range t.entries {
		if e.Event == k {
			return e.At, true
		}
	}
	return time.Time{}, false
}

// judge holds the invariants once everything is over.
func (g *game) judge() error {
	all, err := g.inside.Journal()
	if err != nil {
		return err
	}
	var trials []trial
	for _, e := range all {
		if n := len(trials); n > 0 && trials[n-1].id == e.Execution.ID {
			trials[n-1].entries = append(trials[n-1].entries, e)
			continue
		}
		trials = append(trials, trial{e.Execution.ID, []failover.Entry{e}})
	}
	for _, t := range trials {
		g.course(t)
		g.evidence(t)
		g.path(t)
	}
	g.operations(trials)
	g.announcements(trials)
	g.losses(trials)
	g.expected(trials)
	g.unharmed()
	if ok, why := g.serves(); !ok {
		g.audit.fail("liveness", "no writer at the end: %s", why)
	}
	return nil
}

// course holds an execution against the table, and demands that it has ended.
func (g *game) course(t trial) {
	from := failover.Steady
	for i, e := range t.entries {
		x := e.Execution
		if x.Seq != i+1 {
			g.audit.fail("journal", "%s: entry %d has number %d", t.id, i+1, x.Seq)
		}
		if _, ok := failover.Table()[from][e.Event]; !ok {
			g.audit.fail("journal", "%s: %s in state %s is not in the table", t.id, e.Event, from)
		}
		g.audit.visit(fmt.Sprintf("edge %s %s", from, e.Event))
		if x.State == failover.AwaitingApproval {
			g.audit.visit("code " + string(x.Code))
			if x.Code == "" {
				g.audit.fail("journal", "%s: a person is asked without a code", t.id)
			}
		}
		from = x.State
	}
	x := t.last()
	g.audit.visit("ended " + string(x.State))
	if !x.State.Ended() && x.State != failover.AwaitingApproval {
		g.audit.fail("journal", "%s was left in state %s", t.id, x.State)
	}
	for _, k := range []failover.Kind{failover.EvPromoted, failover.EvVerified, failover.EvRedirected} {
		if _, ok := t.when(k); !ok && x.State == failover.Settled {
			g.audit.fail("announce", "%s settled without %s", t.id, k)
		}
	}
}

// evidence holds a promotion against what must be proven before it.
func (g *game) evidence(t trial) {
	promotedAt, ok := t.when(failover.EvPromoted)
	if !ok {
		return
	}
	x := t.last()
	if x.Proof == "" {
		g.audit.fail("evidence", "%s promoted without a fence proof", t.id)
	}
	if x.Mode != failover.ModeFailover {
		if _, is := g.arrival(x, promotedAt); x.Mode == failover.ModeAdopt && !is {
			g.audit.fail("evidence", "%s adopted a writer that the control plane has not moved", t.id)
		}
		return // a person has asked for it, or moved the writer: nothing had to be dark
	}
	if len(x.Evidence.Dark) < 2 || len(x.Evidence.Vantages) < 2 {
		g.audit.fail("evidence", "%s promoted on evidence %v from %v", t.id, x.Evidence.Dark, x.Evidence.Vantages)
	}
	p := g.Policy.WithDefaults()
	if x.Ack == nil && (!x.Evidence.LagKnown || x.Evidence.Lag > p.MaxDataLoss || x.Evidence.LagAge > p.MaxLagAge) {
		g.audit.fail("evidence", "%s promoted past the gate: lag %v (known %v), %v old", t.id, x.Evidence.Lag, x.Evidence.LagKnown, x.Evidence.LagAge)
	}
}

// arrival is the control plane's move that brought the writer to an execution's target
// before a time.
func (g *game) arrival(x failover.Execution, before time.Time) (last cloud.Operation, is bool) {
	for _, op := range g.inside.Cloud.Operations() {
		if op.To == x.To && !op.PromotedAt.IsZero() && !op.PromotedAt.After(before) {
			last, is = op, true
		}
	}
	return last, is
}

// operations demands that the control plane was asked for nothing that the journal does
// not know.
func (g *game) operations(trials []trial) {
	for _, op := range g.inside.Cloud.Operations() {
		if g.moved(op) {
			continue
		}
		known := slices.ContainsFunc(trials, func(t trial) bool {
			gated, ok := t.when(failover.EvGatePassed)
			return ok && !gated.After(op.AcceptedAt) && t.last().To == op.To && string(t.last().Mode) == op.Kind
		})
		if !known {
			g.audit.fail("evidence", "a %s to %s was asked for at %v without an execution past its gate", op.Kind, op.To, op.AcceptedAt.Sub(g.begun))
		}
	}
}

// path demands that nothing between the epoch and the end of an execution asked another
// Region but the lease store's replicas. Probes may, too; both were left out.
func (g *game) path(t trial) {
	begin, taken := t.when(failover.EvEpochTaken)
	if !taken {
		return
	}
	end, settled := t.when(failover.EvAnnounced)
	if !settled {
		end = t.entries[len(t.entries)-1].At
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.away {
		if e.From == t.last().To && e.At.After(begin) && e.At.Before(end) {
			g.audit.fail("path", "%s: %s asked %s of %s in %s", t.id, e.From, e.Operation, e.Service, e.To)
			return
		}
	}
}

// visited reports whether the control plane has had a writer leave a Region for another one,
// and named the first one again, before a time.
func (g *game) visited(here, away dr.Region, before time.Time) bool {
	ops := g.inside.Cloud.Operations()
	left := slices.IndexFunc(ops, func(op cloud.Operation) bool {
		return op.From == here && op.To == away && op.AcceptedAt.Before(before)
	})
	return left >= 0 && (ops[left].Err != nil || slices.ContainsFunc(ops[left:], func(op cloud.Operation) bool {
		return op.To == here && op.AcceptedAt.Before(before)
	}))
}

// announcements holds every message against the journal, and every entry that says that
// people were told against the messages.
func (g *game) announcements(trials []trial) {
	said := make(map[string]bool)
	for _, p := range g.inside.Cloud.Published() {
		if strings.Contains(p.Message, "\nNothing was stopped or moved for it.") {
			continue // of a monitor, about what fails and stops nothing
		}
		if here, from, back := strings.Cut(p.Subject, ": the writer is back from "); back {
			if !g.visited(dr.Region(here), dr.Region(from), p.At) {
				g.audit.fail("announce", "the control plane knows of no move from %s to %s before the message %q", here, from, p.Subject)
			}
			continue
		}
		if here, _, back := strings.Cut(p.Subject, ": has taken its lease back"); back {
			if !slices.ContainsFunc(g.inside.Cloud.Operations(), func(op cloud.Operation) bool { return op.From == dr.Region(here) || op.To == dr.Region(here) }) {
				g.audit.fail("announce", "the control plane has moved nothing, and the message is %q", p.Subject)
			}
			continue
		}
		i := slices.IndexFunc(trials, func(t trial) bool { return strings.HasPrefix(p.Message, "execution "+t.id+":") })
		if i < 0 {
			g.audit.fail("announce", "nothing in the journal stands behind the message %q", p.Subject)
			continue
		}
		t := trials[i]
		if strings.Contains(p.Subject, "the writer moved") {
			said[t.id] = true
			at, ok := t.when(failover.EvRedirected)
			if !ok || at.After(p.At) {
				g.audit.fail("announce", "%q was said at %v, before a write through the endpoint was verified", p.Subject, p.At.Sub(g.begun))
			}
			continue
		}
		if strings.Contains(p.Subject, " has ended: the writer is in ") {
			// The way back, whether a person was asked before or not.
			if !slices.ContainsFunc(t.entries, func(e failover.Entry) bool {
				return e.Execution.State == failover.Returned && !e.At.After(p.At) && strings.HasSuffix(p.Subject, string(e.Execution.From))
			}) {
				g.audit.fail("announce", "%q was said, and %s was not returned", p.Subject, t.id)
			}
			continue
		}
		if !slices.ContainsFunc(t.entries, func(e failover.Entry) bool {
			return e.Execution.State == failover.AwaitingApproval && !e.At.After(p.At) && strings.HasSuffix(p.Subject, string(e.Execution.Code))
		}) {
			g.audit.fail("announce", "%q was said, and %s had asked nothing", p.Subject, t.id)
		}
	}
	for _, t := range trials {
		if t.last().State == failover.Settled && t.last().Detail == "" && !said[t.id] {
			g.audit.fail("announce", "%s says that people were told, and no topic has it", t.id)
		}
	}
}

// losses holds every lost write against what the policy and the operator accepted.
func (g *game) losses(trials []trial) {
	writer, _ := g.inside.Pair.Following()
	kept := make(map[int64]bool)
	for _, id := range g.inside.Pair.DB(writer).Rows() {
		kept[id] = true
	}
	p := g.Policy.WithDefaults()
	var windows [][2]time.Time
	for _, t := range trials {
		at, ok := t.when(failover.EvPromoted)
		if !ok {
			continue
		}
		x := t.last()
		begin := x.Evidence.DarkSince.Add(-p.MaxLagAge - p.MaxDataLoss)
		switch x.Mode {
		case failover.ModeSwitchover:
			continue // it loses nothing
		case failover.ModeAdopt:
			if op, is := g.arrival(x, at); is && op.Kind == string(fault.Switchover) {
				continue // a switchover at the console loses nothing either
			}
			begin = time.Time{} // a person at the console accepted any loss
		}
		if x.Ack != nil {
			begin = time.Time{} // a person accepted any loss
		}
		windows = append(windows, [2]time.Time{begin, at})
	}
	a := g.audit
	lost := 0
	for id, w := range a.acked {
		if kept[id] {
			continue
		}
		lost++
		if w.excuse != "" || slices.ContainsFunc(windows, func(in [2]time.Time) bool { return !w.at.Before(in[0]) && !w.at.After(in[1]) }) {
			continue
		}
		a.fail("loss", "write %d, acknowledged by %s at %v, is lost outside every declared window", id, w.region, w.at.Sub(g.begun))
	}
	a.note("%d acknowledged writes, %d lost", len(a.acked), lost)
}

// expected holds a world against what its plan must lead to.
func (g *game) expected(trials []trial) {
	a := g.audit
	for _, t := range trials {
		taken, ok := t.when(failover.EvEpochTaken)
		if _, promoted := t.when(failover.EvPromoted); !ok || !promoted || t.last().Ack != nil || t.last().Mode != failover.ModeFailover {
			continue
		}
		if hurt := a.hurtBefore(t, taken); !hurt {
			a.fail("undue", "%s moved the writer from %s, which served and kept its lease all the time", t.id, t.last().From)
		}
	}
	if Harmless(g.Plan) && a.lease.Epoch != 1 {
		a.fail("undue", "the writer moved in a world without a reason")
	}
	if !Due(g.Plan) {
		return
	}
	settled := slices.ContainsFunc(trials, func(t trial) bool { return t.last().State == failover.Settled && t.last().To == drill.West })
	switch limit := g.Policy.Budget().Own() + promotion; {
	case !settled:
		a.fail("due", "the writer's Region was lost, and no failover has settled")
	case a.writable == 0 || a.writable > limit:
		a.fail("rto", "the other Region took %v to accept a write, %v allowed", a.writable, limit)
	}
}

// promotion is the longest that the target draws, and what a look at it may miss.
const promotion = 7 * time.Second
