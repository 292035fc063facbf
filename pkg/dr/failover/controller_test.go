package failover_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

func contextFor(r *rig) (context.Context, context.CancelFunc) { return context.WithCancel(r.ctx) }

// silence keeps the east's lease silent for long enough to take it.
func (r *rig) silence() { r.wait(10 * time.Second) }

// verdict is what a monitor would have concluded just now.
func verdict() health.Verdict {
	v := lost()
	v.At = time.Now()
	return v
}

// renew raises the east's lease, as a guard that lives would.
func (r *rig) renew() {
	l, ok := r.Store.Lease()
	require.True(r.t, ok)
	_, err := r.Store.At(east).RenewLease(context.Background(), l)
	require.NoError(r.t, err)
}

// A process that ends calls its questions off, and nothing is wrong with who was asked.
func TestWhatIsCalledOffIsNoProblem(t *testing.T) {
	for _, op := range []drtest.Op{drtest.OpLatest, drtest.OpSettled} {
		bubble(t, string(op), func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			r.breaks(calls(west, drtest.Fault{Hang: true}, op))
			ctx, cancel := contextFor(r)
			time.AfterFunc(time.Second, cancel)
			_, err := c.Failover(ctx, verdict())
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, r.trouble)
			ctx, cancel = contextFor(r)
			time.AfterFunc(2*time.Second, cancel)
			_, err = c.Failover(ctx, verdict())
			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, r.trouble, 1, "but silence is one")
		})
	}
}

func TestFailoverNeedsAVerdictOfImpaired(t *testing.T) {
	bubble(t, "and nothing less", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		for _, s := range []health.State{health.StateUnknown, health.Healthy, health.Degraded} {
			v := verdict()
			v.State = s
			_, err := c.Failover(r.ctx, v)
			require.ErrorContains(t, err, "not Impaired")
		}
		require.Empty(t, r.Store.Entries())
	})
	bubble(t, "on the holder of the lease", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.take(west)
		c := r.controller(west)
		r.silence()
		_, err := c.Failover(r.ctx, verdict())
		require.ErrorContains(t, err, "does not hold the lease")
		require.Empty(t, r.Store.Entries())
	})
	bubble(t, "and a lease to take", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		c, err := failover.NewController(r.World.Controller(west, r.policy, &failover.Watch{}, nil))
		require.NoError(t, err)
		_, err = c.Failover(r.ctx, verdict())
		require.ErrorIs(t, err, failover.ErrNoLease)
	})
}

func TestARegionThatRenewedSinceTheVerdictLives(t *testing.T) {
	bubble(t, "between the verdict and the begin", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		v := verdict()
		r.renew()
		r.wait(500 * time.Millisecond)
		_, err := c.Failover(r.ctx, v)
		require.ErrorContains(t, err, "renewed")
		require.Empty(t, r.Store.Entries())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
	})
	bubble(t, "between the begin and the take", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(func(call drtest.Call) drtest.Fault {
			if call.Op == drtest.OpAppend {
				return drtest.Fault{Delay: time.Second}
			}
			return drtest.Fault{}
		})
		r.wg.Go(func() { r.wait(500 * time.Millisecond); r.renew() })
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.Aborted, x.State)
		require.Equal(t, failover.CodeRecovered, x.Code)
		require.Zero(t, r.Cluster.Moves())
	})
	bubble(t, "between the look and the take", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		taking := make(chan struct{}, 8)
		r.breaks(func(call drtest.Call) drtest.Fault {
			if call.Op != drtest.OpTakeLease {
				return drtest.Fault{}
			}
			taking <- struct{}{}
			return drtest.Fault{Delay: time.Second}
		})
		r.wg.Go(func() { <-taking; r.renew() })
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.CodeRecovered, x.Code)
	})
}

func TestOperator(t *testing.T) {
	// asked returns a rig in which the west's execution has put a question, because no
	// lag was seen.
	asked := func(t *testing.T) (*rig, <-chan failover.Execution) {
		r, c := acting(t, dr.Policy{})
		ended := make(chan failover.Execution, 1)
		r.wg.Go(func() {
			v := verdict()
			v.Lag = nil
			x, _ := c.Failover(r.ctx, v)
			ended <- x
		})
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		return r, ended
	}
	bubble(t, "is told what is asked, and nothing is touched", func(t *testing.T) {
		r, _ := asked(t)
		r.wait(time.Minute)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		require.Zero(t, r.Cluster.Moves())
		m := r.Notifiers[west].Messages()
		require.Len(t, m, 1, "once")
		require.Contains(t, m[0].Subject, string(failover.CodeLagUnknown))
		require.Contains(t, m[0].Body, `{"mode":"acknowledge","target_region":"us-west-2","execution":"0000000002-0001","question":"1","by":"YOUR NAME","reason":"WHY"}`)
	})
	bubble(t, "consents to one question of one execution", func(t *testing.T) {
		r, ended := asked(t)
		for _, other := range []failover.Acknowledgement{{Execution: "0000000001-0001", Question: "1"}, {Execution: r.last().Execution.ID, Question: "2"}} {
			other.By, other.Reason = "ops", "another"
			require.NoError(t, r.Store.At(witness).Acknowledge(r.ctx, other))
		}
		r.wait(10 * time.Second)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
		r.answer("go")
		x := <-ended
		require.Equal(t, failover.Settled, x.State)
		require.Equal(t, "go", x.Ack.Reason)
		require.Contains(t, r.Notifiers[west].Messages()[1].Body, "question 1 acknowledged by ops: go")
	})
	bubble(t, "is not needed when the Region recovers", func(t *testing.T) {
		r, ended := asked(t)
		var x failover.Execution
		for x.ID == "" {
			r.renew()
			select {
			case x = <-ended:
			case <-time.After(500 * time.Millisecond):
			}
		}
		require.Equal(t, failover.Aborted, x.State)
		require.Equal(t, failover.CodeRecovered, x.Code)
		require.True(t, r.Pair.DB(east).Accepts())
	})
	bubble(t, "is not needed when another process has moved the writer", func(t *testing.T) {
		r, ended := asked(t)
		r.take(west)
		x := <-ended
		require.Equal(t, failover.Aborted, x.State)
		require.Equal(t, failover.CodeSuperseded, x.Code)
	})
	bubble(t, "is asked when the old Region could not fence", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		c := r.controller(west)
		r.wait(5 * time.Second)
		require.NoError(t, r.Store.At(east).Publish(r.ctx, failover.Report{Region: east, Seq: 1, FenceFailed: 1}))
		ended := r.failover(c)
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodeFenceFailed, r.last().Execution.Code)
		r.wait(time.Minute)
		require.Zero(t, r.Cluster.Moves())
		r.renewIsRefused()
		r.answer("stopped by hand")
		x := <-ended
		require.Equal(t, failover.Settled, x.State)
		require.Equal(t, failover.ProofOperator, x.Proof)
	})
	bubble(t, "is asked again when a promotion does not come about", func(t *testing.T) {
		r, c := acting(t, dr.Policy{EffectTimeout: 20 * time.Second})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodePromotionStuck, r.last().Execution.Code)
		r.answer("try again")
		r.wait(5 * time.Second)
		require.Equal(t, failover.LossAccepted, r.last().Execution.State)
		r.until("the second question", time.Minute, r.in(failover.AwaitingApproval))
		r.wait(10 * time.Second)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State, "the same consent does not count twice")
		r.breaks(nil)
		r.answer("and again")
		require.Equal(t, failover.Settled, (<-ended).State)
	})
}

// TestStuck: an effect that never succeeds puts a question after EffectTimeout, and
// goes on where it stood when a person says so.
func TestStuck(t *testing.T) {
	for code, broken := range map[failover.Code]struct {
		op    drtest.Op
		state failover.State
	}{
		failover.CodeLeaseStoreStuck: {drtest.OpTakeLease, failover.Confirmed}, failover.CodePromotionStuck: {drtest.OpDescribe, failover.LossAccepted},
		failover.CodeVerifyStuck: {drtest.OpBeat, failover.Promoted}, failover.CodeRedirectStuck: {drtest.OpRedirect, failover.Verified},
	} {
		bubble(t, string(code), func(t *testing.T) {
			r, c := acting(t, dr.Policy{EffectTimeout: 20 * time.Second})
			r.breaks(calls(west, drtest.Fault{Err: errRefused}, broken.op))
			begun := time.Now()
			ended := r.failover(c)
			r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
			require.GreaterOrEqual(t, time.Since(begun), 20*time.Second)
			require.Equal(t, code, r.last().Execution.Code)
			require.Equal(t, broken.state, r.last().Execution.Asked)
			require.Contains(t, r.last().Execution.Detail, "refused", "the cause is told")
			r.breaks(nil)
			r.answer("it is mended")
			require.Equal(t, failover.Settled, (<-ended).State)
		})
	}
}

func TestQuestionsOfTheController(t *testing.T) {
	bubble(t, "the third failover of an hour", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		for i, at := range []time.Duration{-50 * time.Minute, -time.Minute, -2 * time.Hour} {
			e := failover.Entry{Event: failover.EvAnnounced, At: time.Now().Add(at)}
			e.Execution = whole(failover.Settled)
			e.Execution.ID = fmt.Sprintf("0000000001-%04d", i+1)
			require.NoError(t, r.Store.At(west).Append(r.ctx, e))
		}
		c := r.controller(west)
		r.silence()
		r.failover(c)
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodeFailoverBudget, r.last().Execution.Code)
		require.Equal(t, 2, r.last().Execution.Evidence.Recent)
	})
	bubble(t, "no witness", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.Topology.Witness = ""
		c := r.controller(west)
		r.silence()
		r.failover(c)
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodeNoWitness, r.last().Execution.Code)
	})
}

// renewIsRefused checks that the epoch is taken: the old holder can't renew.
func (r *rig) renewIsRefused() {
	r.t.Helper()
	_, err := r.Store.At(east).RenewLease(r.ctx, failover.Lease{Epoch: 1, Holder: east})
	require.ErrorIs(r.t, err, failover.ErrLeaseMoved)
}

// TestSuperseded: a person takes the lease past the protocol. From then on nothing
// that the execution does counts, and it ends.
func TestSuperseded(t *testing.T) {
	for state, hold := range map[failover.State]drtest.Op{
		failover.Confirmed: drtest.OpReadLease, failover.EpochTaken: drtest.OpReports, failover.LossAccepted: drtest.OpDescribe,
		failover.Promoted: drtest.OpBeat, failover.Verified: drtest.OpReach,
	} {
		bubble(t, string(state), func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			inState := false
			r.breaks(func(call drtest.Call) drtest.Fault {
				return drtest.Fault{Hang: inState && call.From == west && call.Op == hold}
			})
			r.mu.Lock()
			inState = state != failover.EpochTaken
			r.mu.Unlock()
			ended := make(chan failover.Execution, 1)
			if state == failover.EpochTaken {
				r.renew() // so that the proof takes its time
				r.wait(2 * time.Second)
			}
			r.wg.Go(func() { x, _ := c.Failover(r.ctx, verdict()); ended <- x })
			r.until(string(state), time.Minute, r.in(state))
			moves := r.Cluster.Moves()
			r.take(east)
			r.breaks(nil)
			x := <-ended
			require.Equal(t, failover.Aborted, x.State, "%s", x.Report())
			require.Equal(t, failover.CodeSuperseded, x.Code)
			require.Equal(t, moves, r.Cluster.Moves(), "nothing is promoted any more")
			if state != failover.Verified {
				require.Empty(t, r.when(drtest.OpRedirect, west), "clients are not redirected any more")
			}
		})
	}
}

func TestProofOfTheFence(t *testing.T) {
	bubble(t, "takes TTL and drift since the last renewal", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		c := r.controller(west)
		r.wait(5 * time.Second)
		r.renew()
		renewed := time.Now()
		r.wait(2 * time.Second)
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.ProofExpired, x.Proof)
		asked := r.when(drtest.OpFailover, west)
		require.Len(t, asked, 1)
		require.GreaterOrEqual(t, asked[0].Sub(renewed), ttl+250*time.Millisecond)
		require.Less(t, asked[0].Sub(renewed), ttl+250*time.Millisecond+time.Second)
	})
	bubble(t, "does not wait when the old Region has acknowledged", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		c := r.controller(west)
		r.wait(5 * time.Second)
		r.renew()
		l, _ := r.Store.Lease()
		r.wait(2 * time.Second)
		begun := time.Now()
		require.NoError(t, r.Store.At(east).Publish(r.ctx, failover.Report{Region: east, Seq: 1, FencedEpoch: 1, FencedRev: l.Rev}))
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.ProofAcknowledged, x.Proof)
		require.Less(t, r.when(drtest.OpFailover, west)[0].Sub(begun), time.Second)
	})
	bubble(t, "an acknowledgement from before the last renewal is void", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		c := r.controller(west)
		r.wait(5 * time.Second)
		l, _ := r.Store.Lease()
		require.NoError(t, r.Store.At(east).Publish(r.ctx, failover.Report{Region: east, Seq: 1, FencedEpoch: 1, FencedRev: l.Rev}))
		r.renew() // it was opened again
		r.wait(2 * time.Second)
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.ProofExpired, x.Proof)
	})
}

func TestSwitchover(t *testing.T) {
	bubble(t, "and back loses nothing", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.breaks(latency)
		for _, v := range topology.Vantages() {
			r.agent(v)
		}
		r.wait(5 * time.Second)
		id, acked := int64(0), map[int64]bool{}
		r.wg.Go(func() {
			for r.ctx.Err() == nil {
				for _, m := range topology.Members {
					if id++; r.Pair.DB(m).Accepts() && r.Pair.DB(m).Write(context.Background(), id) == nil {
						acked[id] = true
					}
				}
				r.wait(20 * time.Millisecond)
			}
		})
		for _, to := range []dr.Region{west, east} {
			x, err := r.controller(to).Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
			require.NoError(t, err)
			require.Equal(t, failover.Settled, x.State, "%s", x.Report())
			r.until("open", 3*time.Second, r.open(to))
			r.wait(5 * time.Second)
		}
		require.Empty(t, r.when(drtest.OpFailover, west), "a switchover never accepts a loss")
		require.Empty(t, r.when(drtest.OpFailover, east))
		require.Zero(t, r.Pair.Lost())
		r.cancel()
		r.wg.Wait()
		rows := map[int64]bool{}
		for _, got := range r.Pair.DB(east).Rows() {
			rows[got] = true
		}
		require.Equal(t, acked, rows)
	})
	bubble(t, "to where the writer is is refused", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		_, err := r.controller(east).Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
		require.ErrorContains(t, err, "does not hold the lease")
	})
}

func TestNewControllerReportsEverythingAtOnce(t *testing.T) {
	_, err := failover.NewController(failover.ControllerConfig{Region: witness, Topology: topology, Policy: dr.Policy{Confirm: 1}})
	for _, part := range []string{
		"Confirm 1", "not a member",
		"Journal, Acknowledger, Promoter, Preflight, Beater, Router, Notifier, Leaser, Watch, Reports are required",
	} {
		require.ErrorContains(t, err, part)
	}
}

// wandering is an endpoint that leads elsewhere for a while, and there takes writes.
type wandering struct {
	elsewhere int
	reached   []dr.Region
}

func (w *wandering) Redirect(context.Context, dr.Region, dr.Epoch) error { return nil }

func (w *wandering) Reach(context.Context, dr.Epoch) (dr.Region, error) {
	at := west
	if len(w.reached) < w.elsewhere {
		at = east
	}
	w.reached = append(w.reached, at)
	return at, nil
}

func TestFault13DoneMeansThatAWriteHasLandedThere(t *testing.T) {
	bubble(t, "and not when one has landed elsewhere", func(t *testing.T) {
		w := &wandering{elsewhere: 3}
		r, c := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) { cfg.Router = w })
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.Settled, x.State)
		require.Equal(t, []dr.Region{east, east, east, west}, w.reached)
	})
}
