package model

import (
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
)

// back marks a lease that an execution has given back, beside its attempt.
const back = 4

// gaveBack reports whether a lease is the one that an execution has given back.
func (x *execution) gaveBack(l *lease) bool {
	return l.Epoch == x.Epoch+1 && l.Holder == peer(x.To) && l.By == x.Try|back
}

// wantsBack is a person who wants the lease given back, or calls the execution off. It is journalled past the trigger
// that carries the execution out, which goes on until it sees that.
func (w *step) wantsBack(r uint8) {
	w.requests(r, 0, w.s.Left.Returns, failover.EvReturnRequested, func(b *budget) { b.Returns-- })
	w.requests(r, 1, w.s.Left.Aborts, failover.EvAbortRequested, func(b *budget) { b.Aborts-- })
}

func (w *step) requests(r, which, budgeted uint8, kind failover.Kind, spend func(*budget)) {
	j := &w.s.Journal
	if budgeted == 0 || j.ended() || j.To != r || !w.s.majority(r) {
		return
	}
	next, err := j.try(failover.Event{Kind: kind}, w.Without)
	if err != nil {
		return
	}
	w.to(action{what: wantsBack, who: r, which: which}, func(t *State) bool {
		spend(&t.Left)
		t.Journal = next
		t.renumber(w.Kept)
		return true
	})
}

// left reports whether an execution to a Region was called off while it took its epoch, so
// that it has one to give back, or has given it back and not journalled that.
func (s *State) left(r uint8) bool {
	j, l := &s.Journal, &s.Lease
	return j.State == aborted && j.To == r && (l.Epoch == j.Epoch && l.Holder == r && l.By == j.Try || j.gaveBack(l))
}

// join has a trigger go on with what another process has journalled.
func (w *step) join(r, k uint8) {
	w.on(action{what: join, who: r, which: k}, func(t *State, m *member) bool {
		g := &m.Trigger[k]
		if !g.X.is(&t.Journal) || t.Journal.ended() {
			*g = trigger{}
		} else {
			*g = trigger{On: true, X: t.Journal}
		}
		return true
	})
}

// reports reports whether a member's monitor is heard of: it is what opens the writer.
func (w *step) reports(r uint8) bool { return w.s.Member[r].Up && w.s.majority(r) }

// giveBack gives the next epoch to the Region that the execution has taken it from.
func (w *step) giveBack(r, k uint8, outcome outcome) {
	x, l := w.s.Member[r].Trigger[k].X, w.s.Lease
	does := action{what: perform, who: r, which: k}
	switch {
	case !w.s.majority(r):
	case x.gaveBack(&l):
		outcome(does, failover.Event{Kind: failover.EvReturned, Epoch: dr.Epoch(l.Epoch)}, nil)
	case l.Epoch != x.Epoch || l.Holder != r || l.By != x.Try:
		outcome(does, failover.Event{Kind: failover.EvSuperseded}, nil)
	case w.s.Writer == r && w.s.Moving == none:
		outcome(does, failover.Event{Kind: failover.EvAdopted}, nil)
	case w.s.Moving != none:
	case w.reports(peer(r)):
		outcome(does, failover.Event{Kind: failover.EvReturned, Epoch: dr.Epoch(x.Epoch + 1)}, func(t *State, _ *member, x *execution) {
			w.taken(t, r, lease{Epoch: x.Epoch + 1, Holder: peer(r), By: x.Try | back})
		})
	default:
		outcome(action{what: timeOut, who: r, which: k}, failover.Event{Kind: failover.EvStuck, Code: failover.CodeReturnStuck}, nil)
	}
}

// learnsBack has the monitor of the old Region read in the journal that its lease was given
// back, so that its guard may open the writer.
func (w *step) learnsBack(r uint8) {
	j, m := &w.s.Journal, &w.s.Member[r]
	open := j.To == peer(r) && (j.State == returning || j.State == returned || j.State == aborted) && m.Known && j.gaveBack(&m.Sees)
	if !open || !w.s.majority(r) || m.G.Told == m.Sees.Epoch || m.Sees.Renewed || w.Without == LearningBack {
		return
	}
	w.on(action{what: learn, who: r}, func(t *State, m *member) bool {
		w.guard(t, r, input{Kind: guard.PromotionDone, Epoch: m.Sees.Epoch})
		return true
	})
}
