package health_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// lagging answers that a stream lags, as of a while ago.
func lagging(lag, age time.Duration) probe {
	return func(_ context.Context, s dr.Region) []health.Observation {
		now := time.Now()
		return []health.Observation{{
			Subject: s, Vantage: "us-west-2", Family: health.Replication, Answer: health.Alive, At: now, OtherInstances: -1,
			Lag: &health.Lag{Value: lag, At: now.Add(-age)},
		}}
	}
}

func TestEverySampleIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var told []dr.Sample
		watch(t, 5*time.Second, func(c *health.Config) {
			c.Trace = &dr.Trace{Sample: func(s dr.Sample) { told = append(told, s) }}
			c.Probers = []health.Prober{
				hanging(health.SQL, "us-west-2"), always(health.Heartbeat, health.Store, health.Alive),
				lagging(time.Second, 3*time.Second), lagging(300*time.Millisecond, time.Second),
			}
		})
		require.Len(t, told, 2, "of 0 and 2 s; that of 4 s is cut off by the end")
		first := told[0]
		require.Equal(t, begun.Add(1500*time.Millisecond), first.At)
		require.Equal(t, 1500*time.Millisecond, first.Took, "a silent question takes its whole deadline")
		require.Equal(t, dr.Region("us-west-2"), first.Vantage)
		require.Equal(t, dr.Region("us-east-1"), first.Subject)
		require.Equal(t, "Degraded", first.State)
		require.Equal(t, 300*time.Millisecond, first.Lag, "the newest")
		require.Equal(t, begun.Add(-time.Second), first.LagAt)
		require.Equal(t, []dr.Observation{{Family: "sql", Answer: "dead"}, {Family: "heartbeat", Answer: "alive"}, {Family: "replication", Answer: "alive"}, {Family: "replication", Answer: "alive"}}, first.Observations)
	})
}

func TestABlindSampleIsToldAsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []dr.Sample
		watch(t, time.Second, func(c *health.Config) {
			c.Trace = &dr.Trace{Sample: func(s dr.Sample) { told = append(told, s) }}
			c.Self = check(func(context.Context) error { return errors.New("cut off") })
			c.Probers = []health.Prober{always(health.SQL, "us-west-2", health.Dead)}
		})
		require.Len(t, told, 1)
		require.Equal(t, []dr.Observation{{Family: "sql", Answer: "unknown"}}, told[0].Observations)
		require.Zero(t, told[0].LagAt, "no lag is none, and not zero")
	})
}

func TestAVerdictTellsSinceWhenItIsDark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var told []dr.VerdictChange
		watch(t, 9*time.Second, func(c *health.Config) {
			c.Trace = &dr.Trace{Verdict: func(v dr.VerdictChange) { told = append(told, v) }}
			c.Probers = []health.Prober{probe(func(ctx context.Context, s dr.Region) []health.Observation {
				a := health.Alive
				if time.Since(begun) >= 4*time.Second {
					a = health.Dead
				}
				return always(health.SQL, "us-west-2", a)(ctx, s)
			})}
		})
		require.Len(t, told, 2)
		require.Zero(t, told[0].Since)
		require.Equal(t, "Degraded", told[1].State)
		require.Equal(t, begun.Add(4*time.Second), told[1].Since)
	})
}
