package cloud_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func (w *world) failover(ctx context.Context, to dr.Region) error {
	_, err := w.rds(to).FailoverGlobalCluster(ctx, &rds.FailoverGlobalClusterInput{
		GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(w.ClusterARN(to)), AllowDataLoss: aws.Bool(true),
	})
	return err
}

func (w *world) global(t *testing.T, r dr.Region) types.GlobalCluster {
	t.Helper()
	out, err := w.rds(r).DescribeGlobalClusters(t.Context(), &rds.DescribeGlobalClustersInput{})
	require.NoError(t, err)
	require.Len(t, out.GlobalClusters, 1)
	return out.GlobalClusters[0]
}

// after lets virtual time pass and everything settle.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *world) ids() []string {
	var ids []string
	for _, e := range w.Events() {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		began := time.Now()
		out, err := w.rds(west).FailoverGlobalCluster(t.Context(), &rds.FailoverGlobalClusterInput{
			GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(westARN), AllowDataLoss: aws.Bool(true),
		})
		require.NoError(t, err)
		require.Equal(t, types.FailoverStatusPending, out.GlobalCluster.FailoverState.Status)
		require.Equal(t, "failing-over", *out.GlobalCluster.Status)

		synctest.Wait()
		g := w.global(t, east)
		require.Equal(t, types.FailoverStatusFailingOver, g.FailoverState.Status)
		require.Equal(t, eastARN, *g.FailoverState.FromDbClusterArn)
		require.Equal(t, westARN, *g.FailoverState.ToDbClusterArn)
		require.True(t, *g.FailoverState.IsDataLossAllowed)
		require.True(t, *g.GlobalClusterMembers[0].IsWriter)
		require.Equal(t, "InvalidGlobalClusterStateFault", code(t, w.failover(t.Context(), west)), "one at a time")

		after(3 * time.Second)
		g = w.global(t, west)
		require.Equal(t, "available", *g.Status)
		require.Nil(t, g.FailoverState)
		require.False(t, *g.GlobalClusterMembers[0].IsWriter)
		require.True(t, *g.GlobalClusterMembers[1].IsWriter)
		require.Equal(t, []string{eastARN}, g.GlobalClusterMembers[1].Readers)
		require.Equal(t, types.GlobalClusterMemberSynchronizationStatusPendingResync, g.GlobalClusterMembers[0].SynchronizationStatus)
		require.Equal(t, west, w.Writer())
		require.Equal(t, "InvalidGlobalClusterStateFault", code(t, w.failover(t.Context(), east)), "not connected yet")
		require.Equal(t, "InvalidGlobalClusterStateFault", code(t, w.failover(t.Context(), west)), "already the writer")

		// The endpoint follows half a second later.
		member, _, ttl := w.Resolve(east)
		require.Equal(t, east, member)
		require.Equal(t, 5*time.Second, ttl)
		after(500 * time.Millisecond)
		member, _, _ = w.Resolve(east)
		require.Equal(t, west, member)

		after(time.Second)
		g = w.global(t, east)
		require.Equal(t, types.GlobalClusterMemberSynchronizationStatusConnected, g.GlobalClusterMembers[0].SynchronizationStatus)
		require.Equal(t, []string{"fence us-east-1", "promote us-west-2", "rejoin us-east-1 us-west-2"}, w.servers.log())
		require.Equal(t, []string{"RDS-EVENT-0390", "RDS-EVENT-0238", "RDS-EVENT-0397", "RDS-EVENT-0240", "RDS-EVENT-0241"}, w.ids())
		require.Equal(t, east, w.Events()[0].Region, "the old primary was reachable")

		op := w.Operations()[0]
		require.Equal(t, cloud.Operation{
			Kind: "failover", From: east, To: west, AcceptedAt: began, Drawn: 3 * time.Second,
			FencedAt: began, PromotedAt: began.Add(3 * time.Second), DoneAt: began.Add(3 * time.Second),
		}, op)

		// And back.
		require.NoError(t, w.failover(t.Context(), east))
		after(3 * time.Second)
		require.Equal(t, east, w.Writer())
	})
}

// TestFailoverOfDarkRegion holds that nothing waits for a Region that can't be
// reached, and that it is rebuilt once it can.
func TestFailoverOfDarkRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)
		require.NoError(t, w.failover(t.Context(), west))
		after(3 * time.Second)
		require.Equal(t, west, w.Writer())
		require.Equal(t, []string{"promote us-west-2"}, w.servers.log())
		require.Equal(t, []string{"RDS-EVENT-0391", "RDS-EVENT-0238"}, w.ids())
		require.Equal(t, west, w.Events()[0].Region, "the old primary was dark")

		// The dark Region's API still shows itself as the writer.
		require.True(t, *w.global(t, east).GlobalClusterMembers[0].IsWriter)
		require.False(t, *w.global(t, witness).GlobalClusterMembers[0].IsWriter)

		after(time.Minute)
		require.Equal(t, types.GlobalClusterMemberSynchronizationStatusPendingResync, w.global(t, west).GlobalClusterMembers[0].SynchronizationStatus)

		// The first tries after the heal fail; it goes on trying.
		w.servers.set(func() { w.servers.fails["rejoin us-east-1 us-west-2"] = errors.New("not reachable yet") })
		w.SetLink(east, west, true)
		require.False(t, *w.global(t, east).GlobalClusterMembers[0].IsWriter)
		after(10 * time.Second)
		require.Equal(t, types.GlobalClusterMemberSynchronizationStatusPendingResync, w.global(t, west).GlobalClusterMembers[0].SynchronizationStatus)
		w.servers.set(func() { clear(w.servers.fails) })
		after(time.Second)
		require.Equal(t, types.GlobalClusterMemberSynchronizationStatusConnected, w.global(t, west).GlobalClusterMembers[0].SynchronizationStatus)
	})
}

// TestFenceIsBounded holds that a fence that hangs delays a quick promotion by
// its bound and no more.
func TestFenceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) { c.Promotion = fixed(time.Second); c.FenceTimeout = 1500 * time.Millisecond })
		w.servers.set(func() { w.servers.hangs["fence us-east-1"] = true })
		began := time.Now()
		require.NoError(t, w.failover(t.Context(), west))
		after(2 * time.Second)
		require.Equal(t, 1500*time.Millisecond, w.Operations()[0].PromotedAt.Sub(began))
		require.Zero(t, w.Operations()[0].FencedAt)
		require.Contains(t, w.ids(), "RDS-EVENT-0391")
	})
}

func TestFailoverFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		w.servers.set(func() { w.servers.fails["promote us-west-2"] = errors.New("disk full") })
		require.NoError(t, w.failover(t.Context(), west))
		after(3 * time.Second)
		g := w.global(t, west)
		require.Equal(t, "available", *g.Status)
		require.Nil(t, g.FailoverState)
		require.Equal(t, east, w.Writer())
		require.Equal(t, []string{"RDS-EVENT-0390", "RDS-EVENT-0239"}, w.ids())
		require.ErrorContains(t, w.Operations()[0].Err, "disk full")

		w.servers.set(func() { clear(w.servers.fails) })
		require.NoError(t, w.failover(t.Context(), west), "it can be tried again")
		after(3 * time.Second)
		require.Equal(t, west, w.Writer())
	})
}

func TestSwitchover(t *testing.T) {
	for name, call := range map[string]func(context.Context, *rds.Client) error{
		"SwitchoverGlobalCluster": func(ctx context.Context, c *rds.Client) error {
			_, err := c.SwitchoverGlobalCluster(ctx, &rds.SwitchoverGlobalClusterInput{
				GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(westARN)})
			return err
		},
		"FailoverGlobalCluster without a mode": func(ctx context.Context, c *rds.Client) error {
			_, err := c.FailoverGlobalCluster(ctx, &rds.FailoverGlobalClusterInput{
				GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(westARN)})
			return err
		},
		"FailoverGlobalCluster with Switchover": func(ctx context.Context, c *rds.Client) error {
			_, err := c.FailoverGlobalCluster(ctx, &rds.FailoverGlobalClusterInput{
				GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(westARN), Switchover: aws.Bool(true)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, func(c *cloud.Config) { c.Switchover = fixed(2 * time.Second) })
				require.NoError(t, call(t.Context(), w.rds(east)))
				after(time.Second)
				g := w.global(t, west)
				require.EqualValues(t, "switching-over", g.FailoverState.Status)
				require.Equal(t, "switching-over", *g.Status)
				require.False(t, *g.FailoverState.IsDataLossAllowed)
				after(time.Second)
				g = w.global(t, east)
				require.Nil(t, g.FailoverState)
				require.True(t, *g.GlobalClusterMembers[1].IsWriter)
				require.Equal(t, types.GlobalClusterMemberSynchronizationStatusConnected, g.GlobalClusterMembers[0].SynchronizationStatus)
				require.Equal(t, []string{"fence us-east-1", "promote us-west-2", "rejoin us-east-1 us-west-2"}, w.servers.log())
				after(time.Second)
				require.Equal(t, []string{"RDS-EVENT-0181", "RDS-EVENT-0182", "RDS-EVENT-0184", "RDS-EVENT-0185", "RDS-EVENT-0397"}, w.ids())
			})
		})
	}
}

// TestSwitchoverFails holds that a switchover that can't finish leaves the old
// primary writing.
func TestSwitchoverFails(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*world)
		log     []string
	}{
		"target does not catch up": {
			func(w *world) {
				w.servers.set(func() { w.servers.fails["promote us-west-2"] = errors.New("behind") })
			},
			[]string{"fence us-east-1", "promote us-west-2", "promote us-east-1"},
		},
		"old primary does not stop": {
			func(w *world) { w.servers.set(func() { w.servers.hangs["fence us-east-1"] = true }) },
			[]string{"promote us-east-1"},
		},
		"link is cut": {func(w *world) { w.SetLink(east, west, false) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, nil)
				tt.prepare(w)
				_, err := w.rds(east).SwitchoverGlobalCluster(t.Context(), &rds.SwitchoverGlobalClusterInput{
					GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(westARN)})
				require.NoError(t, err, "it is accepted first")
				after(10 * time.Second)
				require.Equal(t, east, w.Writer())
				require.Equal(t, "available", *w.global(t, east).Status)
				require.Equal(t, tt.log, w.servers.log())
				require.Equal(t, "RDS-EVENT-0187", w.ids()[len(w.ids())-1])
				require.Error(t, w.Operations()[0].Err)
			})
		})
	}
}

// TestRunEnds holds that Run waits for what it started and leaves operations
// that are under way unfinished.
func TestRunEnds(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"waiting":   func(*world) {},
		"promoting": func(w *world) { w.servers.hangs["promote us-west-2"] = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServers()
				c, err := cloud.New(cloud.Config{Servers: s, Promotion: fixed(3 * time.Second)})
				require.NoError(t, err)
				w := &world{Cloud: c, servers: s}
				prepare(w)
				ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
				defer cancel()
				if name == "waiting" {
					ctx, cancel = context.WithTimeout(t.Context(), time.Second)
					defer cancel()
				}
				require.NoError(t, w.failover(t.Context(), west), "queued until Run")
				require.NoError(t, c.Run(ctx))
				require.Zero(t, c.Operations()[0].DoneAt)
				require.Equal(t, "failing-over", *w.global(t, west).Status)
			})
		})
	}
}

func TestReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) { c.RebootTimeout = 10 * time.Second })
		w.servers.set(func() { w.servers.hangs["reboot us-east-1"] = true })
		reboot := func() error {
			_, err := w.rds(east).RebootDBInstance(t.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("lifeboat-us-east-1-1")})
			return err
		}
		status := func() string {
			out, err := w.rds(east).DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{})
			require.NoError(t, err)
			return *out.DBInstances[0].DBInstanceStatus
		}
		require.NoError(t, reboot())
		synctest.Wait()
		require.Equal(t, "rebooting", status())
		require.Equal(t, "InvalidDBInstanceState", code(t, reboot()))
		after(10 * time.Second)
		require.Equal(t, "available", status())
		require.Contains(t, w.Events()[1].Message, "failed")

		w.servers.set(func() { clear(w.servers.hangs) })
		require.NoError(t, reboot())
		synctest.Wait()
		require.Equal(t, "available", status())
		require.Equal(t, []string{"reboot us-east-1"}, w.servers.log())
	})
}

// TestSeed holds that one seed draws the same durations again.
func TestSeed(t *testing.T) {
	drawn := func(seed uint64) (d time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			w := start(t, func(c *cloud.Config) { c.Seed = seed; c.Promotion = nil })
			require.NoError(t, w.failover(t.Context(), west))
			d = w.Operations()[0].Drawn
			after(10 * time.Second)
		})
		return d
	}
	one := drawn(1)
	require.Equal(t, one, drawn(1))
	require.NotEqual(t, one, drawn(2))
	require.GreaterOrEqual(t, one, 2*time.Second)
	require.Less(t, one, 5*time.Second)
}
