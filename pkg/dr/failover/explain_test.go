package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// lost returns the verdict on a Region from which nothing is heard.
func lost() health.Verdict {
	at := time.Date(2026, 5, 4, 12, 0, 6, 0, time.UTC)
	observed := func(f health.Family, from dr.Region, method, cause string) health.Observation {
		return health.Observation{Subject: east, Vantage: from, Family: f, Method: method, Answer: health.Dead, Cause: cause, At: at}
	}
	return health.Verdict{
		Subject: east, State: health.Impaired, At: at, DarkSince: at.Add(-4 * time.Second),
		Dark: []health.Family{health.SQL, health.Heartbeat}, Vantages: []dr.Region{health.Store, west},
		Lag: &health.Lag{Value: 80 * time.Millisecond, At: at.Add(-5 * time.Second)}, LagAge: time.Second,
		Observations: []health.Observation{
			observed(health.SQL, west, "heartbeat write", "no answer in time"),
			observed(health.Heartbeat, health.Store, "lease renewals", "not renewed for 4.5s"),
		},
	}
}

func TestExplain(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct {
		title    string
		policy   dr.Policy
		topology dr.Topology
		known    failover.Known
		change   func(v *health.Verdict)
	}{
		{title: "a Region is lost", topology: topology},
		{title: "only the link is cut", topology: topology, change: func(v *health.Verdict) {
			v.State, v.Serving = health.Degraded, true
			v.Observations[1].Answer, v.Observations[1].Cause = health.Alive, ""
			v.Missing = []string{"2 vantages (have 1)", "an end of the proof that writes are served"}
		}},
		{title: "the lag is not known", topology: topology, change: func(v *health.Verdict) { v.Lag = nil }},
		{title: "the lag is too high", topology: topology, change: func(v *health.Verdict) { v.Lag = &health.Lag{Value: 5 * time.Second} }},
		{title: "the lag is too old", topology: topology, change: func(v *health.Verdict) { v.LagAge = time.Minute }},
		{title: "the writer's monitor died first", topology: topology, change: func(v *health.Verdict) { v.MonitorDiedFirst = true }},
		{title: "no witness", topology: dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{east, west}}},
		{title: "the third today", topology: topology, known: failover.Known{Recent: 2}},
		{title: "with the RPO guard", topology: topology, policy: dr.Policy{RPOGuard: true}},
		{title: "its monitor renews blindly", topology: topology, known: failover.Known{Blind: true}},
		{title: "a person has paused the automation", topology: topology, known: failover.Known{Pause: &failover.Pause{
			Until: time.Date(2026, 5, 4, 14, 0, 0, 0, time.UTC), By: "jane", Reason: "an engine upgrade"}}},
		{title: "the policy observes only", topology: topology, policy: dr.Policy{Automatic: dr.AutomaticNever}},
		{title: "an execution is open", topology: topology, known: failover.Known{Open: &failover.Execution{ID: "0000000002-0001", To: west}}},
		{title: "the target is being upgraded", topology: topology, known: failover.Known{NotReady: `cluster west is "upgrading"`}},
		{title: "nothing was observed yet", topology: topology, change: func(v *health.Verdict) {
			*v = health.Verdict{Subject: east, Missing: []string{"a fresh sample"}}
		}},
	} {
		v := lost()
		if c.change != nil {
			c.change(&v)
		}
		e := failover.Explain(c.policy, c.topology, v, c.known)
		fmt.Fprintf(&out, "# %s\n%s\n", c.title, e)
		require.False(t, e.Would && (v.State != health.Impaired || e.Question != ""), c.title)
		require.Equal(t, e.Would, len(e.Missing) == 0, "%s: what is missing keeps it from acting, and nothing else does", c.title)
	}
	golden(t, "testdata/explain.txt", out.String())
}

func TestExplainLeavesTheVerdictAsItIs(t *testing.T) {
	v := lost()
	v.Lag, v.Missing = nil, append(make([]string, 0, 4), "one")
	_ = failover.Explain(dr.Policy{}, topology, v, failover.Known{})
	require.Equal(t, []string{"one"}, v.Missing)
	require.Empty(t, v.Missing[:cap(v.Missing)][1])
}

func TestReport(t *testing.T) {
	x := whole(failover.AwaitingApproval)
	x.Detail = "the last replication lag was 5s, the limit is 1s"
	x.Code, x.Evidence.Why = failover.CodeLagAboveLimit, "sql dead from us-west-2 (no answer in time)"
	var out strings.Builder
	out.WriteString(x.Report() + "\n")
	x = whole(failover.Settled)
	x.Evidence.LagKnown, x.Proof = false, failover.ProofExpired
	x.Ack = &failover.Acknowledgement{Execution: x.ID, Question: "1", By: "ops", Reason: "the Region is gone"}
	out.WriteString(x.Report())
	golden(t, "testdata/report.txt", out.String())
}

// A Region has fallen silent, and no replication lag was seen before that: the loss
// is unknown, so a person would be asked first.
func ExampleExplain() {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	w := health.Window{Subject: "us-east-1", Vantage: "us-west-2"}
	for range 3 {
		at = at.Add(2 * time.Second)
		w.Rounds = append(w.Rounds, health.Round{At: at, SelfCheck: health.Alive, Observations: []health.Observation{
			{Subject: "us-east-1", Vantage: "us-west-2", Family: health.SQL, Method: "heartbeat write", Answer: health.Dead, Cause: "timeout", At: at},
			{Subject: "us-east-1", Vantage: health.Store, Family: health.Heartbeat, Method: "lease renewals", Answer: health.Dead, Cause: "not renewed for 6s", At: at},
		}})
	}
	policy := dr.DefaultPolicy()
	topology := dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{"us-east-1", "us-west-2"}, Witness: "us-east-2"}
	fmt.Print(failover.Explain(policy, topology, health.Evaluate(policy, w, at), failover.Known{}))
	// Output:
	// fail over from us-east-1 now: no (verdict Impaired)
	//   observed sql         dead    from us-west-2, heartbeat write: timeout
	//   observed heartbeat   dead    from lease-store, lease renewals: not renewed for 6s
	//   missing  no replication lag was seen before the evidence went dark: the loss is unknown
	//   rto      own share at most 17.5s, plus Aurora's promotion
	//   rpo      crash: unknown; partition: at most 6s more
}
