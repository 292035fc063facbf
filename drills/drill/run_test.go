package drill_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func TestEveryFaultIsHealedAndTheWorldClosed(t *testing.T) {
	for name, c := range map[string]struct {
		scenario string
		break_   func(*watched) (ctx func(context.Context) (context.Context, context.CancelFunc))
		wantErr  string
	}{
		"when all goes well": {"region-partition", nil, ""},
		"two faults":         {"lag-above-limit", nil, ""},
		"when the target can't be read": {"region-blackout", func(w *watched) func(context.Context) (context.Context, context.CancelFunc) {
			broken := errors.New("no more marks")
			w.marks = func() error {
				if w.injected > 0 {
					return broken
				}
				return nil
			}
			return nil
		}, "no more marks"},
		"when it is interrupted": {"region-blackout", func(*watched) func(context.Context) (context.Context, context.CancelFunc) {
			return func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 15*time.Second)
			}
		}, context.DeadlineExceeded.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, ctx := newWatched(), t.Context()
				if c.break_ != nil {
					if bound := c.break_(w); bound != nil {
						var cancel context.CancelFunc
						ctx, cancel = bound(ctx)
						defer cancel()
					}
				}
				_, err := drill.Run(ctx, w, find(t, c.scenario), drill.Options{Seed: 3})
				if c.wantErr == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.wantErr)
				}
				require.Positive(t, w.injected)
				require.GreaterOrEqual(t, w.healed, w.injected, "every fault was healed")
				require.Equal(t, 1, w.closed)
			})
		})
	}
}

// A harness that only ever passes proves nothing: without a controller the same
// drill must fail, and a fault without an effect must be inconclusive.
func TestTheHarnessSees(t *testing.T) {
	isolated := find(t, "region-blackout")
	isolated.Plan = fault.All(fault.Fault{Kind: fault.Isolate, Region: drill.West}, isolated.Plan[0].Fault)
	frozen := find(t, "link-partition")
	frozen.Plan = fault.All(fault.Fault{Kind: fault.FreezeDatabase, Region: drill.West})
	slow := embedded.New(embedded.Config{PromoteMin: 4 * time.Minute, PromoteMax: 4*time.Minute + time.Second})
	for name, c := range map[string]struct {
		target   drill.Target
		scenario drill.Scenario
		options  drill.Options
		outcome  measure.Outcome
		reason   string
	}{
		"a Region that is not failed over": {
			plain(), isolated, drill.Options{Timing: drill.Timing{Horizon: 90 * time.Second}},
			measure.Failed, "failed over 0 times, 1 required",
		},
		"a fault that does nothing": {
			deaf(fault.FreezeDatabase), frozen, drill.Options{},
			measure.Inconclusive, "the fault had no effect that a probe could see",
		},
		"a prepared fault that does nothing": {
			deaf(fault.ReplicationLag), find(t, "lag-above-limit"), drill.Options{},
			measure.Inconclusive, "nothing showed that replication-lag(us-east-1,us-west-2,5s) did what it says",
		},
		"a promotion slower than the objective": {
			slow, find(t, "region-killed"), drill.Options{},
			measure.Failed, "the objective is 60.000 s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			raced.Sample(t, 3)
			out := virtual(t, c.target, c.scenario, c.options)
			require.Equal(t, c.outcome, out.Verdict.Outcome, out.Summary)
			require.Contains(t, strings.Join(out.Verdict.Reasons, "\n"), c.reason)
		})
	}
}

func TestTheFolderHoldsTheRun(t *testing.T) {
	dir := t.TempDir()
	out := virtual(t, plain(), find(t, "no-fault"), drill.Options{Out: dir, Seed: 7})
	require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
	for _, name := range []string{"result.json", "history.jsonl", "trace.jsonl", "run.json", "summary.txt"} {
		require.FileExists(t, filepath.Join(out.Folder, name))
	}
	latest, err := os.Readlink(filepath.Join(dir, "latest"))
	require.NoError(t, err)
	require.Equal(t, filepath.Base(out.Folder), latest)
}

func TestAnImpossiblePolicyRunsNothing(t *testing.T) {
	s := find(t, "region-blackout")
	s.Policy = dr.Policy{LeaseTTL: 2 * time.Second, LeaseMargin: 3 * time.Second, MinVantages: 1}
	w := newWatched()
	_, err := drill.Run(t.Context(), w, s, drill.Options{})
	require.ErrorContains(t, err, "LeaseMargin 3s must be below LeaseTTL 2s")
	require.ErrorContains(t, err, "MinVantages 1 is below 2")
	require.Zero(t, w.closed, "no world was made")
}
