package trigger_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// status asks a Region's trigger how things stand, and holds that it acted on nothing.
func (r *rig) status(region dr.Region) event.Response {
	r.t.Helper()
	entries, moves, drivers := len(r.Store.Entries()), r.Cluster.Moves(), r.marks[region].seen().Number
	began := time.Now()
	a, err := r.invoke(region, lambdaLimit, `{"mode":"status"}`)
	require.NoError(r.t, err, "whatever is broken, it answers")
	require.LessOrEqual(r.t, time.Since(began), 3*time.Second)
	require.Empty(r.t, a.Refused)
	require.NotNil(r.t, a.Status)
	require.Equal(r.t, region, a.Status.Region)
	require.NotEmpty(r.t, a.Detail)
	require.Len(r.t, r.Store.Entries(), entries, "it journals nothing")
	require.Equal(r.t, moves, r.Cluster.Moves())
	require.Equal(r.t, drivers, r.marks[region].seen().Number, "it drives nothing")
	return a
}

func TestStatusAnswersInBothRegions(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		for _, region := range []dr.Region{east, west} {
			a := r.status(region)
			s := a.Status
			require.Empty(t, s.Unknown)
			require.Equal(t, "lifeboat", s.Cluster)
			require.Equal(t, east, s.Writer.ControlPlane.Region)
			require.Equal(t, east, s.Writer.Lease.Holder)
			require.EqualValues(t, 1, s.Writer.Lease.Epoch)
			require.False(t, s.Writer.Lease.Expired)
			require.Equal(t, "yes", s.Writer.Agree)
			require.NotEmpty(t, s.Writer.Servers)
			require.Equal(t, east, s.Writer.Servers[0].Region)
			require.Equal(t, "it commits writes", s.Writer.Servers[0].Says)
			require.Len(t, s.Monitors, 3)
			for _, m := range s.Monitors {
				require.True(t, m.Reports, "%s", m.Region)
			}
			require.NotNil(t, s.Lag)
			require.Less(t, time.Duration(s.Lag.Value), time.Second)
			require.Less(t, time.Duration(s.Lag.Age), 10*time.Second)
			require.Equal(t, east, s.Verdict.Subject)
			require.Equal(t, "Healthy", s.Verdict.State)
			require.False(t, s.Verdict.Would)
			require.NotEmpty(t, s.Verdict.Missing, "what keeps it from a failover")
			require.Nil(t, s.Execution)
			require.Nil(t, s.Question)
			require.Equal(t, failover.Steady, a.State)
			require.Equal(t, "the writer is in us-east-1; it is Healthy", a.Detail)
		}
	})
}

// The question comes with the answer, ready to send, and sending it moves the writer.
func TestStatusHasTheAnswerToTheQuestion(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		_, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		a := r.status(west)
		require.Equal(t, failover.AwaitingApproval, a.State)
		require.Equal(t, "a person's answer", a.Status.Execution.WaitsFor)
		require.False(t, a.Status.Execution.Driven, "the invocation that asked has ended")
		require.True(t, a.Status.Writer.Lease.Expired)
		require.Equal(t, "Impaired", a.Status.Verdict.State, "%v", a.Status.Verdict.Missing)
		q := a.Status.Question
		require.Equal(t, failover.CodeLagAboveLimit, q.Code)
		require.Contains(t, q.Asks, "1.2s")
		require.Equal(t, west, q.Call)
		require.Equal(t, "accept this and move the writer to us-west-2", q.Consent)
		require.Contains(t, a.Do, "to accept this and move the writer to us-west-2: call function lifeboat-test-failover-trigger in us-west-2")

		payload, err := json.Marshal(q.Answer)
		require.NoError(t, err)
		settled, err := r.invoke(west, lambdaLimit, strings.NewReplacer("YOUR NAME", "jane", "WHY", "the east is gone").Replace(string(payload)))
		require.NoError(t, err)
		require.Equal(t, failover.Settled, settled.State)

		after := r.status(west)
		require.Nil(t, after.Status.Question)
		require.Equal(t, west, after.Status.Writer.Lease.Holder)
		require.Equal(t, west, after.Status.Writer.ControlPlane.Region)
		require.Equal(t, failover.Settled, after.Status.Execution.State)
		require.Empty(t, after.Status.Execution.WaitsFor)
	})
}

// A person who answers the question about the fence is told before that the answer stands in
// the place of one.
func TestStatusSaysWhatTheAnswerDoes(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		x, err := failover.Step(r.policy, failover.Execution{
			ID: "0000000002-0001", Seq: 1, Mode: failover.ModeFailover, From: east, To: west, State: failover.EpochTaken, Epoch: 2,
		}, failover.Event{Kind: failover.EvStuck, Code: failover.CodeNoFenceProof, Detail: "make sure that the old writer is stopped"})
		require.NoError(t, err)
		require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Version: failover.JournalVersion, Execution: x, At: time.Now()}))
		a := r.status(west)
		require.Equal(t, "confirm that the old writer is stopped (us-west-2 is then promoted)", a.Status.Question.Consent)
		require.Contains(t, a.Do, "to confirm that the old writer is stopped (us-west-2 is then promoted): call function")
	})
}

// Beside an execution of minutes a person is told what it waits for.
func TestStatusBesideAnExecution(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		wait := driving(t, r)
		a := r.status(west)
		require.Equal(t, failover.LossAccepted, a.State)
		require.Equal(t, "Aurora: the promotion of us-west-2", a.Status.Execution.WaitsFor)
		require.True(t, a.Status.Execution.Driven)
		require.Equal(t, east, a.Status.Writer.ControlPlane.Region)
		require.Equal(t, west, a.Status.Writer.ControlPlane.MovingTo)
		require.Equal(t, west, a.Status.Writer.Lease.Holder)
		require.Equal(t, "no", a.Status.Writer.Agree)
		require.Contains(t, a.Detail, "the control plane names us-east-1 the writer, and us-west-2 holds the lease")
		_, err := wait()
		require.NoError(t, err)
	})
}

// Whatever is dead, it answers in time, with what it knows and with why the rest is
// unknown. The Region that asks may be the one that is cut off.
func TestStatusWithPartsThatAreBroken(t *testing.T) {
	store := []drtest.Op{drtest.OpReadLease, drtest.OpReports, drtest.OpLatest, drtest.OpSettled, drtest.OpAcknowledged}
	rds := []drtest.Op{drtest.OpDescribe}
	for name, c := range map[string]struct {
		ops     []drtest.Op
		fault   drtest.Fault
		unknown []string
		says    string
	}{
		"the store hangs":         {store, drtest.Fault{Hang: true}, []string{"the lease (lease store): no answer within 3s", "monitors' reports", "newest execution"}, "the control plane names us-east-1 the writer; the lease is unknown"},
		"the store refuses":       {store, drtest.Fault{Err: errRefused}, []string{"the lease (lease store): drtest: lease.read", "refused by a test", "monitors' reports"}, "the control plane names us-east-1 the writer; the lease is unknown"},
		"RDS hangs":               {rds, drtest.Fault{Hang: true}, []string{"the writer by control plane (RDS): no answer within 3s"}, "us-east-1 holds the lease; the control plane's writer is unknown; it is Healthy"},
		"RDS refuses":             {rds, drtest.Fault{Err: errRefused}, []string{"the writer by control plane (RDS): drtest", "refused by a test"}, "us-east-1 holds the lease; the control plane's writer is unknown"},
		"both hang":               {append(store, rds...), drtest.Fault{Hang: true}, []string{"RDS", "lease store", "journal"}, "where the writer is could not be told"},
		"both are slow":           {append(store, rds...), drtest.Fault{Delay: 500 * time.Millisecond}, nil, "the writer is in us-east-1"},
		"the journal alone hangs": {[]drtest.Op{drtest.OpLatest, drtest.OpSettled}, drtest.Fault{Hang: true}, []string{"newest execution (journal)", "recent failovers (journal)"}, "the writer is in us-east-1"},
		"the reports alone hang":  {[]drtest.Op{drtest.OpReports}, drtest.Fault{Hang: true}, []string{"the monitors' reports"}, "the writer is in us-east-1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
				for _, region := range []dr.Region{east, west} {
					cfg := r.config(region)
					r.Net.SetHook(func(call drtest.Call) drtest.Fault {
						for _, op := range c.ops {
							if call.Op == op && call.From == region {
								return c.fault
							}
						}
						return drtest.Fault{}
					})
					began := time.Now()
					a, err := r.call(cfg, lambdaLimit, `{"mode":"status"}`)
					require.NoError(t, err)
					require.LessOrEqual(t, time.Since(began), 3*time.Second)
					require.Contains(t, a.Detail, c.says)
					all := strings.Join(a.Status.Unknown, "\n")
					for _, want := range c.unknown {
						require.Contains(t, all, want)
					}
					if c.unknown == nil {
						require.Empty(t, all)
					}
					r.Net.SetHook(nil)
					r.wait(10 * time.Second)
				}
			})
		})
	}
}

// The store's marks are silent, the Region's monitor is dead, the database does not
// answer: each is told.
func TestStatusTellsWhoIsSilent(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.marks[west].silent = true
		a, err := r.invoke(west, lambdaLimit, `{"mode":"status"}`)
		require.NoError(t, err)
		require.Contains(t, strings.Join(a.Status.Unknown, "\n"), "whether an invocation drives (lease store): no answer")
		r.marks[west].silent = false

		r.CutRegion(east, true)
		r.wait(20 * time.Second)
		a = r.status(west)
		for _, m := range a.Status.Monitors {
			require.Equal(t, m.Region != east, m.Reports, "%s", m.Region)
		}
		require.Greater(t, time.Duration(a.Status.Monitors[0].Age), 15*time.Second)
		require.True(t, a.Status.Writer.Lease.Expired)
		require.Greater(t, time.Duration(a.Status.Writer.Lease.SilentFor), 15*time.Second)
		require.Contains(t, a.Status.Writer.Servers[0].Says, "dead")
		require.Equal(t, "Impaired", a.Status.Verdict.State, "%v", a.Status.Verdict.Missing)

		lost, err := r.invoke(east, lambdaLimit, `{"mode":"status"}`)
		require.NoError(t, err, "the Region that is cut off answers, too")
		require.NotEmpty(t, lost.Status.Unknown)
		require.Nil(t, lost.Status.Writer.Lease)
	})
}

// A new deployment has no lease, and says so. Without monitors, every call is the status's,
// and each of them reads.
func TestStatusReadsOnly(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		r.end()
		r.ctx = t.Context()
		r.Store.Forget()
		var mu sync.Mutex
		seen := make(map[drtest.Op]int)
		r.Net.SetHook(func(c drtest.Call) drtest.Fault {
			mu.Lock()
			defer mu.Unlock()
			seen[c.Op]++
			return drtest.Fault{}
		})
		a, err := r.invoke(west, lambdaLimit, `{"mode":"status"}`)
		require.NoError(t, err)
		require.Contains(t, a.Detail, "no lease was ever taken")
		require.Nil(t, a.Status.Writer.Lease)
		require.Equal(t, east, a.Status.Writer.ControlPlane.Region)
		for _, m := range a.Status.Monitors {
			require.False(t, m.Reports, "%s", m.Region)
		}
		require.Equal(t, map[drtest.Op]int{
			drtest.OpReadLease: 1, drtest.OpReports: 2, drtest.OpLatest: 1, drtest.OpSettled: 1, drtest.OpDescribe: 1,
			drtest.OpPreflight: 1, drtest.OpRole: 1,
		}, seen)
	})
}
