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

const stranger dr.Region = "eu-central-1" // is no member and no witness

// TestAForgedPromiseGrantsNothing: a row of the heartbeat table that is no promise of the
// other member to this process keeps no writer open.
func TestAForgedPromiseGrantsNothing(t *testing.T) {
	now := func() uint64 { return uint64(time.Now().UnixMicro()) }
	for name, row := range map[string]func() failover.Beat{
		"from the future":              func() failover.Beat { return failover.Beat{Region: west + failover.PromiseRow, Seq: 1 << 62} },
		"of what another process sent": func() failover.Beat { return failover.Beat{Region: west + failover.PromiseRow, Seq: 7} },
		"that names nothing":           func() failover.Beat { return failover.Beat{Region: west + failover.PromiseRow} },
		"of a Region that is no member": func() failover.Beat {
			return failover.Beat{Region: stranger + failover.PromiseRow, Seq: now()}
		},
		"of the holder itself": func() failover.Beat { return failover.Beat{Region: east + failover.PromiseRow, Seq: now()} },
		"of the witness":       func() failover.Beat { return failover.Beat{Region: witness + failover.PromiseRow, Seq: now()} },
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.guard(east)
			r.wait(5 * time.Second)
			renewals := r.when(drtest.OpRenewLease, east)
			r.breaks(storeOf(east, drtest.Fault{Hang: true}))
			r.wg.Go(func() {
				for e := dr.Epoch(1 << 40); r.ctx.Err() == nil; e++ {
					b := row()
					b.Epoch = e
					_ = r.Pair.DB(east).Beat(r.ctx, b)
					r.wait(100 * time.Millisecond)
				}
			})
			shut := r.until("the writer is closed", 2*ttl, r.closed(east))
			require.Less(t, shut.Sub(renewals[len(renewals)-1]), ttl)
		})
	}
}

// TestAStrangersReportCountsForNothing: neither as a vantage nor as a proof of silence, and
// people are told whose it is.
func TestAStrangersReportCountsForNothing(t *testing.T) {
	bubble(t, "of a Region that the topology doesn't name", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		l, _ := r.Store.Lease()
		r.wg.Go(func() {
			for seq := uint64(1); r.ctx.Err() == nil; seq++ {
				_ = r.Store.At(west).Publish(r.ctx, failover.Report{
					Region: stranger, Seq: seq, LeaseRev: l.Rev, LeaseUnchanged: time.Hour, Claims: true, FencedEpoch: l.Epoch, FencedRev: l.Rev,
					Observations: []failover.Observation{{Subject: east, Family: health.SQL, Answer: health.Dead, Samples: 99}, {Subject: east, Family: health.Witness, Answer: health.Dead, Samples: 99}},
				})
				r.wait(time.Second)
			}
		})
		a, err := failover.NewMonitor(r.Monitor(west, r.policy, r.trace()))
		require.NoError(t, err)
		r.wg.Go(func() { _ = a.Run(r.ctx) })
		for range 20 {
			r.wait(time.Second)
			for _, o := range a.Explain().Verdict.Votes {
				require.NotEqual(t, stranger, o.Vantage)
			}
		}
		all, err := r.Store.At(west).Reports(r.ctx)
		require.NoError(t, err)
		for _, h := range all {
			if h.Region == west {
				require.LessOrEqual(t, h.LeaseUnchanged, 20*time.Second, "it is measured here")
			}
		}
		told := r.problems("read reports")
		require.NotEmpty(t, told)
		require.ErrorContains(t, told[0], `"eu-central-1" reports and is none of`)
	})
	bubble(t, "one that was left over is no problem", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		require.NoError(t, r.Store.At(west).Publish(r.ctx, failover.Report{Region: stranger, Seq: 1}))
		r.agent(west)
		r.wait(time.Minute)
		require.Empty(t, r.problems("read reports"))
	})
}

// TestAControlPlaneThatContradictsTheServer: while the two disagree about the writer nothing
// is promoted, and people are asked.
func TestAControlPlaneThatContradictsTheServer(t *testing.T) {
	bubble(t, "the target says that it is the writer already", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		_, err := r.Pair.Promote(west)
		require.NoError(t, err)
		r.Cluster.SetWriter(east)
		r.failover(c)
		r.until("the question", 10*time.Second, r.in(failover.AwaitingApproval))
		x := r.last().Execution
		require.Equal(t, failover.CodeTargetNotReady, x.Code)
		require.Equal(t, "the server of us-west-2 says that it is the writer, and the control plane names us-east-1", x.Detail)
		r.wait(time.Minute)
		require.Zero(t, r.orders())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
	})
}

// TestALeaseOfANewerVersionStopsAnExecution: what a newer version has written is not taken,
// and people are told why.
func TestALeaseOfANewerVersionStopsAnExecution(t *testing.T) {
	bubble(t, "before anything is touched", func(t *testing.T) {
		r, c := acting(t, dr.Policy{EffectTimeout: 20 * time.Second})
		r.breaks(calls(west, drtest.Fault{Err: failover.ErrNewerRecord}, drtest.OpReadLease, drtest.OpTakeLease, drtest.OpRenewLease))
		r.failover(c)
		r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
		x := r.last().Execution
		require.Equal(t, failover.CodeLeaseStoreStuck, x.Code)
		require.Contains(t, x.Detail, failover.ErrNewerRecord.Error())
		require.Zero(t, r.orders())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		require.True(t, r.Pair.DB(east).Accepts())
	})
}
