package event

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Response is what the trigger returns. That it could not do what it should is no answer
// but an error: Lambda then tries again and keeps what failed for good.
type Response struct {
	// Execution is empty when nothing was to be done; State is then Steady.
	Execution string         `json:"execution,omitempty"`
	Mode      failover.Mode  `json:"mode,omitempty"`
	State     failover.State `json:"state"`
	Code      failover.Code  `json:"code,omitempty"`
	Epoch     dr.Epoch       `json:"epoch,omitempty"`
	// Detail says in a line what happened or what is asked.
	Detail string `json:"detail,omitempty"`
	// Evidence is what it rests on, for people: an execution's report, or what is known
	// of the other Region and which proofs are missing.
	Evidence string `json:"evidence"`
	Took     Took   `json:"took"`
}

// Of returns the answer about an execution.
func Of(x failover.Execution, took time.Duration) Response {
	return Response{
		Execution: x.ID, Mode: x.Mode, State: x.State, Code: x.Code, Epoch: x.Epoch, Detail: x.Detail,
		Evidence: x.Report(), Took: Took(took),
	}
}

// Nothing returns the answer when nothing was to be done.
func Nothing(why, evidence string, took time.Duration) Response {
	return Response{State: failover.Steady, Detail: "nothing to do: " + why, Evidence: evidence, Took: Took(took)}
}

// Took is a duration that is written as "1.5s", to the millisecond.
type Took time.Duration

// MarshalText implements encoding.TextMarshaler.
func (t Took) MarshalText() ([]byte, error) {
	return []byte(time.Duration(t).Round(time.Millisecond).String()), nil
}
