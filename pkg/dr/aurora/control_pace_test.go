package aurora_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

type writes func() health.Answer

func (w writes) Probe(_ context.Context, s dr.Region) []health.Observation {
	return []health.Observation{{Subject: s, Vantage: west, Family: health.SQL, Answer: w(), At: time.Now(), OtherInstances: -1}}
}

func (writes) SelfCheck(context.Context) error { return nil }

// While the data plane answers, a Region's API is asked once per Interval and by one call.
// What is repeated keeps the time at which it was true, so that it is void when it is old;
// a Dead is never repeated, and the first dark sample has a fresh answer.
func TestControlIsPaced(t *testing.T) {
	up, well := memberXML("available", "a", "b"), instances("a", "available", "b", "available")
	for name, c := range map[string]struct {
		clusters, instances answer
		dark                time.Duration // when writes stop
		asked, shown        int           // calls for the cluster and for its instances in 61 s
	}{
		"available":            {up, well, time.Hour, 3, 0},
		"being upgraded":       {memberXML("upgrading", "a", "b"), well, time.Hour, 3, 3},
		"throttled":            {refuses(400, "Throttling"), refuses(400, "Throttling"), time.Hour, 3, 0},
		"its own error":        {refuses(503, "ServiceUnavailable"), refuses(503, "ServiceUnavailable"), time.Hour, 31, 30},
		"writes stop after 41": {up, well, 41 * time.Second, 2 + 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				sql := writes(func() health.Answer {
					if time.Since(began) >= c.dark {
						return health.Dead
					}
					return health.Alive
				})
				api := &region{answers: map[string]answer{"DescribeDBClusters": c.clusters, "DescribeDBInstances": c.instances}}
				control, err := aurora.NewControl(aurora.ControlConfig{
					Vantage: west, Members: map[dr.Region]string{east: "orders-east"}, Interval: 30 * time.Second,
					Clients: func(r dr.Region) aurora.MemberAPI { return aurora.NewClient(anyone(), r, "", api) },
				})
				require.NoError(t, err)
				counted, policy := 0, dr.DefaultPolicy()
				m, err := health.NewMonitor(health.Config{
					Vantage: west, Policy: policy, Probers: []health.Prober{sql, control}, Self: sql,
					Subject: func() dr.Region { return east },
					OnVerdict: func(v health.Verdict) {
						for _, o := range v.Observations {
							if o.Family == health.Control {
								counted++
								require.LessOrEqual(t, v.At.Sub(o.At), 2*policy.ProbeInterval, "an old answer counts")
							}
						}
					},
				})
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second)
				defer cancel()
				require.NoError(t, m.Run(ctx))
				require.Len(t, api.asked("DescribeDBClusters"), c.asked)
				require.Len(t, api.asked("DescribeDBInstances"), c.shown)
				if c.asked == 3 && c.shown == 0 {
					require.Equal(t, 3+3+1, counted, "each answer counts in the samples of two intervals, and in no later one")
				}
			})
		})
	}
	_, err := aurora.NewControl(aurora.ControlConfig{Interval: -1})
	require.ErrorContains(t, err, "Interval -1ns is negative")
}
