package cloud_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

func describeCluster(ctx context.Context, w *world, r dr.Region) error {
	_, err := w.rds(r).DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("lifeboat-" + string(r))})
	return err
}

// A Region answers the account 300 requests at once and 12 a second, and says Throttling
// to the rest; another Region has a budget of its own.
func TestRDSAnswersTwelveASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) { c.Latency = func(a, b dr.Region) time.Duration { return 0 } })
		count := func(r dr.Region, n int) (answered int) {
			for range n {
				if err := describeCluster(t.Context(), w, r); err == nil {
					answered++
				} else {
					require.ErrorContains(t, err, "Throttling")
				}
			}
			return answered
		}
		require.Equal(t, 300, count(east, 400))
		require.Equal(t, 300, count(west, 300))
		time.Sleep(time.Second)
		require.Equal(t, 12, count(east, 50))
		time.Sleep(time.Hour)
		require.Equal(t, 300, count(east, 301), "no more than the burst is saved up")
	})
}

func TestTheBudgetCanBeSet(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*cloud.Config)
		want int
	}{
		"another burst": {func(c *cloud.Config) { c.RDSBurst = 5 }, 5},
		"none":          {func(c *cloud.Config) { c.RDSRate = -1 }, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, c.edit)
				n := 0
				for range 1000 {
					if describeCluster(t.Context(), w, east) == nil {
						n++
					}
				}
				require.Equal(t, c.want, n)
			})
		})
	}
	require.ErrorContains(t, cloud.Config{RDSBurst: -1}.Validate(), "RDSBurst is -1")
	require.ErrorContains(t, cloud.Config{RDSLoad: -1}.Validate(), "RDSLoad -1")
}

type always struct{ o health.Observation }

func (a always) Probe(_ context.Context, s dr.Region) []health.Observation {
	o := a.o
	o.At, o.Subject, o.OtherInstances = time.Now(), s, -1
	return []health.Observation{o}
}

func (always) SelfCheck(context.Context) error { return nil }

// The kind is "own throttling": with a question per sample six databases and more in one
// account go blind, with the policy's pace a hundred are answered whenever they ask.
func TestTheSteadyStateFitsTheBudget(t *testing.T) {
	policy := dr.DefaultPolicy()
	for _, c := range []struct {
		clusters int
		interval time.Duration
		blind    bool
	}{
		{5, 0, false}, {7, 0, true}, {100, 0, true}, {100, policy.ControlInterval, false},
	} {
		t.Run(fmt.Sprintf("%d clusters every %v", c.clusters, c.interval), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				each := 2.0 // calls a second: two vantages, two calls each, every 2 s
				if c.interval > 0 {
					each = policy.RDSCalls().Steady
				}
				var throttled, asked atomic.Int64 // calls come at once
				w := start(t, func(cfg *cloud.Config) {
					cfg.RDSLoad = each * float64(c.clusters-1)
					cfg.Observe = func(x cloud.Exchange) {
						if x.Service == cloud.RDS {
							asked.Add(1)
						}
						if x.Code == "Throttling" {
							throttled.Add(1)
						}
					}
				})
				control, err := aurora.NewControl(aurora.ControlConfig{
					Vantage: west, Members: map[dr.Region]string{east: "lifeboat-us-east-1"}, Interval: c.interval,
					Clients: func(r dr.Region) aurora.MemberAPI { return w.rds(r) },
				})
				require.NoError(t, err)
				sql := always{health.Observation{Vantage: west, Family: health.SQL, Answer: health.Alive}}
				m, err := health.NewMonitor(health.Config{
					Vantage: west, Policy: policy, Probers: []health.Prober{sql, control}, Self: sql,
					Subject: func() dr.Region { return east }, OnVerdict: func(health.Verdict) {},
				})
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				require.NoError(t, m.Run(ctx))
				require.Equal(t, c.blind, throttled.Load() > 0, "%d of %d were throttled", throttled.Load(), asked.Load())
				if c.interval > 0 {
					require.InDelta(t, 40, asked.Load(), 1, "one call each 30 s")
				}
			})
		})
	}
	require.Equal(t, 100, policy.RDSCalls().Room)
}
