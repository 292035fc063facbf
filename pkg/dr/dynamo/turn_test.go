package dynamo_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

var (
	held    = dynamo.Turn{Region: west, Holder: "a", Number: 4, Beat: 7, Next: "b"}
	renewed = dynamo.Turn{Region: west, Holder: "a", Number: 4, Beat: 8, Next: "b"}
)

// turnJSON is the attributes of a turn as the service returns them.
func turnJSON(t dynamo.Turn) string {
	return fmt.Sprintf(`{"pk":{"S":"orders"},"sk":{"S":"turn#%s"},"holder":{"S":%q},"number":{"N":"%d"},"beat":{"N":"%d"},"next":{"S":%q},"released":{"BOOL":%t}}`,
		t.Region, t.Holder, t.Number, t.Beat, t.Next, t.Released)
}

// refuseWith is a failed condition, with what is stored.
func refuseWith(item string) reply {
	return reply{status: 400, body: fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"refused","Item":%s}`, item)}
}

// call is the deadline that a turn gives a call.
const call = 466 * time.Millisecond

func TestReadTurn(t *testing.T) {
	w, s := script(t, ok(`{"Item":`+turnJSON(held)+`}`), ok(`{}`), ok(`{"Item":{"sk":{"S":"turn#us-west-2"},"holder":{"S":"a"},"number":{"N":"4"},"beat":{"N":"7"},"next":{"S":""},"released":{"S":"no"}}}`))
	got, err := s.ReadTurn(t.Context(), west)
	require.NoError(t, err)
	require.Equal(t, held, got)
	require.Equal(t, true, w.seen[0].Body["ConsistentRead"], "any other read may be old")

	got, err = s.ReadTurn(t.Context(), west)
	require.NoError(t, err)
	require.Equal(t, dynamo.Turn{Region: west}, got)

	_, err = s.ReadTurn(t.Context(), west)
	require.EqualError(t, err, "dynamo: read turn: table lifeboat-test from us-west-2: item turn#us-west-2: attribute released is not true or false: restore it")
}

func TestWriteTurnWhoseFirstAnswerWasLost(t *testing.T) {
	other := dynamo.Turn{Region: west, Holder: "b", Number: 5}
	for name, c := range map[string]struct {
		replies []reply
		want    error
	}{
		"it was carried out":             {[]reply{silence, refuseWith(turnJSON(renewed))}, nil},
		"it was not, and somebody else":  {[]reply{silence, refuseWith(turnJSON(other))}, dynamo.ErrTurnMoved},
		"it was not, and is now":         {[]reply{silence, ok(`{}`)}, nil},
		"nothing is stored":              {[]reply{silence, refuse("ConditionalCheckFailedException")}, dynamo.ErrTurnMoved},
		"the first is refused":           {[]reply{refuseWith(turnJSON(renewed))}, dynamo.ErrTurnMoved},
		"refused after another's writes": {[]reply{refuse("ReplicatedWriteConflictException"), refuseWith(turnJSON(renewed))}, dynamo.ErrTurnMoved},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := script(t, c.replies...)
				ctx, cancel := context.WithTimeout(t.Context(), call)
				defer cancel()
				began := time.Now()
				require.ErrorIs(t, s.WriteTurn(ctx, held, renewed), c.want)
				require.Less(t, time.Since(began), call)
				require.Len(t, w.seen, len(c.replies), "no other call")
				require.Equal(t, "ALL_OLD", w.seen[0].Body["ReturnValuesOnConditionCheckFailure"])
			})
		})
	}
}

func TestWriteTurnTellsNothingItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := script(t, silence, silence)
		ctx, cancel := context.WithTimeout(t.Context(), call)
		defer cancel()
		err := s.WriteTurn(ctx, held, renewed)
		require.Error(t, err)
		require.NotErrorIs(t, err, dynamo.ErrTurnMoved)

		w, s := script(t)
		err = s.WriteTurn(t.Context(), held, dynamo.Turn{Region: east, Number: 5})
		require.EqualError(t, err, "dynamo: write turn: table lifeboat-test from us-west-2: number 5 of us-east-1 can't follow number 4 of us-west-2")
		require.Error(t, s.WriteTurn(t.Context(), held, dynamo.Turn{Region: west}), "it would read as none")
		require.Empty(t, w.seen)
	})
}
