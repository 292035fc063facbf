package guard

import "github.com/lifeboat-dr/lifeboat/pkg/dr/lease"

// stayBehind turns a guard whose process hands over into one that only watches, for a
// writer that may be open, until the next process guards it. It renews nothing and opens
// nothing, so it may run beside the guard that takes over.
//
// It has nothing to do any more when the lease was renewed by another guard than itself.
// Until then it closes the writer when another Region has taken a newer epoch, and when
// its grants have run out while the store doesn't answer: then no other process may know
// of a cut.
//
// As long as the store answers there is no cut, and no other Region has taken an epoch.
// Then the writer is left open, because a Region whose monitor isn't started serves all
// the same. The guard looks for BehindTime, and reports that no successor has come. A
// deadline that doesn't leave it that much is met by closing the writer.
func (m *machine) stayBehind(until Instant) {
	s := m.s
	if s.Behind && !s.Paused {
		return
	}
	s.Behind, s.Paused, s.BehindAt = true, false, m.now
	reserve := m.FenceCall * 3 // LeaseMargin, which closing may take
	s.End = m.now + m.Behind - reserve
	if until != never {
		s.End = min(s.End, until-reserve)
	}
	// What was under way when the process stopped has no answer to wait for.
	s.MayOpen, s.Opening, s.Fencing, s.Isolating, s.Replica, s.Promise = false, Call{}, Call{}, Call{}, Call{}, Call{}
	s.Renewals, s.Looks = [5]Renewal{}, [8]Call{}
	s.SampledAt, s.BeatAt = never, never // the guard of the lag goes on at once
	if m.now >= s.GrantEnd(m.Rules) {
		// The process has stood still: what it would close may long be another one's. So it
		// looks once first.
		s.AnsweredAt = m.now
	}
	if !s.Open() {
		m.finish()
	}
}

func (m *machine) finish() {
	if !m.s.Finished {
		m.s.Finished = true
		m.out = append(m.out, Effect{Kind: Finish})
	}
}

// behind looks at the lease, and decides when its time has come.
func (m *machine) behind() {
	s := m.s
	switch {
	case s.Closing.On:
		// The process that takes over sees to the rest, so it is not tried for ever.
		if s.Closing.Acked || s.Closing.Isolated || m.now-max(s.Closing.Since, s.BehindAt) >= m.TTL+2*m.ControlCall {
			m.finish()
		}
		return
	case m.now >= m.lapse():
		m.close(false)
		return
	case m.now >= s.End:
		if m.now-s.StoreAt > m.TTL+m.Drift && m.now-s.AnsweredAt < m.Resend {
			m.complain(NoSuccessor)
			m.finish()
			return
		}
		m.close(false)
		return
	}
	for i := range s.Looks {
		if s.Looks[i].ID == 0 && m.now-max(s.LookedAt, s.BehindAt) >= behindLook {
			s.LookedAt = m.now
			s.Looks[i] = m.call(Effect{Kind: ReadLease, Until: min(m.now+m.Resend, s.End)})
		}
	}
}

// lapse is when the writer must be closed, if the store says nothing until then.
func (m *machine) lapse() Instant {
	return max(m.s.GrantEnd(m.Rules), m.s.AnsweredAt+m.Resend)
}

// looked takes in the lease as a guard that stays behind has read it.
func (m *machine) looked(in Input, sent Instant) {
	s := m.s
	if in.Result != Done || !s.Behind {
		return
	}
	s.AnsweredAt = max(s.AnsweredAt, sent)
	if in.Lease.Epoch == 0 {
		return // none was ever taken, so no other Region has one
	}
	s.View = s.See(in.Lease, m.now)
	switch {
	case m.relieved(in.Lease):
		m.finish()
	case in.Lease.Released || m.dethroned(in.Lease.Epoch):
		m.close(true)
	}
}

// relieved reports whether another guard than this one has renewed the lease. What this one
// has sent may be carried out yet, and must not be taken for another guard's.
func (m *machine) relieved(l lease.Record) bool {
	s := m.s
	if !s.serves(m.Rules, l) || s.Closing.On {
		return false
	}
	if l.Epoch != s.Term.Epoch {
		s.Term = l // the next renewal tells
		return false
	}
	return l.Rev > s.Term.Rev+lateRenewals*s.Unheard
}
