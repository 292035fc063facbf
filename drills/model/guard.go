package model

import "github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"

// renewed is a new revision of the lease, by its holder.
func (w *step) renewed(s *State, keepFence bool) {
	if w.real != nil {
		w.real.renewed(s)
	}
	s.Lease.Renewed, s.Silence = true, 0
	for r := range s.Member {
		m := &s.Member[r]
		if m.Sees.Epoch == s.Lease.Epoch {
			m.Current = false
		}
		if !s.waits(r) {
			m.Fast = false
		}
		if r != int(s.Lease.Holder) && !m.G.Armed {
			m.Slow = false // the holder's counts from its answer, and an older term's from its own
		}
		g := &m.G
		if g.Term == s.Lease.Epoch {
			g.TermCurrent, g.FencingCurrent = false, false
		}
		if g.Closing.Epoch == s.Lease.Epoch {
			g.Closing.Current = false
		}
		if m.FenceReported == s.Lease.Epoch && !keepFence {
			m.FenceReported = 0 // it names an older revision
		}
		for i := range g.Renewal {
			if x := &g.Renewal[i]; x.Stage == granted && x.Epoch == s.Lease.Epoch {
				x.Current = false // the answer will not be about the last revision
			}
		}
		m.forgetRevision()
	}
	s.Journal.RevCurrent = false
}

// waits reports whether a trigger of a Region counts a lease before the current one.
func (s *State) waits(r int) bool {
	for k := range s.Member[r].Trigger {
		if g := &s.Member[r].Trigger[k]; g.On && g.X.State == epochTaken {
			return true
		}
	}
	return false
}

// taken is a new epoch. A fence that was confirmed at the last revision of the old one
// stays what it is.
func (w *step) taken(s *State, by uint8, l lease) {
	s.Lease, s.Silence = l, 0
	if w.real != nil {
		w.real.renewed(s)
		w.real.taken[l.Epoch] = w.real.rev
	}
	if w.Without != OrderInTime {
		s.Member[peer(l.Holder)].Order = nothing
	}
	for r := range s.Member {
		s.Member[r].forgetRevision()
	}
	s.Journal.RevCurrent = false
	w.sees(s, by)
}

func (m *member) forgetRevision() {
	for k := range m.Trigger {
		m.Trigger[k].X.RevCurrent, m.Trigger[k].Next.RevCurrent = false, false
	}
}

// sees has a Region look at the lease: its monitor's guard, if there is one, and its
// triggers.
func (w *step) sees(t *State, r uint8) {
	m := &t.Member[r]
	if !m.Up {
		m.Known, m.Current, m.Sees = true, true, t.Lease
		m.Sees.After = 0
		return
	}
	l := t.Lease
	l.After = 0
	w.guard(t, r, input{Kind: guard.LeaseSeen, Lease: l, Is: true})
}

// guard makes a step of a Region's guard, and has the store see what it asks.
func (w *step) guard(t *State, r uint8, in input) {
	m := &t.Member[r]
	if w.Without == PromotedFirst && m.Known && m.Sees.Holder == r {
		m.G.Told = m.Sees.Epoch
	}
	k := key{Region: r, G: m.G, Seen: m.Sees, Known: m.Known, Is: m.Current, In: in, Server: server{
		Primary: m.Primary, Open: m.Open, Silent: m.Frozen || m.Stopped, Deaf: m.Deaf, Mute: w.Without == Adoption,
	}}
	k.Seen.After = 0
	if w.Promises {
		k.Row = m.Row
	}
	out := w.run(k)
	if w.real != nil {
		w.real.step(w, &k, &out)
	}
	m.G, m.Known, m.Sees, m.Current = out.G, out.Known, out.Seen, out.Is
	if out.Beaten {
		if w.Promises {
			m.Beat = 0
		}
		if out.Row == guard.RowOwn {
			m.Quiet = 0
		}
	}
	if out.Closes && t.Harming && m.serves() && m.Granted < ttl-margin && m.Sees.Epoch == t.Lease.Epoch {
		t.Harmed = true
	}
	for i := range m.G.Renewal {
		if m.G.Renewal[i].Stage == asked {
			w.ask(t, r, i)
		}
	}
}

// ask has the store renew. That it does so at once is the worst case for safety: a guard
// counts from before it asked, an observer from after.
func (w *step) ask(t *State, r uint8, i int) {
	m := &t.Member[r]
	x := &m.G.Renewal[i]
	switch {
	case !t.majority(r):
		x.Stage = refused
		w.guard(t, r, input{Kind: guard.Answered, Call: theRenewal + call(i), Result: guard.Silent})
		return
	case t.Lease.Epoch == x.Epoch && t.Lease.Holder == r && !t.Lease.Released:
		x.Stage = idle
		w.renewed(t, w.Without == FenceRevision)
		x.Stage, x.Current = granted, true
		if w.real != nil {
			w.real.granted[r][i] = w.real.rev
		}
		if l := &t.Left; l.Lost|l.Cuts|l.Partitions|l.Losses|l.Outs|l.Crashes|l.Guards|l.Peers == 0 {
			w.answer(t, r, i) // nothing is left that could come between
			return
		}
	default:
		x.Stage = refused
	}
	if w.Without == RenewalFirst && x.Opening && m.Primary && !m.Frozen {
		m.Open = true
	}
}

// answer is the store's answer to a renewal.
func (w *step) answer(t *State, r uint8, i int) {
	m := &t.Member[r]
	x := m.G.Renewal[i]
	in := input{Kind: guard.Answered, Call: theRenewal + call(i), Result: guard.Moved}
	if x.Stage == granted {
		m.DiedFirst = false
		m.Slow = m.Slow && x.Age > 0
		m.Granted = min(m.Granted, x.Age)
		in.Result, in.Is = guard.Done, x.Current
		in.Lease = lease{Epoch: x.Epoch, Holder: r, Renewed: true, By: m.Sees.By}
	}
	w.guard(t, r, in)
}

// lost has a guard hear nothing of a renewal any more.
func (w *step) lost(t *State, r uint8, i int) {
	w.guard(t, r, input{Kind: guard.Answered, Call: theRenewal + call(i), Result: guard.Silent})
}

// on is to with the member at hand.
func (w *step) on(x action, f func(*State, *member) bool) {
	w.to(x, func(t *State) bool { return f(t, &t.Member[x.who]) })
}

// monitor is what a Region's watch and guard may do.
func (w *step) monitor(r uint8) {
	m := w.s.Member[r]
	near := w.s.majority(r)
	busy := m.Up || m.Trigger[0].On || m.Trigger[1].On
	if near && busy && (!w.s.current(r) || m.Up && (m.G.Failed || m.G.Looked >= 2)) {
		w.on(action{what: readLease, who: r}, func(t *State, _ *member) bool { w.sees(t, r); return true })
	}
	w.storeSide(r)
	if !m.Up {
		return
	}
	if m.Due {
		w.on(action{what: clock, who: r}, func(t *State, m *member) bool {
			m.Due = false
			w.guard(t, r, input{Kind: guard.Tick})
			return true
		})
	}
	if near {
		w.on(action{what: publish, who: r}, func(_ *State, m *member) bool {
			c := &m.G.Closing
			m.FenceReported = 0
			if c.On && c.Acked && (c.Current || w.Without == FenceRevision) {
				m.FenceReported = c.Epoch
			}
			return true
		})
		if j := w.s.Journal; j.To == r && j.hasPromoted() && m.Known && m.Sees.Epoch == j.Epoch && m.G.Told != j.Epoch && !m.Sees.Renewed && w.Without != Learning {
			w.on(action{what: learn, who: r}, func(t *State, _ *member) bool {
				w.guard(t, r, input{Kind: guard.PromotionDone, Epoch: t.Journal.Epoch})
				return true
			})
		}
	}
	w.learnsBack(r)
	if away := w.s.Writer != r; w.Moves > 0 && m.Known && m.Sees.Holder == r && w.s.Moving == none && away != m.G.Displaced && w.Without != Adoption {
		w.on(action{what: displaced, who: r}, func(t *State, _ *member) bool {
			w.guard(t, r, input{Kind: guard.WriterMoved, Moved: away})
			return true
		})
	}
	w.ownServer(r)
	w.promises(r)
}

// ownServer is what the calls of a guard do to its server.
func (w *step) ownServer(r uint8) {
	m := w.s.Member[r]
	reply := func(t *State, c call, result guard.Result) bool {
		w.guard(t, r, input{Kind: guard.Answered, Call: c, Result: result})
		return true
	}
	if m.G.Fencing != 0 {
		switch {
		case m.Deaf:
			w.on(action{what: unanswered, who: r}, func(t *State, _ *member) bool { return reply(t, theFence, guard.NotAsked) })
		case !m.Frozen:
			w.on(action{what: fence, who: r}, func(t *State, m *member) bool {
				m.Open = false
				return reply(t, theFence, guard.Done)
			})
		default:
			w.on(action{what: unanswered, who: r}, func(t *State, _ *member) bool { return reply(t, theFence, guard.Silent) })
		}
	}
	if m.G.Isolating && w.Without != CutOff {
		w.on(action{what: isolate, who: r}, func(t *State, m *member) bool {
			m.Open, m.LateBeat = false, false // it comes back from a reboot
			return reply(t, theIsolation, guard.Done)
		})
	}
	if m.G.Opening {
		if w.s.Left.Lost > 0 {
			w.on(action{what: lose, who: r, which: lostOpening}, func(t *State, _ *member) bool {
				t.Left.Lost--
				return reply(t, theOpening, guard.Silent)
			})
		}
		w.on(action{what: open, who: r}, func(t *State, m *member) bool {
			switch {
			case m.Frozen, m.Stopped:
				return reply(t, theOpening, guard.Silent)
			case m.Deaf:
				return reply(t, theOpening, guard.NotAsked)
			case !m.Primary && w.Without == Adoption:
				return reply(t, theOpening, guard.Done)
			case !m.Primary:
				return reply(t, theOpening, guard.NotWriter)
			}
			m.Open, m.Quiet = true, 0
			reply(t, theOpening, guard.Done)
			if w.Without == OpeningBeat {
				m.Quiet = watchdogAfter
			}
			return true
		})
	}
	if m.G.Releasing {
		w.on(action{what: release, who: r}, func(t *State, m *member) bool {
			if !t.majority(r) {
				return reply(t, theRelease, guard.Silent)
			}
			if t.Lease.Epoch != m.G.Term || t.Lease.Holder != r || !t.current(r) || t.Lease.Released {
				return reply(t, theRelease, guard.Moved)
			}
			w.renewed(t, false)
			t.Lease.Released = true
			l := t.Lease
			l.After = 0
			w.guard(t, r, input{Kind: guard.Answered, Call: theRelease, Result: guard.Done, Lease: l, Is: true})
			return true
		})
	}
}

// storeSide is what the store does with requests on their way.
func (w *step) storeSide(r uint8) {
	m := w.s.Member[r]
	for i := range m.G.Renewal {
		x := m.G.Renewal[i]
		if x.Stage == idle || !m.Up {
			continue
		}
		if !w.s.majority(r) {
			// Nothing can answer any more: a cut takes what is on its way.
			w.on(action{what: giveUp, who: r, which: uint8(i)}, func(t *State, _ *member) bool { w.lost(t, r, i); return true })
			continue
		}
		w.on(action{what: answered, who: r, which: uint8(i)}, func(t *State, _ *member) bool { w.answer(t, r, i); return true })
		if w.s.Left.Lost == 0 {
			continue
		}
		for _, how := range [...]uint8{lostAnswer, lostAndLate, doubled} {
			w.on(action{what: lose, who: r, which: how}, func(t *State, m *member) bool {
				if how != lostAnswer && m.Zombie != 0 {
					return false // one late request at a time
				}
				t.Left.Lost--
				if how != lostAnswer {
					m.Zombie = x.Epoch
				}
				if how != doubled {
					w.lost(t, r, i)
				}
				return true
			})
		}
	}
	if m.Zombie != 0 {
		w.on(action{what: zombie, who: r}, func(t *State, m *member) bool {
			if t.Lease.Epoch == m.Zombie && t.Lease.Holder == r && !t.Lease.Released {
				w.renewed(t, w.Without == FenceRevision)
			}
			m.Zombie = 0
			return true
		})
	}
}
