package measure

import (
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Unknown is the value of a time that the run does not tell.
const Unknown time.Duration = -1

// Sustain says when an outage is over.
type Sustain struct {
	// Window is how long writes must keep succeeding. Zero means 10 s.
	Window time.Duration `json:"window_ns"`
	// Success is the share of each client's writes in the window that must be
	// ok, above 0 and at most 1. Zero means 0.99.
	Success float64 `json:"success"`
}

func (s Sustain) withDefaults() Sustain {
	if s.Window == 0 {
		s.Window = 10 * time.Second
	}
	if s.Success == 0 {
		s.Success = 0.99
	}
	return s
}

// Run is all that a drill leaves behind to be measured.
type Run struct {
	// Ops is the history of every client.
	Ops []workload.Op
	// Marks are the events beside the writes, in any order.
	Marks []Mark
	// Survivors are the ids found on the writer at the end, after the heal.
	// Nil means that they were not read; an empty table is an empty slice.
	Survivors []int64
	// Faulted is the Region that the fault took from its clients: they are
	// outside RTO, and inside RPO and dual acknowledgement. Empty for none.
	Faulted dr.Region
	// OldWriter held the writer before the fault, NewWriter at the end. They
	// are equal when nothing was promoted.
	OldWriter, NewWriter dr.Region
	// Objectives are what the result is held against.
	Objectives dr.Objectives
	// Sustain says when an outage is over. The zero value means 10 s at 99 %.
	Sustain Sustain
	// Horizon is how long after the fault the drill watches. A run that has not
	// recovered by then is reported as longer than it. Zero means to the end of
	// the history.
	Horizon time.Duration
	// Interval is the time between two writes of one client: the resolution of
	// RTO and RPO.
	Interval time.Duration
}

// Validate reports every reason for which the run can't be measured. Measure
// keeps the same reasons in Result.Problems, and Judge calls such a run
// inconclusive.
func (r Run) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if r.OldWriter == "" || r.NewWriter == "" {
		bad("OldWriter is %q and NewWriter is %q: name both; they are equal when nothing was promoted", r.OldWriter, r.NewWriter)
	}
	if r.Interval <= 0 {
		bad("Interval is %v: give the time between two writes of one client", r.Interval)
	}
	if s := r.Sustain.withDefaults(); s.Window < 0 || s.Success < 0 || s.Success > 1 {
		bad("Sustain is %v at %v: use a positive window and a share of at most 1", s.Window, s.Success)
	}
	if r.Survivors == nil {
		bad("Survivors is nil: read the ids from the writer; an empty table is an empty slice")
	}
	if len(r.Ops) == 0 {
		bad("the history is empty: no write was recorded")
	}
	seen := make(map[int64]bool, len(r.Ops))
	for _, op := range r.Ops {
		switch {
		case seen[op.ID]:
			bad("write %d is in the history twice: give each client its own range of ids", op.ID)
		case !op.Outcome.Valid():
			bad("write %d has outcome %q: use ok, fail, info or dropped", op.ID, op.Outcome)
		case op.End < op.Start || op.Start < op.Intended:
			bad("write %d was intended at %v, started at %v and ended at %v: its clock ran backwards", op.ID, op.Intended, op.Start, op.End)
		}
		seen[op.ID] = true
		if len(errs) > 9 {
			bad("and perhaps more: stopped here")
			break
		}
	}
	return errors.Join(errs...)
}

// failedOver reports whether the writer is elsewhere at the end.
func (r Run) failedOver() bool { return r.OldWriter != r.NewWriter }
