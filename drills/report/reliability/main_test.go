package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

// said is what one run of the program printed.
type said struct {
	status   int
	out, err string
}

func do(args ...string) said {
	var out, err bytes.Buffer
	status := run(args, &out, &err)
	return said{status, out.String(), err.String()}
}

// play saves runs as a drill does, with the seeds 1 to n.
func play(t *testing.T, out, target, scenario string, n int) (last string) {
	t.Helper()
	for seed := range uint64(n) {
		f, err := report.Create(out, report.Meta{
			Scenario: scenario, Target: target, Seed: seed + 1, Started: time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC),
		})
		require.NoError(t, err)
		require.NoError(t, f.SaveRun(measure.Run{}, nil))
		_, err = f.SaveResult(measure.Result{RTO: 3 * time.Second}, measure.Verdict{Outcome: measure.Passed})
		require.NoError(t, err)
		last = f.Path()
	}
	return last
}

const document = "# A\n<!-- reliability embedded -->\nold e\n<!-- end -->\nb\n<!-- reliability docker -->\nold d\n<!-- end -->\nc\n"

func readme(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func TestPrintsATableForEachTarget(t *testing.T) {
	dir := t.TempDir()
	play(t, dir, "embedded", "no-fault", 2)
	play(t, dir, "docker", "region-killed", 3)
	got := do(dir)
	require.Equal(t, exitDone, got.status, got.err)
	require.Empty(t, got.err)
	require.Contains(t, got.out, "| `no-fault` | 2 | 2 | 0 | 0 | 77.7 % |")
	require.Contains(t, got.out, "| `region-killed` | 3 | 3 | 0 | 0 | 63.2 % |")
	require.Equal(t, 2, strings.Count(got.out, report.ReliabilityHeader))
}

func TestWritesOnlyBetweenTheMarks(t *testing.T) {
	dir, path := t.TempDir(), readme(t, document)
	play(t, dir, "docker", "region-killed", 3)
	got := do("-readme", path, dir)
	require.Equal(t, exitDone, got.status, got.err)
	after := text(t, path)
	require.NotContains(t, after, "old d")
	require.True(t, strings.HasPrefix(after, "# A\n<!-- reliability embedded -->\nold e\n<!-- end -->\nb\n<!-- reliability docker -->\nTarget `docker`, 3 runs"), after)
	require.True(t, strings.HasSuffix(after, "\n<!-- end -->\nc\n"), after)

	got = do("-readme", path, dir)
	require.Equal(t, exitDone, got.status, got.err)
	require.Equal(t, after, text(t, path), "twice is once")
}

func TestRunsThatLeftNothingAreCounted(t *testing.T) {
	dir := t.TempDir()
	play(t, dir, "embedded", "no-fault", 3)
	got := do("-runs", "5", "-scenarios", "no-fault, region-killed", dir)
	require.Equal(t, exitDone, got.status, got.err)
	require.Contains(t, got.out, "| `no-fault` | 5 | 3 | 0 | 2 |")
	require.Contains(t, got.out, "| `region-killed` | 5 | 0 | 0 | 5 | 100.0 % |")
	require.Contains(t, got.out, "\n    DRILL_SCENARIO=region-killed,no-fault make reliability RUNS=5\n", "and not the other scenarios")

	got = do("-runs", "5", dir)
	for _, s := range drill.Scenarios() {
		require.Contains(t, got.out, fmt.Sprintf("| `%s` | 5 |", s.Name), "the whole catalogue, unless told otherwise")
	}
}

// Nothing is written unless everything can be.
func TestRefusals(t *testing.T) {
	good, broken := t.TempDir(), t.TempDir()
	play(t, good, "embedded", "no-fault", 1)
	play(t, good, "docker", "no-fault", 1)
	last := play(t, broken, "embedded", "no-fault", 2)
	require.NoError(t, os.WriteFile(filepath.Join(last, report.ResultFile), []byte("{"), 0o644))
	half := "<!-- reliability embedded -->\nold e\n<!-- end -->\n"
	for name, c := range map[string]struct {
		args   []string
		doc    string
		status int
		want   []string
	}{
		"no folder":           {nil, document, exitNotBegun, []string{"no folder", "drills/out"}},
		"no run":              {[]string{t.TempDir()}, document, exitFailed, []string{"no run is saved below", "make reliability", "DRILL_REPEAT=20"}},
		"no such folder":      {[]string{"gone"}, document, exitFailed, []string{"gone", "name a folder that holds runs"}},
		"a broken run":        {[]string{broken}, document, exitFailed, []string{last, report.ResultFile, "repair it"}},
		"one run twice":       {[]string{good, copied(t, good)}, document, exitFailed, []string{"no-fault", "is there twice", "DRILL_SEED"}},
		"no mark for docker":  {[]string{good}, half, exitFailed, []string{"<!-- reliability docker -->", "put it where"}},
		"too few runs":        {[]string{"-runs", "-1", good}, document, exitNotBegun, []string{"-runs is -1"}},
		"no number of runs":   {[]string{"-scenarios", "no-fault", good}, document, exitNotBegun, []string{"-scenarios without -runs"}},
		"an unknown scenario": {[]string{"-runs", "1", "-scenarios", "flood", good}, document, exitNotBegun, []string{`"flood"`, "region-killed"}},
		"an unknown flag":     {[]string{"-dry", good}, document, exitNotBegun, []string{"-dry"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := readme(t, c.doc)
			got := do(append([]string{"-readme", path}, c.args...)...)
			require.Equal(t, c.status, got.status, got.err)
			require.Empty(t, got.out)
			for _, want := range c.want {
				require.Contains(t, got.err, want)
			}
			require.Equal(t, c.doc, text(t, path))
		})
	}
	got := do("-readme", filepath.Join(good, "gone.md"), good)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.err, "gone.md")
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(to, "copy"), os.DirFS(dir)))
	return to
}

func TestHelpHelps(t *testing.T) {
	got := do("-h")
	require.Equal(t, exitDone, got.status)
	for _, want := range []string{"-readme", "-runs", "-scenarios", "make reliability", "go run ./drills/report/reliability"} {
		require.Contains(t, got.err, want)
	}
}
