package drill

import (
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// stateMarks are the phases of a recovery as a controller passes them.
var stateMarks = map[failover.State]string{
	failover.EpochTaken:       measure.MarkDecided,
	failover.Fenced:           measure.MarkFenced,
	failover.Promoted:         measure.MarkPromoted,
	failover.Verified:         measure.MarkVerified,
	failover.Redirected:       measure.MarkRedirected,
	failover.Settled:          measure.MarkSettled,
	failover.Aborted:          measure.MarkAborted,
	failover.AwaitingApproval: measure.MarkOperator,
}

// MarkTrace returns a trace that turns what an agent does into marks. The clock is
// the run's; add must be safe for concurrent use.
func MarkTrace(region dr.Region, clock func() time.Duration, add func(measure.Mark)) *dr.Trace {
	mark := func(who, name string, about dr.Region, detail string) {
		add(measure.Mark{At: clock(), Source: who + " " + region.String(), Name: name, Region: about, Detail: detail})
	}
	return &dr.Trace{
		Verdict: func(c dr.VerdictChange) {
			name := "verdict." + c.State
			if c.State == "Degraded" || c.State == "Impaired" {
				mark("monitor", measure.MarkSuspected, c.Subject, c.Why)
			}
			mark("monitor", name, c.Subject, c.Why)
		},
		State: func(c dr.StateChange) {
			detail := c.Detail
			if c.Code != "" {
				detail = c.Code + ": " + detail
			}
			if c.State == dr.State(failover.Promoted) {
				detail = fmt.Sprintf("epoch %d", c.Epoch)
			}
			name, ok := stateMarks[failover.State(c.State)]
			if !ok {
				name = "state." + string(c.State)
			}
			mark("controller", name, c.To, detail)
		},
		Lease: func(c dr.LeaseChange) {
			mark("guard", "lease."+c.What, c.Region, fmt.Sprintf("epoch %d %s", c.Epoch, c.Detail))
		},
		Problem: func(p dr.Problem) { mark("agent", "problem", p.Region, fmt.Sprintf("%s: %v", p.Op, p.Err)) },
	}
}
