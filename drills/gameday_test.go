package drills_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// TestGameDay runs every scenario of the catalogue on the target that
// DRILL_TARGET names, and fails unless each verdict is Passed.
func TestGameDay(t *testing.T) {
	neverCached(t)
	settings, err := drill.FromEnv(os.Getenv)
	require.NoError(t, err)
	play := embeddedGameDay(settings)
	if settings.Target == "docker" {
		play = dockerGameDay(t, settings)
	}
	for _, s := range settings.Scenarios {
		t.Run(s.Name, func(t *testing.T) {
			if settings.Target == "embedded" {
				raced.Sample(t, 5)
			}
			options := drill.Options{Seed: settings.Seed, Out: settings.Out, Started: time.Now(), Timing: pace()}
			if settings.Repeat == 1 {
				play(t, s, options)
				return
			}
			var series []measure.Result
			for i := range uint64(settings.Repeat) {
				seed := settings.Seed + i
				t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
					options.Seed, options.Started = seed, time.Now()
					out := play(t, s, options)
					series = append(series, out.Result)
				})
			}
			t.Log(worst(s.Name, series))
		})
	}
}

// neverCached keeps go test from answering out of its cache, by reading a file of
// this module that every run changes: a drill that did not run proves nothing.
func neverCached(t *testing.T) {
	t.Helper()
	const stamp = "out/ran"
	_, err := os.ReadFile(stamp)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	// Last of all: go test remembers no result that rests on a file this new.
	t.Cleanup(func() {
		require.NoError(t, os.MkdirAll(filepath.Dir(stamp), 0o755))
		require.NoError(t, os.WriteFile(stamp, []byte(time.Now().UTC().Format(time.RFC3339Nano)+"\n"), 0o644))
	})
}

// pace is the drill's own timing, or with -short one for long series: the same
// faults and detectors, and less of the time in which nothing happens.
func pace() drill.Timing {
	if !testing.Short() {
		return drill.Timing{}
	}
	return drill.Timing{Steady: 3 * time.Second, Quiet: 12 * time.Second, Sustain: 5 * time.Second, AfterHeal: 5 * time.Second}
}

// worst sums a series up by its worst cases: with so few runs a percentile would
// be a guess.
func worst(name string, series []measure.Result) string {
	var rto, writable, rpo time.Duration
	var lost, dual, failovers int
	for _, r := range series {
		rto, writable, rpo = max(rto, r.RTO), max(writable, r.Writable), max(rpo, r.RPO)
		lost, dual, failovers = max(lost, r.Writes.Lost), dual+r.Writes.DualAcknowledged, failovers+r.Failovers
	}
	return fmt.Sprintf("%s: n=%d, %d failovers; worst: writable %v, RTO %v, RPO %v, %d lost; dual-acknowledged in all: %d",
		name, len(series), failovers, writable.Round(time.Millisecond), rto.Round(time.Millisecond), rpo.Round(time.Millisecond), lost, dual)
}

// player runs one scenario and requires that it passes.
type player func(*testing.T, drill.Scenario, drill.Options) drill.Outcome

// embeddedGameDay returns the player for virtual time.
func embeddedGameDay(settings drill.Settings) player {
	return func(t *testing.T, s drill.Scenario, o drill.Options) (out drill.Outcome) {
		t.Helper()
		var err error
		synctest.Test(t, func(t *testing.T) {
			out, err = drill.Run(t.Context(), embedded.New(embedded.Config{}), s, o)
		})
		ran(t, settings, err)
		judged(t, out)
		return out
	}
}

// dockerGameDay returns the player for real servers, which are kept and reset
// between the runs. Without an engine or an image it skips, and says what is
// missing; DRILL_REQUIRE=docker makes that a failure.
func dockerGameDay(t *testing.T, settings drill.Settings) player {
	t.Helper()
	if err := docker.Preflight(t.Context()); err != nil {
		if slices.Contains(settings.Require, "docker") {
			require.NoError(t, err)
		}
		t.Skipf("no docker target: %v", err)
	}
	target := docker.New(docker.Options{Keep: true})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		require.NoError(t, target.Close(ctx))
	})
	return func(t *testing.T, s drill.Scenario, o drill.Options) drill.Outcome {
		t.Helper()
		if deadline, ok := t.Deadline(); ok && time.Until(deadline) < longest {
			require.NoError(t, errors.New("drills: too little time is left for a drill: raise -timeout"))
		}
		o.Progress = func(p drill.Progress) {
			if p.Mark != nil {
				fmt.Fprintf(t.Output(), "%8.2f s  %-20s %s  %s\n", p.At.Seconds(), p.Mark.Name, p.Mark.Source, p.Mark.Detail)
			}
		}
		out, err := drill.Run(t.Context(), target, s, o)
		ran(t, settings, err)
		judged(t, out)
		return out
	}
}

// longest is how long one drill on real servers takes at the most when all goes
// well, with room to clean up.
const longest = 2 * time.Minute

// ran requires that a drill could be run. A fault that the target can't inject is
// a skip that names it, or a failure where DRILL_REQUIRE names the target.
func ran(t *testing.T, settings drill.Settings, err error) {
	t.Helper()
	if errors.Is(err, fault.ErrUnsupported) && !slices.Contains(settings.Require, settings.Target) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func judged(t *testing.T, out drill.Outcome) {
	t.Helper()
	t.Attr("rto_ms", fmt.Sprint(out.Result.RTO.Milliseconds()))
	t.Attr("rpo_ms", fmt.Sprint(out.Result.RPO.Milliseconds()))
	t.Attr("verdict", string(out.Verdict.Outcome))
	t.Attr("report", out.Folder)
	t.Log("\n" + out.Summary)
	require.Equal(t, measure.Passed, out.Verdict.Outcome, "%v", out.Verdict.Reasons)
}
