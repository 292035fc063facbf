package failover_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

var update = flag.Bool("update", false, "rewrite testdata from what the code says")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run with -update and read the difference")
}

// whole returns an execution in a state, with evidence that puts no question.
func whole(s failover.State) failover.Execution {
	x := failover.Execution{
		ID: "0000000002-0001", Seq: 3, Mode: failover.ModeFailover, From: east, To: west, State: s, Epoch: 2,
		Evidence: failover.Evidence{LagKnown: true, Lag: 80 * time.Millisecond, LagAge: time.Second, Witness: true, LeaseRev: 9},
	}
	if s == failover.AwaitingApproval {
		x.Asked, x.Code = failover.Confirmed, failover.CodeLagUnknown
		x.Question = failover.Question{ID: "1", Codes: []failover.Code{failover.CodeLagUnknown}}
	}
	return x
}

// event returns a complete event of a kind.
func event(k failover.Kind) failover.Event {
	return failover.Event{
		Kind: k, Code: failover.CodePromotionStuck, Detail: "detail", Epoch: 2, Rev: 10, Unchanged: 2 * time.Second,
		Proof: failover.ProofExpired, Ack: &failover.Acknowledgement{Execution: "0000000002-0001", Question: "1", By: "ops", Reason: "go"},
	}
}

// TestEveryPairHasAnEdgeOrANamedRefusal lists all of them for a reviewer.
func TestEveryPairHasAnEdgeOrANamedRefusal(t *testing.T) {
	var out strings.Builder
	for _, s := range failover.States() {
		for _, k := range failover.Kinds() {
			got, err := failover.Step(dr.Policy{}, whole(s), event(k))
			to, inTable := failover.Table()[s][k]
			if err == nil {
				require.True(t, inTable, "%s in %s has an effect that the table does not hold", k, s)
				fmt.Fprintf(&out, "%-16s %-13s -> %s", s, k, got.State)
				if got.State != to {
					require.True(t, s == failover.AwaitingApproval && slices.Contains([]failover.Kind{failover.EvAcknowledged, failover.EvAdopted, failover.EvReady}, k), "%s in %s leads past the table", k, s)
					out.WriteString(" (the state that asked)")
				}
				out.WriteByte('\n')
				continue
			}
			var refused *failover.Refusal
			require.ErrorAs(t, err, &refused)
			require.Equal(t, s, refused.State)
			require.Equal(t, k, refused.Event)
			require.NotEmpty(t, refused.Reason)
			require.Equal(t, whole(s), got, "a refused event changes nothing")
			fmt.Fprintf(&out, "%-16s %-13s refused: %s\n", s, k, refused.Reason)
		}
	}
	golden(t, "testdata/pairs.txt", out.String())
}

func TestTheTableNamesOnlyWhatExists(t *testing.T) {
	require.Len(t, failover.Table(), len(failover.States()))
	for from, row := range failover.Table() {
		require.Contains(t, failover.States(), from)
		for k, to := range row {
			require.Contains(t, failover.Kinds(), k)
			require.Contains(t, failover.States(), to)
		}
	}
}

// reached returns the states that some events lead to from an execution, walking
// the real Step.
func reached(t *testing.T, from failover.Execution) map[failover.State]bool {
	t.Helper()
	seen := map[string]bool{}
	states := map[failover.State]bool{}
	todo := []failover.Execution{from}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		key := fmt.Sprintf("%s/%s/%s/%s/%v", x.State, x.Asked, x.Code, x.Mode, x.Ack != nil)
		if seen[key] {
			continue
		}
		seen[key], states[x.State] = true, true
		for _, k := range failover.Kinds() {
			e := event(k)
			e.Ack.Question = x.Question.ID
			next, err := failover.Step(dr.Policy{}, x, e)
			var refused *failover.Refusal
			if err != nil {
				require.True(t, errors.As(err, &refused))
				continue
			}
			todo = append(todo, next)
		}
	}
	return states
}

func TestEveryStateReachesAnEnd(t *testing.T) {
	for _, s := range failover.States() {
		states := reached(t, whole(s))
		require.True(t, slices.ContainsFunc(failover.States(), func(e failover.State) bool { return e.Ended() && states[e] }), "%s is a dead end", s)
		if !s.Ended() {
			require.True(t, states[failover.Settled], "from %s nothing settles", s)
		}
	}
	for _, asked := range []failover.State{failover.Confirmed, failover.EpochTaken, failover.Fenced, failover.LossAccepted, failover.Promoted, failover.Verified, failover.Redirected} {
		x := whole(failover.AwaitingApproval)
		x.Asked = asked
		require.True(t, reached(t, x)[failover.Settled], "a question put in %s can't be answered", asked)
	}
	require.Len(t, reached(t, whole(failover.Steady)), len(failover.States()), "every state is reached from Steady")
}

func TestOnceTheEpochIsTakenNothingIsDropped(t *testing.T) {
	for _, s := range []failover.State{failover.EpochTaken, failover.Fenced, failover.LossAccepted, failover.Promoted, failover.Verified, failover.Redirected} {
		for k, to := range failover.Table()[s] {
			require.NotEqual(t, failover.Aborted, to, "%s in %s", k, s)
			require.NotEqual(t, failover.Steady, to, "%s in %s", k, s)
		}
		x := whole(failover.AwaitingApproval)
		x.Asked = s
		_, err := failover.Step(dr.Policy{}, x, event(failover.EvRecovered))
		require.ErrorContains(t, err, "the epoch is taken", "asked in %s", s)
	}
}
