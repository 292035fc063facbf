package killtable_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/killtable"
)

var update = flag.Bool("update", false, "write the table into README.md")

// Every bug can still be built in, names a test that is there, and stands in the README.
func TestReadmeHasEveryBug(t *testing.T) {
	bugs := killtable.Bugs()
	require.GreaterOrEqual(t, len(bugs), 15)
	var errs []error // all at once: one commit may move the place of several
	for _, b := range bugs {
		_, err := b.Plant("../..", t.TempDir())
		errs = append(errs, b.Validate(), err)
		require.True(t, declared(t, filepath.Join("../..", b.Package), b.Test), "bug %q: %s has no %s", b.Name, b.Package, b.Test)
	}
	require.NoError(t, errors.Join(errs...))
	const begins, ends = "<!-- bugs -->\n", "<!-- end -->"
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begins)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, ends)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begins+killtable.Markdown(bugs)+ends+after), 0o644))
		return
	}
	require.Equal(t, killtable.Markdown(bugs), table, "run go test ./drills/killtable -run Readme -update")
}

func declared(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}

// module is a small module with a test of its own, for the engine.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.26\n",
		"m.go":      "package m\n\n// Add adds.\nfunc Add(a, b int) int { return a + b }\n\n// Unused is not tested.\nfunc Unused() int { return 1 }\n",
		"m_test.go": "package m\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestAdd(t *testing.T) {\n\tif os.Getenv(\"DRILL_TARGET\") != \"\" {\n\t\tt.Fatal(\"steered from outside\")\n\t}\n\tif got := Add(1, 2); got != 3 {\n\t\tt.Fatalf(\"1+2 is %d\", got)\n\t}\n}\n\nfunc TestOther(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Fatal(\"wrong\")\n\t}\n}\n\nfunc TestSkips(t *testing.T) { t.Skip(\"not here\") }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func minus() killtable.Bug {
	return killtable.Bug{
		Name: "minus", Room: "harness", File: "m.go", Old: "a + b", New: "a - b",
		Why: "sums are wrong", Package: "./", Test: "TestAdd", Says: "1+2 is -1",
	}
}

func TestRunTellsAKilledBugFromAnyOther(t *testing.T) {
	t.Setenv("DRILL_TARGET", "docker")
	bugs := []killtable.Bug{minus()}
	want := map[string]string{"minus": ""}
	add := func(name, says string, change func(*killtable.Bug)) {
		b := minus()
		b.Name = name
		change(&b)
		bugs, want[name] = append(bugs, b), says
	}
	add("no test sees it", "survived", func(b *killtable.Bug) { b.Old, b.New = "return 1", "return 2" })
	add("it does not compile", "does not compile", func(b *killtable.Bug) { b.New = "a +" })
	add("it panics", "panicked", func(b *killtable.Bug) { b.New = "[]int{}[a] + b" })
	add("for another reason", "does not say", func(b *killtable.Bug) { b.Says = "something else" })
	add("it never ends", "panicked", func(b *killtable.Bug) { b.Old, b.New = "{ return a + b }", "{ select {} }" })
	root := module(t)
	told := 0
	rows, err := killtable.Run(t.Context(), killtable.Config{Root: root, Bugs: bugs, Temp: t.TempDir(), Timeout: 10 * time.Second, Done: func(killtable.Row) { told++ }})
	require.NoError(t, err)
	require.Len(t, rows, len(bugs))
	require.Equal(t, len(bugs), told)
	for i, r := range rows {
		require.Equal(t, bugs[i], r.Bug)
		if want[r.Name] == "" {
			require.NoError(t, r.Err)
			continue
		}
		require.ErrorContains(t, r.Err, want[r.Name])
	}
	require.ErrorIs(t, rows[1].Err, killtable.ErrSurvived)
	require.Contains(t, killtable.Report(rows), "6 bugs, 1 killed")
	text, err := os.ReadFile(filepath.Join(root, "m.go"))
	require.NoError(t, err)
	require.Contains(t, string(text), "a + b", "the tree is left as it is")
}

func TestRunRefusesWhatProvesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*killtable.Bug)
		want   string
	}{
		"the place is gone":        {func(b *killtable.Bug) { b.Old = "a * b" }, `bug "minus" can't be built in any more: its old text is 0 times in m.go, not once: adapt it`},
		"the place is not one":     {func(b *killtable.Bug) { b.Old = "return" }, "is 2 times in m.go"},
		"the file is gone":         {func(b *killtable.Bug) { b.File = "n.go" }, "no such file"},
		"the file is elsewhere":    {func(b *killtable.Bug) { b.File = "../m.go" }, "not below the module's root"},
		"nothing changes":          {func(b *killtable.Bug) { b.New = b.Old }, "nothing would change"},
		"the test is not there":    {func(b *killtable.Bug) { b.Test = "TestNothing" }, "TestNothing of ./ does not pass"},
		"the test skips":           {func(b *killtable.Bug) { b.Test = "TestSkips" }, "it was skipped or is not there"},
		"the test has no own name": {func(b *killtable.Bug) { b.Test = "Test.*" }, "give the name of one top-level test"},
		"its cost is not named":    {func(b *killtable.Bug) { b.Why = "" }, "Why is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			b := minus()
			c.change(&b)
			_, err := killtable.Run(t.Context(), killtable.Config{Root: module(t), Bugs: []killtable.Bug{b}, Temp: t.TempDir()})
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := killtable.Run(t.Context(), killtable.Config{Root: module(t), Bugs: []killtable.Bug{minus(), minus()}, Temp: t.TempDir()})
	require.ErrorContains(t, err, `two bugs are called "minus"`)
}

func TestSampleVisitsEveryBug(t *testing.T) {
	all := killtable.Bugs()
	seen := map[string]bool{}
	for seed := range uint64(len(all)) {
		some := killtable.Sample(all, 4, seed)
		require.Len(t, some, 4)
		require.Equal(t, some, killtable.Sample(all, 4, seed))
		for _, b := range some {
			seen[b.Name] = true
		}
	}
	require.Len(t, seen, len(all))
	require.Len(t, killtable.Sample(all, 1000, 1), len(all))
}
