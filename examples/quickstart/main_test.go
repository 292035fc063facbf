package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// command runs the program as a shell would, in virtual time.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out, err bytes.Buffer
		status = run(t.Context(), args, &out, &err, false)
		stdout, stderr = out.String(), err.String()
	})
	return status, stdout, stderr
}

func TestADrillEndsInOneLineAndItsFolder(t *testing.T) {
	dir := t.TempDir()
	status, stdout, stderr := command(t, "-out", dir)
	require.Zero(t, status, stderr)
	require.Regexp(t, `(?m)^RTO \d+\.\d+ s  RPO \d+\.\d+ s  lost \d+ of \d+ acknowledged writes  Passed  `+dir, stdout)
	require.Contains(t, stdout, "FAULT")

	status, again, stderr := command(t, "-measure", filepath.Join(dir, "latest"))
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, again[:len(again)-len("latest\n")], "a saved run measures the same")
}

func TestBadInputIsOneClearError(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"scenario": {[]string{"-scenario", "meteor"}, `unknown scenario "meteor": use one of region-blackout,`},
		"target":   {[]string{"-target", "moon"}, `unknown target "moon": use one of embedded, docker`},
		"argument": {[]string{"now"}, `unexpected argument "now"`},
		"flag":     {[]string{"-fast"}, "flag provided but not defined: -fast"},
		"folder":   {[]string{"-measure", "nowhere"}, "run a drill first"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, stderr := command(t, c.args...)
			require.Equal(t, exitNotRun, status)
			require.Contains(t, stderr, c.want)
		})
	}
}

func TestHelpNamesEveryScenario(t *testing.T) {
	status, _, stderr := command(t, "-h")
	require.Zero(t, status)
	for _, want := range []string{"region-blackout", "no-fault", "-target", "-seed", "exit status"} {
		require.Contains(t, stderr, want)
	}
}

func TestInterruptHealsAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 14*time.Second) // in the middle of the fault
		defer cancel()
		var out, err bytes.Buffer
		require.Equal(t, exitNotRun, run(ctx, []string{"-out", t.TempDir()}, &out, &err, false))
		require.Contains(t, err.String(), "interrupted; everything is healed and cleaned up")
		require.Contains(t, out.String(), "FAULT")
	})
}
