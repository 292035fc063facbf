package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// Plan is what a series of runs was meant to be. The zero value means: whatever is there.
type Plan struct {
	// Scenarios is the catalogue, which gives the order of the rows. Others come behind, by
	// name.
	Scenarios []string
	// Runs is how many runs each of Played was meant to get. What is missing ended without
	// a result, and counts as Inconclusive. Zero means that the number is unknown.
	Runs int
	// Played are those of Scenarios that were meant to be played. Nil means all.
	Played []string
}

// meant is how many runs of a scenario there should be, 0 for unknown.
func (p Plan) meant(scenario string) int {
	played := p.Played
	if played == nil {
		played = p.Scenarios
	}
	if slices.Contains(played, scenario) {
		return p.Runs
	}
	return 0
}

// Reliability is what many runs on one target say.
type Reliability struct {
	Target string
	Rows   []Row
	// NotPlayed are the scenarios of the catalogue of which there is no run, unless the plan
	// says that there should be.
	NotPlayed []string

	Models, Revisions, Objectives, Settings []Share
	// First and Last bound the instants at which runs began.
	First, Last time.Time
}

// Share is one of the texts that the runs of a target carry, and how much of them does.
type Share struct {
	Text      string
	Runs      int
	Scenarios []string // in the order of the rows
}

// Row is what the runs of one scenario on one target say.
type Row struct {
	Scenario string
	// Runs is Passed + Failed + Inconclusive. NoVerdict counts those among the
	// Inconclusive that were begun, or meant to be, and never judged.
	Runs, Passed, Failed, Inconclusive, NoVerdict int
	// AtMost is the UpperBound of the share of runs that do not pass. Inconclusive runs
	// count as such: each of them may have hidden a failure.
	AtMost float64

	// P50 and P95 are quantiles of the RTO, nil where Runs is too small for them. An
	// Inconclusive run, which proved nothing, is Open in them, and so at least as long as
	// all others.
	P50, P95 *Time
	// What follows is of the runs with a verdict, whichever it is. The times are nil when
	// there is none.
	RTO, RPO *Time // the worst
	Lost     int   // the worst
	Dual     int   // the sum
	// Seeds are those of the runs that are there, ascending; Bad of those that did not
	// pass.
	Seeds, Bad []uint64
}

// Time is a measured time in milliseconds. When it is Open the true one is at least that:
// a run ended before its outage did, or does not tell.
type Time struct {
	MS   int64
	Open bool
}

// NotPassed is the number of runs that AtMost is about.
func (r Row) NotPassed() int { return r.Failed + r.Inconclusive }

// Sum adds results up, by target in the order of names and by scenario. A result without
// a verdict is of a run that was never judged. Every run counts once: in virtual time a
// run is made by its seed, so that one seed twice is no second run, and Sum refuses it
// there; elsewhere it refuses what is a copy.
func Sum(results []Result, plan Plan) ([]Reliability, error) {
	if err := distinct(results); err != nil {
		return nil, err
	}
	byTarget := map[string][]Result{}
	for _, r := range results {
		byTarget[r.Target] = append(byTarget[r.Target], r)
	}
	var out []Reliability
	for _, target := range slices.Sorted(maps.Keys(byTarget)) {
		out = append(out, sum(target, byTarget[target], plan))
	}
	return out, nil
}

// virtual is the target on which a seed decides everything that is drawn.
const virtual = "embedded"

func distinct(results []Result) error {
	type run struct {
		target, scenario string
		seed             uint64
		started          int64
	}
	seen := map[run]bool{}
	for _, r := range results {
		k := run{r.Target, r.Scenario, r.Seed, r.Started.UnixNano()}
		if r.Target == virtual {
			k.started = 0
		}
		if seen[k] {
			return fmt.Errorf("report: %s with seed %d on %s is there twice, and would count as two runs: name the folders of one series, or play other seeds with DRILL_SEED",
				r.Scenario, r.Seed, r.Target)
		}
		seen[k] = true
	}
	return nil
}

func sum(target string, results []Result, plan Plan) Reliability {
	out := Reliability{Target: target}
	byScenario := map[string][]Result{}
	for _, r := range results {
		byScenario[r.Scenario] = append(byScenario[r.Scenario], r)
	}
	order := slices.Clone(plan.Scenarios)
	for _, name := range slices.Sorted(maps.Keys(byScenario)) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	var models, revisions, objectives, settings shares
	for _, name := range order {
		runs, meant := byScenario[name], plan.meant(name)
		if len(runs) == 0 && meant == 0 {
			out.NotPlayed = append(out.NotPlayed, name)
			continue
		}
		out.Rows = append(out.Rows, row(name, runs, meant))
		for _, r := range runs {
			models.add(r.Model, name)
			revisions.add(r.Revision, name)
			settings.add(settingsText(r.Settings), name)
			if r.Verdict != "" { // what was never judged has none
				objectives.add(fmt.Sprintf("RTO %g s, RPO %g s", float64(r.Objectives.RTO)/1000, float64(r.Objectives.RPO)/1000), name)
			}
			if out.First.IsZero() || r.Started.Before(out.First) {
				out.First = r.Started
			}
			if r.Started.After(out.Last) {
				out.Last = r.Started
			}
		}
	}
	out.Models, out.Revisions, out.Objectives, out.Settings = models.sorted(), revisions.sorted(), objectives.sorted(), settings.sorted()
	return out
}

func settingsText(s map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, k+" "+s[k])
	}
	return strings.Join(parts, "; ")
}

// row sums one scenario up. meant is how many runs there should be, 0 for unknown.
func row(name string, runs []Result, meant int) Row {
	missing := max(0, meant-len(runs))
	r := Row{Scenario: name, Runs: len(runs) + missing, NoVerdict: missing}
	var rto, rpo, ranked []Time
	for _, run := range runs {
		r.Seeds = append(r.Seeds, run.Seed)
		if run.Verdict != measure.Passed {
			r.Bad = append(r.Bad, run.Seed)
		}
		switch run.Verdict {
		case measure.Passed:
			r.Passed++
		case measure.Failed:
			r.Failed++
		case "":
			r.NoVerdict++
			continue
		}
		took := timeOf(run.RTO, run.Capped)
		rto, rpo = append(rto, took), append(rpo, timeOf(run.RPO, false))
		// One in which the fault did nothing, say, was not fast.
		took.Open = took.Open || run.Verdict != measure.Passed && run.Verdict != measure.Failed
		ranked = append(ranked, took)
		r.Lost, r.Dual = max(r.Lost, run.Writes.Lost), r.Dual+run.Writes.DualAcknowledged
	}
	r.Inconclusive = r.Runs - r.Passed - r.Failed
	r.AtMost = UpperBound(r.NotPassed(), r.Runs, Confidence)
	slices.Sort(r.Seeds)
	slices.Sort(r.Bad)
	if len(rto) == 0 {
		return r
	}
	ranked = append(ranked, slices.Repeat([]Time{{Open: true}}, r.NoVerdict)...)
	r.P50, r.P95 = quantile(0.5, ranked), quantile(0.95, ranked)
	r.RTO, r.RPO = worstOf(rto), worstOf(rpo)
	return r
}

// timeOf is a time of a result; what it doesn't tell is at least nothing.
func timeOf(ms *int64, capped bool) Time {
	if ms == nil {
		return Time{Open: true}
	}
	return Time{MS: *ms, Open: capped}
}

// worstOf is the largest, nil of none. An open one may be larger than all others.
func worstOf(times []Time) *Time {
	if len(times) == 0 {
		return nil
	}
	var worst Time
	for _, t := range times {
		worst.MS, worst.Open = max(worst.MS, t.MS), worst.Open || t.Open
	}
	return &worst
}

// quantile is the smallest measured time that at least the share q of times does not
// exceed, or nil when there are too few. Open times count as longer than all that are
// known; where that decides, the result is open, too.
func quantile(q float64, times []Time) *Time {
	if !allows(q, len(times)) {
		return nil
	}
	least := slices.SortedFunc(slices.Values(times), func(a, b Time) int { return cmp.Compare(a.MS, b.MS) })
	most := slices.SortedFunc(slices.Values(times), func(a, b Time) int {
		if a.Open != b.Open {
			if a.Open {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.MS, b.MS)
	})
	rank := rankOf(q, len(times))
	if most[rank].Open {
		return &Time{MS: least[rank].MS, Open: true}
	}
	return &most[rank]
}

// rankOf is the nearest rank of q among n, from 0. In whole thousandths, because 0.95*60
// is a little more than 57 in a float64.
func rankOf(q float64, n int) int {
	return (int(q*1000+0.5)*n+999)/1000 - 1
}

// shares counts texts.
type shares []Share

func (s *shares) add(text, scenario string) {
	i := slices.IndexFunc(*s, func(x Share) bool { return x.Text == text })
	if i < 0 {
		i = len(*s)
		*s = append(*s, Share{Text: text})
	}
	x := &(*s)[i]
	x.Runs++
	if !slices.Contains(x.Scenarios, scenario) {
		x.Scenarios = append(x.Scenarios, scenario)
	}
}

// sorted returns the most frequent first.
func (s shares) sorted() []Share {
	slices.SortStableFunc(s, func(a, b Share) int { return cmp.Compare(b.Runs, a.Runs) })
	return s
}
