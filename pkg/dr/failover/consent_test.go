package failover_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// unknownLag has a controller fail over without a lag, so that it asks.
func (r *rig) unknownLag(c *failover.Controller) <-chan failover.Execution {
	ended := make(chan failover.Execution, 1)
	r.wg.Go(func() {
		v := verdict()
		v.Lag = nil
		x, _ := c.Failover(r.ctx, v)
		ended <- x
	})
	r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
	return ended
}

// recover renews the east's lease until the execution has ended.
func (r *rig) recover(ended <-chan failover.Execution) failover.Execution {
	r.t.Helper()
	for range 200 {
		r.renew()
		select {
		case x := <-ended:
			return x
		case <-time.After(500 * time.Millisecond):
		}
	}
	require.FailNow(r.t, "it did not end")
	return failover.Execution{}
}

func denial(t *testing.T, err error) failover.Denial {
	t.Helper()
	var denied *failover.Denied
	require.ErrorAs(t, err, &denied)
	require.NotEmpty(t, denied.Reason)
	return denied.Code
}

// TestStaleConsent: an answer counts for the question that it names and for no other, also
// when the epoch is used again.
func TestStaleConsent(t *testing.T) {
	bubble(t, "a late answer to an execution that was aborted answers nothing later", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		first := r.last().Execution
		late := failover.Acknowledgement{Execution: first.ID, Question: first.Question.ID, By: "ops", Reason: "go"}
		require.Equal(t, failover.Aborted, r.recover(ended).State)
		_, err := c.Acknowledge(r.ctx, late)
		require.Equal(t, failover.DenyEnded, denial(t, err))
		// A consent that went past the controller lies in the store.
		require.NoError(t, r.Store.At(witness).Acknowledge(r.ctx, late))

		r.silence()
		r.unknownLag(c)
		second := r.last().Execution
		require.Equal(t, first.Epoch, second.Epoch, "the epoch is used again")
		require.NotEqual(t, first.ID, second.ID)
		r.wait(time.Minute)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State, "an older consent answers nothing")
		require.Zero(t, r.Cluster.Moves())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		_, err = c.Acknowledge(r.ctx, late)
		require.Equal(t, failover.DenyOtherExecution, denial(t, err))
	})
	bubble(t, "a consent is used once", func(t *testing.T) {
		r, c := acting(t, dr.Policy{EffectTimeout: 20 * time.Second})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		r.unknownLag(c)
		x := r.last().Execution
		a := failover.Acknowledgement{Execution: x.ID, Question: x.Question.ID, By: "ops", Reason: "go"}
		_, err := c.Acknowledge(r.ctx, a)
		require.NoError(t, err)
		_, err = c.Acknowledge(r.ctx, a)
		require.NoError(t, err, "the same answer again, before it was used, changes nothing")
		other := a
		other.By = "another"
		_, err = c.Acknowledge(r.ctx, other)
		require.Equal(t, failover.DenyAnswered, denial(t, err))
		r.until("used", 5*time.Second, func() bool { return r.last().Execution.Ack != nil })
		_, err = c.Acknowledge(r.ctx, a)
		require.Equal(t, failover.DenyAnswered, denial(t, err))
		r.until("the next question", time.Minute, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodePromotionStuck, r.last().Execution.Code)
		require.Equal(t, "2", r.last().Execution.Question.ID)
		_, err = c.Acknowledge(r.ctx, a)
		require.Equal(t, failover.DenyAnswered, denial(t, err))
		r.wait(time.Minute)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
	})
	bubble(t, "what answers nothing says why", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		c := r.controller(west)
		a := failover.Acknowledgement{Execution: "0000000002-0001", Question: "1", By: "ops", Reason: "go"}
		_, err := c.Acknowledge(r.ctx, a)
		require.Equal(t, failover.DenyNothingBegun, denial(t, err))
		r.silence()
		r.unknownLag(c)
		for question, id := range map[string]string{"1": "0000000001-0001", "2": "0000000002-0002"} {
			_, err = c.Acknowledge(r.ctx, failover.Acknowledgement{Execution: id, Question: question, By: "ops"})
			require.Equal(t, failover.DenyOtherExecution, denial(t, err))
		}
		for _, question := range []string{"", "0", "2", "11", "lag-unknown"} {
			_, err = c.Acknowledge(r.ctx, failover.Acknowledgement{Execution: a.Execution, Question: question, By: "ops"})
			require.Equal(t, failover.DenyOtherQuestion, denial(t, err), "question %q", question)
		}
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
		r.answer("go")
		r.until("settled", time.Minute, r.in(failover.Settled))
		_, err = c.Acknowledge(r.ctx, failover.Acknowledgement{Execution: a.Execution, Question: "2", By: "ops"})
		require.Equal(t, failover.DenyEnded, denial(t, err))
	})
}

// TestMoreAtStake: a question whose stakes grow is another question.
func TestMoreAtStake(t *testing.T) {
	asked := whole(failover.Steady)
	asked.Evidence.Lag = 2 * time.Second
	asked, err := failover.Step(dr.Policy{}, asked, failover.Event{Kind: failover.EvConfirmed})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*failover.Evidence)
		id     string
	}{
		"the same":         {func(*failover.Evidence) {}, "1"},
		"a new revision":   {func(ev *failover.Evidence) { ev.LeaseRev++ }, "1"},
		"less lag":         {func(ev *failover.Evidence) { ev.Lag = 1500 * time.Millisecond }, "1"},
		"none at all":      {func(ev *failover.Evidence) { ev.Lag = 0 }, "1"},
		"more lag":         {func(ev *failover.Evidence) { ev.Lag++ }, "2"},
		"an unknown lag":   {func(ev *failover.Evidence) { ev.LagKnown = false }, "2"},
		"a dead monitor":   {func(ev *failover.Evidence) { ev.MonitorDiedFirst = true }, "2"},
		"too many of them": {func(ev *failover.Evidence) { ev.Recent = 9 }, "2"},
	} {
		ev := asked.Evidence
		c.change(&ev)
		got, err := failover.Step(dr.Policy{}, asked, failover.Event{Kind: failover.EvReassessed, Evidence: &ev})
		require.NoError(t, err, name)
		require.Equal(t, failover.AwaitingApproval, got.State, name)
		require.Equal(t, c.id, got.Question.ID, name)
		require.Equal(t, ev, got.Evidence, name)
		old := failover.Event{Kind: failover.EvAcknowledged, Ack: &failover.Acknowledgement{Execution: asked.ID, Question: "1", By: "ops"}}
		_, err = failover.Step(dr.Policy{}, got, old)
		require.Equal(t, c.id == "1", err == nil, name)
	}
}

// TestAConsentCoversWhatItWasGivenFor holds the gate after the fence: what was agreed to
// is not asked again, what was not is.
func TestAConsentCoversWhatItWasGivenFor(t *testing.T) {
	x := whole(failover.Steady)
	x.Evidence.LagKnown, x.Evidence.Recent = false, 2
	x, err := failover.Step(dr.Policy{}, x, failover.Event{Kind: failover.EvConfirmed})
	require.NoError(t, err)
	require.Equal(t, []failover.Code{failover.CodeLagUnknown, failover.CodeFailoverBudget}, x.Question.Codes, "one question names everything")
	require.Contains(t, x.Detail, "no replication lag")
	require.Contains(t, x.Detail, "the budget is 2")
	for _, k := range []failover.Kind{failover.EvAcknowledged, failover.EvEpochTaken} {
		x, err = failover.Step(dr.Policy{}, x, event(k))
		require.NoError(t, err)
	}
	// The fence is asked about, too, and its answer takes nothing back.
	x, err = failover.Step(dr.Policy{}, x, failover.Event{Kind: failover.EvStuck, Code: failover.CodeFenceFailed})
	require.NoError(t, err)
	x, err = failover.Step(dr.Policy{}, x, failover.Event{Kind: failover.EvAcknowledged, Ack: &failover.Acknowledgement{Execution: x.ID, Question: "2", By: "ops"}})
	require.NoError(t, err)
	on, err := failover.Step(dr.Policy{}, x, event(failover.EvGatePassed))
	require.NoError(t, err)
	require.Equal(t, failover.LossAccepted, on.State)
	x.Evidence.MonitorDiedFirst = true
	asks, err := failover.Step(dr.Policy{}, x, event(failover.EvGatePassed))
	require.NoError(t, err)
	require.Equal(t, []failover.Code{failover.CodeNoFenceProof}, asks.Question.Codes)
}

// TestANewerVersionsJournal: nothing is done by a part of what a newer version says.
func TestANewerVersionsJournal(t *testing.T) {
	for name, change := range map[string]func(*failover.Entry){
		"a newer version":    func(e *failover.Entry) { e.Version = failover.JournalVersion + 1 },
		"an unknown state":   func(e *failover.Entry) { e.Execution.State = "Levitating" },
		"an unknown mode":    func(e *failover.Entry) { e.Execution.Mode = "teleport" },
		"a state of nothing": func(e *failover.Entry) { e.Execution.State = "" },
	} {
		bubble(t, name, func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			e := failover.Entry{Version: failover.JournalVersion, Execution: whole(failover.LossAccepted), Event: failover.EvGatePassed, At: time.Now()}
			change(&e)
			require.NoError(t, r.Store.At(west).Append(r.ctx, e))
			_, err := c.Failover(r.ctx, verdict())
			require.ErrorIs(t, err, failover.ErrNewerEntry)
			_, _, err = c.Resume(r.ctx)
			require.ErrorIs(t, err, failover.ErrNewerEntry)
			_, err = c.Switchover(r.ctx, failover.Origin{})
			require.ErrorIs(t, err, failover.ErrNewerEntry)
			_, err = c.Abort(r.ctx, e.Execution.ID, failover.Origin{})
			require.ErrorIs(t, err, failover.ErrNewerEntry)
			require.Len(t, r.Store.Entries(), 1, "nothing is lost")
			require.Zero(t, r.Cluster.Moves())
			l, _ := r.Store.Lease()
			require.Equal(t, dr.Epoch(1), l.Epoch)
			require.False(t, errors.Is(err, failover.ErrNoEntry))
		})
	}
}
