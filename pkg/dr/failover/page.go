package failover

import (
	"fmt"
	"slices"
)

// What a page says about an open question. Each of these looks first at where the execution
// stands, and only then at what it asks about: the same code means something else before the
// epoch was taken, when nothing is touched, and after that, when the old writer is losing its
// lease.

// about reports whether the open question is about one of some codes.
func (x Execution) about(codes ...Code) bool {
	return slices.ContainsFunc(codes, func(c Code) bool { return x.Code == c || slices.Contains(x.Question.Codes, c) })
}

// becomesFailover reports whether an answer makes a failover of a switchover.
func (x Execution) becomesFailover() bool {
	return x.at() == LossAccepted && x.Mode == ModeSwitchover && x.about(CodePromotionStuck, CodePromotionRefused)
}

// unfenced reports whether the answer to the open question stands in the place of a fence:
// [Step] goes on without one, so the old writer may still be open then.
func (x Execution) unfenced() bool {
	switch x.at() {
	case Confirmed, Fenced:
		return x.about(CodeNoFenceProof, CodeMonitorBlind)
	case EpochTaken:
		return x.Code != CodeSuperseded
	}
	return x.becomesFailover() && x.Proof == ProofExpired
}

// stake says what may be lost, for a person who has to decide.
func (x Execution) stake() string {
	switch at := x.at(); {
	case x.Code == CodeSuperseded:
		return "nothing by an answer: another epoch was taken, so this execution moves nothing any more"
	case x.unfenced():
		s := fmt.Sprintf("two writers, and the transactions that %s accepts after the move are lost, if the writer there is not stopped", x.From)
		if x.becomesFailover() {
			s += fmt.Sprintf(": %s never confirmed that its writer is read-only: make sure first that it is stopped", x.From)
		}
		if x.Mode == ModeSwitchover && !x.becomesFailover() {
			return s // a switchover loses nothing else
		}
		return s + "; besides that, " + x.loss()
	case at == Returning:
		return "no write: nothing was promoted, and there is no writer until the lease is back"
	case at.hasPromoted() && x.Code == CodeWriterUnknown:
		return "where writes go: the writer was moved once more, and clients may not reach it"
	case at.hasPromoted():
		return "no write: the writer has moved, and clients may not reach it yet"
	}
	return x.loss()
}

// loss says which writes the move costs.
func (x Execution) loss() string {
	ev := x.Evidence
	switch {
	case x.Mode == ModeAdopt:
		return "writes that had not arrived when the writer was moved"
	case x.becomesFailover():
		return "the switchover becomes a failover: what has not arrived in " + x.To.String() + " is lost"
	case x.Mode == ModeSwitchover:
		return "no write: a switchover loses nothing"
	case ev.LagKnown:
		return fmt.Sprintf("the writes of about %v that had not arrived, as seen %v before the evidence went dark, and all that were acknowledged after that", ev.Lag, ev.LagAge)
	}
	return "an unknown number of writes: no replication lag was seen before the evidence went dark"
}

// Consent says what an answer to the open question does, as the end of "answer to …". What
// an answer does not override is only looked at again, and what it lets pass says so.
func (x Execution) Consent() string {
	const stopped = "confirm that the old writer is stopped"
	at := x.at()
	switch {
	case x.Code == CodeSuperseded:
		return "look again, which changes nothing: another epoch was taken"
	case at == EpochTaken && x.Mode == ModeAdopt:
		return fmt.Sprintf("%s (the one in %s then accepts writes)", stopped, x.To)
	case at == EpochTaken:
		return fmt.Sprintf("%s (%s is then promoted)", stopped, x.To)
	case x.becomesFailover() && x.unfenced():
		return stopped + ", and go on as a failover, which moves the writer to " + x.To.String()
	case x.becomesFailover():
		return "accept this and go on as a failover, which moves the writer to " + x.To.String()
	case at.hasPromoted() && x.Code == CodeWriterUnknown:
		return "look again"
	case at.hasPromoted():
		return "try again"
	case at == Returning && x.Code == CodeReturnStuck:
		return fmt.Sprintf("give the lease back to %s as soon as its monitor reports, even if its server does not answer", x.From)
	case at == Returning:
		return "try again to give the lease back to " + x.From.String()
	case x.Code == CodeWriterUnknown:
		return "look again: whatever is answered, nothing goes on until the control plane names a member the writer"
	case x.Code == CodeMovedElsewhere:
		return "look again: whatever is answered, nothing goes on until the other move has ended"
	case x.Code == CodeLeaseStoreStuck:
		return "look again: whatever is answered, nothing goes on until the lease store answers"
	case at == LossAccepted && x.Mode != ModeAdopt:
		return "have the promotion of " + x.To.String() + " asked for again"
	case at == LossAccepted:
		return "look again whether the move from outside has ended"
	case x.unfenced():
		return stopped + ", accept this and move the writer to " + x.To.String()
	case x.Code == CodeTargetNotReady && x.Mode == ModeAdopt:
		return fmt.Sprintf("go on all the same (the server of %s then accepts writes)", x.To)
	case x.Code == CodeTargetNotReady:
		return "go on all the same and move the writer to " + x.To.String()
	}
	return "accept this and move the writer to " + x.To.String()
}

// unanswered says what happens without an answer.
func (x Execution) unanswered() string {
	at := x.at()
	switch {
	case x.Code == CodeSuperseded:
		return "nothing more is done, and it ends by itself"
	case at.beforeEpoch():
		return x.untouched()
	case at == EpochTaken && x.Mode == ModeAdopt:
		return fmt.Sprintf("the writer in %s may still accept writes, and the one in %s is kept closed", x.From, x.To)
	case at == EpochTaken:
		return fmt.Sprintf("the writer in %s may still accept writes, and %s is not promoted", x.From, x.To)
	case at == Returning:
		return fmt.Sprintf("%s; giving the lease back is tried again when the monitor of %s reports and its server answers", x.none(), x.From)
	case at.hasPromoted() && x.Code == CodeWriterUnknown:
		return fmt.Sprintf("nothing is done; it ends by itself when the control plane names %s the writer again", x.From)
	case at.hasPromoted() && x.Code == CodeVerifyStuck:
		return "the writer stays in " + x.To.String() + ", and it commits nothing; it goes on by itself when it does"
	case at.hasPromoted():
		return "the writer stays in " + x.To.String() + ", and clients may not reach it"
	}
	none := x.none()
	switch {
	case x.Mode == ModeAdopt:
		return none + "; it is looked at again, and goes on by itself when the control plane names " + x.To.String() + " the writer"
	case x.about(CodePromotionRefused, CodePromotionStuck):
		return none + "; the promotion is looked after and asked for again, and it goes on by itself when that succeeds"
	case x.Code.passes():
		return none + ", and nothing is asked for while this lasts; it goes on by itself when it has passed"
	}
	return fmt.Sprintf("%s: %s has lost its lease, and %s is not promoted", none, x.From, x.To)
}

// none says that no writer is open, as far as it is known.
func (x Execution) none() string {
	switch {
	case x.unfenced():
		return fmt.Sprintf("there is no writer but the one in %s, if it is not stopped", x.From)
	case x.Code == CodeWriterUnknown || x.Code == CodeMovedElsewhere:
		return fmt.Sprintf("neither %s nor %s accepts writes", x.From, x.To) // and what the other one does is not known
	}
	return "there is no writer"
}

// untouched is unanswered before the epoch was taken.
func (x Execution) untouched() string {
	s := "nothing is touched"
	switch {
	case x.Mode == ModeAdopt:
		s += fmt.Sprintf(", and Lifeboat keeps the server of %s closed until the lease has followed", x.To)
	case x.Mode == ModeSwitchover:
		s += ", and the writer stays where it is"
	case !x.Code.passes():
		s += fmt.Sprintf(", and there is no writer for as long as %s is down", x.From)
	}
	var ends []string
	if x.Code.passes() {
		ends = append(ends, "goes on by itself when that has passed")
	}
	if x.Mode == ModeFailover {
		ends = append(ends, "ends by itself when "+x.From.String()+" serves again")
	}
	for i, e := range ends {
		s += []string{"; it ", ", and "}[i] + e
	}
	return s
}
