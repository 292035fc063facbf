package conformance_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// cluster returns the global database as a Region moves it.
func (w *world) cluster(t *testing.T, r dr.Region) *aurora.Cluster {
	t.Helper()
	c, err := aurora.NewCluster(aurora.ClusterConfig{GlobalCluster: globalCluster, Region: r, Clients: func(at dr.Region) aurora.GlobalAPI {
		return aurora.NewClient(config(), at, "", w.From(r))
	}})
	require.NoError(t, err)
	return c
}

func TestCluster(t *testing.T) {
	drtest.TestPromoter(t, func(t *testing.T) drtest.Moves {
		return drtest.Moves{Promoter: start(t).cluster(t, west), Writer: east, Secondary: west}
	})
}

func TestPlane(t *testing.T) {
	drtest.TestPlane(t, func(t *testing.T) drtest.Planes {
		w := start(t)
		return drtest.Planes{
			Plane: w.cluster(t, east), Writer: east, Secondary: west,
			Move:    func(t *testing.T) { require.NoError(t, w.cluster(t, west).Failover(t.Context(), west)) },
			Silence: func() { w.SetFault(cloud.On(east, cloud.RDS, "*").Hang()) },
		}
	})
}

// The failed Region's API is not asked.
func TestFault16FailoverMovesTheWriterWithoutTheFailedRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		defer w.SetFault(cloud.On(east, "", "").Hang())()
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)
		c := w.cluster(t, west)
		began := time.Now()
		require.NoError(t, c.Failover(t.Context(), west))
		require.NoError(t, c.Failover(t.Context(), west), "asking twice is asking once")
		require.Zero(t, time.Since(began), "nothing waited for another Region")
		<-time.After(5 * time.Second)
		now, err := c.Describe(t.Context())
		require.NoError(t, err)
		require.Equal(t, west, now.Writer)
		require.Empty(t, now.MovingTo)
		require.Len(t, w.Operations(), 1)
		require.Equal(t, "failover", w.Operations()[0].Kind)
	})
}

func TestClusterWhenTheAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		clear := w.SetFault(cloud.On(west, cloud.RDS, "FailoverGlobalCluster").Lose())
		c := w.cluster(t, west)
		began := time.Now()
		require.Error(t, c.Failover(t.Context(), west))
		require.Equal(t, 1500*time.Millisecond, time.Since(began))
		clear()
		require.NoError(t, c.Failover(t.Context(), west), "it looks before it asks")
		require.Len(t, w.Operations(), 1)
	})
}

func TestPreflight(t *testing.T) {
	drtest.TestPreflighter(t, func(t *testing.T) failover.Preflighter {
		w := start(t)
		p, err := aurora.NewPreflight(aurora.PreflightConfig{
			Cluster: w.cluster(t, west), Member: globalCluster + "-us-west-2",
			API: aurora.NewClient(config(), west, "", w.From(west)), Database: w.net.Dial(west, w.pair.DB(west)),
		})
		require.NoError(t, err)
		return p
	})
}

func TestIsolator(t *testing.T) {
	drtest.TestIsolator(t, func(t *testing.T) (failover.Isolator, failover.Beater) {
		w := start(t)
		i, err := aurora.NewIsolator(aurora.IsolatorConfig{Region: east, Cluster: globalCluster + "-us-east-1", API: aurora.NewClient(config(), east, "", w.From(east))})
		require.NoError(t, err)
		return waits{i, w}, w.net.Dial(east, w.pair.DB(east))
	})
}

func TestIsolatorOfADeadServer(t *testing.T) {
	drtest.TestIsolatorOfADeadServer(t, func(t *testing.T) failover.Isolator {
		w := start(t)
		w.pair.DB(east).Kill()
		i, err := aurora.NewIsolator(aurora.IsolatorConfig{Region: east, Cluster: globalCluster + "-us-east-1", API: aurora.NewClient(config(), east, "", w.From(east))})
		require.NoError(t, err)
		return i
	})
}

// waits returns when the server is down: the API accepts a restart before it begins.
type waits struct {
	failover.Isolator
	w *world
}

func (i waits) Isolate(ctx context.Context, e dr.Epoch) error {
	if err := i.Isolator.Isolate(ctx, e); err != nil {
		return err
	}
	select {
	case <-i.w.rebooted:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestControl(t *testing.T) {
	w := start(t)
	p, err := aurora.NewControl(aurora.ControlConfig{
		Vantage: west, Members: map[dr.Region]string{east: globalCluster + "-us-east-1", west: globalCluster + "-us-west-2"},
		Clients: func(at dr.Region) aurora.MemberAPI { return aurora.NewClient(config(), at, "", w.From(west)) },
	})
	require.NoError(t, err)
	o := p.Probe(t.Context(), east)[0]
	require.Equal(t, health.Alive, o.Answer, o.Cause)
	require.True(t, o.RegionAnswers)
	require.Zero(t, o.OtherInstances)
	for want, fault := range map[health.Answer]cloud.Fault{
		health.Unknown: cloud.On(east, cloud.RDS, "*").Throttle(),
		health.Dead:    cloud.On(east, cloud.RDS, "*").Fail(503),
	} {
		clear := w.SetFault(fault)
		o = p.Probe(t.Context(), east)[0]
		require.Equal(t, want, o.Answer, fault)
		clear()
	}
	o = p.Probe(t.Context(), west)[0]
	require.Equal(t, health.Unknown, o.Answer, "a secondary has no writer instance")
}
