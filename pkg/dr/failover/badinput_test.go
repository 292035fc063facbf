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
			for _, o := range a.Explain().Verdict.Observations {
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

// TestAControlPlaneThatNamesASecondary is the other direction: the control plane names the
// target the writer, and the target's own server says that it is a secondary. A promotion that
// AWS has just finished looks like that for a moment.
func TestAControlPlaneThatNamesASecondary(t *testing.T) {
	const says = "the control plane names us-west-2 the writer, and the server of us-west-2 says that it is a secondary"
	bubble(t, "before anything is touched", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.Cluster.SetWriter(west)
		begun := time.Now()
		ended := r.failover(c)
		r.until("told", 15*time.Second, func() bool { return r.said(west, says) })
		require.Greater(t, time.Since(begun), 3*time.Second, "a description may be early")
		require.Less(t, time.Since(begun), 10*time.Second)
		x := r.last().Execution
		require.Equal(t, failover.CodeTargetNotReady, x.Code)
		require.Equal(t, failover.ModeFailover, x.Mode)
		r.wait(2 * time.Minute)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
		require.Len(t, r.Notifiers[west].Messages(), 1, "once")
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch, "the epoch is not taken")
		require.True(t, r.Pair.DB(east).Accepts(), "the old writer is not fenced")
		require.Zero(t, r.orders())
		r.Cluster.SetWriter("")
		x = <-ended
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Equal(t, failover.ModeFailover, x.Mode)
		require.Equal(t, 1, r.Cluster.Moves())
	})
	bubble(t, "and its server becomes the writer while a person is asked", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.Cluster.SetWriter(west)
		ended := r.failover(c)
		r.until("the question", 15*time.Second, r.in(failover.AwaitingApproval))
		_, err := r.Pair.Promote(west)
		require.NoError(t, err)
		x := <-ended
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Equal(t, failover.ModeAdopt, x.Mode)
		require.Zero(t, r.orders())
	})
	bubble(t, "for 3 s", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.Cluster.SetWriter(west)
		r.wg.Go(func() { r.wait(3 * time.Second); _, _ = r.Pair.Promote(west) })
		x := <-r.failover(c)
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Equal(t, failover.ModeAdopt, x.Mode)
		require.Len(t, r.Notifiers[west].Messages(), 1, "no question")
	})
	bubble(t, "a person may go on all the same", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.Cluster.SetWriter(west)
		r.failover(c)
		r.until("the question", 15*time.Second, r.in(failover.AwaitingApproval))
		r.answer("the server is wrong")
		r.until("to be verified", time.Minute, r.in(failover.Promoted))
		require.Equal(t, failover.ModeAdopt, r.last().Execution.Mode)
	})
	bubble(t, "once the epoch is taken", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		r.Cluster.SetWriter(west)
		named := r.until("named", time.Minute, r.in(failover.Promoted))
		told := r.until("told", 3*time.Minute, func() bool { return len(r.Notifiers[west].Messages()) > 0 })
		require.InDelta(t, 90*time.Second, told.Sub(named), float64(5*time.Second))
		x := r.last().Execution
		require.Equal(t, failover.CodeVerifyStuck, x.Code)
		require.Contains(t, x.Detail, failover.ErrNotWriter.Error())
		require.Contains(t, r.Notifiers[west].Messages()[0].Body, "the writer stays in us-west-2, and it commits nothing; it goes on by itself when it does")
		r.wait(2 * time.Minute)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
		require.Len(t, r.Notifiers[west].Messages(), 1, "once")
		_, err := r.Pair.Promote(west)
		require.NoError(t, err)
		require.Equal(t, failover.Settled, (<-ended).State, "it goes on by itself")
	})
}

// TestALeaseOfANewerVersionStopsAnExecution: what a newer version has written is not taken,
// and people are told why.
func TestALeaseOfANewerVersionStopsAnExecution(t *testing.T) {
	bubble(t, "before anything is touched", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.Store.SetNewer(true)
		begun := time.Now()
		ended := r.failover(c)
		r.until("told", 5*time.Second, func() bool {
			return r.said(west, "it is of version 2 and this process understands version 1: nothing was changed; deploy the newer functions in us-west-2, then answer")
		})
		require.Less(t, time.Since(begun), time.Second, "asking again changes nothing")
		x := r.last().Execution
		require.Equal(t, failover.CodeLeaseStoreStuck, x.Code)
		require.Contains(t, x.Detail, failover.ErrNewerRecord.Error())
		require.LessOrEqual(t, len(r.problems("after Confirmed")), 1)
		require.Zero(t, r.orders())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		require.True(t, r.Pair.DB(east).Accepts())
		r.answer("they are the newer ones")
		r.until("the second question", 5*time.Second, func() bool { return r.in(failover.AwaitingApproval)() && r.last().Execution.Question.ID == "2" })
		r.Store.SetNewer(false)
		r.answer("now they are")
		require.Equal(t, failover.Settled, (<-ended).State)
	})
	bubble(t, "once the epoch is taken", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		r.Store.SetNewer(true)
		r.breaks(nil)
		before := r.orders() // refused
		begun := time.Now()
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		require.Less(t, time.Since(begun), time.Second)
		require.Equal(t, failover.CodePromotionStuck, r.last().Execution.Code)
		require.Contains(t, r.last().Execution.Detail, failover.ErrNewerRecord.Error())
		r.wait(time.Minute)
		require.Equal(t, before, r.orders(), "nothing is promoted")
		r.Store.SetNewer(false)
		require.Equal(t, failover.Settled, (<-ended).State, "it goes on by itself")
	})
}

// TestAStepOfANewerVersionStopsAnExecution: a process of a newer version has gone on with an
// execution that this one drives. What it has journalled is not known here, so nothing more is
// done, and at once.
func TestAStepOfANewerVersionStopsAnExecution(t *testing.T) {
	for name, hold := range map[failover.State]drtest.Op{
		failover.Confirmed: drtest.OpTakeLease, failover.EpochTaken: drtest.OpReports, failover.LossAccepted: drtest.OpFailover, failover.Promoted: drtest.OpBeat,
		failover.AwaitingApproval: "",
	} {
		bubble(t, string(name), func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			if name == failover.EpochTaken {
				r.renew() // so that the proof takes its time
				r.wait(2 * time.Second)
			}
			r.breaks(calls(west, drtest.Fault{Err: errRefused}, hold))
			if name == failover.AwaitingApproval {
				r.Cluster.SetMissing(west, "an upgrade")
			}
			stopped := make(chan error, 1)
			r.wg.Go(func() { _, err := c.Failover(r.ctx, verdict()); stopped <- err })
			r.until(string(name), time.Minute, r.in(name))
			e := r.last()
			e.Version, e.Execution.Seq = failover.JournalVersion+1, e.Execution.Seq+1
			require.NoError(t, r.Store.At(east).Append(r.ctx, e))
			begun := time.Now()
			err := <-stopped
			require.ErrorIs(t, err, failover.ErrNewerEntry)
			require.ErrorContains(t, err, "version 2, this program knows 1")
			require.Less(t, time.Since(begun), 3*time.Second)
			require.Equal(t, e.Execution.Seq, r.last().Execution.Seq)
		})
	}
}
