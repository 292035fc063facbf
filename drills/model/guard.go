package model

// renewed is a new revision of the lease, by its holder.
func (s *State) renewed(keepFence bool) {
	s.Lease.Renewed, s.Silence = true, 0
	for r := range s.Member {
		m := &s.Member[r]
		m.Current, m.Fast = false, false
		if r != int(s.Lease.Holder) {
			m.Slow = false // the holder's counts from its answer
		}
		if m.Term == s.Lease.Epoch {
			m.TermCurrent, m.FenceCurrent = false, false
		}
		if m.FenceReported == s.Lease.Epoch && !keepFence {
			m.FenceReported = 0 // it names an older revision
		}
		if m.Request == granted && m.RequestTerm == s.Lease.Epoch {
			m.Stale = true // the answer will not be about the last revision
		}
		m.forgetRevision()
	}
	s.Journal.RevCurrent = false
}

// taken is a new epoch. A fence that was confirmed at the last revision of the old one
// stays what it is.
func (s *State) taken(by uint8, l lease, lateOrders bool) {
	s.Lease, s.Silence = l, 0
	if !lateOrders {
		s.Member[peer(by)].Order = nothing
	}
	for r := range s.Member {
		m := &s.Member[r]
		m.Current = false
		m.forgetRevision()
	}
	s.Journal.RevCurrent = false
	s.Member[by].sees(l)
}

func (m *member) forgetRevision() {
	for k := range m.Trigger {
		m.Trigger[k].X.RevCurrent, m.Trigger[k].Next.RevCurrent = false, false
	}
}

// sees is a look at a revision that is new to who looks.
func (m *member) sees(l lease) {
	m.Known, m.Current, m.Sees = true, true, l
}

// mayServe is failover.Guard's serves: an epoch that was taken by an execution lets a
// writer be open only when its promotion is done.
func (w *step) mayServe(r uint8, m *member) bool {
	l := m.Sees
	return m.Known && l.Holder == r && (l.By == 0 || l.Renewed || m.Told == l.Epoch || w.Without == PromotedFirst)
}

// react is what a guard does with the lease that it sees.
func (w *step) react(r uint8, m *member) {
	switch {
	case !m.Up || !m.Known:
	case w.mayServe(r, m):
		switch {
		case m.Inherited && m.Term == 0:
			m.Term, m.TermCurrent = m.Sees.Epoch, m.Current
		case m.Sees.Epoch != m.Term:
			m.Term, m.TermCurrent = m.Sees.Epoch, m.Current
			m.Inherited = m.Armed && !(m.Closed && m.Confirmed)
			if !m.Inherited {
				m.Armed, m.Closed, m.Confirmed, m.FenceCurrent = false, false, false, false
			}
		case m.Current && m.Request == idle: // the loop that looks is the one that asks
			m.TermCurrent = true
		}
	case m.Armed && m.Sees.Epoch > m.Term:
		if m.Closed && m.Confirmed {
			m.Armed, m.Inherited = false, false
		} else {
			m.Closed = true
		}
	}
}

// monitor is what a Region's watch and guard may do.
func (w *step) monitor(r uint8) {
	m := w.s.Member[r]
	near := w.s.majority(r)
	busy := m.Up || m.Trigger[0].On || m.Trigger[1].On
	if near && busy && !(m.Known && m.Current) {
		w.on(action{what: readLease, who: r}, func(t *State, m *member) bool {
			m.sees(t.Lease)
			w.react(r, m)
			return true
		})
	}
	w.storeSide(r)
	if !m.Up {
		return
	}
	if near {
		w.on(action{what: publish, who: r}, func(_ *State, m *member) bool {
			m.FenceReported = 0
			if m.Closed && m.Confirmed && (m.FenceCurrent || w.Without == FenceRevision) {
				m.FenceReported = m.Term
			}
			return true
		})
		if j := w.s.Journal; j.To == r && j.hasPromoted() && m.Known && m.Sees.Epoch == j.Epoch && m.Told != j.Epoch && !m.Sees.Renewed && w.Without != Learning {
			w.on(action{what: learn, who: r}, func(t *State, m *member) bool {
				m.Told = t.Journal.Epoch
				w.react(r, m)
				return true
			})
		}
	}
	// The loop of a guard looks at what is known of the lease, whoever has read it.
	w.on(action{what: look, who: r}, func(_ *State, m *member) bool { w.react(r, m); return true })
	w.renewal(r)
	w.fencing(r)
}

// on is to with the member at hand.
func (w *step) on(x action, f func(*State, *member) bool) {
	w.to(x, func(t *State) bool { return f(t, &t.Member[x.who]) })
}

// renewal is the way from a heartbeat to a renewed lease, and to an open database.
func (w *step) renewal(r uint8) {
	m := w.s.Member[r]
	near := w.s.majority(r)
	if open, reopen := w.canRenew(r); open || reopen {
		switch {
		case open:
			w.on(action{what: renew, who: r}, func(t *State, m *member) bool {
				if !m.Armed {
					m.Armed, m.Inherited, m.Left = true, true, (ttl-margin)/2
				}
				// A beat that is late, or that nobody has renewed before, goes to a row that
				// the watchdog doesn't look at.
				if !m.Inherited && ttl-margin-m.Left <= 1 {
					m.Quiet = 0
				}
				w.ask(t, r, false)
				return true
			})
			if w.s.Left.Lost > 0 {
				w.on(action{what: lose, who: r, which: lostRequest}, func(t *State, m *member) bool {
					t.Left.Lost--
					if !m.Armed {
						m.Armed, m.Inherited, m.Left = true, true, (ttl-margin)/2
					}
					if !m.Inherited && ttl-margin-m.Left <= 1 {
						m.Quiet = 0 // the beat has committed
					}
					m.Request, m.RequestAge, m.RequestTerm, m.Reopening = vanished, 0, m.Term, false
					return true
				})
			}
		default:
			w.on(action{what: renew, who: r, which: 1}, func(t *State, m *member) bool {
				w.ask(t, r, true)
				if w.Without == RenewalFirst && m.Primary && !m.Frozen {
					m.Open = true
				}
				return true
			})
		}
	}
	if near && (m.Request == granted || m.Request == refused) {
		w.on(action{what: answered, who: r}, func(_ *State, m *member) bool {
			w.answer(r, m)
			return true
		})
	}
	if w.canOpen(r) {
		if w.s.Left.Lost > 0 {
			w.on(action{what: lose, who: r, which: lostOpening}, func(t *State, m *member) bool {
				t.Left.Lost--
				m.MayOpen = false
				return true
			})
		}
		w.on(action{what: open, who: r}, func(_ *State, m *member) bool {
			m.MayOpen = false
			if !m.Primary {
				m.Armed, m.Inherited = false, false
				return true
			}
			m.Open, m.Quiet = true, 0
			if w.Without == OpeningBeat {
				m.Quiet = watchdogAfter
			}
			return true
		})
	}
}

// canOpen reports whether a guard is about to open its database.
func (w *step) canOpen(r uint8) bool {
	m := &w.s.Member[r]
	return m.Up && m.MayOpen && !m.Closed && m.Armed && m.Left > 0 && !m.Frozen && !m.Stopped
}

// canRenew reports whether a guard is about to renew, for an open writer or before it
// opens one. A monitor that lives does so in every tick: one that is slower than
// LeaseMargin counts as crashed.
func (w *step) canRenew(r uint8) (open, reopen bool) {
	m := w.s.Member[r]
	fresh := m.Armed && !m.Inherited && !m.Closed && m.Left == ttl-margin && !m.Slow // renewed within this tick
	if !m.Up || m.Request != idle || m.MayOpen || !w.s.majority(r) || fresh || !w.mayServe(r, &m) || m.Term != m.Sees.Epoch || m.Stopped {
		return false, false
	}
	open = !m.Closed && m.serves()
	return open, !open && (!m.Closed && !m.Open && !m.Frozen || m.Closed && m.Confirmed)
}

// ask has the store renew. That it does so at once is the worst case for safety: a guard
// counts from before it asked, an observer from after.
func (w *step) ask(t *State, r uint8, reopening bool) {
	m := &t.Member[r]
	m.Request = refused
	if t.Lease.Epoch == m.Term && t.Lease.Holder == r {
		m.Request = idle
		t.renewed(w.Without == FenceRevision)
		m.Request = granted
	}
	m.RequestAge, m.RequestTerm, m.Reopening = 0, m.Term, reopening
}

// answer is what a guard does with the store's answer.
func (w *step) answer(r uint8, m *member) {
	granted, age, reopening, stale := m.Request == granted, m.RequestAge, m.Reopening, m.Stale
	m.Request, m.RequestAge, m.Reopening, m.Stale = idle, 0, false, false
	if m.RequestTerm != m.Term {
		return
	}
	if !granted {
		if m.Armed && !m.Closed {
			m.Closed = true
		}
		return
	}
	if !stale {
		m.Sees.Renewed = true
		m.sees(m.Sees)
		m.TermCurrent = true
	}
	m.DiedFirst = false
	if m.Closed && !m.Confirmed {
		return // the fence that has begun must be finished first
	}
	left := uint8(ttl - margin - age)
	m.Armed, m.Inherited, m.Left, m.Slow = true, false, left, false
	if reopening {
		m.Closed, m.Confirmed, m.FenceCurrent, m.MayOpen = false, false, false, true
	}
}

// storeSide is what the store does with requests on their way.
func (w *step) storeSide(r uint8) {
	m := w.s.Member[r]
	if m.Request == vanished || m.Request != idle && !w.s.majority(r) {
		// Nothing can answer any more: a cut takes what is on its way.
		w.on(action{what: giveUp, who: r}, func(_ *State, m *member) bool { m.Request = idle; return true })
	} else if m.Request != idle && w.s.Left.Lost > 0 {
		for _, how := range [...]uint8{lostAnswer, lostAndLate, doubled} {
			w.on(action{what: lose, who: r, which: how}, func(t *State, m *member) bool {
				if how != lostAnswer && m.Zombie != 0 {
					return false // one late request at a time
				}
				t.Left.Lost--
				if how != lostAnswer {
					m.Zombie = m.RequestTerm
				}
				if how != doubled {
					m.Request = idle
				}
				return true
			})
		}
	}
	if m.Zombie != 0 {
		w.on(action{what: zombie, who: r}, func(t *State, m *member) bool {
			if t.Lease.Epoch == m.Zombie && t.Lease.Holder == r {
				t.renewed(w.Without == FenceRevision)
			}
			m.Zombie = 0
			return true
		})
	}
}

// fencing is what closes a database.
func (w *step) fencing(r uint8) {
	m := w.s.Member[r]
	if m.Closed && !m.Confirmed {
		if !m.Frozen {
			w.on(action{what: fence, who: r}, func(_ *State, m *member) bool {
				m.Open, m.Confirmed, m.FenceCurrent, m.MayOpen = false, true, m.TermCurrent, false
				return true
			})
		} else if w.Without != CutOff && m.Open {
			w.on(action{what: isolate, who: r}, func(_ *State, m *member) bool {
				m.Open, m.LateBeat = false, false // it comes back from a reboot
				return true
			})
		}
	}
	if m.Known && m.Open && !m.Frozen && !m.Closed && !w.mayServe(r, &m) && !(m.Armed && m.Sees.Epoch > m.Term) {
		w.on(action{what: enforce, who: r}, func(_ *State, m *member) bool { m.Open = false; return true })
	}
}
