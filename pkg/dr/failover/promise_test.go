package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestAPromiseIsWaitedOut: a lease that has run out proves no fence while the Region's own monitor's
// promises may keep the old writer open.
func TestAPromiseIsWaitedOut(t *testing.T) {
	const drift = 250 * time.Millisecond
	for name, c := range map[string]struct {
		report failover.Report
		waits  time.Duration // from when the execution begins
		asks   bool
	}{
		"sent a moment ago":                {failover.Report{Abstains: true, Settled: true}, ttl + drift, false},
		"sent four seconds ago":            {failover.Report{Abstains: true, Settled: true, Promised: 4 * time.Second}, ttl + drift - 4*time.Second, false},
		"sent long ago":                    {failover.Report{Abstains: true, Settled: true, Promised: time.Hour}, 0, false},
		"by a monitor that promises on":    {failover.Report{Settled: true, Promised: time.Hour}, 30 * time.Second, true},
		"by a process that was lost since": {failover.Report{Abstains: true, Promised: time.Hour}, 4 * time.Second, true},
	} {
		bubble(t, name, func(t *testing.T) {
			r, ctl := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) { cfg.Promises = true })
			begun := time.Now()
			publish := func(seq uint64) error {
				h := c.report
				h.Region, h.Seq, h.Promised = west, seq, h.Promised+time.Since(begun)
				return r.Store.At(west).Publish(r.ctx, h)
			}
			require.NoError(t, publish(1))
			r.wg.Go(func() {
				for seq := uint64(2); r.ctx.Err() == nil; seq++ {
					r.wait(100 * time.Millisecond)
					_ = publish(seq)
				}
			})
			ended := r.failover(ctl)
			if c.asks {
				at := r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
				require.Equal(t, failover.CodeNoFenceProof, r.last().Execution.Code)
				require.InDelta(t, c.waits.Seconds(), at.Sub(begun).Seconds(), 1)
				require.Zero(t, r.orders())
				return
			}
			require.Equal(t, failover.Settled, (<-ended).State)
			fenced := r.when(drtest.OpFailover, west)[0].Sub(begun)
			require.GreaterOrEqual(t, fenced, c.waits, "nothing is promoted before")
			require.Less(t, fenced, c.waits+time.Second)
		})
	}
}

// TestASuccessorKeepsThePromisesOfItsPredecessor: what was promised before a restart holds
// after it. Only a process that abstained is believed how long ago its last promise was.
func TestASuccessorKeepsThePromisesOfItsPredecessor(t *testing.T) {
	first := func(t *testing.T, before *failover.Report) failover.Report {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		r.breaks(calls(west, drtest.Fault{Hang: true}, drtest.OpReplicated, drtest.OpBeat)) // no promise is sent
		if before != nil {
			before.Region, before.Seq, before.At = west, 1, time.Now()
			require.NoError(t, r.Store.At(west).Publish(r.ctx, *before))
		}
		r.agent(west)
		r.wait(500 * time.Millisecond)
		all, err := r.Store.At(west).Reports(r.ctx)
		require.NoError(t, err)
		for _, h := range all {
			if h.Region == west {
				return h
			}
		}
		require.FailNow(t, "no report")
		return failover.Report{}
	}
	bubble(t, "one that abstained", func(t *testing.T) {
		h := first(t, &failover.Report{Abstains: true, Settled: true, Promised: time.Hour, Generation: 7})
		require.GreaterOrEqual(t, h.Promised, time.Hour)
		require.True(t, h.Settled)
		require.Greater(t, h.Generation, uint64(7))
	})
	bubble(t, "one that promised until it was lost", func(t *testing.T) {
		h := first(t, &failover.Report{Promised: time.Hour, Settled: true, Generation: 1 << 60})
		require.LessOrEqual(t, h.Promised, time.Second, "it may have promised a moment ago, and still")
		require.False(t, h.Settled)
		require.Equal(t, uint64(1<<60+1), h.Generation)
	})
	bubble(t, "none", func(t *testing.T) {
		require.LessOrEqual(t, first(t, nil).Promised, time.Second, "a report that was lost proves nothing")
	})
}

// TestAHeartbeatWriteIsPromisedForOnce: a guard counts a promise from when it had sent the
// write that is named. When its process is gone, the wait for its end begins with the first
// promise for its last write, and not when this Region has given it up.
func TestAHeartbeatWriteIsPromisedForOnce(t *testing.T) {
	promised := func(t *testing.T, breaks func(drtest.Call) drtest.Fault) (sends int, stated time.Duration) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		dies := r.agent(east)
		r.agent(west)
		r.wait(20 * time.Second)
		require.Greater(t, len(r.when(drtest.OpBeat, west)), 10, "it promises while the writer's monitor lives")
		dies()
		r.breaks(breaks)
		before := len(r.when(drtest.OpBeat, west))
		r.wait(3 * time.Second)
		all, err := r.Store.At(west).Reports(r.ctx)
		require.NoError(t, err)
		for _, h := range all {
			if h.Region == west {
				require.False(t, h.Abstains, "the Region is not given up yet")
				stated = h.Promised
			}
		}
		return len(r.when(drtest.OpBeat, west)) - before, stated
	}
	bubble(t, "when it is in the writer's database", func(t *testing.T) {
		sends, stated := promised(t, nil)
		require.LessOrEqual(t, sends, 1)
		require.Greater(t, stated, time.Second)
	})
	bubble(t, "and until an answer says so", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpBeat))
		dies := r.agent(east)
		r.agent(west)
		r.wait(20 * time.Second)
		dies()
		before := len(r.when(drtest.OpBeat, west))
		r.wait(3 * time.Second)
		require.GreaterOrEqual(t, len(r.when(drtest.OpBeat, west))-before, 2, "one that was refused may be the only one")
	})
}

// TestABlindRenewalIsNoService: it shows that a monitor lives, and not that its Region serves.
func TestABlindRenewalIsNoService(t *testing.T) {
	bubble(t, "for the watch of another Region", func(t *testing.T) {
		var w failover.Watch
		w.Observe(failover.Lease{Epoch: 1, Holder: east, Rev: 5, Served: 5}, time.Now())
		for rev := uint64(6); rev < 16; rev++ {
			<-time.After(time.Second)
			w.Observe(failover.Lease{Epoch: 1, Holder: east, Rev: rev, Served: 5}, time.Now())
		}
		require.Equal(t, 10*time.Second, w.Unserved())
		require.Zero(t, w.Unchanged())
		require.False(t, w.Moved())
		w.Observe(failover.Lease{Epoch: 1, Holder: east, Rev: 16, Served: 16}, time.Now())
		require.Zero(t, w.Unserved())
		require.True(t, w.Moved())
	})
}

// TestALivingLeaseIsNotAdopted: while the holder renews, either of the two control planes may
// be out of date. The epoch is taken when the lease was given back or has run out.
func TestALivingLeaseIsNotAdopted(t *testing.T) {
	bubble(t, "before it has run out", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		c := r.controller(west)
		require.NoError(t, r.Pair.Move(west, 0, false))
		r.renew()
		ended := make(chan failover.Execution, 1)
		r.wg.Go(func() { x, _ := c.Adopt(r.ctx); ended <- x })
		for range 40 {
			r.wait(500 * time.Millisecond)
			r.renew()
			l, _ := r.Store.Lease()
			require.Equal(t, dr.Epoch(1), l.Epoch)
		}
		last := time.Now()
		require.Equal(t, failover.Settled, (<-ended).State)
		require.GreaterOrEqual(t, time.Since(last), ttl)
	})
}
