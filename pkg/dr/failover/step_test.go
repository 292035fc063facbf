package failover_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"
)

var topology = dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{east, west}, Witness: witness}

// spoiled are the executions that a person must be asked about, by code.
var spoiled = map[failover.Code]func(p *dr.Policy, x *failover.Execution){
	failover.CodeNoWitness:      func(_ *dr.Policy, x *failover.Execution) { x.Evidence.Witness = false },
	failover.CodeNoFenceProof:   func(_ *dr.Policy, x *failover.Execution) { x.Evidence.MonitorDiedFirst = true },
	failover.CodeLagUnknown:     func(_ *dr.Policy, x *failover.Execution) { x.Evidence.LagKnown, x.Evidence.Lag = false, 0 },
	failover.CodeLagAboveLimit:  func(_ *dr.Policy, x *failover.Execution) { x.Evidence.Lag = time.Second + 1 },
	failover.CodeLagStale:       func(_ *dr.Policy, x *failover.Execution) { x.Evidence.LagAge = 5*time.Second + 1 },
	failover.CodeFailoverBudget: func(_ *dr.Policy, x *failover.Execution) { x.Evidence.Recent = 2 },
}

func TestAQuestionIsPutBeforeTheEpochIsTaken(t *testing.T) {
	for code, spoil := range spoiled {
		t.Run(string(code), func(t *testing.T) {
			p, x := dr.Policy{}, whole(failover.Steady)
			spoil(&p, &x)
			asked, err := failover.Step(p, x, event(failover.EvConfirmed))
			require.NoError(t, err)
			require.Equal(t, failover.AwaitingApproval, asked.State)
			require.Equal(t, failover.Confirmed, asked.Asked)
			require.Equal(t, code, asked.Code)
			require.NotEmpty(t, asked.Detail)

			t.Run("an acknowledgement for another question is refused", func(t *testing.T) {
				for _, ack := range []*failover.Acknowledgement{nil, {}, {Execution: "0000000002-0002", Question: "1"}, {Execution: "0000000002-0001", Question: "2"}, {Question: "1"}, {Execution: "0000000002-0001"}} {
					got, err := failover.Step(p, asked, failover.Event{Kind: failover.EvAcknowledged, Ack: ack})
					require.ErrorContains(t, err, "it must name execution 0000000002-0001 and question 1")
					require.Equal(t, asked, got)
				}
			})
			t.Run("consent goes on where it was asked, and is not asked again", func(t *testing.T) {
				on, err := failover.Step(p, asked, event(failover.EvAcknowledged))
				require.NoError(t, err)
				require.Equal(t, failover.Confirmed, on.State)
				require.Empty(t, on.Code)
				for _, k := range []failover.Kind{failover.EvEpochTaken, failover.EvFenceProven, failover.EvGatePassed} {
					on, err = failover.Step(p, on, event(k))
					require.NoError(t, err)
				}
				require.Equal(t, failover.LossAccepted, on.State)
			})
			t.Run("a Region that recovers needs no answer", func(t *testing.T) {
				got, err := failover.Step(p, asked, event(failover.EvRecovered))
				require.NoError(t, err)
				require.Equal(t, failover.Aborted, got.State)
				require.Equal(t, failover.CodeRecovered, got.Code)
			})
			t.Run("a switchover is not asked: it loses nothing", func(t *testing.T) {
				got, err := failover.Step(p, x, event(failover.EvRequested))
				require.NoError(t, err)
				require.Equal(t, failover.Confirmed, got.State)
				require.Equal(t, failover.ModeSwitchover, got.Mode)
			})
			t.Run("the gate asks again after the fence", func(t *testing.T) {
				fenced := whole(failover.Fenced)
				fenced.Evidence = x.Evidence
				got, err := failover.Step(p, fenced, event(failover.EvGatePassed))
				require.NoError(t, err)
				require.Equal(t, failover.AwaitingApproval, got.State)
				require.Equal(t, failover.Fenced, got.Asked)
				require.Equal(t, code, got.Code)
			})
		})
	}
}

func TestWithoutAWitnessThePolicySaysWhatIsGivenUp(t *testing.T) {
	x := whole(failover.Steady)
	x.Evidence.Witness = false
	got, err := failover.Step(dr.Policy{NoWitness: dr.TrustExpiry}, x, event(failover.EvConfirmed))
	require.NoError(t, err)
	require.Equal(t, failover.Confirmed, got.State)
}

func TestTheLimitsThemselvesPass(t *testing.T) {
	x := whole(failover.Steady)
	x.Evidence.Lag, x.Evidence.LagAge, x.Evidence.Recent = time.Second, 5*time.Second, 1
	got, err := failover.Step(dr.Policy{}, x, event(failover.EvConfirmed))
	require.NoError(t, err)
	require.Equal(t, failover.Confirmed, got.State)
}

func TestAPersonCanConfirmTheFence(t *testing.T) {
	asked, err := failover.Step(dr.Policy{}, whole(failover.EpochTaken), failover.Event{Kind: failover.EvStuck, Code: failover.CodeFenceFailed})
	require.NoError(t, err)
	require.Equal(t, failover.CodeFenceFailed, asked.Code)
	got, err := failover.Step(dr.Policy{}, asked, event(failover.EvAcknowledged))
	require.NoError(t, err)
	require.Equal(t, failover.Fenced, got.State, "waiting for a proof that can't come would ask for ever")
	require.Equal(t, failover.ProofOperator, got.Proof)
}

// A page about another epoch asks no person whether the old writer is stopped.
func TestAnAnswerToSupersededProvesNoFence(t *testing.T) {
	asked, err := failover.Step(dr.Policy{}, whole(failover.EpochTaken), failover.Event{Kind: failover.EvSuperseded})
	require.NoError(t, err)
	got, err := failover.Step(dr.Policy{}, asked, event(failover.EvAcknowledged))
	require.NoError(t, err)
	require.Equal(t, failover.EpochTaken, got.State)
	require.Empty(t, got.Proof)
}

func TestAnEventLeavesWhatItFound(t *testing.T) {
	x := whole(failover.Confirmed)
	x, err := failover.Step(dr.Policy{}, x, event(failover.EvEpochTaken))
	require.NoError(t, err)
	require.Equal(t, dr.Epoch(2), x.Epoch)
	require.Equal(t, uint64(10), x.TakenRev)
	require.Equal(t, 2*time.Second, x.Unchanged)
	x, err = failover.Step(dr.Policy{}, x, event(failover.EvFenceProven))
	require.NoError(t, err)
	require.Equal(t, failover.ProofExpired, x.Proof)
}

// TestStepNeverChangesItsInput covers every pair, with every reference filled.
func TestStepNeverChangesItsInput(t *testing.T) {
	full := func(s failover.State) failover.Execution {
		x := whole(s)
		x.Ack = &failover.Acknowledgement{Execution: "0000000002-0001", Question: "0", By: "earlier"}
		x.Evidence.Dark = []health.Family{health.SQL}
		x.Evidence.Vantages = []dr.Region{west}
		return x
	}
	for _, s := range failover.States() {
		for _, k := range failover.Kinds() {
			x, e := full(s), event(k)
			_, _ = failover.Step(dr.Policy{}, x, e)
			require.True(t, reflect.DeepEqual(full(s), x), "%s in %s", k, s)
			require.True(t, reflect.DeepEqual(event(k), e), "%s in %s", k, s)
		}
	}
}

func TestRefusalIsOneLine(t *testing.T) {
	_, err := failover.Step(dr.Policy{}, whole(failover.LossAccepted), event(failover.EvRecovered))
	require.EqualError(t, err, "failover: recovered refused in state LossAccepted: the epoch is taken")
}
