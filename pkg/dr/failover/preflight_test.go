package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestTargetNotReady: what can't be promoted is not begun with. Nothing is touched, people
// are told at once, and it goes on by itself when the target is ready.
func TestTargetNotReady(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(r *rig)
		says        string
	}{
		"an upgrade": {
			func(r *rig) { r.Cluster.SetMissing(west, `cluster ledger-us-west-2 is "upgrading"`) },
			func(r *rig) { r.Cluster.SetMissing(west) }, "upgrading",
		},
		"a frozen server": {
			func(r *rig) { r.Pair.DB(west).Freeze() }, func(r *rig) { r.Pair.DB(west).Thaw() }, "its server does not answer",
		},
		"a dead server": {
			func(r *rig) { r.Pair.DB(west).Kill() }, func(r *rig) { r.Pair.DB(west).Start() }, "its server does not answer",
		},
		"neither server nor control plane": {
			func(r *rig) { r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpPreflight, drtest.OpRole)) },
			func(r *rig) { r.breaks(nil) }, "its server does not answer",
		},
	} {
		bubble(t, name, func(t *testing.T) {
			r, c2 := acting(t, dr.Policy{})
			c.spoil(r)
			begun := time.Now()
			ended := r.failover(c2)
			r.until("told", 5*time.Second, func() bool { return len(r.Notifiers[west].Messages()) > 0 })
			require.LessOrEqual(t, time.Since(begun), 4*time.Second)
			x := r.last().Execution
			require.Equal(t, failover.CodeTargetNotReady, x.Code)
			require.Equal(t, failover.Confirmed, x.Asked)
			m := r.Notifiers[west].Messages()[0]
			require.Contains(t, m.Body, c.says)
			require.Contains(t, m.Body, "it goes on by itself when that has passed")
			r.wait(2 * time.Minute)
			l, _ := r.Store.Lease()
			require.Equal(t, dr.Epoch(1), l.Epoch, "the epoch is not taken")
			require.True(t, r.Pair.DB(east).Accepts(), "the old writer is not fenced")
			require.Zero(t, r.Cluster.Moves())
			require.Len(t, r.Notifiers[west].Messages(), 1, "once")
			c.mend(r)
			require.Equal(t, failover.Settled, (<-ended).State)
			require.Equal(t, 1, r.Cluster.Moves())
		})
		bubble(t, name+", and the old Region recovers", func(t *testing.T) {
			r, c2 := acting(t, dr.Policy{})
			c.spoil(r)
			ended := r.failover(c2)
			r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
			x := r.recover(ended)
			require.Equal(t, failover.Aborted, x.State)
			require.Equal(t, failover.CodeRecovered, x.Code)
			require.Contains(t, r.Notifiers[west].Messages()[1].Subject, "needs no answer any more: target-not-ready")
			require.Empty(t, r.last().Execution.Owed)
		})
	}
	bubble(t, "a person may go on all the same", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.Cluster.SetMissing(west, "an upgrade")
		ended := r.failover(c)
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		r.answer("it is not")
		require.Equal(t, failover.Settled, (<-ended).State)
	})
}

// TestAPreflightThatIsNotAnswered: unknown is not "not ready".
func TestAPreflightThatIsNotAnswered(t *testing.T) {
	for name, fault := range map[string]drtest.Fault{"refused": {Err: errThrottled}, "silent": {Hang: true}} {
		bubble(t, "the control plane's part is "+name, func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			r.breaks(calls(west, fault, drtest.OpPreflight))
			begun := time.Now()
			require.Equal(t, failover.Settled, (<-r.failover(c)).State)
			require.Empty(t, r.Notifiers[west].Messages()[1:], "no question")
			require.Less(t, r.when(drtest.OpTakeLease, west)[0].Sub(begun), 1200*time.Millisecond)
		})
	}
	bubble(t, "it costs no time when everything answers", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(latency)
		begun := time.Now()
		require.Equal(t, failover.Settled, (<-r.failover(c)).State)
		require.LessOrEqual(t, r.when(drtest.OpTakeLease, west)[0].Sub(begun), 4*60*time.Millisecond, "it is asked while the lease is read")
	})
}

func TestReady(t *testing.T) {
	named := failover.Cluster{Writer: east}
	for name, c := range map[string]struct {
		failover.Readiness
		ready bool
	}{
		"everything answered":               {failover.Readiness{Role: failover.RoleSecondary, Cluster: named, ClusterKnown: true}, true},
		"only the server did":               {failover.Readiness{Role: failover.RoleSecondary, Unknown: []string{"throttled"}}, true},
		"the login could not be read":       {failover.Readiness{Cluster: named, ClusterKnown: true, Unknown: []string{"its server: no login"}}, true},
		"the server is silent":              {failover.Readiness{Silent: true, Cluster: named, ClusterKnown: true}, false},
		"silent, and the plane throttles":   {failover.Readiness{Silent: true}, false},
		"nothing could be asked":            {failover.Readiness{Unknown: []string{"throttled", "no login"}}, false},
		"something is missing":              {failover.Readiness{Role: failover.RoleSecondary, Cluster: named, ClusterKnown: true, Missing: []string{"it is upgrading"}}, false},
		"missing, and the server is silent": {failover.Readiness{Silent: true, Missing: []string{"it has no instance"}}, false},
	} {
		ready, why := c.Ready()
		require.Equal(t, c.ready, ready, name)
		require.Equal(t, c.ready, why == "", name)
	}
}
