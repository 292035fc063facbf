package report_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

func TestLoadResultsFindsEveryRunOnce(t *testing.T) {
	out := t.TempDir()
	first := saved(t, filepath.Join(out, "a"), partition())
	saved(t, filepath.Join(out, "b", "c"), partition())
	unjudged, err := report.Create(out, meta())
	require.NoError(t, err)
	require.NoError(t, unjudged.SaveRun(partition(), nil))

	latest := filepath.Join(out, "a", report.Latest) // a link to first
	runs, err := report.LoadResults(latest, out, filepath.Join(out, "b"))
	require.NoError(t, err)
	require.Len(t, runs, 3, "links and overlapping folders add nothing")
	verdicts := map[measure.Outcome]int{}
	for _, r := range runs {
		verdicts[r.Verdict]++
		require.Equal(t, meta().Scenario, r.Scenario)
		require.Equal(t, meta().Seed, r.Seed)
		require.Equal(t, meta().Revision, r.Revision)
		require.Equal(t, meta().Settings, r.Settings)
	}
	require.Equal(t, map[measure.Outcome]int{measure.Passed: 2, "": 1}, verdicts, "one was never judged")

	one, err := report.LoadResults(first)
	require.NoError(t, err)
	whole, err := report.Load(first)
	require.NoError(t, err)
	require.Equal(t, []report.Result{*whole.Result}, one)

	none, err := report.LoadResults(t.TempDir())
	require.NoError(t, err)
	require.Empty(t, none)
}

// A run that can't be read is never left out.
func TestLoadResultsSaysWhatIsBroken(t *testing.T) {
	for name, tt := range map[string]struct {
		ruin func(t *testing.T, dir string) string
		want []string
	}{
		"no such folder": {func(_ *testing.T, dir string) string { return dir + "-gone" }, []string{"-gone", "name a folder that holds runs"}},
		"only a history": {func(t *testing.T, dir string) string {
			return remove(report.RunFile)(t, remove(report.ResultFile)(t, dir))
		}, []string{report.RunFile, "the drill ended before it was written"}},
		"cut result":    {replaceAll(report.ResultFile, `{"schema":`), []string{report.ResultFile, "unexpected end"}},
		"other schema":  {replace(report.ResultFile, report.ResultSchema, "boat"), []string{`schema is "boat"`}},
		"other verdict": {replace(report.ResultFile, `"Passed"`, `"passed"`), []string{`verdict is "passed"`}},
		"no verdict":    {replace(report.ResultFile, `"Passed"`, `""`), []string{`verdict is ""`}},
		"bad scenario":  {replace(report.ResultFile, `"region-partition"`, `"a|b"`), []string{`Scenario is "a|b"`}},
		"negative time": {replace(report.ResultFile, `"rto_ms": 6030`, `"rto_ms": -1`), []string{"rto_ms is -1"}},
		"negative sum":  {replace(report.ResultFile, `"lost": 14`, `"lost": -14`), []string{"-14 lost"}},
		"bad unjudged": {func(t *testing.T, dir string) string {
			return replace(report.RunFile, `"embedded"`, `"<!--"`)(t, remove(report.ResultFile)(t, dir))
		}, []string{report.RunFile, `Target is "<!--"`}},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			saved(t, out, partition())
			_, err := report.LoadResults(out, tt.ruin(t, saved(t, out, partition())))
			var broken *report.BrokenError
			require.ErrorAs(t, err, &broken)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestSection(t *testing.T) {
	const doc = "# A\n<!-- reliability embedded -->\nold\n<!-- end -->\nb\n<!-- reliability docker -->\nreal\n<!-- end -->\nc\n"
	text, err := report.Section(doc, "docker")
	require.NoError(t, err)
	require.Equal(t, "real\n", text)
	got, err := report.ReplaceSection(doc, "embedded", "new\n")
	require.NoError(t, err)
	require.Equal(t, "# A\n<!-- reliability embedded -->\nnew\n<!-- end -->\nb\n<!-- reliability docker -->\nreal\n<!-- end -->\nc\n", got)

	for name, c := range map[string]struct{ doc, text, want string }{
		"no mark":      {"# A\n", "x", `no line "<!-- reliability embedded -->": put it where`},
		"no end":       {"<!-- reliability embedded -->\nold\n", "x", `no "<!-- end -->" behind`},
		"another's":    {"<!-- reliability embedded -->\nold\n<!-- reliability docker -->\n<!-- end -->\n", "x", `no "<!-- end -->" behind`},
		"twice":        {doc + doc, "x", "is there twice"},
		"a mark in it": {doc, "<!-- end -->", "holds a mark itself"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := report.ReplaceSection(c.doc, "embedded", c.text)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// The result is read without the history, which is most of a run's folder.
func TestLoadResultNeedsNoHistory(t *testing.T) {
	dir := saved(t, t.TempDir(), partition())
	require.NoError(t, os.Remove(filepath.Join(dir, report.HistoryFile)))
	r, err := report.LoadResult(dir)
	require.NoError(t, err)
	require.Equal(t, measure.Passed, r.Verdict)
}
