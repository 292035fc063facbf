package model

// promise is the row by which the other member grants: it names the newest heartbeat write
// of the guard that it has read.
type promise struct {
	Epoch uint8
	Age   uint8 // since that write was sent, by the guard's clock
	Own   bool  // by the process that lives
}

// promises is what a member's monitor may do for the other one's writer.
func (w *step) promises(r uint8) {
	if !w.Promises {
		return
	}
	m, other := w.s.Member[r], w.s.Member[peer(r)]
	open := !w.s.Journal.ended() && w.s.Journal.To == r || m.Trigger[0].On || m.Trigger[1].On
	switch {
	case open && !m.Abstains:
		w.on(action{what: abstain, who: r}, func(_ *State, m *member) bool { m.Abstains = true; return true })
	case !open && m.Abstains:
		w.on(action{what: abstain, who: r, which: 1}, func(_ *State, m *member) bool { m.Abstains = false; return true })
	}
	sees := m.Known && m.Sees.Holder == peer(r) && m.Sees.Epoch == other.G.Term && !m.Sees.Released
	if m.Abstains || !sees || !w.s.reaches(r, peer(r)) || !other.serves() || other.Beat >= ttl-margin {
		return
	}
	w.on(action{what: promiseRow, who: r}, func(t *State, m *member) bool {
		o := &t.Member[peer(r)]
		o.Row = promise{Epoch: o.G.Term, Age: o.Beat, Own: true}
		m.Promised = 0
		if w.real != nil {
			w.real.row[peer(r)] = w.real.beat[peer(r)]
		}
		return true
	})
}

// stated reports whether a trigger has its monitor's statement that no promise holds any
// more.
func (w *step) stated(m *member) bool {
	return !w.Promises || w.Without == Statement || m.Up && m.Abstains && m.Promised >= expired
}
