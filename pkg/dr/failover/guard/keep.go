package guard

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// keep renews the lease if the writer deserves it.
func (m *machine) keep() {
	s := m.s
	m.enter()
	if s.Demoted != 0 && s.Demoted == s.Term.Epoch {
		return
	}
	if s.Closing.On && !s.Closing.ByRPO {
		// The lease comes first: nothing is opened on an epoch that may be gone. A store that
		// has not answered since the last trial is asked no more: a renewal that is carried
		// out without an answer would keep the lease of a closed writer alive.
		if s.Closing.Acked && m.mayTry() && m.rested() && s.SeenAt > s.FailedAt && m.here() {
			m.renew(true, true, false)
		}
		return
	}
	if !m.roundDue() {
		m.beatBetween()
		return
	}
	if s.Closing.ByRPO {
		// The server's own answer that it is closed stands in for the write.
		if s.Closing.Acked && s.Fencing.ID == 0 {
			s.RoundAt, s.Confirms = m.now, true
			s.Fencing = m.call(Effect{Kind: Fence, Epoch: s.Term.Epoch, Until: m.now + m.Resend})
		}
		return
	}
	s.RoundAt, s.BeatAt = m.now, m.now // one write serves the guard of the lag, too
	m.beat(true)
}

// enter takes the lease as last seen for this Region's own term.
func (m *machine) enter() {
	s := m.s
	switch {
	case s.Inherited && s.Term.Epoch == 0:
		s.Term = s.Seen // the first look after a start; what was open stays to be fenced
	case s.Seen.Epoch != s.Term.Epoch:
		s.Term, s.Trials, s.TermAt = s.Seen, 0, m.now
		s.SafeAt = never // what arrived in an earlier term says nothing of this one
		s.PeerAt = never
		s.Demoted, s.Displaced, s.MayOpen = 0, false, false
		// A writer that is open since an earlier term of this Region stays to be fenced.
		s.Inherited = s.Armed && !(s.Closing.On && s.Closing.Acked)
		s.Closing.ByRPO, s.Closing.Forced = false, false // its lag can't be confirmed in a term that has committed nothing
		if !s.Inherited {
			s.Armed, s.Closing = false, Closing{}
		}
		s.RoundAt = never
	}
	if s.Seen.Rev > s.Term.Rev {
		s.Term = s.Seen
	}
	m.adopt()
}

// roundDue reports whether the next heartbeat write is to be sent. One that is slow is not
// waited for beyond Resend: slow is not down.
func (m *machine) roundDue() bool {
	s := m.s
	if m.now-s.RoundAt < m.Renew {
		return false
	}
	if s.Opening.ID != 0 || s.MayOpen {
		return false
	}
	pending := 0
	for i := range s.Sent {
		if w := &s.Sent[i]; w.Pending && w.Keeps {
			if m.now-w.Sent < m.Resend {
				return false
			}
			pending++
		}
	}
	for _, x := range s.Renewals {
		if x.ID != 0 && m.now-x.Sent < m.Resend {
			return false
		}
	}
	return pending < mostBeats
}

// beatBetween sends a heartbeat write while renewals hang, or when RenewInterval is long: the
// peer's grant alone may keep the writer open, and is as young as the write that it names. A
// write that waits for the next round would come once in Resend.
func (m *machine) beatBetween() {
	s := m.s
	if !m.Peer || !s.Armed || s.Closing.On || s.MayOpen || s.Opening.ID != 0 || m.now-s.BeatAt < m.beatPace() {
		return
	}
	for i := range s.Sent {
		if s.Sent[i].Pending {
			return // the server is slow, and a write more would tell no more
		}
	}
	s.BeatAt = m.now
	m.beat(false)
}

// mayTry bounds how often a server is opened that then commits nothing.
func (m *machine) mayTry() bool {
	return m.s.Trials < maxTrials || m.now-m.s.TriedAt >= 2*m.TTL
}

// rested reports whether no renewal that opens is under way, and one that was opened in
// vain has had time to settle.
func (m *machine) rested() bool {
	s := m.s
	if s.MayOpen || s.Opening.ID != 0 || s.Fencing.ID != 0 {
		return false
	}
	for _, x := range s.Renewals {
		if x.ID != 0 && (x.Opening || m.now-x.Sent < m.Resend) {
			return false
		}
	}
	return m.now-s.RoundAt >= m.Renew
}

// beat sends a heartbeat write.
func (m *machine) beat(keeps bool) {
	s := m.s
	until := m.now + m.Resend
	// Every second one must tell soon whether the server can be asked at all. The other may be
	// slow, the first of a process included, whose server may need longer than Resend for every
	// commit: its answer is worth something for as long as the grant. Not under Watchdog: the
	// server counts from when the write is carried out, and Policy.WatchdogAfter allows Resend
	// for that, or it would count past the end of the lease.
	if keeps && !s.Short && !m.Watchdog {
		until = m.now + m.Valid
	}
	if keeps {
		s.Short = !s.Short // and not by the number, which the writes for the lag count up, too
	}
	s.Seq++
	s.ids++
	s.Sent[s.Seq%kept] = Written{Seq: s.Seq, Epoch: s.Term.Epoch, Sent: m.now, Answered: never, Keeps: keeps, Row: m.row(), Pending: true}
	m.out = append(m.out, Effect{Kind: Beat, ID: s.ids, Epoch: s.Term.Epoch, Seq: s.Seq, Row: m.row(), Quiet: !keeps, Until: until})
}

// row returns the row of the next heartbeat write. One without a young grant behind it
// still proves that the database commits, but goes to a row of its own: in the watchdog's
// row it would keep a writer open whose grants have run out.
func (m *machine) row() Row {
	s := m.s
	switch {
	case s.Behind:
		return RowBehind
	case m.Watchdog && (s.Inherited && s.PeerAt == never || s.Armed && m.now-s.Youngest() > 3*m.Renew):
		return RowUnrenewed
	}
	return RowOwn
}

// beaten takes in how a heartbeat write has ended. Its number comes with the answer.
func (m *machine) beaten(in Input) {
	s := m.s
	w, known := s.written(in.Seq)
	if !known || !w.Pending {
		return
	}
	w.Pending = false
	m.asked(in.Result)
	if in.Result == Done {
		if w.Row != RowBehind {
			w.Answered = m.now
			s.Committed = max(s.Committed, w.Seq)
		}
		if !s.Behind {
			s.CommittedAt = m.now
		}
	}
	if s.Behind || w.Epoch != s.Term.Epoch || !s.Serves(m.Rules) || s.Demoted == s.Term.Epoch {
		return
	}
	if in.Result == NotWriter { // whatever the write was for, and also while the writer is closed
		m.demote()
		return
	}
	if !w.Keeps || s.Closing.On {
		return
	}
	switch {
	case in.Result == Done:
		s.Trials, s.PlaneTries = 0, 0
		if !s.Armed {
			s.inherit(m.Rules, w.Sent) // it is open, and no renewal of this term has said for how long
		}
		m.renew(false, false, false)
	case in.Result == ReadOnly:
		// It has booted, or was closed by its watchdog, by a predecessor or by a person.
		again := m.mayTry() && (s.Trials == 0 || m.now-s.TriedAt >= m.TTL/2)
		if held := s.Armed && !s.Inherited; (again || !held && m.mayTry()) && m.here() {
			m.renew(true, true, false)
		}
	case in.Result.unknown():
		// The server was not asked, or has said nothing of its clients' writes: what is not
		// known to be dead is not closed.
		m.renew(true, false, false)
	}
}

// renew sends a renewal. opening: the writer is opened when it has succeeded.
func (m *machine) renew(blind, opening, byRPO bool) {
	s := m.s
	for i := range s.Renewals {
		x := &s.Renewals[i]
		if x.ID != 0 {
			continue
		}
		if opening {
			if !byRPO {
				s.Trials++
			}
			s.TriedAt, s.RoundAt = m.now, m.now
		}
		s.Unheard++
		held := s.Term
		held.Blind = blind
		c := m.call(Effect{
			Kind: Renew, Epoch: s.Term.Epoch, Lease: held, Until: m.now + m.Valid,
		})
		*x = Renewal{ID: c.ID, Sent: m.now, Epoch: s.Term.Epoch, Blind: blind, Opening: opening, ByRPO: byRPO}
		return
	}
}

// renewed takes in how a renewal has ended. The lease is held from before it was sent.
func (m *machine) renewed(x Renewal, in Input) {
	s := m.s
	switch in.Result {
	case Done, Moved:
		s.Unheard = 0
	case Refused:
		// It was not carried out, so it has kept nothing alive and counts as no trial.
		if x.Opening && !x.ByRPO && x.Epoch == s.Term.Epoch && s.Trials > 0 {
			s.Trials--
		}
	default:
		s.FailedAt = m.now
	}
	if s.Behind {
		// It was sent before the process stopped, and holds like any other.
		if in.Result == Done && x.Epoch == s.Term.Epoch && !s.Closing.On && in.Lease.Rev > s.Term.Rev {
			s.Term, s.StoreAt = in.Lease, max(s.StoreAt, x.Sent)
		}
		return
	}
	if in.Result == Moved {
		if x.Epoch != s.Term.Epoch || s.Demoted == x.Epoch {
			return
		}
		lost := s.Armed && !s.Closing.On
		if s.Armed {
			m.close(true)
		}
		if lost {
			m.tell(dr.LeaseLost, x.Epoch, NewerEpoch)
		}
		return
	}
	if in.Result != Done {
		return
	}
	s.View = s.See(in.Lease, m.now)
	if x.Epoch != s.Term.Epoch || s.Demoted == x.Epoch {
		return
	}
	if in.Lease.Rev > s.Term.Rev {
		s.Term = in.Lease
	}
	if s.Closing.On && !s.Closing.Acked && !s.Closing.ByRPO {
		// The fence has begun meanwhile and must be finished before anything is reopened, but
		// the acknowledgement that it will give must name this revision.
		s.StoreAt = max(s.StoreAt, x.Sent)
		return
	}
	held := s.Armed && !s.Inherited
	s.StoreAt, s.Armed, s.Inherited = max(s.StoreAt, x.Sent), true, false
	switch {
	case x.Opening && s.Closing.On && !s.Closing.Acked, s.Closing.ByRPO != x.ByRPO && x.Opening:
	case x.Opening && s.Closing.Acked && in.Lease.Rev <= s.Closing.Rev:
		// It was sent before the server confirmed that it is closed, and the acknowledgement
		// names this revision: another Region may have taken the next epoch on the strength of it.
	case x.Opening:
		s.MayOpen = true
	case s.Closing.On && !s.Closing.ByRPO:
		// It is closed and confirmed, and was not opened since: so it is at this revision.
		s.Closing.Rev = max(s.Closing.Rev, in.Lease.Rev)
	default:
		if !held {
			m.tell(dr.LeaseHeld, x.Epoch, NoWhy)
		}
		if !x.Blind {
			m.watchdog()
		}
	}
}

// opening lets the server accept writes, once no call is under way that could close it.
func (m *machine) opening() {
	s := m.s
	if !s.MayOpen || s.Opening.ID != 0 || s.Fencing.ID != 0 || s.Behind {
		return
	}
	s.MayOpen = false
	if !s.Armed || !s.Serves(m.Rules) || s.Demoted == s.Term.Epoch || s.Closing.On && !s.Closing.Acked || m.now >= s.GrantEnd(m.Rules) {
		return
	}
	if s.Closing.On && s.SafeAt != never {
		s.SafeAt = m.now // while it was closed, nothing was acknowledged
	}
	// From here on the writer may be open.
	s.Closing = Closing{}
	s.Watched = 0 // Open may install one with a time of its own
	s.Opening = m.call(Effect{Kind: Open, Epoch: s.Term.Epoch, Until: min(m.now+m.Resend, s.GrantEnd(m.Rules))})
}

func (m *machine) opened(in Input) {
	s := m.s
	s.Opening = Call{}
	switch in.Result {
	case Done:
		s.RoundAt = never // the first heartbeat write comes at once
		m.tell(dr.LeaseOpened, s.Term.Epoch, NoWhy)
	case NotWriter:
		m.demote()
	}
}
