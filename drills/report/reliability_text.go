package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// ReliabilityHeader heads every table of Reliability.Markdown.
const ReliabilityHeader = "| scenario | runs | passed | failed | inconclusive | not passed, at most | client's RTO, median | p95 | worst | RPO, worst | lost, worst | both acknowledged, all runs |\n" +
	"|---|---|---|---|---|---|---|---|---|---|---|---|\n"

// Markdown is what a document needs to say: of what these are runs, the command that
// plays them again, the table, and which runs did not pass.
func (r Reliability) Markdown() string {
	var b strings.Builder
	r.provenance(&b)
	b.WriteString(ReliabilityHeader)
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %d | %s | %s | %s | %s | %s | %d | %d |\n", row.Scenario,
			row.Runs, row.Passed, row.Failed, row.Inconclusive, Percent(row.AtMost),
			row.P50, row.P95, row.RTO, row.RPO, row.Lost, row.Dual)
	}
	r.legend(&b)
	r.bad(&b)
	return b.String()
}

func (r Reliability) provenance(b *strings.Builder) {
	runs := 0
	for _, row := range r.Rows {
		runs += row.Runs
	}
	const stamp = "2006-01-02 15:04"
	fmt.Fprintf(b, "Target `%s`, %d runs, begun from %s to %s UTC. To measure again:\n\n    %s\n\n",
		r.Target, runs, r.First.UTC().Format(stamp), r.Last.UTC().Format(stamp), r.Command())
	if !r.uniform() {
		b.WriteString("- Not every row has all of these seeds, or only these.\n")
	}
	if len(r.NotPlayed) > 0 {
		fmt.Fprintf(b, "- Not played: %s.\n", names(r.NotPlayed))
	}
	r.line(b, "Versions and what is modelled", r.Models, nil)
	r.line(b, "Objectives", r.Objectives, nil)
	r.line(b, "Policy", r.Settings, nil)
	r.line(b, "Code", r.Revisions, func(rev string) string { return "`" + rev + "`" })
	b.WriteString("\n")
}

// line prints a text, or all of them and how many runs each has.
func (r Reliability) line(b *strings.Builder, name string, all []Share, quote func(string) string) {
	var parts []string
	for i, s := range all {
		text := strings.Join(strings.Fields(s.Text), " ")
		switch {
		case text == "":
			text = "not recorded"
		case quote != nil:
			text = quote(text)
		}
		switch {
		case len(all) == 1:
		case i > 0 && len(s.Scenarios) < len(r.Rows):
			text += fmt.Sprintf(" (%d runs: %s)", s.Runs, names(s.Scenarios))
		default:
			text += fmt.Sprintf(" (%d runs)", s.Runs)
		}
		parts = append(parts, text)
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "- %s: %s.\n", name, strings.Join(parts, "; "))
	}
}

func (r Reliability) legend(b *strings.Builder) {
	b.WriteString("\n\"Not passed, at most\" is the exact one-sided 95 % bound (Clopper and Pearson) of each row by itself. " +
		"A run that is inconclusive proved nothing and counts as not passed. " +
		"A median stands from 5 runs on and a p95 from 59: from there the worst run exceeds it with 95 % confidence. " +
		"`>` marks a lower bound: a run ended inside its outage, or, in a median or a p95, proved nothing.\n")
}

// shownSeeds bounds the seeds that are named of each scenario.
const shownSeeds = 10

// bad names the runs that did not pass.
func (r Reliability) bad(b *strings.Builder) {
	var parts []string
	for _, row := range r.Rows {
		var said []string
		for i, seed := range row.Bad {
			if i == shownSeeds {
				said = append(said, fmt.Sprintf("%d more", len(row.Bad)-i))
				break
			}
			said = append(said, fmt.Sprint(seed))
		}
		text := ""
		if len(said) > 0 {
			text = " with seed " + strings.Join(said, ", ")
		}
		if n := row.NoVerdict; n > 0 {
			text += fmt.Sprintf(" (%d of %d left no verdict)", n, row.Runs)
		}
		if text != "" {
			parts = append(parts, "`"+row.Scenario+"`"+text)
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "\nNot passed: %s. `DRILL_SCENARIO=… DRILL_SEED=…` with `go test ./drills -run TestGameDay` plays one again.\n", strings.Join(parts, "; "))
	}
}

// Command plays the same series again.
func (r Reliability) Command() string {
	var b strings.Builder
	seed, runs := r.span()
	if len(r.NotPlayed) > 0 {
		var played []string
		for _, row := range r.Rows {
			played = append(played, row.Scenario)
		}
		fmt.Fprintf(&b, "DRILL_SCENARIO=%s ", strings.Join(played, ","))
	}
	if seed != 1 {
		fmt.Fprintf(&b, "DRILL_SEED=%d ", seed)
	}
	fmt.Fprintf(&b, "make reliability RUNS=%d", runs)
	if r.Target != virtual {
		fmt.Fprintf(&b, " TARGET=%s", r.Target)
	}
	return b.String()
}

// span is the first seed of all rows and the number of runs of the longest.
func (r Reliability) span() (seed uint64, runs int) {
	seed = math.MaxUint64
	for _, row := range r.Rows {
		runs = max(runs, row.Runs)
		if len(row.Seeds) > 0 {
			seed = min(seed, row.Seeds[0])
		}
	}
	return seed, runs
}

// uniform reports whether every row has the seeds of Command, or lacks a run that is
// counted as missing.
func (r Reliability) uniform() bool {
	seed, runs := r.span()
	for _, row := range r.Rows {
		last := seed + uint64(runs) - 1
		if row.Runs != runs || slices.ContainsFunc(row.Seeds, func(s uint64) bool { return s > last }) {
			return false
		}
		if len(slices.Compact(slices.Clone(row.Seeds))) != len(row.Seeds) {
			return false
		}
	}
	return true
}

func names(list []string) string { return "`" + strings.Join(list, "`, `") + "`" }

// String is the time in seconds, never rounded down; "–" for none.
func (t *Time) String() string {
	if t == nil {
		return "–"
	}
	text := "0 s"
	if t.MS != 0 {
		text = fmt.Sprintf("%.2f s", math.Ceil(float64(t.MS)/10)/100)
	}
	if t.Open {
		return ">" + text
	}
	return text
}

// Percent is a share that is an upper bound, so it is never rounded down.
func Percent(share float64) string {
	// What the search for the bound leaves open must not lift 1.00 % to 1.1 %.
	return fmt.Sprintf("%.1f %%", math.Ceil(share*1000-1e-6)/10)
}
