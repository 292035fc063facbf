package lambdahost

import (
	"fmt"
	"slices"
	"time"
)

// FaultKind is a way to break a function's service.
type FaultKind uint8

// The faults. Host.Kill is the one that needs no waiting.
const (
	// KillAfter kills the process with SIGKILL, After having handed it an
	// invocation.
	KillAfter FaultKind = iota + 1
	// SlowStart holds every cold start back for After, before the process
	// starts, as a slow download or network interface does.
	SlowStart
	// Duplicate delivers an asynchronous event twice, at the same time.
	Duplicate
	// Lose accepts an asynchronous event and never delivers it.
	Lose
	// Outage refuses invocations with 500 ServiceException; events in the queue
	// wait. Running processes go on: kill them to take them along. One that is
	// about to start is killed, and not started again.
	Outage
)

var faultNames = map[FaultKind]string{KillAfter: "kill-after", SlowStart: "slow-start", Duplicate: "duplicate", Lose: "lose", Outage: "outage"}

func (k FaultKind) String() string {
	if name, ok := faultNames[k]; ok {
		return name
	}
	return fmt.Sprintf("fault %d", k)
}

// Fault is what to break.
type Fault struct {
	Kind FaultKind
	// After is KillAfter's and SlowStart's duration, 0 to 900 s.
	After time.Duration
	// Times is how often it strikes. Default 0: until it is cleared.
	Times int
}

// Validate reports what is wrong with the fault.
func (f Fault) Validate() error {
	timed := f.Kind == KillAfter || f.Kind == SlowStart
	switch {
	case faultNames[f.Kind] == "":
		return fmt.Errorf("lambdahost: %v is no fault", f.Kind)
	case f.After < 0 || f.After > maxTimeout:
		return fmt.Errorf("lambdahost: %v: After %v is not within 0 and %v", f.Kind, f.After, maxTimeout)
	case f.After > 0 && !timed:
		return fmt.Errorf("lambdahost: %v takes no After", f.Kind)
	case f.Times < 0:
		return fmt.Errorf("lambdahost: %v: Times %d is negative", f.Kind, f.Times)
	}
	return nil
}

// faults are a function's active faults. Their owner locks.
type faults struct{ active []*Fault }

func (s *faults) add(f Fault) *Fault {
	s.active = append(s.active, &f)
	return &f
}

func (s *faults) remove(f *Fault) {
	s.active = slices.DeleteFunc(s.active, func(g *Fault) bool { return g == f })
}

func (s *faults) has(k FaultKind) bool {
	return slices.ContainsFunc(s.active, func(f *Fault) bool { return f.Kind == k })
}

// strike returns the oldest fault of a kind and uses it up.
func (s *faults) strike(k FaultKind) (Fault, bool) {
	for _, f := range s.active {
		if f.Kind != k {
			continue
		}
		struck := *f
		if f.Times == 1 {
			s.remove(f)
		} else if f.Times > 1 {
			f.Times--
		}
		return struck, true
	}
	return Fault{}, false
}
