package trigger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// about is a request about an execution.
func about(mode event.Mode, target dr.Region, execution, reason string) string {
	return fmt.Sprintf(`{"mode":%q,"target_region":%q,"execution":%q,"by":"jane","reason":%q}`, mode, target, execution, reason)
}

const (
	pause  = `{"mode":"pause","for":"1h","by":"jane","reason":"an upgrade"}`
	resume = `{"mode":"resume","by":"jane","reason":"the upgrade is done"}`
)

// refused asks, and holds that it is refused within two seconds and changes nothing.
func (r *rig) refused(region dr.Region, payload string, code event.Refusal) {
	r.t.Helper()
	entries, moves := len(r.Store.Entries()), r.Cluster.Moves()
	a, err := r.invoke(region, lambdaLimit, payload)
	require.NoError(r.t, err)
	require.Equal(r.t, code, a.Refused, a.Detail)
	require.NotEmpty(r.t, a.Do)
	require.Less(r.t, time.Duration(a.Took), 2*time.Second)
	require.Len(r.t, r.Store.Entries(), entries)
	require.Equal(r.t, moves, r.Cluster.Moves())
}

func TestRequestsOutOfOrder(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		const ghost = "0000000002-0001"
		r.refused(west, about(event.Abort, west, ghost, "r"), event.NothingBegun)
		r.refused(west, about(event.Return, west, ghost, "r"), event.NothingBegun)
		r.refused(west, resume, event.NotPaused)
		r.refused(west, about(event.Abort, east, ghost, "r"), event.WrongRegion)

		a, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Evidence)
		require.Contains(t, fmt.Sprint(r.last().Origin), "jane", "who asked is in the journal")
		require.Contains(t, fmt.Sprint(r.last().Origin), "a test", "and why")
		r.refused(west, about(event.Abort, west, a.Execution, "r"), event.Ended)
		r.refused(west, about(event.Return, west, a.Execution, "r"), event.Ended)
		r.refused(west, about(event.Abort, west, "0000000009-0001", "r"), event.OtherExecution)
		r.refused(east, about(event.Abort, east, a.Execution, "r"), event.WrongRegion)
	})
}

// An abort ends an execution that has touched nothing; the same one, repeated, is answered
// as the first; after the epoch it is too late.
func TestAbort(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, a.State)
		r.refused(west, about(event.Return, west, a.Execution, "r"), event.TooEarly)
		for range 2 {
			b, err := r.invoke(west, lambdaLimit, about(event.Abort, west, a.Execution, "it heals"))
			require.NoError(t, err)
			require.Empty(t, b.Refused, b.Detail)
			require.Equal(t, failover.Aborted, b.State)
			require.Less(t, time.Duration(b.Took), 2*time.Second)
		}
		require.Equal(t, failover.Origin{By: "jane", Reason: "it heals"}, r.last().Last)
		r.refused(west, consent(a, west, "1", "too late"), event.Ended)
		require.Zero(t, r.Cluster.Moves())
	})
}

func TestAbortBesideAnExecutionOfMinutesIsTooLate(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		wait := driving(t, r)
		a, err := r.invoke(west, lambdaLimit, about(event.Abort, west, r.last().ID, "r"))
		require.NoError(t, err)
		require.Equal(t, event.TooLate, a.Refused)
		require.Less(t, time.Duration(a.Took), 2*time.Second)
		b, err := wait()
		require.NoError(t, err)
		require.Equal(t, failover.Settled, b.State)
	})
}

// A pause refuses executions that no person has requested, in both Regions, until it
// expires or a person resumes. A monitor that asks again is answered at once.
func TestPause(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		a, err := r.invoke(east, lambdaLimit, pause)
		require.NoError(t, err)
		require.Empty(t, a.Refused, a.Detail)
		require.Contains(t, a.Detail, "nothing begins by itself until")
		require.Less(t, time.Duration(a.Took), 2*time.Second)
		s := r.status(west)
		require.Equal(t, "jane", s.Status.Pause.By)
		require.Equal(t, "an upgrade", s.Status.Pause.Reason)
		require.Contains(t, s.Detail, "jane has paused the automation")

		r.CutRegion(east, true)
		r.wait(20 * time.Second)
		r.refused(west, request(event.Failover, west), event.Paused)
		r.refused(west, alarm, event.Paused)

		twice, err := r.invoke(west, lambdaLimit, `{"mode":"pause","for":"30m","by":"bob","reason":"mine"}`)
		require.NoError(t, err)
		require.Empty(t, twice.Refused, "the second one takes the first one's place")
		require.Equal(t, "bob", r.last().Pause.By)
		r.wait(31 * time.Minute)
		r.refused(west, resume, event.NotPaused)
		b, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, b.State, "it has expired: %s", b.Detail)
		require.Nil(t, r.status(west).Status.Pause)
	})
}

func TestResume(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		_, err := r.invoke(west, lambdaLimit, pause)
		require.NoError(t, err)
		a, err := r.invoke(east, lambdaLimit, resume)
		require.NoError(t, err)
		require.Empty(t, a.Refused, a.Detail)
		require.Equal(t, failover.Origin{By: "jane", Reason: "the upgrade is done"}, r.last().Last)
		r.refused(west, resume, event.NotPaused)
		r.CutRegion(east, true)
		b, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, b.State, b.Detail)
	})
}

// A person switches over in a pause: it stops the automation, not people.
func TestAPersonsSwitchoverInAPause(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		_, err := r.invoke(west, lambdaLimit, pause)
		require.NoError(t, err)
		a, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, a.State, a.Detail)
		require.NotNil(t, r.status(west).Status.Pause, "and it is still in force")
	})
}
