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
	// Problem: something failed that will be retried or worked around. What fails again and
	// again in the same way comes twice a minute.
	Problem func(Problem)
	// Failure is Problem for each single time.
	Failure func(Problem)
	// Sample: a round of questions about a Region was answered and judged. It comes
	// once per probe interval from every Region but the writer's, which doesn't probe itself.
	Sample func(Sample)
	// Report: a Region's agent has reported to the others, or tried to. It comes twice per
	// probe interval from every Region, for as long as its agent works.
	Report func(Report)
	// MonitorLease: a Region's monitor lease was claimed, taken, released or lost.
	MonitorLease func(MonitorLeaseChange)
}

// VerdictChange tells what is now thought of a Region, and why.
type VerdictChange struct {
	At      time.Time
	Vantage Region
	Subject Region
	State   string
	// Since is when the first of what is dark was seen dark; zero when nothing is.
	Since time.Time
	Why   string
}

// State is the name of an execution's state, such as "Promoted" (failover.States has them all).
type State string

// StateChange tells that an execution has entered a state.
type StateChange struct {
	At        time.Time
	Region    Region // whose controller acted
	Execution string
	From, To  Region // the writer moves from here to there
	Epoch     Epoch
	State     State
	Code      string // of an abort or of a question to an operator
	Detail    string
	// Before is the state that was left, and Since when it was entered. They are empty and
	// zero when the execution has just begun, or when another process was faster and
	// nothing is known of how it came here.
	Before State
	Since  time.Time
	// DarkSince is when the first of the evidence was seen dark; zero in a switchover.
	DarkSince time.Time
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
	LeaseReleased = "released" // this Region has given the lease back: its server is no writer any more
	LeaseOpened   = "opened"   // the local writer accepts writes under this epoch
)

// Problem tells about an error that did not stop anything yet.
type Problem struct {
	At     time.Time
	Region Region
	Op     string
	Err    error
}

// Sample tells what one round of questions about a Region brought, after answers that
// don't count were left out.
type Sample struct {
	At           time.Time // when the round was judged
	Vantage      Region
	Subject      Region
	State        string        // what is now thought of the Region
	Took         time.Duration // until all questions were answered or late
	Observations []Observation
	// Lag is the newest RPO lag among the answers, LagAt when it was true. A round that
	// brought none has a zero LagAt, and its Lag says nothing.
	Lag   time.Duration
	LagAt time.Time
}

// Observation is the answer to one question.
type Observation struct {
	Family string // such as "sql"
	Answer string // "alive", "dead" or "unknown"
}

// Report tells what an agent knew when it reported.
type Report struct {
	At     time.Time
	Region Region
	// Delivered is set when the other Regions can read the report.
	Delivered bool
	// Holder and Epoch are the lease's as last seen, and LeaseAge how long ago it was last
	// seen to be renewed. A process that has just begun counts from its first look, so the
	// age may be more. Holder is empty while no lease was seen.
	Holder   Region
	Epoch    Epoch
	LeaseAge time.Duration
	// SinceCommit is how long ago a heartbeat write of the Region's own guard last
	// committed, whatever the lease says. A Region that has just taken the lease counts from
	// then, a process that has seen no write yet from its start. Commits is set in the Region
	// that holds the lease, also while its writer is closed, and while no lease is known in the
	// one whose server says that it is the writer; elsewhere SinceCommit says nothing.
	Commits     bool
	SinceCommit time.Duration
}

// MonitorLeaseChange tells which of a Region's monitor processes works.
type MonitorLeaseChange struct {
	At      time.Time
	Region  Region
	Process string // the process that waits, works or has stopped; of MonitorLeaseLeft, the one that works now
	Number  uint64 // of the monitor lease: rises by one with every take
	What    string // one of the MonitorLease constants
	// Gap is how long at most no process had worked when this one began.
	Gap time.Duration
}

// The values of MonitorLeaseChange.What.
const (
	MonitorLeaseClaimed  = "claimed"  // a process waits for the work
	MonitorLeaseTaken    = "taken"    // a process has begun to work
	MonitorLeaseYielded  = "yielded"  // it has stopped for another one
	MonitorLeaseLapsed   = "lapsed"   // it could not renew in time, and works on
	MonitorLeaseUsurped  = "usurped"  // it has stopped because another one has taken the monitor lease
	MonitorLeaseReleased = "released" // it has stopped on its way out
	MonitorLeaseLeft     = "left"     // its successor works
)

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
		Failure: func(p Problem) {
			for _, t := range traces {
				t.OnFailure(p)
			}
		},
		Sample: func(s Sample) {
			for _, t := range traces {
				t.OnSample(s)
			}
		},
		Report: func(r Report) {
			for _, t := range traces {
				t.OnReport(r)
			}
		},
		MonitorLease: func(c MonitorLeaseChange) {
			for _, t := range traces {
				t.OnMonitorLease(c)
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

// OnFailure calls Failure when t and the field are set.
func (t *Trace) OnFailure(p Problem) {
	if t != nil && t.Failure != nil {
		t.Failure(p)
	}
}

// OnSample calls Sample when t and the field are set.
func (t *Trace) OnSample(s Sample) {
	if t != nil && t.Sample != nil {
		t.Sample(s)
	}
}

// OnReport calls Report when t and the field are set.
func (t *Trace) OnReport(r Report) {
	if t != nil && t.Report != nil {
		t.Report(r)
	}
}

// OnMonitorLease calls MonitorLease when t and the field are set.
func (t *Trace) OnMonitorLease(c MonitorLeaseChange) {
	if t != nil && t.MonitorLease != nil {
		t.MonitorLease(c)
	}
}
