package model

import "github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"

// faults are what may break, as long as the budget lasts.
func (w *step) faults() {
	left := w.s.Left
	for l := range uint8(3) {
		if left.Cuts > 0 && !w.s.Cut[l] {
			w.to(action{what: cutLink, who: l}, func(t *State) bool {
				t.Left.Cuts--
				t.Cut[l] = true
				return w.seen(t, a) && w.seen(t, b)
			})
		}
	}
	for r := range uint8(2) {
		if left.Partitions > 0 && w.s.linked(r) {
			w.to(action{what: partition, who: r}, func(t *State) bool {
				t.Left.Partitions--
				t.Cut[0], t.Cut[1+r] = true, true
				return w.seen(t, a) && w.seen(t, b)
			})
		}
	}
	if left.Outs > 0 && !w.s.Out[a] && !w.s.Out[b] {
		w.to(action{what: storeOut, who: a, which: 1}, func(t *State) bool {
			t.Left.Outs--
			t.Out = [2]bool{true, true}
			return true
		})
	}
	for r := range uint8(2) {
		m := w.s.Member[r]
		if left.Outs > 0 && !w.s.Out[r] {
			w.to(action{what: storeOut, who: r}, func(t *State) bool {
				t.Left.Outs--
				t.Out[r] = true
				return true
			})
		}
		for _, switching := range [...]bool{false, true} {
			if left.Moves > 0 && w.s.Moving == none && w.s.Writer != r && !m.Primary && !m.Stopped && (!switching || w.s.together()) {
				which := uint8(0)
				if switching {
					which = 1
				}
				w.to(action{what: moveOutside, who: r, which: which}, func(t *State) bool {
					t.Left.Moves--
					t.Moving, t.Switching = r, switching
					return true
				})
			}
		}
		if left.Unready > 0 && !m.Unready && !m.Primary {
			w.to(action{what: unready, who: r}, func(t *State) bool {
				t.Left.Unready--
				t.Member[r].Unready = true
				return true
			})
		}
		if left.Deaf > 0 && !m.Deaf && m.Up {
			w.to(action{what: deafen, who: r}, func(t *State) bool {
				t.Left.Deaf--
				t.Member[r].Deaf = true
				return true
			})
		}
		// A cut ends for a monitor with its next renewal: until then an execution that was
		// begun in it counts on the fence.
		j := w.s.Journal
		counted := !j.ended() && j.To == peer(r) && !j.Switchover && (j.RevCurrent || w.s.Lease.Epoch >= j.Epoch)
		inCut := (w.s.dark(r) || counted) && m.Primary && m.Open
		dies := m.Up && (!inCut || w.Watchdog || w.Without == MonitorSurvivesCut)
		if dies && (left.Crashes > 0 || m.Primary && left.Guards > 0 || !m.Primary && left.Peers > 0) {
			w.to(action{what: crashMonitor, who: r}, func(t *State) bool {
				switch l := &t.Left; {
				case m.Primary && l.Guards > 0:
					l.Guards--
				case !m.Primary && l.Peers > 0:
					l.Peers--
				default:
					l.Crashes--
				}
				m := &t.Member[r]
				m.crash()
				return true
			})
		}
		for k := range uint8(w.Triggers) {
			if left.Crashes > 0 && m.Trigger[k].On {
				w.to(action{what: crashTrigger, who: r, which: k}, func(t *State) bool {
					t.Left.Crashes--
					t.Member[r].Trigger[k] = trigger{}
					return true
				})
			}
		}
		if left.Losses > 0 {
			w.to(action{what: loseRegion, who: r}, func(t *State) bool {
				t.Left.Losses--
				t.Cut[0], t.Cut[1+r] = true, true
				d := &t.Member[r]
				d.crash()
				d.Trigger = [2]trigger{}
				d.Open, d.Frozen, d.LateBeat = false, false, false
				return true
			})
		}
		if left.Kills > 0 && !m.Stopped {
			w.to(action{what: killDatabase, who: r}, func(t *State) bool {
				t.Left.Kills--
				d := &t.Member[r]
				d.Open, d.Frozen, d.LateBeat = false, false, false
				return true
			})
		}
		if left.Freezes > 0 && !m.Frozen && !m.Stopped {
			for late := range uint8(2) {
				if late == 1 && !(m.Up && m.Open) {
					continue
				}
				w.to(action{what: freeze, who: r, which: late}, func(t *State) bool {
					t.Left.Freezes--
					t.Member[r].Frozen, t.Member[r].LateBeat = true, late == 1
					return w.seen(t, r)
				})
			}
		}
	}
}

// crash leaves of a monitor what it had published, and its database.
func (m *member) crash() {
	row := m.Row
	row.Own = false
	*m = member{
		Primary: m.Primary, Open: m.Open, Frozen: m.Frozen, Stopped: m.Stopped, Quiet: m.Quiet, LateBeat: m.LateBeat, Deaf: m.Deaf, Unready: m.Unready,
		Row: row, Beat: ttl - margin, Granted: ttl - margin, Noted: ttl - margin, Promised: m.Promised, Zombie: m.Zombie, FenceReported: m.FenceReported,
		Order: m.Order, Trigger: m.Trigger, Slow: m.Slow, Fast: m.Fast,
	}
}

// dark reports whether a member's database can't be seen to serve.
func (s *State) dark(r uint8) bool { return !s.linked(r) || s.Member[r].Frozen }

// seen reports whether a Region that goes dark does so under a monitor that lives or is
// known not to. One that has died a moment before is noticed at the resolution of the
// samples: what is assumed, see ARCHITECTURE.md.
func (w *step) seen(t *State, r uint8) bool {
	m := t.Member[r]
	return m.Up || m.DiedFirst || !m.Primary || !m.Open || w.s.dark(r) || !t.dark(r) || w.Watchdog || w.Without == MonitorSurvivesCut
}

// repairs end what has broken.
func (w *step) repairs() {
	for l := range uint8(3) {
		if w.s.Cut[l] {
			w.to(action{what: healLink, who: l}, func(t *State) bool { t.Cut[l] = false; return true })
		}
	}
	for r := range uint8(2) {
		m := w.s.Member[r]
		if !m.Up {
			w.to(action{what: startMonitor, who: r}, func(t *State) bool {
				m := &t.Member[r]
				m.Up, m.Due = true, true
				m.Known, m.Current, m.Sees = false, false, lease{}
				m.G = w.newGuard(r)
				if m.Promised = 0; w.Without == PromiseForgotten {
					m.Promised = expired
				}
				return true
			})
		}
		if w.s.Out[r] {
			w.to(action{what: storeBack, who: r}, func(t *State) bool { t.Out[r] = false; return true })
		}
		if m.Deaf {
			w.to(action{what: hear, who: r}, func(t *State) bool { t.Member[r].Deaf = false; return true })
		}
		if m.Unready {
			w.to(action{what: ready, who: r}, func(t *State) bool { t.Member[r].Unready = false; return true })
		}
		if m.Frozen {
			w.to(action{what: thaw, who: r}, func(t *State) bool {
				m := &t.Member[r]
				m.Frozen = false
				if m.LateBeat && m.Open {
					m.Quiet = 0
				}
				m.LateBeat = false
				return true
			})
		}
		if m.Stopped && w.s.Writer == r && w.s.Lease.Holder == r && w.s.Journal.ended() {
			w.to(action{what: restart, who: r}, func(t *State) bool { t.Member[r].Stopped = false; return true })
		}
	}
}

// time lets a tick pass, unless something must happen first.
func (w *step) time() {
	for r := range uint8(2) {
		m := w.s.Member[r]
		if m.Up && m.Due {
			return // a monitor that is slower than LeaseMargin counts as crashed
		}
		g := &m.G
		if m.Up && m.Open && m.Primary && (g.Closing.On && !g.Closing.Acked || g.Isolating) && !(m.Frozen && w.Without == CutOff) {
			return // a fence is done within its margin, so before the tick is over
		}
		if m.Up && (g.Opening || g.MayOpen || g.Fencing != 0 && !m.Frozen && !m.Deaf) {
			return // a statement carries a deadline, or was lost
		}
		for _, x := range g.Renewal {
			// An answer comes within a call's deadline, or it was lost. Under a watchdog it comes
			// in its tick: one that was always late would close
			// every writer, because the row must be younger than its grant.
			if m.Up && x.Stage != idle && (x.Age > 0 || w.Watchdog) {
				return
			}
		}
		if w.watched(r) && m.Quiet >= watchdogAfter {
			return // the event runs once a second
		}
	}
	w.to(action{what: tick}, func(t *State) bool { w.pass(t, none, none); return true })
	for r := range uint8(2) {
		m, other := w.s.Member[r], w.s.Member[peer(r)]
		// Only a clock that the other member counts on matters.
		if g := &m.G; m.Up && g.Armed && !g.Inherited && !g.Closing.On && !m.Slow && !other.Fast && !g.renewing() && w.s.counts(peer(r)) {
			w.to(action{what: tick, who: r, which: 1}, func(t *State) bool {
				t.Member[r].Slow = true
				w.pass(t, r, none)
				return true
			})
		}
		if !m.Fast && !other.Slow && w.s.counts(r) {
			w.to(action{what: tick, who: r, which: 2}, func(t *State) bool {
				t.Member[r].Fast = true
				w.pass(t, none, r)
				return true
			})
		}
	}
}

func (w *step) pass(t *State, slow, fast uint8) {
	for r := range uint8(2) {
		m := &t.Member[r]
		by := uint8(1)
		if r == fast {
			by = 2
		}
		if r != t.Lease.Holder {
			t.Silence = min(expired, t.Silence+by)
		}
		for k := range m.Trigger {
			if g := &m.Trigger[k]; g.On && g.X.State == epochTaken {
				g.Waited = min(expired, g.Waited+by)
			}
		}
		if m.Primary && w.Watchdog {
			m.Quiet = min(watchdogAfter, m.Quiet+1)
		}
		if !m.Up {
			m.DiedFirst = m.DiedFirst || t.linked(r)
			if w.Promises {
				m.Promised = min(expired, m.Promised+by)
			}
			continue
		}
		if r != slow {
			if w.real != nil {
				w.real.now[r] += unit
			}
			m.G.older()
			m.Beat = min(ttl-margin, m.Beat+1)
			m.Row.Age = min(ttl-margin, m.Row.Age+1)
			m.Granted = min(ttl-margin, m.Granted+1)
			m.Noted = min(ttl-margin, m.Noted+1)
		}
		if r != slow || w.Watchdog {
			// A clock that has lost a tick has lost a part of each of its rounds, and no round: else
			// its watchdog would close a writer under a guard that beats.
			if r == slow && w.real != nil {
				w.real.rest(r, w.rulesOf(r).Renew)
			}
			m.G.rest()
			m.Due = true
			// A promise counts once the guard has had a tick to read it.
			m.Granted, m.Noted = min(m.Granted, m.Noted), ttl-margin
			if m.Row.Own && m.Row.Epoch == m.G.Term && !m.Frozen && !m.Deaf {
				m.Noted = m.Row.Age
			}
		}
		m.G.forget(w.rulesOf(r))
		if !m.Known {
			m.G.Looked = 0
		}
		if w.Promises {
			m.Promised = min(expired, m.Promised+by)
		}
	}
	w.soon(t)
}

// soon has the guards deal at once with a tick that could be told from a later one only by
// who is under way: while no execution is, there is nothing that it could race with. The
// same holds for a guard under which nothing can be open.
func (w *step) soon(t *State) {
	quiet := t.quiet()
	for r := range uint8(2) {
		m := &t.Member[r]
		if m.Up && m.Due && (quiet || !m.G.Armed && !m.Open && !m.G.renewing() && m.G.Fencing == 0) {
			m.Due = false
			w.guard(t, r, input{Kind: guard.Tick})
		}
	}
}

// quiet reports whether no execution is under way.
func (s *State) quiet() bool {
	if !s.Journal.ended() || s.Moving != none {
		return false
	}
	for r := range s.Member {
		m := &s.Member[r]
		if m.Order != nothing || m.Trigger[0].On || m.Trigger[1].On {
			return false
		}
	}
	return true
}

// counts reports whether a silence that has not been long enough yet is counted for a
// member, by itself or by the witness.
func (s *State) counts(r uint8) bool {
	for k := range s.Member[r].Trigger {
		if g := &s.Member[r].Trigger[k]; g.On && g.X.State == epochTaken && g.Waited < expired {
			return true
		}
	}
	return s.Lease.Holder != r && s.Silence < expired
}

// watched reports whether a database watches over itself.
func (w *step) watched(r uint8) bool {
	m := w.s.Member[r]
	return w.Watchdog && m.Primary && m.Open && !m.Frozen
}
