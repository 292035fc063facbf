package monitor_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// A handover is reported to the agent's trace, and the reported gap is never shorter
// than the time in which no process worked.
func TestHandoversAreTold(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var (
			mu       sync.Mutex
			told     []dr.MonitorLeaseChange
			problems []dr.Problem
			idle     time.Time
			gap      time.Duration
			log      bytes.Buffer
		)
		locked := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
		r.trace = &dr.Trace{
			MonitorLease: func(c dr.MonitorLeaseChange) { locked(func() { told = append(told, c) }) },
			Problem:      func(p dr.Problem) { locked(func() { problems = append(problems, p) }) },
		}
		cfg := r.config(east).WithMonitorLease(table{all: &monitorleasetest.Memory{}, net: r.Net, region: east}, slog.New(slog.NewJSONHandler(&log, nil)))
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
			r.wg.Go(func() { require.NoError(t, cfg.Hold(ctx, process, work)) })
			r.wait(3 * time.Second)
		}
		r.CutRegion(east, true)
		r.wait(6 * time.Second)
		stop()
		r.wait(time.Second)

		mu.Lock()
		defer mu.Unlock()
		var changes []string
		for _, c := range told {
			require.Equal(t, east, c.Region)
			changes = append(changes, c.What+" "+c.Process[:max(0, len(c.Process)-9)])
		}
		require.Equal(t, []string{
			dr.MonitorLeaseTaken + " first", dr.MonitorLeaseClaimed + " second", dr.MonitorLeaseYielded + " first", dr.MonitorLeaseTaken + " second", dr.MonitorLeaseLeft + " second", dr.MonitorLeaseLapsed + " second",
		}, changes)
		require.EqualValues(t, 1, told[0].Number)
		require.EqualValues(t, 2, told[3].Number)
		require.Positive(t, gap)
		require.GreaterOrEqual(t, told[3].Gap, gap)
		require.Less(t, told[3].Gap, gap+150*time.Millisecond, "by a look and two calls")

		require.Len(t, problems, 1, "the first of several failed calls")
		require.Equal(t, "keep the monitor lease", problems[0].Op)
		require.Contains(t, log.String(), `"what":"failed"`)
	})
}
