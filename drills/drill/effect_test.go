package drill_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// killedController is a drill of the one kind that no scenario of the catalogue has.
func killedController(t *testing.T) drill.Scenario {
	s := find(t, "region-blackout")
	s.Plan = append(fault.Plan{}, s.Plan...)
	s.Plan = append(s.Plan, fault.Step{Fault: fault.Fault{Kind: fault.KillController, Region: drill.West}, At: 2 * time.Second})
	return s
}

// Each kind of fault in a drill of it, which passes, and in the same drill with a target
// on which it does nothing, which proves nothing.
func TestAFaultWithoutEffectProvesNothing(t *testing.T) {
	scenarios := map[fault.Kind]drill.Scenario{fault.KillController: killedController(t)}
	for _, s := range drill.Scenarios() {
		for _, step := range s.Plan {
			if _, known := scenarios[step.Fault.Kind]; !known {
				scenarios[step.Fault.Kind] = s
			}
		}
	}
	for _, kind := range fault.Kinds() {
		if kind == fault.None || len(fault.Hows(kind)) > 0 { // half-failures: the embedded target's TestEveryHalfFailureShows
			continue
		}
		s, known := scenarios[kind]
		require.True(t, known, "no scenario has a %s", kind)
		t.Run(string(kind), func(t *testing.T) {
			raced.Sample(t, 5)
			var whole []string
			for _, step := range s.Plan {
				if step.Fault.Kind == kind {
					whole = append(whole, step.Fault.String())
				}
			}
			out := virtual(t, plain(), s, brisk)
			require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
			require.Empty(t, out.Result.Unseen)

			out = virtual(t, gentle(kind), s, brisk)
			require.ElementsMatch(t, whole, out.Result.Unseen)
			require.Regexp(t, "nothing showed that "+string(kind)+"|the fault had no effect that a probe could see", strings.Join(out.Verdict.Reasons, "\n"))
			switch kind {
			case fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate, fault.ReplicationLag:
				require.Equal(t, measure.Failed, out.Verdict.Outcome, "nothing made the controller do what it must: %s", out.Summary)
			default:
				require.Equal(t, measure.Inconclusive, out.Verdict.Outcome, out.Summary)
			}
		})
	}
}

// brisk has less of the time in which nothing happens.
var brisk = drill.Options{Seed: 5, Timing: drill.Timing{
	Steady: 3 * time.Second, Quiet: 12 * time.Second, Sustain: 5 * time.Second, AfterHeal: 5 * time.Second, Horizon: 45 * time.Second,
}}
