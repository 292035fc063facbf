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
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// watched is the embedded target with a count of what was broken and mended, and
// with one thing that goes wrong.
type watched struct {
	drill.Target
	marks    func() error // fails Marks when it returns an error
	injected int
	healed   int
	closed   int
}

type watchedWorld struct {
	drill.World
	t *watched
}

func (t *watched) Up(ctx context.Context, s drill.Setup) (drill.World, error) {
	w, err := t.Target.Up(ctx, s)
	return &watchedWorld{w, t}, err
}

func (w *watchedWorld) Inject(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	heal, err := w.World.Inject(ctx, f)
	w.t.injected++
	return func(ctx context.Context) error {
		w.t.healed++
		return heal(ctx)
	}, err
}

func (w *watchedWorld) Marks(ctx context.Context) ([]measure.Mark, error) {
	if err := w.t.marks(); err != nil {
		return nil, err
	}
	return w.World.Marks(ctx)
}

func (w *watchedWorld) Close(ctx context.Context) error {
	w.t.closed++
	return errors.Join(ctx.Err(), w.World.Close(ctx))
}

func newWatched() *watched {
	return &watched{Target: embedded.New(embedded.Config{}), marks: func() error { return nil }}
}

func find(t *testing.T, name string) drill.Scenario {
	t.Helper()
	s, err := drill.Find(name)
	require.NoError(t, err)
	return s
}

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
// drill must fail, and a fault that nobody notices must be inconclusive.
func TestTheHarnessSees(t *testing.T) {
	t.Run("a Region that nobody fails over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := find(t, "region-blackout")
			s.Plan = fault.All(fault.Fault{Kind: fault.Isolate, Region: drill.West}, s.Plan[0].Fault)
			out, err := drill.Run(t.Context(), embedded.New(embedded.Config{}), s, drill.Options{Timing: drill.Timing{Horizon: 90 * time.Second}})
			require.NoError(t, err)
			require.Equal(t, measure.Failed, out.Verdict.Outcome, out.Summary)
			require.Contains(t, strings.Join(out.Verdict.Reasons, "\n"), "failed over 0 times, 1 required")
		})
	})
	t.Run("a fault that does nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := find(t, "link-partition")
			s.Plan = fault.All(fault.Fault{Kind: fault.FreezeDatabase, Region: drill.West})
			out, err := drill.Run(t.Context(), deaf{embedded.New(embedded.Config{}), fault.FreezeDatabase}, s, drill.Options{})
			require.NoError(t, err)
			require.Equal(t, measure.Inconclusive, out.Verdict.Outcome, out.Summary)
			require.Contains(t, strings.Join(out.Verdict.Reasons, "\n"), "the fault had no effect that a probe could see")
		})
	})
	t.Run("a prepared fault that does nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			out, err := drill.Run(t.Context(), deaf{embedded.New(embedded.Config{}), fault.ReplicationLag}, find(t, "lag-above-limit"), drill.Options{})
			require.NoError(t, err)
			require.Equal(t, measure.Inconclusive, out.Verdict.Outcome, out.Summary)
			require.Contains(t, strings.Join(out.Verdict.Reasons, "\n"), "nothing showed that replication-lag(us-east-1,us-west-2,5s) did what it says")
		})
	})
	t.Run("a promotion slower than the objective", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			slow := embedded.New(embedded.Config{PromoteMin: 4 * time.Minute, PromoteMax: 4*time.Minute + time.Second})
			out, err := drill.Run(t.Context(), slow, find(t, "region-killed"), drill.Options{})
			require.NoError(t, err)
			require.Equal(t, measure.Failed, out.Verdict.Outcome, out.Summary)
			require.Contains(t, strings.Join(out.Verdict.Reasons, "\n"), "the objective is 60.000 s")
		})
	})
}

// deaf is a target whose probe does not see one kind of fault.
type deaf struct {
	drill.Target
	kind fault.Kind
}

func (d deaf) Up(ctx context.Context, s drill.Setup) (drill.World, error) {
	w, err := d.Target.Up(ctx, s)
	return deafWorld{w, d.kind}, err
}

type deafWorld struct {
	drill.World
	kind fault.Kind
}

func (d deafWorld) Effective(ctx context.Context, f fault.Fault) (time.Duration, error) {
	if f.Kind == d.kind {
		return 0, errors.New("nothing seen")
	}
	return d.World.Effective(ctx, f)
}

func TestTheFolderHoldsTheRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		out, err := drill.Run(t.Context(), embedded.New(embedded.Config{}), find(t, "no-fault"), drill.Options{Out: dir, Seed: 7})
		require.NoError(t, err)
		require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
		for _, name := range []string{"result.json", "history.jsonl", "trace.jsonl", "run.json", "summary.txt"} {
			require.FileExists(t, filepath.Join(out.Folder, name))
		}
		latest, err := os.Readlink(filepath.Join(dir, "latest"))
		require.NoError(t, err)
		require.Equal(t, filepath.Base(out.Folder), latest)
	})
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
