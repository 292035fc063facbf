package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// What is here was seen by no test, as the bugs of drills/killtable have shown.

// The margin hides a guard that counts from the answer, so the beginning of the fence is
// what is looked at, not its end.
func TestGuardCountsFromBeforeItAsked(t *testing.T) {
	bubble(t, "although the answers were slow", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.breaks(calls(east, drtest.Fault{Delay: 900 * time.Millisecond}, drtest.OpRenewLease))
		r.guard(east)
		r.wait(10 * time.Second)
		require.Empty(t, r.when(drtest.OpFence, east))
		renewals := r.when(drtest.OpRenewLease, east)
		asked := renewals[len(renewals)-1]
		r.breaks(func(c drtest.Call) drtest.Fault {
			return drtest.Fault{Hang: c.From == east && c.Op == drtest.OpRenewLease && time.Now().After(asked)}
		})
		fenced := r.until("the fence begins", ttl, func() bool { return len(r.when(drtest.OpFence, east)) > 0 })
		require.LessOrEqual(t, fenced.Sub(asked), ttl-margin+time.Millisecond, "counted from before the request")
	})
}

func TestWatchCountsFromAfterItLooked(t *testing.T) {
	bubble(t, "because a renewal may be granted while an answer is on its way", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		begun := time.Now()
		r.breaks(func(c drtest.Call) drtest.Fault {
			if c.Op == drtest.OpReadLease && time.Since(begun) < 100*time.Millisecond {
				return drtest.Fault{Delay: 1200 * time.Millisecond}
			}
			return drtest.Fault{}
		})
		w := &failover.Watch{}
		r.wg.Go(func() { _ = w.Run(r.ctx, r.policy, r.Store.At(west), west, nil) })
		r.wait(500 * time.Millisecond)
		r.renew()
		renewed := time.Now()
		for range 100 {
			r.wait(20 * time.Millisecond)
			require.LessOrEqual(t, w.Unchanged(), time.Since(renewed), "it can't have been silent for longer")
		}
		require.Positive(t, w.Unchanged())
	})
}

func TestWatchForgetsNothingForALateAnswer(t *testing.T) {
	bubble(t, "of before the renewal that it has seen", func(t *testing.T) {
		var w failover.Watch
		w.Observe(failover.Lease{Epoch: 1, Holder: east, Rev: 5}, time.Now())
		<-time.After(2 * time.Second)
		w.Observe(failover.Lease{Epoch: 1, Holder: east, Rev: 4}, time.Now())
		w.Observe(failover.Lease{Epoch: 1, Holder: east, Rev: 5}, time.Now())
		l, _ := w.Lease()
		require.EqualValues(t, 5, l.Rev)
		require.Equal(t, 2*time.Second, w.Unchanged(), "the silence goes on")
	})
}

// The last report of a Region that reports no more is still in the store.
func TestLeaseProberDropsTheLastReportOfADeadRegion(t *testing.T) {
	bubble(t, "when their number stays the same", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		require.NoError(t, r.Store.At(witness).Publish(r.ctx, failover.Report{Region: witness, Seq: 7, Observations: []failover.Observation{
			{Subject: east, Family: health.Witness, Answer: health.Dead},
		}}))
		b := failover.NewLeaseProber(west, r.policy, r.Store.At(west), &failover.Watch{})
		observations := func() int { return len(b.Probe(r.ctx, east)) - 1 } // but the lease
		require.Equal(t, 1, observations())
		r.wait(4 * time.Second)
		require.Equal(t, 1, observations(), "two samples old")
		r.wait(time.Millisecond)
		require.Zero(t, observations(), "its last report is older than two samples")
	})
}

// The last line: neither the guard nor the control plane gets through.
func TestWatchdogIsNotKeptQuietWithoutALease(t *testing.T) {
	bubble(t, "by the heartbeats of a guard that can neither renew nor fence", func(t *testing.T) {
		r := newRig(t, dr.Policy{Watchdog: true})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		renewals := r.when(drtest.OpRenewLease, east)
		last := renewals[len(renewals)-1]
		r.breaks(calls(east, drtest.Fault{Err: errRefused}, drtest.OpRenewLease, drtest.OpFence, drtest.OpIsolate))
		shut := r.until("the database closes itself", ttl, r.closed(east))
		require.Less(t, shut.Sub(last), ttl)
	})
}

func TestRPOGuardWaitsForEverythingToArrive(t *testing.T) {
	bubble(t, "when the other database answers and the stream stands still", func(t *testing.T) {
		r := newRig(t, dr.Policy{RPOGuard: true})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.Pair.SetLink(false)
		r.until("the writer is closed", time.Second, r.closed(east))
		for range 200 {
			r.wait(50 * time.Millisecond)
			require.False(t, r.Pair.DB(east).Accepts(), "what it has acknowledged has not arrived")
		}
		r.Pair.SetLink(true)
		r.until("the writer is open", 5*time.Second, r.open(east))
	})
}

// The API has no idempotency token. That an adapter looks before it asks is a second line.
func TestAPromotionIsAskedForOnce(t *testing.T) {
	bubble(t, "however long it takes", func(t *testing.T) {
		r := newRigIn(t, dr.Policy{}, drtest.WorldConfig{Topology: topology, Promotion: func() time.Duration { return 20 * time.Second }})
		defer r.end()
		c := r.controller(west)
		r.silence()
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.Settled, x.State)
		require.Len(t, r.when(drtest.OpFailover, west), 1, "asked once")
	})
}

// A switchover that is sent as a failover would lose what has not arrived.
func TestASwitchoverAsksForNoFailover(t *testing.T) {
	bubble(t, "of a healthy writer", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		c := r.controller(west)
		r.wait(5 * time.Second)
		r.wg.Go(func() { _, _ = c.Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"}) })
		r.until("the control plane is asked", 30*time.Second, func() bool {
			return len(r.when(drtest.OpFailover, west))+len(r.when(drtest.OpSwitchover, west)) > 0
		})
		require.Empty(t, r.when(drtest.OpFailover, west), "AllowDataLoss in a planned move")
	})
}

func TestLeaseProberForgivesALostRenewal(t *testing.T) {
	bubble(t, "and not two", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		w := &failover.Watch{}
		r.wg.Go(func() { _ = w.Run(r.ctx, r.policy, r.Store.At(west), west, nil) })
		r.wait(time.Second)
		r.renew()
		b := failover.NewLeaseProber(west, r.policy, r.Store.At(west), w)
		lease := func() health.Answer { return b.Probe(r.ctx, east)[0].Answer }
		r.wait(1400 * time.Millisecond)
		require.Equal(t, health.Alive, lease(), "one lost call is forgiven")
		r.wait(600 * time.Millisecond)
		require.Equal(t, health.Dead, lease())
	})
}
