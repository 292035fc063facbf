package dr_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func TestFault12DefaultPolicyFitsItsOwnShare(t *testing.T) {
	p := dr.DefaultPolicy()
	require.NoError(t, p.Validate())
	require.NoError(t, dr.Policy{}.Validate(), "the zero policy means the defaults")
	b := p.Budget()
	require.LessOrEqual(t, b.Own(), 20*time.Second)
	require.Equal(t, "detect 7.75s, decide 1.5s, fence 0s, promote 1.5s, redirect 5s, verify 1.75s, crash loss <= 1s, partition window <= 6s", b.String())
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	err := dr.Policy{
		Confirm: 1, MinVantages: 1,
		LeaseTTL: 2 * time.Second, LeaseMargin: 3 * time.Second,
		ProbeInterval: time.Second, ProbeTimeout: 2 * time.Second,
	}.Validate()
	for _, part := range []string{"Confirm 1", "MinVantages 1", "LeaseMargin 3s must be below LeaseTTL 2s", "ProbeTimeout 2s must be below ProbeInterval 1s"} {
		require.ErrorContains(t, err, part)
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		policy dr.Policy
		want   string
	}{
		"budget over its share": {dr.Policy{ProbeInterval: 5 * time.Second, Confirm: 5}, "detect alone takes 26.75s"},
		"share over objective":  {dr.Policy{Objectives: dr.Objectives{RTO: 10 * time.Second}}, "nothing is left for Aurora's promotion"},
		"negative":              {dr.Policy{LeaseDrift: -time.Second}, "LeaseDrift -1s is negative"},
		"rare renewal":          {dr.Policy{RenewInterval: 3 * time.Second}, "one lost call stops writes"},
		"unknown no_witness":    {dr.Policy{NoWitness: "hope"}, `NoWitness "hope" is unknown`},
		"grace over objective":  {dr.Policy{InRegionGrace: 55 * time.Second}, "InRegionGrace 55s and the 9.75s of what follows it are 4.75s above Objectives.RTO 1m0s: writes fail meanwhile"},
		"loss below any lag":    {dr.Policy{MaxDataLoss: time.Millisecond}, "MaxDataLoss 1ms is below 10ms"},
		"guard without room":    {dr.Policy{RPOGuard: true, MaxDataLoss: 100 * time.Millisecond}, "RPOGuard needs"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, c.policy.Validate(), c.want) })
	}
}

func TestRPOGuardShortensThePartitionWindow(t *testing.T) {
	require.Equal(t, 6*time.Second, dr.Policy{}.Budget().PartitionWindow)
	require.Equal(t, time.Second, dr.Policy{RPOGuard: true}.Budget().PartitionWindow)
}

func TestTopology(t *testing.T) {
	top := dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{"us-east-1", "us-west-2"}, Witness: "us-east-2"}
	require.NoError(t, top.Validate())
	require.Equal(t, dr.Region("us-west-2"), top.Peer("us-east-1"))
	require.Empty(t, top.Peer("us-east-2"))
	require.Len(t, top.Vantages(), 3)

	err := dr.Topology{Members: []dr.Region{"us-east-1", "us-east-1"}, Witness: "us-east-1"}.Validate()
	for _, part := range []string{"GlobalCluster is empty", "both members are in us-east-1", "witness us-east-1 is also a member"} {
		require.ErrorContains(t, err, part)
	}
}

func TestJoinCallsEveryTraceAndSkipsNil(t *testing.T) {
	var got []string
	add := func(name string) *dr.Trace {
		return &dr.Trace{State: func(c dr.StateChange) { got = append(got, name+string(c.State)) }}
	}
	j := dr.Join(add("a:"), nil, &dr.Trace{}, add("b:"))
	j.OnState(dr.StateChange{State: "Fenced"})
	j.OnProblem(dr.Problem{})
	require.Equal(t, []string{"a:Fenced", "b:Fenced"}, got)
}

func TestWatchdogAfter(t *testing.T) {
	require.Equal(t, 2500*time.Millisecond, dr.Policy{}.WatchdogAfter())
	p := dr.Policy{LeaseTTL: 12 * time.Second, RenewInterval: 250 * time.Millisecond}
	require.Equal(t, 12*time.Second-time.Second-750*time.Millisecond-1500*time.Millisecond, p.WatchdogAfter(), "a tick, three renewals and a call before the lease runs out")
}

// Found by the simulation: Validate passed it, and no monitor of the deployment started.
func TestAWatchdogNeedsTime(t *testing.T) {
	p := dr.Policy{LeaseTTL: 12 * time.Second, RenewInterval: 2400 * time.Millisecond, Objectives: dr.Objectives{OwnShare: time.Minute}}
	require.NoError(t, p.Validate())
	p.Watchdog = true
	require.EqualError(t, p.Validate(), "dr: policy: Watchdog would fire 2.3s after the last heartbeat, which needs 4.8s at least: raise LeaseTTL 12s or lower RenewInterval 2.4s")
	p.RenewInterval = 500 * time.Millisecond
	require.NoError(t, p.Validate())
}

// Found by the simulation at seed 1984: looks and renewals that are rare beside the samples
// make the lease the last evidence.
func TestABudgetWaitsForTheLease(t *testing.T) {
	p := dr.Policy{
		ProbeInterval: 5 * time.Second, ProbeTimeout: 4 * time.Second, LeaseTTL: 16 * time.Second, LeaseMargin: 4 * time.Second,
		RenewInterval: 4 * time.Second, ObserveInterval: 4 * time.Second,
	}
	require.Equal(t, 16*time.Second, p.SilentAfter())
	b := p.Budget()
	require.Equal(t, (16+2*4+5+4)*time.Second, b.Phases[0].Worst)
	require.Equal(t, "a lease silent for 16s, seen every 4s, told to a sample every 5s", b.Phases[0].Why)
}
