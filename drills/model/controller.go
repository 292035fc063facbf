package model

import "github.com/lifeboat-dr/lifeboat/pkg/dr/failover"

// trigger is what one controller may do.
func (w *step) trigger(r, k uint8) {
	g := w.s.Member[r].Trigger[k]
	near := w.s.majority(r)
	switch {
	case !g.On:
		if near {
			w.begin(r, k)
		}
	case g.Has:
		if near {
			w.record(r, k)
		}
	default:
		w.effect(r, k)
	}
}

// begin starts a controller: it goes on with an open execution, or begins one.
func (w *step) begin(r, k uint8) {
	j, m := w.s.Journal, w.s.Member[r]
	start := func(which uint8, f func(t *State) (execution, bool)) {
		w.on(action{what: begin, who: r, which: k | which<<1}, func(t *State, m *member) bool {
			x, ok := f(t)
			if ok {
				m.Trigger[k] = trigger{On: true, X: x}
			}
			return ok
		})
	}
	if !j.ended() {
		if j.To == r && w.Without != Resumption {
			start(0, func(*State) (execution, bool) { return j, true })
		}
		return
	}
	if w.s.left(r) && w.Without != Leftover {
		start(0, func(*State) (execution, bool) {
			return execution{State: aborted, To: r, Epoch: j.Epoch, Try: j.Try}, true
		})
		return
	}
	if !m.Known || m.Sees.Holder != peer(r) || m.Sees.Epoch >= w.Epochs {
		return
	}
	x := execution{State: steady, To: r, Epoch: m.Sees.Epoch + 1, Try: 1, RevCurrent: w.s.current(r), Silent: w.s.elapsed(r)}
	if j.Epoch == x.Epoch {
		if x.Try = j.Try + 1; x.Try > w.Attempts {
			return // the bound of attempts
		}
	}
	ask := func(t *State, x execution, kind failover.Kind) (execution, bool) {
		t.Journal = x.follow(failover.Event{Kind: kind}, w.Without)
		return t.Journal, true
	}
	// Without evidence no execution begins: health.Evaluate finds no Region impaired that is
	// seen to serve. Its own tests hold that.
	if from := w.s.Member[peer(r)]; w.s.elapsed(r) >= silent && (!from.serves() || !w.s.linked(peer(r)) || w.Without == Evidence) {
		x.DiedFirst = w.s.Member[peer(r)].DiedFirst && w.Without != MonitorSeen
		start(0, func(t *State) (execution, bool) { return ask(t, x, failover.EvConfirmed) })
		if w.s.Left.Asks > 0 {
			start(1, func(t *State) (execution, bool) {
				t.Left.Asks--
				x := x
				x.LagUnknown = true
				return ask(t, x, failover.EvConfirmed)
			})
		}
	}
	if w.s.Writer == r && w.s.Moving == none && m.Primary && !m.Frozen && w.Without != Adoption {
		start(3, func(t *State) (execution, bool) { return ask(t, x, failover.EvAdopted) })
	}
	if w.s.Left.Asks > 0 && w.s.reaches(r, peer(r)) {
		start(2, func(t *State) (execution, bool) {
			t.Left.Asks--
			x.Switchover = true
			return ask(t, x, failover.EvRequested)
		})
	}
}

// record appends the outcome to the journal, or joins who was quicker.
func (w *step) record(r, k uint8) {
	w.on(action{what: journal, who: r, which: k}, func(t *State, m *member) bool {
		g := &m.Trigger[k]
		j := t.Journal
		if !g.X.is(&j) {
			*g = trigger{} // it has ended, and another one has begun
			return true
		}
		if j.Seq == g.X.Seq {
			rev := j.RevCurrent
			t.Journal = g.Next
			t.Journal.RevCurrent = rev
			t.renumber(w.Kept)
		}
		*g = trigger{On: true, X: t.Journal}
		if t.Journal.ended() {
			*g = trigger{}
		}
		return true
	})
}

// effect carries out what the state of an execution asks for.
func (w *step) effect(r, k uint8) {
	m := w.s.Member[r]
	g := m.Trigger[k]
	x := g.X
	near := w.s.majority(r)
	// outcome notes what came of the effect; the journal is written apart, so that the
	// process can die between.
	outcome := func(how action, e failover.Event, f func(*State, *member, *execution)) {
		w.on(how, func(t *State, m *member) bool {
			g := &m.Trigger[k]
			from := g.X
			if f != nil {
				f(t, m, &from)
			}
			g.Next, g.Has = from.follow(e, w.Without), true
			return true
		})
	}
	does := action{what: perform, who: r, which: k}
	if near && x.Seq == stale {
		w.join(r, k)
	}
	if x.State == aborted {
		if w.s.left(r) && (x.gaveBack(&w.s.Lease) || w.s.Writer != r && w.s.Moving == none && w.reports(peer(r))) {
			w.giveBack(r, k, outcome)
		}
		return
	}
	superseded := m.Known && !x.gaveBack(&m.Sees) && (m.Sees.Epoch > x.Epoch || m.Sees.Epoch == x.Epoch && (m.Sees.By != x.Try || m.Sees.Holder != r))
	if superseded && x.State != fenced && x.State != redirected {
		outcome(does, failover.Event{Kind: failover.EvSuperseded}, nil)
		return
	}
	if w.s.Left.Stuck > 0 && x.State != operator {
		outcome(action{what: stuck, who: r, which: k}, failover.Event{Kind: failover.EvStuck, Code: stuckAt[states[x.State]]}, func(t *State, _ *member, _ *execution) { t.Left.Stuck-- })
	}
	switch x.State {
	case confirmed:
		switch {
		case w.s.Moving != none:
		case w.s.Writer == r && !x.Adopt && w.Without != Adoption:
			outcome(does, failover.Event{Kind: failover.EvAdopted}, nil)
		case w.s.Writer != r && x.Adopt:
			outcome(does, failover.Event{Kind: failover.EvAbortRequested, Code: failover.CodeMovedElsewhere}, nil)
		case near:
			w.take(r, k, outcome)
		}
	case epochTaken:
		from := w.s.Member[peer(r)]
		needed := uint8(expired)
		if w.Without == Drift {
			needed -= drift
		}
		switch {
		case x.Released:
			outcome(does, failover.Event{Kind: failover.EvFenceProven, Proof: failover.ProofDemoted}, nil)
		case near && from.FenceReported > 0 && from.FenceReported+1 == x.Epoch:
			outcome(does, failover.Event{Kind: failover.EvFenceProven, Proof: failover.ProofAcknowledged}, nil)
		case w.Without == Fence, g.Waited+x.Unchanged >= needed && w.stated(&m):
			outcome(does, failover.Event{Kind: failover.EvFenceProven, Proof: failover.ProofExpired}, nil)
		}
	case fenced:
		outcome(does, failover.Event{Kind: failover.EvGatePassed}, nil)
	case gated:
		if x.Switchover && w.s.Writer != r && !w.s.together() {
			// Aurora refuses for as long as this lasts, which may be longer than EffectTimeout.
			outcome(action{what: timeOut, who: r, which: k}, failover.Event{Kind: failover.EvStuck, Code: failover.CodePromotionStuck}, nil)
		}
		switch {
		case w.s.Writer == r && w.s.Moving == none:
			outcome(does, failover.Event{Kind: failover.EvPromoted}, nil)
		case x.Adopt:
			if w.s.Writer != r && w.s.Moving == none {
				outcome(does, failover.Event{Kind: failover.EvMovedBack}, nil)
			}
		case w.s.Moving != none || !near || m.Order != nothing:
		case w.s.Lease.Epoch != x.Epoch || w.s.Lease.Holder != r:
			outcome(does, failover.Event{Kind: failover.EvSuperseded}, nil)
		case m.Unready:
			outcome(does, failover.Event{Kind: failover.EvStuck, Code: failover.CodePromotionRefused}, nil)
		default:
			w.on(does, func(_ *State, m *member) bool { m.Order = x.order(); return true })
		}
	case promoted, verified:
		kind := failover.EvVerified
		if x.State == verified {
			kind = failover.EvRedirected
		}
		if m.serves() && w.s.Writer == r || w.Without == Verification {
			outcome(does, failover.Event{Kind: kind}, nil)
		}
	case redirected:
		outcome(does, failover.Event{Kind: failover.EvAnnounced}, nil)
	case returning:
		w.giveBack(r, k, outcome)
	case operator:
		w.question(r, k, outcome)
	}
}

type outcome func(action, failover.Event, func(*State, *member, *execution))

// take is the compare-and-swap of the epoch.
func (w *step) take(r, k uint8, outcome outcome) {
	l, x := w.s.Lease, w.s.Member[r].Trigger[k].X
	does := action{what: perform, who: r, which: k}
	switch {
	case l.Epoch == x.Epoch && l.By == x.Try && l.Holder == r:
		outcome(does, failover.Event{Kind: failover.EvEpochTaken}, func(_ *State, _ *member, x *execution) { x.Unchanged = l.After })
	case l.Epoch >= x.Epoch:
		outcome(does, failover.Event{Kind: failover.EvSuperseded}, nil)
	case !x.Switchover && !x.Adopt && !x.RevCurrent && w.Without != CompareAndSwap:
		outcome(does, failover.Event{Kind: failover.EvRecovered}, nil)
	case w.s.Member[r].Unready && !x.Adopt && x.Accepted&theTarget == 0:
		outcome(does, failover.Event{Kind: failover.EvStuck, Code: failover.CodeTargetNotReady}, nil)
	default:
		unchanged := w.s.elapsed(r)
		if x.RevCurrent || w.Without == CompareAndSwap {
			unchanged = max(unchanged, x.Silent)
		}
		outcome(does, failover.Event{Kind: failover.EvEpochTaken}, func(t *State, m *member, x *execution) {
			w.taken(t, r, lease{Epoch: x.Epoch, Holder: r, By: x.Try, After: unchanged})
			x.Unchanged, x.RevCurrent, x.Released = unchanged, false, l.Released
		})
	}
}
