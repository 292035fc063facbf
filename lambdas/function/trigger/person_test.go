package trigger_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// byJane is a person's request to fail over.
const byJane = `{"mode":"failover","target_region":"us-west-2","by":"jane","reason":"east is under water"}`

var jane = failover.Origin{By: "jane", Reason: "east is under water"}

// A failover of a person's is carried out in a pause and under a policy that only observes,
// and says who has asked and why; one of the automation's is refused at once.
func TestAPersonsFailover(t *testing.T) {
	carriedOut := func(t *testing.T, r *rig, code event.Refusal) {
		r.CutRegion(east, true)
		r.wait(20 * time.Second)
		r.refused(west, request(event.Failover, west), code)
		r.refused(west, alarm, code)
		a, err := r.invoke(west, lambdaLimit, byJane)
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Detail)
		require.Contains(t, a.Evidence, "asked for by jane: east is under water")
		require.Equal(t, jane, r.last().Origin)
		require.Equal(t, 1, r.Cluster.Moves())
		all := r.Notifiers[west].Messages()
		require.Contains(t, all[len(all)-1].Body, "asked for by jane: east is under water")
	}
	t.Run("although the policy observes only", func(t *testing.T) {
		bubble(t, drtest.WorldConfig{}, dr.Policy{Automatic: dr.AutomaticNever}, func(t *testing.T, r *rig) {
			carriedOut(t, r, event.ObserveOnly)
		})
	})
	t.Run("in a pause", func(t *testing.T) {
		bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
			_, err := r.invoke(west, lambdaLimit, pause)
			require.NoError(t, err)
			carriedOut(t, r, event.Paused)
			require.NotNil(t, r.status(west).Status.Pause, "and it is still in force")
		})
	})
	t.Run("which asks what must be asked", func(t *testing.T) {
		bubble(t, lagging, dr.Policy{Automatic: dr.AutomaticNever}, func(t *testing.T, r *rig) {
			r.CutRegion(east, true)
			a, err := r.invoke(west, lambdaLimit, byJane)
			require.NoError(t, err)
			require.Equal(t, failover.AwaitingApproval, a.State, a.Detail)
			require.Equal(t, failover.CodeLagAboveLimit, a.Code)
			require.Contains(t, r.Notifiers[west].Messages()[0].Body, "asked for by jane")
			require.Zero(t, r.Cluster.Moves())
		})
	})
	t.Run("of a healthy Region", func(t *testing.T) {
		bubble(t, drtest.WorldConfig{}, dr.Policy{Automatic: dr.AutomaticNever}, func(t *testing.T, r *rig) {
			a, err := r.invoke(west, lambdaLimit, byJane)
			require.NoError(t, err)
			require.Equal(t, failover.Steady, a.State)
			require.Equal(t, "nothing to do: us-east-1 is Healthy", a.Detail)
			require.Zero(t, r.executions())
		})
	})
}

// What a monitor asks beside a person does not hide who has asked.
func TestAMonitorsAskHidesNoPerson(t *testing.T) {
	t.Run("which has come first", func(t *testing.T) {
		bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
			wait := driving(t, r)
			for range 3 { // the response to the first ones was lost
				a, err := r.invoke(west, lambdaLimit, byJane)
				require.NoError(t, err)
				require.True(t, a.Driven)
				require.Contains(t, a.Evidence, "asked for by jane: east is under water")
			}
			a, err := wait()
			require.NoError(t, err)
			require.Equal(t, failover.Settled, a.State)
			require.Equal(t, jane, r.last().Origin)
			endorsed := 0
			for _, e := range r.Store.Entries() {
				if e.Event == failover.EvEndorsed {
					endorsed++
				}
			}
			require.Equal(t, 1, endorsed)
			require.Equal(t, 1, r.Cluster.Moves())
		})
	})
	for name, apart := range map[string]time.Duration{"together": 0, "a moment later": 300 * time.Millisecond, "while it looks": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
				r.CutRegion(east, true)
				var wg sync.WaitGroup
				var a, b event.Response
				var errA, errB error
				wg.Go(func() { a, errA = r.invoke(west, lambdaLimit, request(event.Failover, west)) })
				r.wait(apart)
				wg.Go(func() { b, errB = r.invoke(west, lambdaLimit, byJane) })
				wg.Wait()
				require.NoError(t, errA)
				require.NoError(t, errB)
				require.True(t, a.State == failover.Settled || b.State == failover.Settled, "%+v %+v", a, b)
				require.Equal(t, jane, r.last().Origin)
				require.Equal(t, 1, r.Cluster.Moves())
				require.Equal(t, 1, r.executions())
			})
		})
	}
}

// A writer that other hands have moved is adopted although nothing begins by itself: no
// other writer is left.
func TestAMovedWriterIsAdoptedWhileTheAutomationRests(t *testing.T) {
	for name, c := range map[string]struct {
		policy dr.Policy
		paused bool
	}{"in a pause": {dr.Policy{}, true}, "under a policy that observes only": {dr.Policy{Automatic: dr.AutomaticNever}, false}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, c.policy, func(t *testing.T, r *rig) {
				if c.paused {
					_, err := r.invoke(west, lambdaLimit, pause)
					require.NoError(t, err)
				}
				require.NoError(t, r.Pair.Move(west, time.Second, true))
				r.wait(6 * time.Second)
				a, err := r.invoke(west, lambdaLimit, request(event.Failover, west)) // as its monitor asks
				require.NoError(t, err)
				require.Equal(t, failover.Settled, a.State, a.Detail)
				require.Equal(t, failover.ModeAdopt, a.Mode)
				require.Eventually(t, r.Pair.DB(west).Accepts, 5*time.Second, 100*time.Millisecond)
				require.False(t, r.Pair.DB(east).Accepts())
			})
		})
	}
}
