package report_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

// result is one saved run with an RTO in milliseconds.
func result(target, scenario string, seed uint64, v measure.Outcome, rto int64) report.Result {
	rpo := rto / 100
	r := report.Result{
		Schema: report.ResultSchema, Target: target, Scenario: scenario, Seed: seed, Verdict: v,
		Started:  time.Date(2026, 11, 22, 17, 0, int(seed), 0, time.UTC),
		Revision: "4b825dc642cb6eb9a060e54bf8d69288fbee4904", Model: "promotion\n uniform 2-5 s",
		Settings: map[string]string{"budget": "detect 8s"},
		RTO:      &rto, RPO: &rpo,
	}
	r.Objectives.RTO, r.Objectives.RPO = 60000, 1000
	return r
}

// series are the runs of one scenario with the seeds 1 to n and the RTO of 100 ms each.
func series(target, scenario string, n int) []report.Result {
	var out []report.Result
	for i := range n {
		out = append(out, result(target, scenario, uint64(i+1), measure.Passed, int64(i+1)*100))
	}
	return out
}

// sumOf sums runs up that are all of one target.
func sumOf(t *testing.T, runs []report.Result, plan report.Plan) report.Reliability {
	t.Helper()
	sums, err := report.Sum(runs, plan)
	require.NoError(t, err)
	require.Len(t, sums, 1)
	return sums[0]
}

func TestReliabilityGolden(t *testing.T) {
	runs := series("embedded", "region-killed", 60)
	for _, r := range series("embedded", "region-partition", 60) {
		if r.Seed == 12 || r.Seed == 40 {
			r.Verdict, r.Capped = measure.Failed, r.Seed == 40
		}
		r.Writes.Lost, r.Writes.DualAcknowledged = int(r.Seed), int(r.Seed)%2
		r.Settings = map[string]string{"budget": "detect 8s, partition window <= 1s"}
		runs = append(runs, r)
	}
	for _, r := range series("embedded", "no-fault", 57) {
		zero := int64(0)
		r.RTO, r.RPO = &zero, &zero
		switch r.Seed {
		case 5:
			r.Verdict = measure.Inconclusive
		case 6:
			r.Verdict = "" // saved, and never judged
		}
		r.Revision += "-dirty"
		runs = append(runs, r)
	}
	docker := series("docker", "region-killed", 20)
	runs = append(runs, docker...)
	// The order in which runs are found decides nothing.
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	sums, err := report.Sum(runs, report.Plan{Runs: 60, Scenarios: []string{"region-killed", "region-partition", "no-fault"}})
	require.NoError(t, err)
	var text []string
	for _, s := range sums {
		text = append(text, s.Markdown())
	}
	golden(t, "reliability.md", strings.Join(text, "\n"))
}

// Passed, failed and inconclusive runs sum to all; what proved nothing or never got a
// verdict is never dropped, and weighs against the bound.
func TestEveryRunCounts(t *testing.T) {
	runs := series("embedded", "a", 20)
	runs[3].Verdict, runs[4].Verdict, runs[5].Verdict, runs[6].Verdict = measure.Failed, measure.Inconclusive, "", measure.Inconclusive
	row := sumOf(t, runs, report.Plan{Runs: 25, Scenarios: []string{"a"}}).Rows[0]
	require.Equal(t, []int{25, 16, 1, 8, 6}, []int{row.Runs, row.Passed, row.Failed, row.Inconclusive, row.NoVerdict})
	require.Equal(t, 9, row.NotPassed())
	require.InDelta(t, report.UpperBound(9, 25, 0.95), row.AtMost, 0)
	require.Equal(t, []uint64{4, 5, 6, 7}, row.Bad)
	require.Equal(t, "1.60 s", row.P50.String(), "the 13th of 17 known times and 8 that may be longer")
	require.Equal(t, "2.00 s", row.RTO.String())
}

func TestScenariosWithoutAnyRun(t *testing.T) {
	plan := report.Plan{Scenarios: []string{"a", "b"}}
	s := sumOf(t, series("embedded", "a", 5), plan)
	require.Len(t, s.Rows, 1)
	require.Equal(t, []string{"b"}, s.NotPlayed)
	require.Contains(t, s.Markdown(), "- Not played: `b`.")
	require.Equal(t, "DRILL_SCENARIO=a make reliability RUNS=5", s.Command())

	plan.Runs = 5 // they were meant to be played: none of them left a result
	s = sumOf(t, series("embedded", "a", 5), plan)
	require.Empty(t, s.NotPlayed)
	require.Contains(t, s.Markdown(), "| `b` | 5 | 0 | 0 | 5 | 100.0 % | – | – | – | – | 0 | 0 |")
	require.Contains(t, s.Markdown(), "Not passed: `b` (5 of 5 left no verdict).")

	plan.Played = []string{"a"} // b was not
	s = sumOf(t, series("embedded", "a", 4), plan)
	require.Equal(t, []string{"b"}, s.NotPlayed)
	require.Equal(t, "DRILL_SCENARIO=a make reliability RUNS=5", s.Command())
	require.Equal(t, 1, s.Rows[0].NoVerdict)
}

// A percentile of few runs is a guess.
func TestPercentilesOnlyWhereTheyMeanSomething(t *testing.T) {
	for _, c := range []struct {
		n        int
		p50, p95 string
	}{
		{4, "–", "–"}, {5, "0.30 s", "–"}, {6, "0.30 s", "–"}, {58, "2.90 s", "–"},
		{59, "3 s", "5.70 s"}, {60, "3 s", "5.70 s"}, {61, "3.10 s", "5.80 s"}, {100, "5 s", "9.50 s"},
	} {
		row := sumOf(t, series("docker", "a", c.n), report.Plan{}).Rows[0]
		trim := func(x *report.Time) string { return strings.Replace(x.String(), ".00 s", " s", 1) }
		require.Equal(t, c.p50, trim(row.P50), "median of %d", c.n)
		require.Equal(t, c.p95, trim(row.P95), "p95 of %d", c.n)
		require.EqualValues(t, c.n*100, row.RTO.MS)
	}
}

// A run that ended in its outage lasted at least so long; one that proved nothing was
// not fast. Neither flatters a percentile.
func TestOpenTimes(t *testing.T) {
	runs := series("embedded", "a", 5) // 100 to 500 ms
	runs[0].Capped = true
	row := sumOf(t, runs, report.Plan{}).Rows[0]
	require.Equal(t, "0.40 s", row.P50.String(), "the third of 200, 300, 400, 500 and one that is longer")
	require.Equal(t, ">0.50 s", row.RTO.String())

	for i := range 3 {
		runs[i].Capped, runs[i].Verdict = false, measure.Inconclusive
	}
	row = sumOf(t, runs, report.Plan{}).Rows[0]
	require.Equal(t, ">0.30 s", row.P50.String(), "unknown, and no less than the third of what was seen")
	require.Equal(t, "0.50 s", row.RTO.String(), "the worst is what was seen")

	runs[4].RPO, runs[4].RTO = nil, nil
	row = sumOf(t, runs, report.Plan{}).Rows[0]
	require.Equal(t, ">0.40 s", row.RTO.String(), "missing is not zero")
	require.True(t, row.RPO.Open)

	require.Equal(t, "10.96 s", (&report.Time{MS: 10951}).String(), "never rounded down")
	require.Equal(t, "0 s", (&report.Time{}).String())
	require.Equal(t, "–", (*report.Time)(nil).String())
}

// One seed is one run in virtual time, whenever it is played.
func TestNoRunCountsTwice(t *testing.T) {
	again := func(target string, later time.Duration) []report.Result {
		runs := series(target, "a", 3)
		r := runs[1]
		r.Started = r.Started.Add(later)
		return append(runs, r)
	}
	_, err := report.Sum(again("embedded", time.Hour), report.Plan{})
	require.ErrorContains(t, err, "a with seed 2 on embedded is there twice")
	require.ErrorContains(t, err, "DRILL_SEED")
	_, err = report.Sum(again("docker", 0), report.Plan{})
	require.ErrorContains(t, err, "is there twice", "a copy of a folder")
	row := sumOf(t, again("docker", time.Hour), report.Plan{}).Rows[0]
	require.Equal(t, 4, row.Runs, "real servers never do the same twice")
}

func TestTheCommandPlaysTheSameSeries(t *testing.T) {
	runs := series("docker", "a", 12)[2:]
	s := sumOf(t, runs, report.Plan{})
	require.Equal(t, "DRILL_SEED=3 make reliability RUNS=10 TARGET=docker", s.Command())
	const uneven = "Not every row has all of these seeds"
	require.NotContains(t, s.Markdown(), uneven)

	require.Contains(t, sumOf(t, append(runs, series("docker", "b", 10)...), report.Plan{}).Markdown(), uneven, "other seeds")
	require.Contains(t, sumOf(t, append(runs, series("docker", "b", 9)[2:]...), report.Plan{}).Markdown(), uneven, "fewer runs")
	gap := append(series("docker", "c", 4), series("docker", "c", 6)[5:]...)
	require.Contains(t, sumOf(t, gap, report.Plan{}).Markdown(), uneven, "a gap")
}

func TestNothingToSum(t *testing.T) {
	sums, err := report.Sum(nil, report.Plan{Runs: 3, Scenarios: []string{"a"}})
	require.NoError(t, err)
	require.Empty(t, sums)
}
