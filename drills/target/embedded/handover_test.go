package embedded_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// The trigger looks with its own eyes, and of the time before it was asked it knows one
// lag, from its monitor's heartbeat. When that is younger than the last renewal of the
// lease, from which the silence counts, it must not be lost: a person would be asked.
// These seeds are such.
func TestTheLagBeforeTheFaultReachesTheTrigger(t *testing.T) {
	s, err := drill.Find("region-killed")
	require.NoError(t, err)
	for _, seed := range []uint64{6, 10, 11} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			out := virtual(t, s, seed)
			require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
		})
	}
}

// A guard that takes over goes on guarding the lag at once: these seeds cut the Region
// off less than two seconds after a handover.
func TestTheLagIsGuardedAcrossAHandover(t *testing.T) {
	s, err := drill.Find("region-partition-guarded")
	require.NoError(t, err)
	for _, seed := range []uint64{5, 8, 17} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			out := virtual(t, s, seed)
			require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
		})
	}
}

// And it closes nothing when nothing is wrong.
func TestAHandoverClosesNoWriter(t *testing.T) {
	s, err := drill.Find("no-fault")
	require.NoError(t, err)
	s.Policy.RPOGuard = true
	for seed := range uint64(5) {
		out := virtual(t, s, seed)
		handovers := 0
		for _, m := range out.Run.Marks {
			require.NotEqual(t, "lease.fenced", m.Name, "seed %d at %v: %s", seed, m.At, m.Detail)
			if m.Name == "monitorlease.taken" && m.Region == drill.East {
				handovers++
			}
		}
		require.Greater(t, handovers, 1)
		require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
	}
}
