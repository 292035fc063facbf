package model

// forget clears what no later step reads, so that states which differ in nothing
// that matters are one.
func (s *State) forget() {
	s.journals((*trigger).overtaken)
	if s.Journal.ended() {
		j := &s.Journal
		*j = execution{State: j.State, To: j.To, Epoch: j.Epoch, Try: j.Try}
	}
	for r := range s.Member {
		m := &s.Member[r]
		if !m.Known {
			m.Current, m.Sees = false, lease{}
		}
		m.Sees.After = 0
		if m.Sees.Renewed && m.G.Told == m.Sees.Epoch || m.G.Told < m.Sees.Epoch {
			m.G.Told = 0 // the renewal says the same, or no step asks any more
		}
		if m.Zombie < s.Lease.Epoch {
			m.Zombie = 0 // the store will refuse it
		}
		if s.decided(m.FenceReported + 1) {
			m.FenceReported = 0
		}
		if !m.Primary || !m.Open {
			m.Quiet = 0
		}
		if m.Row.Age >= ttl-margin || !m.Row.Own || m.Row.Epoch != m.G.Term {
			m.Row = promise{}
		}
		if !m.G.Armed || !s.Harming {
			m.Granted, m.Noted = ttl-margin, ttl-margin
		}
		m.Noted = min(m.Noted, ttl-margin)
		for k := range m.Trigger {
			g := &m.Trigger[k]
			g.X.forget(&s.Left)
			g.Next.forget(&s.Left)
			if g.X.State != epochTaken || g.Has {
				g.Waited = 0
			}
		}
	}
	s.Journal.forget(&s.Left)
	if !s.taking() {
		s.Lease.After = 0
	}
}

// age notes which triggers go by an entry that is no longer the journal's latest.
func (s *State) age() {
	s.journals(func(g *trigger, _ *execution, is bool) {
		g.X.Seq, g.Next.Seq = latest, latest
		if !is {
			g.X.Seq = stale
		}
	})
	s.Journal.Seq = latest
}

// journals calls f for every trigger with the journal's entry, and whether it goes by it.
func (s *State) journals(f func(g *trigger, j *execution, is bool)) {
	j := &s.Journal
	for r := range s.Member {
		for k := range s.Member[r].Trigger {
			if g := &s.Member[r].Trigger[k]; g.On {
				f(g, j, g.X.is(j) && g.X.Seq == j.Seq)
			}
		}
	}
}

// is reports whether two entries are of the same execution.
func (x *execution) is(j *execution) bool {
	return x.Epoch == j.Epoch && x.Try == j.Try && x.To == j.To
}

// overtaken clears the outcome that a trigger is about to journal when another one was
// quicker: it will be told so.
func (g *trigger) overtaken(j *execution, is bool) {
	if is || !g.Has {
		return
	}
	same := g.X.is(j)
	g.X, g.Next = execution{Seq: stale}, execution{}
	if same {
		g.X.Epoch, g.X.Try, g.X.To = j.Epoch, j.Try, j.To
	}
}

// decided reports whether no step asks any more for a proof of the fence before an epoch.
func (s *State) decided(e uint8) bool {
	open := func(x *execution) bool {
		at := x.at()
		return x.Epoch == e && (at == confirmed || at == epochTaken)
	}
	for r := range s.Member {
		for k := range s.Member[r].Trigger {
			if g := &s.Member[r].Trigger[k]; g.On && (open(&g.X) || open(&g.Next)) {
				return false
			}
		}
	}
	return e < s.Lease.Epoch || e == s.Lease.Epoch && !open(&s.Journal)
}

// taking reports whether a controller may still learn from the lease that it has taken it.
func (s *State) taking() bool {
	if s.Journal.at() == confirmed {
		return true
	}
	for r := range s.Member {
		for k := range s.Member[r].Trigger {
			if g := &s.Member[r].Trigger[k]; g.On && g.X.at() == confirmed {
				return true
			}
		}
	}
	return false
}

func (x *execution) forget(left *budget) {
	at := x.at()
	if at == steady || at == confirmed {
		return
	}
	x.Silent, x.RevCurrent = 0, false
	accepted := x.Accepted &^ theTarget
	x.Accepted &^= theTarget
	if at != epochTaken {
		if at != returning && (left.Returns == 0 || at != fenced && at != gated) { // else it may come to the fence again
			x.Unchanged, x.Released = 0, false
		}
		x.Accepted = 0 // the gate is behind
		if at == fenced {
			x.Accepted = accepted
		}
		if at != fenced && at != gated {
			x.Proven, x.Allowed = false, 0
		}
	}
}
