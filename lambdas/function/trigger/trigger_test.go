package trigger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// lambdaLimit is the functions' timeout in module failover.
const lambdaLimit = 15 * time.Minute

// lagging is a world whose lag is above what policy accepts unasked.
var lagging = drtest.WorldConfig{Ship: func() time.Duration { return 1200 * time.Millisecond }}

func TestALostRegionIsLeft(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		r.wait(2 * time.Second) // the monitor asks as soon as two families are silent
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.EqualValues(t, 2, a.Epoch)
		require.NotEmpty(t, a.Execution)
		require.Contains(t, a.Evidence, "failover from us-east-1 to us-west-2, epoch 2")
		require.Less(t, time.Duration(a.Took), 25*time.Second, "detection, fence and a promotion of 3 s")
		require.Equal(t, 1, r.Cluster.Moves())
		require.Eventually(t, r.Pair.DB(west).Accepts, 5*time.Second, 100*time.Millisecond)
		require.False(t, r.Pair.DB(east).Accepts())

		again, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, again.State)
		require.Zero(t, again.Took, "an event that waited in Lambda's queue costs nothing")
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

func TestAHealthyRegionIsLeftAlone(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err, "that nothing was to be done is no failure")
		require.Equal(t, failover.Steady, a.State)
		require.Equal(t, "nothing to do: us-east-1 is Healthy", a.Detail)
		require.Contains(t, a.Evidence, "fail over from us-east-1 now: no")
		require.WithinRange(t, time.Time{}.Add(time.Duration(a.Took)), time.Time{}.Add(trigger.Window(r.policy)), time.Time{}.Add(trigger.Window(r.policy)+time.Second))
		require.Zero(t, r.executions())

		_, err = r.invoke(east, lambdaLimit, wish(event.Failover, west))
		require.ErrorContains(t, err, "to move it to us-west-2 call function lifeboat-test-failover-trigger in us-west-2")
		_, err = r.invoke(west, lambdaLimit, wish(event.Switchover, "eu-west-1"))
		require.ErrorContains(t, err, "eu-west-1 holds no member")
		_, err = r.invoke(west, lambdaLimit, `{"mode":"failover","target_region":"us-west-2","force":true}`)
		require.ErrorContains(t, err, `"force" is unknown`)
		require.Zero(t, r.executions())
	})
}

func TestABrokenLinkIsNoLostRegion(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.Cut(east, west, true)
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, a.State)
		require.Contains(t, a.Detail, "Degraded")
		require.Contains(t, a.Evidence, "missing")
		require.Greater(t, time.Duration(a.Took), trigger.Window(r.policy), "what is dark is given more time")
		require.Zero(t, r.executions())
	})
}

func TestAPersonSwitchesOverAndBack(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		a, err := r.invoke(west, lambdaLimit, wish(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.Equal(t, failover.ModeSwitchover, a.Mode)
		require.EqualValues(t, 2, a.Epoch)

		a, err = r.invoke(west, lambdaLimit, wish(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, a.State, "asked twice it moves once")
		require.Equal(t, 1, r.Cluster.Moves())

		r.wait(5 * time.Second)
		a, err = r.invoke(east, lambdaLimit, wish(event.Switchover, east))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.EqualValues(t, 3, a.Epoch)
		require.Equal(t, 2, r.Cluster.Moves())
	})
}

func TestAQuestionIsAnsweredByAPersonOnly(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err, "that a person must decide is no failure")
		require.Equal(t, failover.AwaitingApproval, a.State, a.Evidence)
		require.Equal(t, failover.CodeLagAboveLimit, a.Code)
		require.EqualValues(t, 2, a.Epoch)
		require.Len(t, r.Notifiers[west].Messages(), 1, "people are told before the function ends")

		r.wait(time.Minute)
		again, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, again.State)
		require.Equal(t, a.Execution, again.Execution)
		require.Zero(t, again.Took)
		require.Len(t, r.Notifiers[west].Messages(), 1, "and are not told again whenever the monitor asks")

		_, err = r.invoke(west, lambdaLimit, consent(west, 3, "r"))
		require.ErrorContains(t, err, "epoch 3 was acknowledged")
		_, err = r.invoke(west, lambdaLimit, consent(west, 1, "r"))
		require.ErrorContains(t, err, "epoch 1 was acknowledged")
		_, err = r.invoke(east, lambdaLimit, consent(west, 2, "r"))
		require.ErrorContains(t, err, "call function")
		require.Zero(t, r.Cluster.Moves(), "nothing is promoted by a wrong answer")

		settled, err := r.invoke(west, lambdaLimit, consent(west, 2, "east is under water"))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, settled.State, settled.Evidence)
		require.Equal(t, a.Execution, settled.Execution)
		require.Contains(t, settled.Evidence, "acknowledged by jane: east is under water")

		same, err := r.invoke(west, lambdaLimit, consent(west, 2, "east is under water"))
		require.NoError(t, err, "Lambda repeats an event whose answer was lost")
		require.Equal(t, failover.Settled, same.State)
		_, err = r.invoke(west, lambdaLimit, consent(west, 2, "another one"))
		require.ErrorContains(t, err, "asks nothing, it is Settled")
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

func TestAQuestionThatIsMootHoldsNothingUp(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, a.State)
		r.CutRegion(east, false)
		r.wait(20 * time.Second) // it renews its lease

		b, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, b.State, b.Detail)
		require.Zero(t, r.Cluster.Moves())
		_, err = r.invoke(west, lambdaLimit, consent(west, 2, "too late"))
		require.ErrorContains(t, err, "Aborted")
		require.Zero(t, r.Cluster.Moves())
	})
}

func TestTimeThatIsUpIsAnErrorAndTheNextOneGoesOn(t *testing.T) {
	slow := drtest.WorldConfig{Promotion: func() time.Duration { return time.Minute }}
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		_, err := r.invoke(west, 30*time.Second, wish(event.Failover, west))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "time is up while execution")
		require.ErrorContains(t, err, "is LossAccepted")
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.Equal(t, 1, r.Cluster.Moves())
		require.Equal(t, 1, r.executions())
	})
}

func TestTwoAtOnceContinueOneExecution(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		var wg sync.WaitGroup
		answers, errs := make([]event.Response, 2), make([]error, 2)
		for i := range answers {
			wg.Go(func() { answers[i], errs[i] = r.invoke(west, lambdaLimit, wish(event.Failover, west)) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		require.Equal(t, failover.Settled, answers[0].State, answers[0].Evidence)
		require.Contains(t, []failover.State{failover.Settled, failover.Steady}, answers[1].State)
		require.Equal(t, 1, r.Cluster.Moves())
		require.Equal(t, 1, r.executions())
	})
}

func TestASilentStoreIsAnError(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.Cut(west, east, true)
		r.Cut(west, witness, true) // the west is the one that is cut off
		for _, mode := range []event.Mode{event.Failover, event.Switchover} {
			_, err := r.invoke(west, lambdaLimit, wish(mode, west))
			require.ErrorContains(t, err, "read the lease and the journal")
		}
		_, err := r.invoke(west, lambdaLimit, consent(west, 2, "r"))
		require.Error(t, err)
		require.Zero(t, r.executions())
	})
}

func TestAnErrorThatIsFatalEndsTheInvocation(t *testing.T) {
	expired := errors.New("expired")
	for _, mode := range []event.Mode{event.Failover, event.Switchover} {
		t.Run(string(mode), func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
				cfg := r.config(west)
				cfg.Fatal = func(err error) bool { return errors.Is(err, expired) }
				begun := time.Now()
				r.Net.SetHook(func(c drtest.Call) drtest.Fault {
					if c.From == west && time.Since(begun) > 50*time.Millisecond && (c.Op == drtest.OpReadLease || c.Op == drtest.OpTakeLease || c.Op == drtest.OpHeartbeats) {
						return drtest.Fault{Err: expired}
					}
					return drtest.Fault{Delay: 20 * time.Millisecond}
				})
				_, err := r.call(cfg, lambdaLimit, wish(mode, west))
				require.ErrorIs(t, err, expired)
				require.Less(t, time.Since(begun), 3*time.Second)
				require.Zero(t, r.Cluster.Moves())
			})
		})
	}
}

func TestAProcessThatMustEndLeavesTheRestToTheNext(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		h, err := trigger.New(r.config(west))
		require.NoError(t, err)
		ctx, sigterm := context.WithCancel(r.ctx)
		time.AfterFunc(9*time.Second, sigterm)
		began := time.Now()
		_, err = h.Invoke(ctx, []byte(wish(event.Failover, west)))
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(began), 9500*time.Millisecond, "Lambda waits for 500 ms, then kills")
		a, err := r.invoke(west, lambdaLimit, wish(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State)
		require.Equal(t, 1, r.executions())
	})
}

func TestConfigurationsReportEverythingAtOnce(t *testing.T) {
	_, err := trigger.New(trigger.Config{Spare: -1, Agent: failover.AgentConfig{Policy: dr.Policy{Confirm: 1}, Probers: []health.Prober{nil}}})
	for _, want := range []string{"silent", "Name is empty", "Spare -1ns", "Confirm 1", "GlobalCluster is empty"} {
		require.ErrorContains(t, err, want)
	}
}
