package report_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/report"
)

// With no bad run the bound has a closed form.
func TestUpperBoundOfCleanRuns(t *testing.T) {
	for _, n := range []int{1, 2, 5, 20, 59, 100, 299, 1000, 100000} {
		want := 1 - math.Pow(0.05, 1/float64(n))
		require.InDelta(t, want, report.UpperBound(0, n, 0.95), 1e-9, "n=%d", n)
	}
	require.InDelta(t, 0.139108, report.UpperBound(0, 20, 0.95), 1e-6)
	require.InDelta(t, 0.009969, report.UpperBound(0, 299, 0.95), 1e-6, "the 299 clean runs behind a claim of 99 %%")
}

// Values that were computed apart from this code, by exact binomial sums of 60 digits.
func TestUpperBoundWithBadRuns(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want float64
	}{
		{1, 10, 0.394163302}, {2, 20, 0.282618525}, {5, 50, 0.198833003},
		{3, 100, 0.075710794}, {17, 300, 0.083788813}, {40, 1000, 0.051753401},
	} {
		require.InDelta(t, c.want, report.UpperBound(c.k, c.n, 0.95), 1e-9, "%d of %d", c.k, c.n)
	}
}

// How many runs a claim takes: one fewer is too few.
func TestUpperBoundTellsHowManyRunsAClaimTakes(t *testing.T) {
	for _, c := range []struct {
		share float64
		bad   int
		runs  int
	}{
		{0.05, 0, 59}, {0.05, 1, 93}, {0.05, 2, 124},
		{0.01, 0, 299}, {0.01, 1, 473}, {0.01, 2, 628},
	} {
		require.LessOrEqual(t, report.UpperBound(c.bad, c.runs, 0.95), c.share)
		require.Greater(t, report.UpperBound(c.bad, c.runs-1, 0.95), c.share)
	}
}

// What the bound means, by a sum that is done another way: at the bound, k or fewer bad
// runs have the probability 0.05.
func TestUpperBoundIsExact(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for k := range n {
			p := report.UpperBound(k, n, 0.95)
			term, sum := math.Pow(1-p, float64(n)), 0.0
			for i := range k + 1 {
				sum += term
				term *= float64(n-i) / float64(i+1) * p / (1 - p)
			}
			require.InDelta(t, 0.05, sum, 1e-9, "%d of %d", k, n)
		}
	}
}

func TestUpperBoundAtItsEnds(t *testing.T) {
	require.InDelta(t, 1, report.UpperBound(0, 0, 0.95), 0, "no run proves nothing")
	require.InDelta(t, 1, report.UpperBound(0, -1, 0.95), 0)
	require.InDelta(t, 1, report.UpperBound(7, 7, 0.95), 0)
	require.InDelta(t, 1, report.UpperBound(8, 7, 0.95), 0)
	require.InDelta(t, report.UpperBound(0, 7, 0.95), report.UpperBound(-1, 7, 0.95), 0)
	require.Greater(t, report.UpperBound(0, 7, 0.99), report.UpperBound(0, 7, 0.95), "more confidence allows less")
}

func TestPercentIsNeverRoundedDown(t *testing.T) {
	for share, want := range map[float64]string{0.139108: "14.0 %", 0.0295130: "3.0 %", 0.01: "1.0 %", 0.010001: "1.1 %", 1: "100.0 %"} {
		require.Equal(t, want, report.Percent(share))
	}
}
