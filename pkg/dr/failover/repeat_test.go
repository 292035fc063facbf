package failover_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// An agent that takes over in the middle of a detection has seen nothing yet. Its first
// reports must not take away what its predecessor had seen: a trigger that starts in this
// moment goes by it.
func TestAHandoverKeepsWhatWasSeen(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		stop := r.agent(west)
		r.agent(east)
		r.agent(witness)
		r.wait(20*time.Second + 100*time.Millisecond) // just after a report
		stop()
		before := own(t, r) // its last
		require.True(t, before.Abstains, "it promises nothing any more")
		require.NotEmpty(t, before.Observations)
		require.NotNil(t, before.Lag)

		const gap = 700 * time.Millisecond
		r.wait(gap)
		cfg := r.Monitor(west, r.policy, r.trace())
		for i := range cfg.Probers {
			cfg.Probers[i] = mute{cfg.Probers[i]}
		}
		r.run(failover.NewMonitor(cfg))
		r.wait(300 * time.Millisecond)
		after := own(t, r)
		require.Greater(t, after.Seq, before.Seq, "the successor has reported")
		require.Len(t, after.Observations, len(before.Observations))
		for i, s := range after.Observations {
			// A successor that has not read the lease yet looks again after 25 ms.
			require.InDelta(t, before.Observations[i].Age+gap, s.Age, float64(50*time.Millisecond))
			s.Age = before.Observations[i].Age
			require.Equal(t, before.Observations[i], s)
		}
		require.Equal(t, before.Lag, after.Lag)
		require.NotZero(t, after.LeaseRev)
	})
}

// Two processes that take turns sample more often than one. What the last of them has
// counted is no reason to date the end of the writer before the lag that was seen of it:
// then no lag would be known, and a person would be asked.
func TestRecalledSamplesKeepTheLag(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		stop := r.agent(east)
		r.wait(5 * time.Second)
		stop()
		lag := &health.Lag{At: time.Now().Add(-500 * time.Millisecond), Value: 40 * time.Millisecond}
		cfg := r.Monitor(west, r.policy, nil)
		cfg.Mover = r.still(west)
		cfg.Probers = []health.Prober{dead{}}
		require.NoError(t, cfg.Reports.Publish(r.ctx, failover.Report{
			Region: west, Seq: 1, Lag: lag, At: time.Now(),
			Observations: []failover.Observation{
				{Subject: east, Family: health.SQL, Answer: health.Dead, Samples: 1},
				{Subject: east, Family: health.Replication, Answer: health.Alive, Samples: 3},
			},
		}))
		a, err := failover.NewMonitor(cfg)
		require.NoError(t, err)
		r.wg.Go(func() { _ = a.Run(r.ctx) })
		r.wait(500 * time.Millisecond)
		v := a.Explain().Verdict
		require.Equal(t, 2, v.Samples[health.SQL])
		require.NotNil(t, v.Lag)
		require.Equal(t, lag.Value, v.Lag.Value)
	})
}

// A monitor that went silent while its writer served proves no fence, also for a process
// that has recalled only the last samples, in all of which the writer is dark as well.
func TestAHandoverKeepsThatTheMonitorDiedFirst(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		stop := r.agent(east)
		watch := r.agent(west)
		r.agent(witness)
		r.wait(10 * time.Second)
		require.False(t, own(t, r).MonitorDiedFirst)
		stop()
		r.wait(20 * time.Second)
		require.True(t, own(t, r).MonitorDiedFirst)
		watch()
		before := own(t, r)
		for i := range before.Observations {
			before.Observations[i].Answer, before.Observations[i].Samples = health.Dead, 5
		}
		before.At = time.Now()
		require.NoError(t, r.Store.At(west).Publish(r.ctx, before))
		r.CutRegion(east, true)

		cfg := r.Monitor(west, r.policy, nil)
		cfg.Mover = r.still(west)
		a, err := failover.NewMonitor(cfg)
		require.NoError(t, err)
		r.wg.Go(func() { _ = a.Run(r.ctx) })
		r.wait(200 * time.Millisecond)
		require.True(t, own(t, r).MonitorDiedFirst, "before its first sample")
		r.wait(10 * time.Second)
		require.True(t, a.Explain().Verdict.MonitorDiedFirst)
		require.True(t, own(t, r).MonitorDiedFirst, "for the next one")
	})
}

// dead finds every writer dead.
type dead struct{}

func (dead) Probe(_ context.Context, subject dr.Region) []health.Observation {
	return []health.Observation{{
		Subject: subject, Vantage: west, Family: health.SQL, Method: "test", Answer: health.Dead, Cause: "dead", At: time.Now(), OtherInstances: -1,
	}}
}

func own(t *testing.T, r *rig) failover.Report {
	t.Helper()
	all, err := r.Store.At(west).Reports(r.ctx)
	require.NoError(t, err)
	for _, h := range all {
		if h.Region == west {
			return h
		}
	}
	require.FailNow(t, "it has not reported")
	return failover.Report{}
}

// mute never answers before it is told to stop.
type mute struct{ health.Prober }

func (mute) Probe(ctx context.Context, _ dr.Region) []health.Observation {
	<-ctx.Done()
	return nil
}
