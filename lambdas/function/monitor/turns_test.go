package monitor_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn/turntest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// A handover is told to the agent's trace, and the gap that is told is never shorter
// than the one in which nobody worked.
func TestHandoversAreTold(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var (
			mu       sync.Mutex
			loops    []dr.LoopChange
			problems []dr.Problem
			idle     time.Time
			gap      time.Duration
			log      bytes.Buffer
		)
		locked := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
		cfg := r.config(east)
		cfg.Agent.Trace = &dr.Trace{
			Loop:    func(c dr.LoopChange) { locked(func() { loops = append(loops, c) }) },
			Problem: func(p dr.Problem) { locked(func() { problems = append(problems, p) }) },
		}
		cfg = cfg.InTurns(turns{all: &turntest.Memory{}, net: r.Net, region: east}, slog.New(slog.NewJSONHandler(&log, nil)))
		work := func(ctx context.Context) error {
			locked(func() {
				if !idle.IsZero() {
					gap = time.Since(idle)
				}
			})
			<-ctx.Done()
			locked(func() { idle = time.Now() })
			return nil
		}
		ctx, stop := context.WithCancel(r.ctx)
		for _, process := range []string{"first", "second"} {
			r.wg.Go(func() { require.NoError(t, cfg.Turn(ctx, process, work)) })
			r.wait(3 * time.Second)
		}
		r.CutRegion(east, true)
		r.wait(6 * time.Second)
		stop()
		r.wait(time.Second)

		mu.Lock()
		defer mu.Unlock()
		var told []string
		for _, c := range loops {
			require.Equal(t, east, c.Region)
			told = append(told, c.What+" "+c.Process[:max(0, len(c.Process)-9)])
		}
		require.Equal(t, []string{
			dr.LoopTaken + " first", dr.LoopClaimed + " second", dr.LoopYielded + " first", dr.LoopTaken + " second", dr.LoopLeft + " second", dr.LoopLapsed + " second",
		}, told)
		require.EqualValues(t, 1, loops[0].Number)
		require.EqualValues(t, 2, loops[3].Number)
		require.Positive(t, gap)
		require.GreaterOrEqual(t, loops[3].Gap, gap)
		require.Less(t, loops[3].Gap, gap+150*time.Millisecond, "by a look and two calls")

		require.Len(t, problems, 1, "the first of several failed calls")
		require.Equal(t, "keep the turn", problems[0].Op)
		require.Contains(t, log.String(), `"what":"failed"`)
	})
}
