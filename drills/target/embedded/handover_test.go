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
