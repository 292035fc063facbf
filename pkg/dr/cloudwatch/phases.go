package cloudwatch

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// step is what follows what when an execution goes forward.
type step struct{ before, state failover.State }

// phaseNames are the metrics of what goes forward. What ends otherwise is no measure of
// how long the phase takes.
var phaseNames = map[step]string{
	{failover.Confirmed, failover.EpochTaken}:  "PhaseDecide",
	{failover.EpochTaken, failover.Fenced}:     "PhaseFence",
	{failover.Fenced, failover.LossAccepted}:   "PhaseGate",
	{failover.LossAccepted, failover.Promoted}: "PhasePromote",
	{failover.Promoted, failover.Verified}:     "PhaseVerify",
	{failover.Verified, failover.Redirected}:   "PhaseRedirect",
	{failover.Redirected, failover.Settled}:    "PhaseSettle",
}

// phases returns the durations that a change of state tells. began is when the execution
// began, if this process has seen that, for one that nothing dark has caused.
func phases(c dr.StateChange, began time.Time) []metric {
	var out []metric
	state, before := failover.State(c.State), failover.State(c.Before)
	switch name := phaseNames[step{before, state}]; {
	case state == failover.Confirmed && before == "" && !c.DarkSince.IsZero():
		out = append(out, millis("PhaseDetect", c.At.Sub(c.DarkSince)))
	case name != "":
		out = append(out, millis(name, c.At.Sub(c.Since)))
	case before == failover.AwaitingApproval && state != failover.AwaitingApproval && state != failover.Aborted:
		out = append(out, millis("PhaseOperator", c.At.Sub(c.Since)))
	}
	if !c.DarkSince.IsZero() {
		began = c.DarkSince
	}
	if state == failover.Settled && !began.IsZero() {
		out = append(out, millis("PhaseTotal", c.At.Sub(began)))
	}
	return out
}
