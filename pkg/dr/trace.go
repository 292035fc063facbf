package dr

import "time"

// Trace receives what a monitor, a guard and a controller do, as it happens. Nil
// fields are skipped. A callback must return quickly and must not call back into
// what it observes. Logs, metrics and drill reports are all traces.
type Trace struct {
	// Verdict: the conclusion about a Region has changed.
	Verdict func(VerdictChange)
	// State: an execution has entered a state, and the journal holds it.
	State func(StateChange)
	// Lease: the lease was taken, lost, lapsed, or the local writer was fenced or opened.
	Lease func(LeaseChange)
	// Problem: something failed that will be retried or worked around.
	Problem func(Problem)
}

// VerdictChange tells what is now thought of a Region, and why.
type VerdictChange struct {
	At      time.Time
	Vantage Region
	Subject Region
	State   string
	Why     string
}

// StateChange tells that an execution has entered a state.
type StateChange struct {
	At        time.Time
	Region    Region // whose controller acted
	Execution string
	From, To  Region // the writer moves from here to there
	Epoch     Epoch
	State     string
	Code      string // of an abort or of a question to an operator
	Detail    string
}

// LeaseChange tells what happened to the writer's lease or to its fence.
type LeaseChange struct {
	At     time.Time
	Region Region
	Epoch  Epoch
	What   string // one of the Lease constants
	Detail string
}

// The values of LeaseChange.What.
const (
	LeaseHeld     = "held"     // this Region has begun to renew the lease
	LeaseLost     = "lost"     // another Region holds a newer epoch
	LeaseFenced   = "fenced"   // the local writer has confirmed that it is read-only
	LeaseIsolated = "isolated" // the local writer did not answer and was cut off
	LeaseOpened   = "opened"   // the local writer accepts writes under this epoch
)

// Problem tells about an error that did not stop anything yet.
type Problem struct {
	At     time.Time
	Region Region
	Op     string
	Err    error
}

// Join returns a trace that calls every given one, in order; nil ones are skipped.
func Join(traces ...*Trace) *Trace {
	return &Trace{
		Verdict: func(c VerdictChange) {
			for _, t := range traces {
				t.OnVerdict(c)
			}
		},
		State: func(c StateChange) {
			for _, t := range traces {
				t.OnState(c)
			}
		},
		Lease: func(c LeaseChange) {
			for _, t := range traces {
				t.OnLease(c)
			}
		},
		Problem: func(p Problem) {
			for _, t := range traces {
				t.OnProblem(p)
			}
		},
	}
}

// OnVerdict calls Verdict when t and the field are set.
func (t *Trace) OnVerdict(c VerdictChange) {
	if t != nil && t.Verdict != nil {
		t.Verdict(c)
	}
}

// OnState calls State when t and the field are set.
func (t *Trace) OnState(c StateChange) {
	if t != nil && t.State != nil {
		t.State(c)
	}
}

// OnLease calls Lease when t and the field are set.
func (t *Trace) OnLease(c LeaseChange) {
	if t != nil && t.Lease != nil {
		t.Lease(c)
	}
}

// OnProblem calls Problem when t and the field are set.
func (t *Trace) OnProblem(p Problem) {
	if t != nil && t.Problem != nil {
		t.Problem(p)
	}
}
