package guard

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// close has the writer closed. forced: another Region holds a newer epoch, or the writer
// was moved, so that it must stop whatever it serves.
func (m *machine) close(forced bool) {
	c := &m.s.Closing
	if !c.On {
		c.On, c.Since, c.RetryAt = true, m.now, m.now
	}
	c.Forced = c.Forced || forced
}

// dethroned reports whether a newer epoch has ended a term of this Region whose writer
// may still be open.
func (m *machine) dethroned(e dr.Epoch) bool {
	s := m.s
	if !s.Armed || e <= s.Term.Epoch {
		return false
	}
	if s.Closing.On && s.Closing.Acked {
		s.Armed, s.Inherited = false, false
		return false
	}
	return true
}

// fencing closes the writer before its grants have run out. It depends on no other call
// but an opening that is under way, which has a deadline before the grants' end: a fence
// must come after it and not overtake it.
func (m *machine) fencing() {
	s := m.s
	if !s.Closing.On {
		if !s.Armed || s.Behind || m.now < s.GrantEnd(m.Rules) {
			return
		}
		m.close(false)
	}
	c := &s.Closing
	if c.Acked || s.Fencing.ID != 0 || s.Opening.ID != 0 {
		return
	}
	if !c.Forced && !c.ByRPO && !c.Isolated && !s.Behind && s.Isolating.ID == 0 && m.now < s.GrantEnd(m.Rules) {
		// An answer has come late: a grant holds again. What a fence without an answer may have
		// closed is opened like every closed writer.
		*c = Closing{}
		return
	}
	if m.now < c.RetryAt {
		return
	}
	s.MayOpen = false
	s.FencingRev, s.Confirms, s.Enforces = s.Term.Rev, false, false
	s.Fencing = m.call(Effect{Kind: Fence, Epoch: s.Term.Epoch, Until: m.now + m.FenceCall})
}

// fenced takes in how a fence by SQL has ended.
func (m *machine) fenced(in Input) {
	s := m.s
	confirms, enforces, ok := s.Confirms, s.Enforces, in.Result == Done
	s.Fencing, s.Confirms, s.Enforces = Call{}, false, false
	switch {
	case enforces:
		return
	case confirms:
		// The writer that the RPO guard has closed lives, and is closed: its lease stays.
		if ok && s.Closing.ByRPO && s.Serves(m.Rules) && s.Demoted != s.Term.Epoch && !s.Behind {
			s.Trials = 0
			m.renew(false, false, true)
		}
		return
	case !s.Closing.On || s.Closing.Acked:
		return // a new term has begun
	}
	c := &s.Closing
	if !ok {
		m.asked(in.Result)
		c.RetryAt = m.now + m.Poll
		m.cutOff(in.Result)
		return
	}
	c.Acked, c.Epoch, c.Rev = true, s.Term.Epoch, max(s.FencingRev, s.Term.Rev)
	c.Failed, c.Isolated, c.Misses, c.Withheld = false, false, 0, false
	if s.Term.Epoch != 0 { // else a secondary at its start: there was no term to end
		m.tell(dr.LeaseFenced, s.Term.Epoch, NoWhy)
	}
}

// cutOff has the control plane cut a writer off that has not confirmed its fence. A reboot
// ends what clients are served, so it needs more than one vantage's silence: see mayCutOff.
func (m *machine) cutOff(why Result) {
	s := m.s
	if s.Closing.Isolated || s.Isolating.ID != 0 || s.Paused {
		return
	}
	if s.Term.Epoch == 0 && s.BeingPromoted(m.Rules) {
		// To cut it off now would be to reboot an instance in the middle of the promotion that
		// it is silent for.
		return
	}
	if !m.mayCutOff(why) {
		if m.now < s.GrantEnd(m.Rules) {
			// What the fence may have closed all the same is opened as ever. The lag that has
			// asked for it asks again, and not at once.
			s.Closing = Closing{RetryAt: m.now + m.Poll}
			return
		}
		if !s.Closing.Withheld {
			m.complain(KeptBecauseSeen)
		}
		s.Closing.Withheld, s.Closing.Failed, s.Closing.Epoch = true, true, s.Term.Epoch
		return
	}
	s.Isolating = m.call(Effect{Kind: Isolate, Epoch: s.Term.Epoch, Until: m.now + m.ControlCall})
}

// mayCutOff reports whether a writer that has not confirmed its fence may be rebooted.
//
// It must be when another Region holds the epoch, and when this guard is cut off from the
// store and from the others, because another Region may then promote. Otherwise the store
// still shows this Region's epoch, so that no other can have promoted: a server that
// another vantage sees serving is left alone, and so is one that was not asked or has
// answered without saying anything, unless another vantage sees it dead.
func (m *machine) mayCutOff(why Result) bool {
	s := m.s
	heard := m.now-s.SeenAt <= 2*m.Look
	switch {
	case s.Closing.Forced:
		return true
	case m.now < s.GrantEnd(m.Rules):
		return false // an answer has come late: a grant holds again
	case !heard:
		return true
	}
	others := s.Others
	if m.now-s.OthersAt > 2*m.Look {
		others = OthersUnknown
	}
	switch others {
	case OthersAlive:
		return false
	case OthersDead:
		return true
	}
	return !why.unknown()
}

// isolated takes in whether the control plane has cut the writer off.
func (m *machine) isolated(in Input) {
	s := m.s
	s.Isolating = Call{}
	c := &s.Closing
	if !c.On || c.Acked {
		return
	}
	c.Epoch, c.Isolated = s.Term.Epoch, in.Result == Done
	if c.Isolated {
		c.Misses, c.Failed = 0, false
		m.tell(dr.LeaseIsolated, s.Term.Epoch, NoAnswer)
		return
	}
	c.Misses++
	// One call without an answer may have been accepted all the same.
	c.Failed = c.Failed || c.Misses >= isolateTries
}

// enforce keeps a server read-only that no lease lets be open. One that says that it is
// the writer is looked at more often: the control plane has moved the writer to it, and no
// epoch is there yet.
func (m *machine) enforce() {
	s := m.s
	pace := m.Look
	if s.Role == Writer {
		pace = m.Renew
	}
	if s.Fencing.ID != 0 || s.Opening.ID != 0 || m.now-s.EnforcedAt < pace || s.Closing.On && !s.Closing.Acked {
		return
	}
	s.EnforcedAt, s.Enforces, s.Confirms = m.now, true, false
	s.Fencing = m.call(Effect{Kind: Fence, Epoch: s.Seen.Epoch, Quiet: true, Until: m.now + m.Resend})
}
