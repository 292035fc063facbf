package functions

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// line is what cloudwatch.Events writes, with what its kinds have. The counter tells
// the kind.
type line struct {
	AWS *struct {
		Timestamp int64 // milliseconds
	} `json:"_aws"`
	Region dr.Region

	VerdictChanges  *float64
	Vantage         dr.Region
	Subject         dr.Region
	State           string
	Why             string
	StateChanges    *float64
	Execution, Code string
	From, To        dr.Region
	Epoch           dr.Epoch
	Detail          string
	LeaseChanges    *float64
	What            string
	Problems        *float64
	Op, Error       string
}

// readEvent reads a line that a function has written. It is false for everything that
// is no event, such as a line of the log.
func readEvent(text string) (line, bool) {
	var e line
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.AWS == nil {
		return line{}, false
	}
	return e, true
}

// tell tells a trace what it was told in the function. Events that no trace of the
// function's has made are passed over.
func (e line) tell(t *dr.Trace) {
	at := time.UnixMilli(e.AWS.Timestamp)
	if e.VerdictChanges != nil {
		t.OnVerdict(dr.VerdictChange{At: at, Vantage: e.Vantage, Subject: e.Subject, State: e.State, Why: e.Why})
	}
	if e.StateChanges != nil {
		t.OnState(dr.StateChange{
			At: at, Region: e.Region, Execution: e.Execution, From: e.From, To: e.To, Epoch: e.Epoch, State: dr.State(e.State), Code: e.Code, Detail: e.Detail,
		})
	}
	if e.LeaseChanges != nil {
		t.OnLease(dr.LeaseChange{At: at, Region: e.Region, Epoch: e.Epoch, What: e.What, Detail: e.Detail})
	}
	if e.Problems != nil {
		t.OnProblem(dr.Problem{At: at, Region: e.Region, Op: e.Op, Err: errors.New(e.Error)})
	}
}
