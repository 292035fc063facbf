package guard

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// Step returns the guard's state after an input, and what is to be done. It is pure, and
// level-triggered: what is due follows from the state, so that an input which comes late
// or twice costs time and nothing else.
func Step(r Rules, s State, in Input) (State, []Effect) {
	due := Advance(&r, &s, in)
	return s, due
}

// Advance is [Step] in place, for a driver that keeps one state: a State has 4 kB.
func Advance(r *Rules, s *State, in Input) []Effect {
	m := machine{Rules: r, s: s, now: in.Now}
	m.learn(in)
	m.act()
	return m.out
}

// machine is a step under way.
type machine struct {
	*Rules
	s   *State
	now Instant
	out []Effect
}

func (m *machine) learn(in Input) {
	s := m.s
	switch in.Kind {
	case LeaseSeen:
		s.View = s.See(in.Lease, m.now)
	case Answered:
		m.answered(in)
	case PromotionDone:
		if s.Told != in.Epoch {
			s.RoundAt = never // a server that came up read-only is opened at once
		}
		s.Told, s.Trials = in.Epoch, 0
		if in.Back {
			s.Back = in.Epoch
		}
	case OthersReport:
		s.Others, s.OthersAt = in.Others, m.now
	case WriterMoved:
		m.placed(in)
	case Recalled:
		s.Guarded = in.Epoch
		if s.Inherited && in.Granted > 0 {
			// The half that is left at best is less where the predecessor could not renew: the
			// writer is closed before TTL has passed since its newest grant, because then another
			// Region may promote. Half of the margin is for the time between the two processes.
			s.StoreAt = min(s.StoreAt, s.Begun-in.Granted+(m.TTL-m.Valid)/2)
		}
	case Stopped:
		s.Behind, s.Paused, s.BehindAt = true, true, m.now
	case HandedOver:
		m.stayBehind(in.Until)
	}
}

// act does what is due.
func (m *machine) act() {
	s := m.s
	if s.Finished || s.Paused {
		return
	}
	if s.Behind {
		m.behind()
	} else {
		switch {
		case !s.Known:
		case s.Serves(m.Rules):
			m.keep()
		case m.starting():
		case m.dethroned(s.Seen.Epoch):
			m.close(true)
		default:
			m.enforce()
		}
		m.demotion()
	}
	m.guardLag()
	m.fencing()
	m.opening()
	m.questions()
}

// starting reports whether the journal is being read, which may say that the promotion is
// done: the new writer must not be closed. What may be open under an older lease of this
// Region is closed by the deadline that it inherits.
func (m *machine) starting() bool {
	return m.s.Seen.Holder == m.Region && !m.s.Seen.Released && m.now-m.s.Begun < m.Renew
}

// answered takes in how a call has ended.
func (m *machine) answered(in Input) {
	s := m.s
	for i := range s.Renewals {
		if s.Renewals[i].ID == in.ID && in.ID != 0 {
			x := s.Renewals[i]
			s.Renewals[i] = Renewal{}
			m.renewed(x, in)
			return
		}
	}
	for i := range s.Looks {
		if x := s.Looks[i]; x.ID == in.ID && in.ID != 0 {
			s.Looks[i] = Call{}
			m.looked(in, x.Sent)
			return
		}
	}
	switch in.ID {
	case s.Fencing.ID:
		m.fenced(in)
	case s.Isolating.ID:
		m.isolated(in)
	case s.Opening.ID:
		m.opened(in)
	case s.Releasing.ID:
		s.Releasing = Call{}
		if in.Result == Done {
			m.released(in)
		}
	case s.Asking.ID:
		asked := s.Asking.Sent
		s.Asking = Call{}
		m.role(in, asked)
	case s.Plane.ID:
		s.Plane = Call{}
		if in.Result != Done {
			s.PlaneTries++
			return
		}
		m.placed(in)
	case s.Promise.ID:
		s.Promise = Call{}
		if in.Result == Done {
			m.promised(in.Seq)
		}
	case s.Replica.ID:
		sent := s.Replica.Sent
		s.Replica = Call{}
		if in.Result == Done {
			m.arrived(in.Epoch, in.Seq)
		}
		s.RowOnce = s.RowOnce || s.Behind && sent >= s.BehindAt
	case s.Dog.ID:
		m.dogged(in)
	default:
		m.beaten(in)
	}
}

// call emits an effect that is answered, and returns what is remembered of it.
func (m *machine) call(e Effect) Call {
	m.s.ids++
	e.ID = m.s.ids
	m.out = append(m.out, e)
	return Call{e.ID, m.now}
}

func (m *machine) tell(what string, e dr.Epoch, why Why) {
	m.out = append(m.out, Effect{Kind: Tell, What: what, Epoch: e, Why: why})
}

func (m *machine) complain(why Why) { m.out = append(m.out, Effect{Kind: Complain, Why: why}) }
