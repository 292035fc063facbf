package model

// plane is what the control plane and the databases do by themselves.
func (w *step) plane(r uint8) {
	m := w.s.Member[r]
	if m.Order != nothing && w.s.Left.Lost > 0 {
		for _, how := range [...]uint8{lostRequest, doubled} {
			w.on(action{what: lose, who: r, which: how}, func(t *State, m *member) bool {
				t.Left.Lost--
				if how == lostRequest {
					m.Order = nothing
				} else {
					t.ordered(r, m.Order) // and stays on its way
				}
				return true
			})
		}
	}
	if m.Order != nothing {
		w.on(action{what: order, who: r}, func(t *State, m *member) bool {
			t.ordered(r, m.Order)
			m.Order = nothing
			return true
		})
	}
	if w.s.Moving == r && w.s.Switching && !w.s.together() {
		w.on(action{what: cancel, who: r}, func(t *State, _ *member) bool {
			t.Moving, t.Switching = none, false
			return true
		})
	} else if w.s.Moving == r && !m.Frozen && !m.Unready {
		w.on(action{what: promote, who: r}, func(t *State, m *member) bool {
			if t.Switching {
				old := &t.Member[peer(r)] // Aurora has stopped it before
				old.Primary, old.Open = false, false
			}
			t.Writer, t.Moving, t.Switching = r, none, false
			m.Primary, m.Quiet = true, 0
			m.Open = w.Without == ReadOnlyPromotion // servers boot read-only
			return true
		})
	}
	if w.s.Writer != r && w.s.Moving == none && m.Primary && !m.Frozen && w.s.reaches(r, peer(r)) {
		w.on(action{what: rejoin, who: r}, func(_ *State, m *member) bool {
			m.Primary, m.Open, m.Stopped = false, false, false
			return true
		})
	}
	if w.watched(r) && m.Quiet >= watchdogAfter {
		w.on(action{what: watchdog, who: r}, func(_ *State, m *member) bool { m.Open = false; return true })
	}
}

// ordered is what the control plane does with an order to promote.
func (s *State) ordered(r, kind uint8) {
	if s.Moving == none && s.Writer != r && !s.Member[r].Primary && !s.Member[r].Unready && (kind == toFailOver || s.together()) {
		s.Moving, s.Switching = r, kind == toSwitchOver
	}
}

// together reports whether Aurora can switch over: it needs both servers.
func (s *State) together() bool {
	x, y := &s.Member[a], &s.Member[b]
	return s.reaches(a, b) && !x.Frozen && !y.Frozen && !x.Stopped && !y.Stopped
}
