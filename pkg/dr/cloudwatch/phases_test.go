package cloudwatch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// asked is the story of an execution that asks, is answered, and of another one that
// ends at once.
func asked(tr *dr.Trace) {
	change := func(x string, before, state dr.State, after, since time.Duration) {
		c := dr.StateChange{At: start.Add(after), Region: west, Execution: x, Epoch: 5, State: state, Before: before, DarkSince: start}
		if before != "" {
			c.Since = start.Add(since)
		}
		tr.OnState(c)
	}
	change("5-1", "", "Confirmed", 7*time.Second, 0)
	change("5-1", "Confirmed", "AwaitingApproval", 8*time.Second, 7*time.Second)
	change("5-1", "AwaitingApproval", "Confirmed", 60*time.Second, 8*time.Second)
	change("5-1", "Confirmed", "EpochTaken", 61*time.Second, 60*time.Second)
	change("5-2", "", "Confirmed", 70*time.Second, 0)
	change("5-2", "Confirmed", "Aborted", 71*time.Second, 70*time.Second)
}

// switchover is the story of one that nothing dark has caused.
func switchover(tr *dr.Trace) {
	tr.OnState(dr.StateChange{At: start, Execution: "6-1", State: "Confirmed"})
	tr.OnState(dr.StateChange{At: start.Add(9 * time.Second), Execution: "6-1", State: "Settled", Before: "Redirected", Since: start.Add(8 * time.Second)})
}

var stories = []func(*dr.Trace){failover, asked, switchover}

// durations returns what a story tells of phases, in order.
func durations(t *testing.T, story func(*dr.Trace)) (out []string, values []float64) {
	for _, l := range lines(t, told(t, story)) {
		l.check(t)
		if l.aws == nil {
			continue
		}
		for _, m := range l.aws.CloudWatchMetrics[0].Metrics {
			if strings.HasPrefix(m.Name, "Phase") {
				require.Equal(t, "Milliseconds", m.Unit)
				require.NotEmpty(t, l.fields["Execution"])
				require.NotZero(t, l.fields["State"])
				out, values = append(out, m.Name), append(values, l.values(m.Name)...)
			}
		}
	}
	return out, values
}

func TestPhases(t *testing.T) {
	names, ms := durations(t, failover)
	require.Equal(t, []string{
		"PhaseDetect", "PhaseDecide", "PhaseFence", "PhaseGate", "PhasePromote", "PhaseVerify", "PhaseRedirect", "PhaseSettle", "PhaseTotal",
	}, names)
	require.Equal(t, []float64{8500, 250, 750, 1250, 1750, 2250, 2750, 3250, 20750}, ms)
	var sum float64
	for _, v := range ms[:8] {
		sum += v
	}
	require.InDelta(t, ms[8], sum, 1e-9, "the phases are the whole of it")

	names, ms = durations(t, asked)
	require.Equal(t, []string{"PhaseDetect", "PhaseOperator", "PhaseDecide", "PhaseDetect"}, names, "detected once, and a phase that ended in a question is none")
	require.Equal(t, []float64{7000, 52000, 1000, 70000}, ms)

	names, ms = durations(t, switchover)
	require.Equal(t, []string{"PhaseSettle", "PhaseTotal"}, names)
	require.Equal(t, []float64{1000, 9000}, ms)
}

func TestPhasesOfWhatIsNotKnown(t *testing.T) {
	names, _ := durations(t, func(tr *dr.Trace) {
		// Another process was faster, and this one learns only where the execution stands.
		tr.OnState(dr.StateChange{At: start, Execution: "6-1", State: "Promoted"})
		tr.OnState(dr.StateChange{At: start, Execution: "6-2", State: "Settled"})
	})
	require.Empty(t, names)
	_, ms := durations(t, func(tr *dr.Trace) { // by a process whose clock is ahead
		tr.OnState(dr.StateChange{At: start, Execution: "6-1", State: "Fenced", Before: "EpochTaken", Since: start.Add(time.Second)})
	})
	require.Equal(t, []float64{0}, ms)
}
