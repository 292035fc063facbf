package embedded_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// A controller that is killed at a random moment of a failover and comes back a
// second later finishes the same execution at most 5 s later, and says that it is
// done only when it is.
func TestControllerKilledAtARandomMoment(t *testing.T) {
	seeds := raced.Few(2, uint64(12))
	if n, err := strconv.ParseUint(os.Getenv("DRILL_REPEAT"), 10, 64); err == nil {
		seeds = n
	}
	s, err := drill.Find("region-blackout")
	require.NoError(t, err)
	var worst time.Duration
	for seed := range seeds {
		undisturbed := virtual(t, s, seed)
		whole := settled(t, undisturbed)

		killed := s
		rng := rand.New(rand.NewPCG(seed, 0xc0))
		at := time.Duration(rng.Int64N(int64(whole)))
		killed.Plan = append(fault.Plan{}, s.Plan...)
		killed.Plan = append(killed.Plan, fault.Step{Fault: fault.Fault{Kind: fault.KillController, Region: drill.West}, At: at})
		out := virtual(t, killed, seed)
		require.Equal(t, measure.Passed, out.Verdict.Outcome, "seed %d, killed %v after the fault\n%s", seed, at, out.Summary)
		require.Equal(t, 1, out.Result.Failovers)
		late := settled(t, out) - whole
		worst = max(worst, late)
		require.LessOrEqual(t, late, 5*time.Second, "seed %d, killed %v after the fault, undisturbed %v", seed, at, whole)
		require.Less(t, first(out, measure.MarkWritable), first(out, measure.MarkSettled), "settled before the server took a write")
	}
	t.Logf("%d controllers killed: at most %v later", seeds, worst)
}

func settled(t *testing.T, out drill.Outcome) time.Duration {
	t.Helper()
	at := first(out, measure.MarkSettled)
	require.NotEqual(t, measure.Unknown, at, "never settled\n%s", out.Summary)
	return at - first(out, measure.MarkInjected)
}

// first returns the time of the first mark of a name.
func first(out drill.Outcome, name string) time.Duration {
	for _, m := range out.Run.Marks {
		if m.Name == name {
			return m.At
		}
	}
	return measure.Unknown
}
