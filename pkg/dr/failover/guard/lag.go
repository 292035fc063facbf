package guard

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// guardLag closes the writer when the other Region can't be seen to have received what was
// acknowledged up to RPOLimit ago. A term that never confirmed a lag, as after a failover
// with the other Region gone, is not guarded: there is nothing to wait for.
func (m *machine) guardLag() {
	s := m.s
	if !m.RPO || s.Behind && s.SafeAt == never {
		return
	}
	if s.Sampled != s.Term.Epoch {
		if s.Sampled != 0 {
			s.SafeAt = never
		}
		s.Sampled = s.Term.Epoch
	}
	m.adopt()
	serving := s.Armed && !s.Closing.On
	if serving && m.lags() && m.now >= s.Closing.RetryAt {
		s.Closing = Closing{On: true, Since: m.now, ByRPO: true, Epoch: s.Term.Epoch}
		s.MayOpen = false
		return
	}
	if serving && s.Term.Epoch != 0 && m.now-s.BeatAt >= rpoBeat {
		s.BeatAt = m.now
		m.beat(false)
	}
	if s.Armed && s.Term.Epoch != 0 && s.Replica.ID == 0 && m.now-s.SampledAt >= rpoSample {
		s.SampledAt = m.now
		row := RowOwn
		if s.RowOnce {
			row = RowBehind
		} else if w, known := s.written(s.Committed); known {
			row = w.Row // of a guard that stays behind at first, too: what was sent before is under way
		}
		s.Replica = m.call(Effect{Kind: ReadReplica, Epoch: s.Term.Epoch, Row: row, Until: m.now + 2*m.RPOLimit/3})
	}
}

// asked takes in for the guard of the lag how a heartbeat write or a fence has ended. While
// the server could not be asked, or has refused each for a reason that says nothing of its
// clients' writes, the lag is not known, which is no lag: it counts from the next write that
// commits, and in a process that starts from its first one. Else a healthy writer would be
// closed in the instant in which its login can be read again. Between two writes that do
// commit, the lag counts.
func (m *machine) asked(how Result) {
	s := m.s
	switch {
	case !m.RPO:
	case how == Done:
		s.DoneAt = m.now
		if s.CanAskAt == never {
			s.CanAskAt = m.now
		}
	case how.unknown() && m.now-s.DoneAt >= m.RPOLimit/2:
		s.CanAskAt = never
	}
}

// lags reports whether the other Region can't be seen to have received what was acknowledged
// up to RPOLimit ago.
func (m *machine) lags() bool {
	s := m.s
	return s.SafeAt != never && s.CanAskAt != never && m.now-max(s.SafeAt, s.CanAskAt) >= m.RPOLimit
}

// arrived notes that a heartbeat write has arrived: so has all that was acknowledged before
// it was sent. A closed writer commits no more of them, so when the last one that did has
// arrived, everything has. Closed is one that has confirmed it: a frozen writer must not
// have its lease renewed for as long as it is silent.
func (m *machine) arrived(e dr.Epoch, seq uint64) {
	s := m.s
	if e != s.Term.Epoch {
		return
	}
	w, known := s.written(seq)
	// The first confirmation arms the guard, so it must be a good one: a secondary that is
	// still catching up after it has rejoined would stop writes at once.
	if known && w.Sent > s.SafeAt && (m.now-w.Sent < m.RPOGood || s.SafeAt != never) {
		s.SafeAt = w.Sent
	}
	drained := s.Closing.ByRPO && s.Closing.Acked && (seq >= s.Committed || known && m.overtaken(*w))
	if !drained || s.Behind || !s.Serves(m.Rules) || s.Demoted == e {
		return
	}
	s.SafeAt = m.now // nothing was acknowledged since
	for _, x := range s.Renewals {
		if x.ID != 0 && x.Opening {
			return
		}
	}
	if s.MayOpen || s.Opening.ID != 0 {
		return
	}
	m.renew(false, true, true)
}

// overtaken reports whether a heartbeat write is the last one of a closed writer, although
// a later one has committed: two that were under way together may commit in either order,
// and the row keeps the last. One that was answered before the later one was sent can't
// be: the later one has not arrived yet.
func (m *machine) overtaken(w Written) bool {
	last, known := m.s.written(m.s.Committed)
	if !known {
		return false
	}
	window := m.Resend
	if w.Keeps {
		window = m.Valid // it may have been under way for that long
	}
	together := last.Sent-w.Sent < window && (w.Answered == never || w.Answered >= last.Sent)
	return together && m.now-last.Sent > 2*m.Resend
}

// adopt arms the guard of the lag in the term in which its predecessor was armed, and
// counts from now: what was before, the predecessor has seen to.
func (m *machine) adopt() {
	s := m.s
	if m.RPO && s.Armed && s.Guarded != 0 && s.Guarded == s.Term.Epoch && s.SafeAt == never && !s.Closing.On {
		s.SafeAt = m.now
		s.Guarded = 0
	}
}

// watchdog has the writer of a new term watch over itself, or has it stop, as the policy
// says. It needs a heartbeat to be there, and is tried again after each renewal until it is
// done. One that is found missing or changed is installed again.
func (m *machine) watchdog() {
	s := m.s
	done := s.Watched == s.Term.Epoch
	if s.Dog.ID != 0 || !m.Watchdog && !m.Keeper || done && (!m.Watchdog || !m.Keeper || m.now-s.CheckedAt < watchdogCheck) {
		return
	}
	does := InstallWatchdog
	switch {
	case !m.Watchdog:
		does = RemoveWatchdog
	case done:
		does = CheckWatchdog
	}
	m.dog(does)
}

func (m *machine) dog(does Does) {
	m.s.DogDoes = does
	m.s.Dog = m.call(Effect{Kind: does, Epoch: m.s.Term.Epoch, Until: m.now + m.Resend})
}

// dogged takes in what came of a look at the watchdog, or of a change.
func (m *machine) dogged(in Input) {
	s := m.s
	s.Dog = Call{}
	switch {
	case s.DogDoes == CheckWatchdog && in.Result == Done && !in.Awake:
		m.complain(WatchdogGone)
		m.dog(InstallWatchdog)
		return
	case s.DogDoes != CheckWatchdog && in.Result != Done:
		return
	}
	s.Watched, s.CheckedAt = s.Term.Epoch, m.now // a check that failed is made again after a while
}
