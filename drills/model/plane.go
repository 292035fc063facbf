package model

// plane is what the control plane and the databases do by themselves.
func (w *step) plane(r uint8) {
	m := w.s.Member[r]
	if m.Order {
		w.on(action{what: order, who: r}, func(t *State, m *member) bool {
			m.Order = false
			if t.Moving == none && t.Writer != r && !m.Primary {
				t.Moving = r
			}
			return true
		})
	}
	if w.s.Moving == r && !m.Frozen {
		w.on(action{what: promote, who: r}, func(t *State, m *member) bool {
			t.Writer, t.Moving = r, none
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
