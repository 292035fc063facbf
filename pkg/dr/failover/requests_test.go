package failover_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

var jane = failover.Origin{By: "jane", Reason: "not today"}

func TestAbort(t *testing.T) {
	bubble(t, "an open question", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		r.until("told", time.Second, func() bool { return len(r.last().Execution.Owed) == 0 })
		x, err := r.controller(west).Abort(r.ctx, r.last().Execution.ID, jane)
		require.NoError(t, err)
		require.Equal(t, failover.Aborted, x.State)
		require.Equal(t, failover.CodeAbortRequested, x.Code)
		require.Equal(t, jane, x.Last)
		require.Equal(t, failover.Aborted, (<-ended).State, "who waits for the answer sees it")
		require.Contains(t, r.last().Execution.Report(), "last request by jane: not today")
		require.Zero(t, r.Cluster.Moves())
		require.Contains(t, r.Notifiers[west].Messages()[1].Subject, "needs no answer any more")
	})
	bubble(t, "is denied for what is not open", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		_, err := c.Abort(r.ctx, "0000000002-0001", jane)
		require.Equal(t, failover.DenyNothingBegun, denial(t, err))
		ended := r.failover(c)
		require.Equal(t, failover.Settled, (<-ended).State)
		_, err = c.Abort(r.ctx, "0000000002-0001", jane)
		require.Equal(t, failover.DenyEnded, denial(t, err))
		_, err = c.Abort(r.ctx, "0000000001-0001", jane)
		require.Equal(t, failover.DenyOtherExecution, denial(t, err))
	})
	bubble(t, "is too late once the epoch is taken", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		_, err := r.controller(west).Abort(r.ctx, r.last().Execution.ID, jane)
		require.Equal(t, failover.DenyTooLate, denial(t, err))
		require.ErrorContains(t, err, "return it")
	})
	bubble(t, "that meets the taking of the epoch gives the epoch back", func(t *testing.T) {
		taker := &interrupted{}
		r, c := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) { taker.Leaser, cfg.Leaser = cfg.Leaser, taker })
		other := r.controller(west)
		taker.before = func() {
			_, err := other.Abort(r.ctx, "0000000002-0001", jane)
			require.NoError(t, err)
		}
		r.report(east)
		x := <-r.failover(c)
		require.Equal(t, failover.Returned, x.State, x.Report())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(3), l.Epoch)
		require.Equal(t, east, l.Holder)
		require.Zero(t, r.Cluster.Moves())
	})
	bubble(t, "that meets the taking of the epoch is returned by the next process", func(t *testing.T) {
		taker := &interrupted{}
		r, c := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) { taker.Leaser, cfg.Leaser = cfg.Leaser, taker })
		other := r.controller(west)
		taker.before = func() {
			_, err := other.Abort(r.ctx, "0000000002-0001", jane)
			require.NoError(t, err)
		}
		r.report(east)
		r.breaks(func(call drtest.Call) drtest.Fault {
			l, _ := r.Store.Lease()
			return drtest.Fault{Hang: call.Op == drtest.OpTakeLease && l.Epoch == 2, Acts: true}
		})
		ctx, cancel := contextFor(r)
		r.wg.Go(func() { _, _ = c.Failover(ctx, verdict()) })
		r.until("given back", time.Minute, func() bool { l, _ := r.Store.Lease(); return l.Epoch == 3 })
		cancel()
		r.breaks(nil)
		r.wait(10 * time.Second)
		require.Equal(t, failover.Aborted, r.last().Execution.State, "the process has died before it could journal it")
		_, _, err := r.controller(west).Resume(r.ctx)
		require.NoError(t, err)
		x := r.last().Execution
		require.Equal(t, failover.Returned, x.State, x.Report())
		require.Equal(t, dr.Epoch(3), x.Back)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(3), l.Epoch, "one epoch")
	})
}

// interrupted is a lease store before whose take something happens, once.
type interrupted struct {
	failover.Leaser
	before func()
	once   sync.Once
}

func (i *interrupted) TakeLease(ctx context.Context, seen failover.Lease, c failover.Claim) (failover.Lease, error) {
	i.once.Do(i.before)
	return i.Leaser.TakeLease(ctx, seen, c)
}

// report has a Region's monitor report, with a server that answers, until the test ends.
func (r *rig) report(region dr.Region) {
	r.reporting(failover.Report{Region: region, Server: health.Alive})
}

// reporting has a monitor publish a report again and again until the test ends.
func (r *rig) reporting(h failover.Report) {
	r.wg.Go(func() {
		for h.Seq = 1; r.ctx.Err() == nil; h.Seq++ {
			_ = r.Store.At(h.Region).Publish(r.ctx, h)
			select {
			case <-r.ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
}

func TestReturn(t *testing.T) {
	// refused returns a rig whose west has taken the epoch and can't promote.
	refused := func(t *testing.T) (*rig, *failover.Controller, <-chan failover.Execution) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: fmt.Errorf("no: %w", failover.ErrRefused)}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
		return r, c, ended
	}
	report := func(r *rig) { r.report(east) }
	bubble(t, "gives the next epoch to the old Region", func(t *testing.T) {
		r, _, ended := refused(t)
		report(r)
		x, err := r.controller(west).Return(r.ctx, r.last().Execution.ID, jane)
		require.NoError(t, err)
		require.Equal(t, failover.Returned, x.State, x.Report())
		require.Equal(t, dr.Epoch(3), x.Back)
		require.Equal(t, jane, x.Last)
		require.Equal(t, failover.Returned, (<-ended).State)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(3), l.Epoch)
		require.Equal(t, east, l.Holder)
		require.Zero(t, r.Cluster.Moves())
		var told int
		for _, m := range r.Notifiers[west].Messages() {
			if m.Subject == "failover to us-west-2 has ended: the writer is in us-east-1" {
				told++
			}
		}
		require.Equal(t, 1, told)
	})
	bubble(t, "waits for a monitor that could open the writer, and asks", func(t *testing.T) {
		r, _, _ := refused(t)
		r.wg.Go(func() { _, _ = r.controller(west).Return(r.ctx, r.last().Execution.ID, jane) })
		r.until("asked", time.Minute, func() bool { return r.last().Execution.Code == failover.CodeReturnStuck })
		require.Contains(t, r.last().Execution.Detail, "no monitor reports from us-east-1")
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(2), l.Epoch)
		report(r)
		r.until("returned", time.Minute, r.in(failover.Returned))
	})
	bubble(t, "goes on when the writer has been promoted meanwhile", func(t *testing.T) {
		r, _, ended := refused(t)
		require.NoError(t, r.Pair.Move(west, 0, false))
		_, err := r.controller(west).Return(r.ctx, r.last().Execution.ID, jane)
		_ = err
		require.Equal(t, failover.Settled, (<-ended).State)
		l, _ := r.Store.Lease()
		require.Equal(t, west, l.Holder)
	})
	bubble(t, "is denied before the epoch is taken and after the promotion", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		other := r.controller(west)
		_, err := other.Return(r.ctx, r.last().Execution.ID, jane)
		require.Equal(t, failover.DenyTooEarly, denial(t, err))
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReach))
		r.answer("go")
		r.until("verified", time.Minute, r.in(failover.Verified))
		_, err = other.Return(r.ctx, r.last().Execution.ID, jane)
		require.Equal(t, failover.DenyTooLate, denial(t, err))
		r.breaks(nil)
		require.Equal(t, failover.Settled, (<-ended).State)
	})
	bubble(t, "survives its process at every entry", func(t *testing.T) {
		r, _, ended := refused(t)
		report(r)
		ctx, cancel := contextFor(r)
		r.breaks(func(call drtest.Call) drtest.Fault {
			return drtest.Fault{Hang: call.Op == drtest.OpTakeLease, Acts: true}
		})
		r.wg.Go(func() { _, _ = r.controller(west).Return(ctx, r.last().Execution.ID, jane) })
		r.until("taken", time.Minute, func() bool { l, _ := r.Store.Lease(); return l.Epoch == 3 })
		cancel()
		r.breaks(nil)
		require.Equal(t, failover.Returned, (<-ended).State)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(3), l.Epoch, "one epoch")
	})
}

func TestPause(t *testing.T) {
	bubble(t, "no execution begins by itself, and a person's does", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		x, err := c.Pause(r.ctx, time.Hour, jane)
		require.NoError(t, err)
		require.Equal(t, failover.Steady, x.State)
		_, err = c.Failover(r.ctx, verdict())
		require.Equal(t, failover.DenyPaused, denial(t, err))
		require.ErrorContains(t, err, "jane has paused the automation until")
		require.Len(t, r.Store.Entries(), 1)
		r.wait(time.Hour)
		require.Equal(t, failover.Settled, (<-r.failover(c)).State, "it has expired")
	})
	bubble(t, "it outlives an execution, and ends by hand", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		other := r.controller(west)
		_, err := other.Pause(r.ctx, time.Hour, jane)
		require.NoError(t, err)
		require.Equal(t, failover.Aborted, r.recover(ended).State)
		r.silence()
		_, err = c.Failover(r.ctx, verdict())
		require.Equal(t, failover.DenyPaused, denial(t, err))
		x, err := other.Unpause(r.ctx, failover.Origin{By: "joe", Reason: "done"})
		require.NoError(t, err)
		require.Nil(t, x.Pause)
		require.Equal(t, "joe", x.Last.By)
		_, err = other.Unpause(r.ctx, jane)
		require.Equal(t, failover.DenyNotPaused, denial(t, err))
		require.Equal(t, failover.Settled, (<-r.failover(c)).State)
	})
	bubble(t, "a person's answer is carried out in a pause", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		_, err := r.controller(west).Pause(r.ctx, time.Hour, jane)
		require.NoError(t, err)
		r.answer("go")
		require.Equal(t, failover.Settled, (<-ended).State)
	})
	bubble(t, "an automatic execution that has touched nothing ends", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReadLease))
		ended := r.failover(c)
		r.until("begun", time.Second, r.in(failover.Confirmed))
		_, err := c.Pause(r.ctx, time.Hour, jane)
		require.NoError(t, err)
		x := <-ended
		require.Equal(t, failover.Aborted, x.State)
		require.Equal(t, failover.CodePaused, x.Code)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
	})
	bubble(t, "one that has taken the epoch goes on", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		_, err := r.controller(west).Pause(r.ctx, time.Hour, jane)
		require.NoError(t, err)
		r.breaks(nil)
		require.Equal(t, failover.Settled, (<-ended).State)
		require.NotNil(t, r.last().Execution.Pause)
	})
}

// TestASwitchoverNamesWhoAsked: reason and name are in the journal and in the message.
func TestASwitchoverNamesWhoAsked(t *testing.T) {
	bubble(t, "in every entry", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.breaks(latency)
		for _, v := range topology.Vantages() {
			r.agent(v)
		}
		r.wait(5 * time.Second)
		x, err := r.controller(west).Switchover(r.ctx, failover.Origin{By: "jane", Reason: "kernel update of us-east-1"})
		require.NoError(t, err)
		require.Equal(t, failover.Settled, x.State)
		for _, e := range r.Store.Entries() {
			require.Equal(t, failover.Origin{By: "jane", Reason: "kernel update of us-east-1"}, e.Execution.Origin)
		}
		require.Contains(t, r.Notifiers[west].Messages()[0].Body, "asked for by jane: kernel update of us-east-1")
	})
}
