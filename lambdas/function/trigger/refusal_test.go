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

// A second person's answer to the same question, before the first one is journalled, is
// refused by name; the same answer again is none but the first.
func TestASecondAnswerBeforeTheFirstIsUsed(t *testing.T) {
	ask := func(t *testing.T, r *rig) (event.Response, failover.Acknowledgement) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, a.State, a.Evidence)
		return a, failover.Acknowledgement{Execution: a.Execution, Question: r.question(), By: "bob", Reason: "go"}
	}
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		a, bobs := ask(t, r)
		require.NoError(t, r.Store.At(witness).Acknowledge(r.ctx, bobs)) // and its process has died
		entries := len(r.Store.Entries())
		b, err := r.invoke(west, lambdaLimit, consent(a, west, bobs.Question, "no, wait"))
		require.NoError(t, err, "a refusal is an answer")
		require.Equal(t, event.AlreadyAnswered, b.Refused, b.Detail)
		require.Contains(t, b.Detail, "bob has answered question 1: go")
		require.NotContains(t, b.Do, "send it again")
		require.NotEmpty(t, b.Do)
		require.Equal(t, a.Execution, b.Execution)
		require.Less(t, time.Duration(b.Took), 2*time.Second)
		require.Len(t, r.Store.Entries(), entries)
		require.Zero(t, r.Cluster.Moves())
	})
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		a, bobs := ask(t, r)
		require.NoError(t, r.Store.At(witness).Acknowledge(r.ctx, bobs))
		again := fmt.Sprintf(`{"mode":"acknowledge","target_region":"us-west-2","execution":%q,"question":%q,"by":"bob","reason":"go"}`, a.Execution, bobs.Question)
		b, err := r.invoke(west, lambdaLimit, again)
		require.NoError(t, err)
		require.Empty(t, b.Refused, "the first response was lost: %s", b.Detail)
		require.Equal(t, failover.Settled, b.State, b.Detail)
	})
}

// third is a Region that holds no member: a person has moved the writer out of the topology.
const third dr.Region = "eu-central-1"

// What the world does not allow is refused by an answer that says why and what to do, and
// is no failed invocation.
func TestASwitchoverThatCantBegin(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		r.wait(5 * time.Second)
		a, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err, "the lease is silent")
		require.Equal(t, event.PreconditionFails, a.Refused, a.Detail)
		require.Contains(t, a.Detail, "us-east-1 has not renewed its lease for")
		require.Contains(t, a.Detail, "start the health monitor there, or leave it to the failover")
		require.Contains(t, a.Do, "ask again")
		require.Less(t, time.Duration(a.Took), 10*time.Second)
		require.Zero(t, r.executions())
		require.Zero(t, r.Cluster.Moves())
	})
}

// What is known of the target and of the writer only once an execution has begun is a
// question, which a person may answer or abort; nothing is touched before.
func TestASwitchoverThatAsksBeforeItTouchesAnything(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *rig)
		code  failover.Code
		says  string
		mends func(r *rig)
	}{
		"the target is not ready": {
			func(r *rig) { r.Cluster.SetMissing(west, "it is being upgraded") }, failover.CodeTargetNotReady, "it is being upgraded",
			func(r *rig) { r.Cluster.SetMissing(west) },
		},
		"the writer is in a third Region": {
			func(r *rig) { r.Cluster.SetWriter(third) }, failover.CodeWriterUnknown, "eu-central-1, which is no member",
			func(r *rig) { r.Cluster.SetWriter("") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
				c.spoil(r)
				a, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
				require.NoError(t, err)
				require.Equal(t, failover.AwaitingApproval, a.State, a.Detail)
				require.Equal(t, c.code, a.Code)
				require.Contains(t, a.Detail, c.says)
				require.Len(t, r.Notifiers[west].Messages(), 1)
				l, _ := r.Store.Lease()
				require.Equal(t, dr.Epoch(1), l.Epoch, "nothing is touched")
				r.refused(west, about(event.Return, west, a.Execution, "r"), event.TooEarly)

				c.mends(r)
				r.wait(5 * time.Second)
				b, err := r.invoke(west, lambdaLimit, request(event.Failover, west)) // its monitor reminds it
				require.NoError(t, err)
				require.Equal(t, failover.Settled, b.State, b.Detail)
				require.Equal(t, 1, r.Cluster.Moves())
			})
		})
	}
}

// A return while the writer is in a third Region gives nothing back, and says so.
func TestAReturnWhileTheWriterIsInAThirdRegion(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.Net.SetHook(func(c drtest.Call) drtest.Fault {
			if c.From == west && c.Op == drtest.OpSwitchover {
				return drtest.Fault{Err: fmt.Errorf("no: %w", failover.ErrRefused)}
			}
			return drtest.Fault{}
		})
		a, err := r.invoke(west, lambdaLimit, request(event.Switchover, west))
		require.NoError(t, err)
		require.Equal(t, failover.CodePromotionRefused, a.Code, a.Detail)
		r.Cluster.SetWriter(third)
		b, err := r.invoke(west, lambdaLimit, about(event.Return, west, a.Execution, "never mind"))
		require.NoError(t, err)
		require.Equal(t, failover.AwaitingApproval, b.State)
		require.Equal(t, failover.CodeWriterUnknown, b.Code, b.Detail)
		require.Contains(t, b.Detail, "eu-central-1, and not us-east-1")
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(2), l.Epoch, "nothing was given back")
		require.Equal(t, failover.Origin{By: "jane", Reason: "never mind"}, r.last().Last)

		r.Cluster.SetWriter("")
		c, err := r.invoke(west, lambdaLimit, about(event.Return, west, a.Execution, "now"))
		require.NoError(t, err)
		require.Equal(t, failover.Returned, c.State, c.Detail)
		l, _ = r.Store.Lease()
		require.Equal(t, east, l.Holder)
		require.Zero(t, r.Cluster.Moves())
	})
}
