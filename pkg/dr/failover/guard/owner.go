package guard

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// demote ends the term of a guard whose server says that it is a secondary: a person or
// AWS has moved the writer. It renews nothing more.
func (m *machine) demote() {
	s := m.s
	if s.Demoted == s.Term.Epoch {
		return
	}
	s.Demoted, s.MayOpen = s.Term.Epoch, false
	s.Closing.ByRPO = false
}

// demotion has the server of a demoted guard confirm that it is closed, and then gives the
// lease back, so that the Region to which the writer was moved need not wait for it to run
// out.
func (m *machine) demotion() {
	s := m.s
	if s.Demoted == 0 {
		return
	}
	if s.Seen.Epoch != s.Demoted || s.Seen.Holder != m.Region || s.Seen.Released {
		s.Demoted, s.Displaced = 0, false
		return
	}
	m.close(true)
	if !s.Closing.Acked || !m.Releases || s.Releasing.ID != 0 || m.now-s.ReleasedAt < m.Poll {
		return
	}
	for _, x := range s.Renewals {
		if x.ID != 0 {
			return // it would move the revision on
		}
	}
	held := s.Term
	if s.Seen.Rev > held.Rev {
		held = s.Seen
	}
	s.ReleasedAt = m.now
	s.Releasing = m.call(Effect{Kind: Release, Epoch: held.Epoch, Lease: held, Until: m.now + m.Valid})
}

// released takes in that the lease was given back.
func (m *machine) released(in Input) {
	s := m.s
	s.View = s.See(in.Lease, m.now)
	s.Armed, s.Inherited = false, false
	why := IsSecondary
	if s.Displaced {
		why = MovedAway
	}
	m.tell(dr.LeaseReleased, in.Lease.Epoch, why)
}

// role takes in what the server says of itself.
func (m *machine) role(in Input, asked Instant) {
	s := m.s
	if in.Result != Done {
		return
	}
	s.Role = in.Server
	if s.Behind || !s.Serves(m.Rules) {
		return
	}
	m.enter()
	switch {
	case in.Server == Secondary && asked > s.TermAt: // else it is from before the promotion
		m.demote()
	case in.Server == Writer && s.Demoted != 0 && !s.Displaced && s.Releasing.ID == 0:
		// It was a reader beside the writer that had answered. What is closed is opened by the
		// way that every closed writer is.
		s.Demoted, s.Closing.Forced = 0, false
	}
}

// placed takes in where the Region's own control plane says that the writer is. A server
// that was displaced takes itself for the writer and would go on serving.
func (m *machine) placed(in Input) {
	s := m.s
	if in.Here {
		s.PlaneAt, s.PlaneTries, s.PlaneWanted = m.now, 0, false
		s.RoundAt = never // effects that wait for this answer go on
	}
	if s.Behind || !s.Serves(m.Rules) {
		return
	}
	m.enter()
	switch {
	case in.Moved && s.Demoted == 0:
		m.demote()
		s.Displaced = true
	case in.Here && s.Displaced && s.Releasing.ID == 0:
		s.Demoted, s.Displaced, s.Closing.Forced = 0, false, false
	}
}

// here reports whether a closed writer may be opened as far as the control plane is
// concerned, and has it asked if that is not known: while the writer was closed, or
// nothing could be heard, other hands may have moved it. A promotion that the journal
// holds was described by the control plane; an epoch that was given back was taken for
// another Region before, whose promotion may have been ordered and be carried out late. A
// control plane that doesn't answer is not waited for beyond planeTries.
func (m *machine) here() bool {
	s := m.s
	if !m.Plane || s.Told == s.Term.Epoch && s.Back != s.Told || m.now-s.PlaneAt <= m.Look || s.PlaneTries >= planeTries {
		return true
	}
	s.PlaneWanted = true
	return false
}

// promised takes in the peer's promise: it counts from when this process had sent the
// heartbeat write that is named, if it did, in this epoch. What another process has sent,
// or none yet, is not known here, whatever a row says.
func (m *machine) promised(seq uint64) {
	s := m.s
	w, known := s.written(seq)
	if !known || w.Epoch != s.Term.Epoch || !s.Armed || s.Demoted == w.Epoch {
		return
	}
	if m.Watchdog && s.Inherited && s.PeerAt == never {
		s.BeatAt = never // the server's own row has stood still since the predecessor: not until the next round
	}
	s.PeerAt = max(s.PeerAt, w.Sent)
}

// questions asks what is asked regularly.
func (m *machine) questions() {
	s := m.s
	if m.Peer && s.Open() && s.Term.Epoch != 0 && s.Promise.ID == 0 && m.now-s.PromisedAt >= m.lookForPromise() {
		s.PromisedAt = m.now
		s.Promise = m.call(Effect{Kind: ReadPromise, Epoch: s.Term.Epoch, Until: m.now + m.Resend})
	}
	if s.PlaneWanted && !s.Behind && s.Plane.ID == 0 && m.now-s.PlaneAskedAt >= m.Renew {
		s.PlaneAskedAt = m.now
		s.Plane = m.call(Effect{Kind: AskPlane, Until: m.now + m.ControlCall})
	}
	if s.Behind || !m.Roles || s.Asking.ID != 0 || m.now-s.AskedAt < m.Renew {
		return
	}
	if s.Known && !s.Serves(m.Rules) || s.Demoted != 0 || s.Closing.ByRPO { // no heartbeat write asks it then
		s.AskedAt = m.now
		s.Asking = m.call(Effect{Kind: AskRole, Until: m.now + m.Resend})
	}
}
