package lambdahost

import (
	"fmt"
	"time"
)

// Kind says what has happened in a Host.
type Kind string

// The kinds of events, in the order of an environment's life and then of an
// asynchronous event's.
const (
	Started    Kind = "started"     // a process was started: PID, Address, Took since it was needed
	InitFailed Kind = "init failed" // it did not come to its first question; Text says why
	Ready      Kind = "ready"       // init is over: Took
	Invoked    Kind = "invoked"     // an invocation was handed to a process
	Logged     Kind = "logged"      // a line that the process wrote: Text
	Finished   Kind = "finished"    // the invocation is over: Took, and Text if it failed
	Frozen     Kind = "frozen"      // until the next invocation
	Thawed     Kind = "thawed"
	TimedOut   Kind = "timed out" // the deadline has passed, the process will be ended
	Stopping   Kind = "stopping"  // Text names the signal
	Exited     Kind = "exited"    // the process is gone: Text says how, MaxRSS

	Throttled    Kind = "throttled"     // refused, the reserved concurrency is used up
	Refused      Kind = "refused"       // by an Outage
	Queued       Kind = "queued"        // an asynchronous event was accepted
	Retrying     Kind = "retrying"      // it failed and waits: Took is the wait
	DeadLettered Kind = "dead-lettered" // it was given up
	Duplicated   Kind = "duplicated"    // a Duplicate delivers it a second time
	Lost         Kind = "lost"          // a Lose has swallowed it, or the Host was closed
)

// Event is something that has happened. Fields that don't belong to its kind
// are empty.
type Event struct {
	Kind        Kind
	Time        time.Time // with a monotonic reading
	Function    string
	Environment string // the id of the execution environment
	RequestID   string
	PID         int
	Address     string // of the environment's Runtime API
	Text        string
	Took        time.Duration
	MaxRSS      int64 // bytes, the process's peak
}

func (e Event) String() string {
	return fmt.Sprintf("%s %s env=%.8s request=%.8s pid=%d took=%v %s", e.Function, e.Kind, e.Environment, e.RequestID, e.PID, e.Took, e.Text)
}

// Condition says why an event was given up. The words are those of the
// invocation records of AWS's destinations.
type Condition string

// Why an asynchronous event was given up.
const (
	RetriesExhausted Condition = "RetriesExhausted"
	EventAgeExceeded Condition = "EventAgeExceeded"
)

// DeadLetter is an asynchronous event that was given up.
type DeadLetter struct {
	Function  string
	RequestID string
	Payload   []byte
	Condition Condition
	Attempts  int    // invocations that were made
	Last      Result // of the last invocation, if there was one
}
