package event

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Response is what the trigger returns. A request that may not be carried out has one,
// too: it is refused, by a code. That the trigger could not do what it should is no
// response but an error: Lambda then repeats an event, and keeps what failed for good.
type Response struct {
	// Refused is empty unless the request was refused; nothing was changed then.
	Refused Refusal `json:"refused,omitempty"`
	// Execution is empty when nothing was to be done; State is then Steady.
	Execution string         `json:"execution,omitempty"`
	Mode      failover.Mode  `json:"mode,omitempty"`
	State     failover.State `json:"state"`
	Code      failover.Code  `json:"code,omitempty"`
	Epoch     dr.Epoch       `json:"epoch,omitempty"`
	// Driven says that another invocation works on the execution, and this one does not.
	Driven bool `json:"driven,omitempty"`
	// Detail says in a line what happened, what is asked or why it is refused.
	Detail string `json:"detail,omitempty"`
	// Do says what a person may do next, with the exact payload where there is one.
	Do string `json:"do,omitempty"`
	// Evidence is what it rests on, for people: an execution's report, or what is known
	// of the other Region and which proofs are missing.
	Evidence string `json:"evidence"`
	// Status comes with mode status.
	Status *Situation `json:"status,omitempty"`
	Took   Took       `json:"took"`
}

// Refusal says why a request was refused. The codes are stable: runbooks and scripts
// refer to them.
type Refusal string

// The refusals.
const (
	BadRequest        Refusal = "bad-request"        // the payload is no request and no alarm
	WrongRegion       Refusal = "wrong-region"       // the other Region's trigger must be called
	NoMember          Refusal = "no-member"          // the Region holds no member of the global database
	NothingBegun      Refusal = "nothing-begun"      // no execution has ever begun
	OtherExecution    Refusal = "other-execution"    // the newest execution is another one
	OtherQuestion     Refusal = "other-question"     // the execution asks another question now
	NothingAsked      Refusal = "nothing-asked"      // the execution asks nothing
	Ended             Refusal = "ended"              // the execution has ended
	AlreadyAnswered   Refusal = "already-answered"   // it was answered, and asks the same again
	TooLate           Refusal = "too-late"           // the execution has gone past the point where this was possible
	TooEarly          Refusal = "too-early"          // the execution has not come to the point where this is possible
	Paused            Refusal = "paused"             // nothing begins until the pause ends
	ObserveOnly       Refusal = "observe-only"       // the policy lets nothing begin by itself
	NotPaused         Refusal = "not-paused"         // there is no pause to end
	UnderWay          Refusal = "under-way"          // an execution to the other Region is open
	PreconditionFails Refusal = "precondition-fails" // the world is not as the request needs it
)

// Refuse returns the response to a request that is refused.
func Refuse(code Refusal, why, do string) Response {
	return Response{Refused: code, State: failover.Steady, Detail: why, Do: do}
}

// Of returns the response about an execution.
func Of(x failover.Execution, took time.Duration) Response {
	return Response{
		Execution: x.ID, Mode: x.Mode, State: x.State, Code: x.Code, Epoch: x.Epoch, Detail: x.Detail,
		Evidence: x.Report(), Took: Took(took),
	}
}

// QuestionOf names the question that an execution asks. Another question of the same
// execution has another name.
func QuestionOf(x failover.Execution) string { return x.Question.ID }

// AnswerTo returns the request that answers the question of an execution.
func AnswerTo(x failover.Execution, by, reason string) Request {
	return Request{Mode: Acknowledge, Target: x.To, Execution: x.ID, Question: QuestionOf(x), By: by, Reason: reason}
}

// Nothing returns the response when nothing was to be done.
func Nothing(why, evidence string, took time.Duration) Response {
	return Response{State: failover.Steady, Detail: "nothing to do: " + why, Evidence: evidence, Took: Took(took)}
}

// Took is a duration that is written as "1.5s", to the millisecond.
type Took time.Duration

// MarshalText implements encoding.TextMarshaler.
func (t Took) MarshalText() ([]byte, error) {
	return []byte(time.Duration(t).Round(time.Millisecond).String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Took) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*t = Took(d)
	return err
}
