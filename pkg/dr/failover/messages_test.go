package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// askedUntold returns a rig with a question that the process which asked it could not tell people
// and has died, and another controller, beside which the topic works again.
func askedUntold(t *testing.T) (*rig, *failover.Controller) {
	t.Helper()
	r, c := acting(t, dr.Policy{})
	r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpNotify))
	ctx, cancel := contextFor(r)
	v := verdict()
	v.Lag = nil
	r.wg.Go(func() { _, _ = c.Failover(ctx, v) })
	r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
	cancel()
	r.wait(time.Second)
	r.breaks(nil)
	return r, r.controller(west)
}

// TestMessages: what people must be told is state. They are told until it was accepted,
// by whichever process works next, and once.
func TestMessages(t *testing.T) {
	bubble(t, "a question that could not be told is told later", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpNotify))
		r.unknownLag(c)
		r.wait(3 * time.Minute)
		tries := r.when(drtest.OpNotify, west)
		require.Greater(t, len(tries), 6)
		require.Less(t, len(tries), 20, "with pauses that grow")
		require.Len(t, r.last().Execution.Owed, 1)
		r.breaks(nil)
		r.wait(35 * time.Second)
		require.Len(t, r.Notifiers[west].Messages(), 1)
		require.Empty(t, r.last().Execution.Owed)
		r.wait(5 * time.Minute)
		require.Len(t, r.Notifiers[west].Messages(), 1, "once")
	})
	bubble(t, "another process tells what one that died could not", func(t *testing.T) {
		r, other := askedUntold(t)
		r.wg.Go(func() { _, _, _ = other.Resume(r.ctx) })
		r.until("told", 5*time.Second, func() bool { return len(r.Notifiers[west].Messages()) == 1 })
		third := r.controller(west)
		r.wg.Go(func() { _, _, _ = third.Resume(r.ctx) })
		r.wait(time.Minute)
		require.Len(t, r.Notifiers[west].Messages(), 1, "what the journal says was told is not told again")
	})
	bubble(t, "an announcement does not hold the failover up and is not lost", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpNotify))
		x := <-r.failover(c)
		require.Equal(t, failover.Settled, x.State)
		require.Equal(t, []failover.Notice{{What: failover.NoticeMoved}}, r.last().Execution.Owed)
		r.breaks(nil)
		other := r.controller(west)
		_, open, err := other.Resume(r.ctx)
		require.NoError(t, err)
		require.False(t, open)
		require.Empty(t, r.last().Execution.Owed)
		require.Contains(t, r.Notifiers[west].Messages()[0].Subject, "the writer moved from us-east-1 to us-west-2")
		_, _, err = other.Resume(r.ctx)
		require.NoError(t, err)
		require.Len(t, r.Notifiers[west].Messages(), 1)
		n, err := r.Store.At(west).Settled(r.ctx, time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n, "telling people is no second failover")
	})
	bubble(t, "a question that people have not heard of is withdrawn in silence", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpNotify))
		ended := r.unknownLag(c)
		require.Equal(t, failover.Aborted, r.recover(ended).State)
		r.breaks(nil)
		_, _, err := c.Resume(r.ctx)
		require.NoError(t, err)
		require.Empty(t, r.Notifiers[west].Messages())
	})
	bubble(t, "a question says everything that an answer needs", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) { cfg.Trigger = "ledger-failover-trigger" })
		v := verdict()
		v.Lag.Value = 5 * time.Second
		r.wg.Go(func() { _, _ = c.Failover(r.ctx, v) })
		r.until("told", 5*time.Second, func() bool { return len(r.Notifiers[west].Messages()) == 1 })
		body := r.Notifiers[west].Messages()[0].Body
		for _, part := range []string{
			"the last replication lag was 5s, the limit is 1s",
			"at stake: the writes of about 5s that had not arrived, as seen 1s before the evidence went dark",
			"if there is no answer: nothing is touched",
			`aws lambda invoke --region us-west-2 --function-name ledger-failover-trigger`,
			`'{"mode":"acknowledge","target_region":"us-west-2","execution":"0000000002-0001","question":"1","by":"YOUR NAME","reason":"WHY"}'`,
			`'{"mode":"abort","target_region":"us-west-2","execution":"0000000002-0001","by":"YOUR NAME","reason":"WHY"}'`,
		} {
			require.Contains(t, body, part)
		}
	})
}

// TestRefusedForGood: a refusal that does not pass is told at once, and what takes its time
// is looked at with pauses that grow.
func TestRefusedForGood(t *testing.T) {
	bubble(t, "people are asked within seconds", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: fmt.Errorf("DBClusterNotFoundFault: %w", failover.ErrRefused)}, drtest.OpFailover))
		begun := time.Now()
		r.failover(c)
		r.until("told", time.Minute, func() bool { return len(r.Notifiers[west].Messages()) == 1 })
		require.Less(t, time.Since(begun), 3*time.Second)
		x := r.last().Execution
		require.Equal(t, failover.CodePromotionRefused, x.Code)
		require.Equal(t, failover.LossAccepted, x.Asked)
		require.Contains(t, x.Detail, "DBClusterNotFoundFault")
		require.Contains(t, r.Notifiers[west].Messages()[0].Body, `{"mode":"return"`)
		asked := len(r.when(drtest.OpFailover, west))
		require.Equal(t, 3, asked)
		r.wait(10 * time.Minute)
		require.Len(t, r.Notifiers[west].Messages(), 1, "one question")
		require.Less(t, len(r.when(drtest.OpFailover, west)), asked+25, "it is tried again, and rarely")
		r.breaks(nil)
		r.answer("it is there again")
		r.until("settled", time.Minute, r.in(failover.Settled))
	})
	bubble(t, "one refusal between two looks is none", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		n := 0
		r.breaks(func(call drtest.Call) drtest.Fault {
			if call.Op != drtest.OpFailover {
				return drtest.Fault{}
			}
			if n++; n <= 2 {
				return drtest.Fault{Err: failover.ErrRefused}
			}
			return drtest.Fault{}
		})
		require.Equal(t, failover.Settled, (<-r.failover(c)).State)
		require.Len(t, r.Notifiers[west].Messages(), 1)
	})
	bubble(t, "throttling is retried, and rarely in the end", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errThrottled}, drtest.OpFailover))
		r.failover(c)
		r.wait(80 * time.Second)
		require.Equal(t, failover.LossAccepted, r.last().Execution.State)
		last := r.when(drtest.OpDescribe, west)
		require.InDelta(t, 4, last[len(last)-1].Sub(last[len(last)-2]).Seconds(), 1)
		r.wait(9 * time.Minute)
		require.Equal(t, failover.CodePromotionStuck, r.last().Execution.Code, "people hear of it after a minute and a half")
		last = r.when(drtest.OpDescribe, west)
		require.Less(t, len(last), 200)
		require.InDelta(t, 5, last[len(last)-1].Sub(last[len(last)-2]).Seconds(), 0.5, "clients wait: it is asked for on")
		require.Len(t, r.Notifiers[west].Messages(), 1)
		r.breaks(nil)
		r.until("settled", time.Minute, r.in(failover.Settled))
	})
}

// TestFlapping: a Region that renews its lease now and then is asked about once.
func TestFlapping(t *testing.T) {
	bubble(t, "one question", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.unknownLag(c)
		for range 20 {
			r.renew()
			r.wait(400 * time.Millisecond)
			r.renew()
			r.wait(8 * time.Second)
		}
		x := r.last().Execution
		require.Equal(t, failover.AwaitingApproval, x.State)
		require.Equal(t, "1", x.Question.ID)
		require.Equal(t, "0000000002-0001", x.ID)
		require.Len(t, r.Notifiers[west].Messages(), 1)
		l, _ := r.Store.Lease()
		require.Equal(t, l.Rev, x.Evidence.LeaseRev, "it is about the silence of now")
		r.answer("go")
		r.until("settled", time.Minute, r.in(failover.Settled))
	})
	bubble(t, "a lag that is no longer known is another question, once", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		v := verdict()
		v.Lag.Value = 5 * time.Second
		r.wg.Go(func() { _, _ = c.Failover(r.ctx, v) })
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		for range 20 {
			r.renew()
			r.wait(8 * time.Second)
		}
		require.Equal(t, "2", r.last().Execution.Question.ID)
		require.Equal(t, failover.CodeLagUnknown, r.last().Execution.Code)
		var subjects []string
		for _, m := range r.Notifiers[west].Messages() {
			subjects = append(subjects, m.Subject)
		}
		require.Len(t, subjects, 2, strings.Join(subjects, "\n"))
	})
	bubble(t, "an answer while it serves moves nothing", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		r.renew()
		r.wait(400 * time.Millisecond)
		r.answer("go")
		require.Equal(t, failover.Aborted, (<-ended).State)
		require.Zero(t, r.Cluster.Moves())
	})
}
