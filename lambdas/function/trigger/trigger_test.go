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
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.EqualValues(t, 2, a.Epoch)
		require.NotEmpty(t, a.Execution)
		require.Contains(t, a.Evidence, "failover from us-east-1 to us-west-2, epoch 2")
		require.Less(t, time.Duration(a.Took), 25*time.Second, "detection, fence and a promotion of 3 s")
		require.Equal(t, 1, r.Cluster.Moves())
		require.Eventually(t, r.Pair.DB(west).Accepts, 5*time.Second, 100*time.Millisecond)
		require.False(t, r.Pair.DB(east).Accepts())

		again, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, again.State)
		require.Zero(t, again.Took, "an event that waited in Lambda's queue costs nothing")
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

func TestAHealthyRegionIsLeftAlone(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err, "that nothing was to be done is no failure")
		require.Equal(t, failover.Steady, a.State)
		require.Equal(t, "nothing to do: us-east-1 is Healthy", a.Detail)
		require.Contains(t, a.Evidence, "fail over from us-east-1 now: no")
		require.WithinRange(t, time.Time{}.Add(time.Duration(a.Took)), time.Time{}.Add(trigger.Window(r.policy)), time.Time{}.Add(trigger.Window(r.policy)+time.Second))
		require.Zero(t, r.executions())

	})
}

func TestABrokenLinkIsNoLostRegion(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.Cut(east, west, true)
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
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
		a, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.Equal(t, failover.ModeSwitchover, a.Mode)
		require.EqualValues(t, 2, a.Epoch)

		a, err = r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, a.State, "asked twice it moves once")
		require.Equal(t, 1, r.Cluster.Moves())

		r.wait(5 * time.Second)
		a, err = r.invoke(east, lambdaLimit, request(event.Switchover, east))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.EqualValues(t, 3, a.Epoch)
		require.Equal(t, 2, r.Cluster.Moves())
	})
}

func TestAQuestionIsAnsweredByAPersonOnly(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err, "that a person must decide is no failure")
		require.Equal(t, failover.AwaitingApproval, a.State, a.Evidence)
		require.Equal(t, failover.CodeLagAboveLimit, a.Code)
		require.EqualValues(t, 2, a.Epoch)
		require.Len(t, r.Notifiers[west].Messages(), 1, "people are told before the function ends")

		r.wait(time.Minute)
		again, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, again.State)
		require.Equal(t, a.Execution, again.Execution)
		require.Less(t, time.Duration(again.Took), 5*time.Second, "it looks once whether the question still stands")
		require.Len(t, r.Notifiers[west].Messages(), 1, "and are not told again whenever the monitor asks")

		question := r.question()
		refused := func(code event.Refusal, region dr.Region, payload string) {
			t.Helper()
			a, err := r.invoke(region, lambdaLimit, payload)
			require.NoError(t, err, "a refusal is an answer")
			require.Equal(t, code, a.Refused, a.Detail)
			require.NotEmpty(t, a.Do, "what to do instead")
			require.Zero(t, a.Took)
			require.Zero(t, r.Cluster.Moves(), "nothing is promoted by a wrong answer")
			require.Equal(t, failover.AwaitingApproval, r.last().State)
		}
		other := a
		other.Execution = "0000000001-0001"
		refused(event.OtherExecution, west, consent(other, west, question, "r"))
		refused(event.OtherQuestion, west, consent(a, west, "77", "r"))
		refused(event.WrongRegion, east, consent(a, west, question, "r"))
		refused(event.WrongRegion, west, consent(a, east, question, "r"))
		refused(event.NoMember, west, consent(a, "eu-west-1", question, "r"))

		settled, err := r.invoke(west, lambdaLimit, consent(a, west, question, "east is under water"))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, settled.State, settled.Evidence)
		require.Equal(t, a.Execution, settled.Execution)
		require.Contains(t, settled.Evidence, "acknowledged by jane: east is under water")

		same, err := r.invoke(west, lambdaLimit, consent(a, west, question, "east is under water"))
		require.NoError(t, err, "Lambda repeats an event whose answer was lost")
		require.Equal(t, failover.Settled, same.State)
		require.Empty(t, same.Refused)
		late, err := r.invoke(west, lambdaLimit, consent(a, west, question, "another one"))
		require.NoError(t, err)
		require.Equal(t, event.Ended, late.Refused)
		require.Equal(t, failover.Settled, late.State)
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

func TestAQuestionThatIsMootHoldsNothingUp(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, a.State)
		question := r.question()
		r.CutRegion(east, false)
		r.wait(20 * time.Second) // it renews its lease

		b, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Steady, b.State, b.Detail)
		require.Zero(t, r.Cluster.Moves())
		late, err := r.invoke(west, lambdaLimit, consent(a, west, question, "too late"))
		require.NoError(t, err)
		require.Equal(t, event.Ended, late.Refused)
		require.Equal(t, failover.Aborted, late.State)
		require.Zero(t, r.Cluster.Moves())
	})
}

func TestTimeThatIsUpIsAnErrorAndTheNextOneGoesOn(t *testing.T) {
	slow := drtest.WorldConfig{Promotion: func() time.Duration { return time.Minute }}
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		_, err := r.invoke(west, 30*time.Second, request(event.Failover, west))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "time is up while execution")
		require.ErrorContains(t, err, "is LossAccepted")
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
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
			wg.Go(func() { answers[i], errs[i] = r.invoke(west, lambdaLimit, request(event.Failover, west)) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		if answers[0].Driven {
			answers[0], answers[1] = answers[1], answers[0]
		}
		require.Equal(t, failover.Settled, answers[0].State, answers[0].Evidence)
		require.True(t, answers[1].Driven, "the other one says that this one does it: %+v", answers[1])
		require.Less(t, time.Duration(answers[1].Took), time.Second, "and leaves its place free")
		require.Equal(t, 1, r.Cluster.Moves())
		require.Equal(t, 1, r.executions())
	})
}

func TestASilentStoreIsAnError(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.Cut(west, east, true)
		r.Cut(west, witness, true) // the west is the one that is cut off
		for _, mode := range []event.Mode{event.Failover, event.Switchover} {
			_, err := r.invoke(west, lambdaLimit, request(mode, west))
			require.ErrorContains(t, err, "read the lease and the journal")
		}
		_, err := r.invoke(west, lambdaLimit, consent(event.Response{Execution: "0000000002-0001"}, west, "1", "r"))
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
					if c.From == west && time.Since(begun) > 50*time.Millisecond && (c.Op == drtest.OpReadLease || c.Op == drtest.OpTakeLease || c.Op == drtest.OpReports) {
						return drtest.Fault{Err: expired}
					}
					return drtest.Fault{Delay: 20 * time.Millisecond}
				})
				_, err := r.call(cfg, lambdaLimit, request(mode, west))
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
		_, err = h.Invoke(ctx, []byte(request(event.Failover, west)))
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(began), 9500*time.Millisecond, "Lambda waits for 500 ms, then kills")
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State)
		require.Equal(t, 1, r.executions())
	})
}

func TestConfigurationsReportEverythingAtOnce(t *testing.T) {
	_, err := trigger.New(trigger.Config{Spare: -1, Agent: failover.TriggerConfig{Policy: dr.Policy{Confirm: 1}, Probers: []health.Prober{nil}}})
	for _, want := range []string{"Controller.Journal", "Name is empty", "Spare -1ns", "Confirm 1", "GlobalCluster is empty"} {
		require.ErrorContains(t, err, want)
	}
}

// TestWhatANewerVersionHasWrittenEndsTheInvocation: asking again changes nothing, so the one who
// asks is told at once which version wrote what, and what to do.
func TestWhatANewerVersionHasWrittenEndsTheInvocation(t *testing.T) {
	const deploy = "nothing was done: deploy the newer functions in us-west-2"
	written := func(r *rig, change func(*failover.Entry)) {
		e := failover.Entry{Version: failover.JournalVersion, At: time.Now()}
		e.Execution = failover.Execution{ID: "0000000002-0001", Seq: 1, State: failover.LossAccepted, Mode: failover.ModeFailover, From: east, To: west, Epoch: 2}
		change(&e)
		require.NoError(r.t, r.Store.At(east).Append(r.ctx, e))
	}
	for name, c := range map[string]struct {
		spoil func(r *rig)
		says  string
	}{
		"the lease":        {func(r *rig) { r.Store.SetNewer(true) }, "it is of version 2 and this process understands version 1"},
		"the journal":      {func(r *rig) { written(r, func(e *failover.Entry) { e.Version++ }) }, "version 2, this program knows 1"},
		"an unknown state": {func(r *rig) { written(r, func(e *failover.Entry) { e.Execution.State = "Levitating" }) }, `is in state "Levitating"`},
	} {
		for _, payload := range []string{
			request(event.Failover, west), request(event.Switchover, west),
			consent(event.Response{Execution: "0000000002-0001"}, west, "1", "go on"),
		} {
			bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
				c.spoil(r)
				began := time.Now()
				_, err := r.invoke(west, lambdaLimit, payload)
				require.ErrorContains(t, err, c.says, name)
				require.ErrorContains(t, err, deploy, name)
				require.Less(t, time.Since(began), time.Second, "%s: %s", name, payload)
				require.Zero(t, r.Cluster.Moves())
				l, _ := r.Store.Lease()
				require.EqualValues(t, 1, l.Epoch)
			})
		}
	}
}
