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
	held    = dynamo.MonitorLease{Region: west, Holder: "a", Number: 4, Beat: 7, Next: "b"}
	renewed = dynamo.MonitorLease{Region: west, Holder: "a", Number: 4, Beat: 8, Next: "b"}
)

// monitorLeaseJSON is the attributes of a monitor lease as the service returns them.
func monitorLeaseJSON(t dynamo.MonitorLease) string {
	return fmt.Sprintf(`{"pk":{"S":"orders"},"sk":{"S":"monitor-lease#%s"},"holder":{"S":%q},"number":{"N":"%d"},"beat":{"N":"%d"},"next":{"S":%q},"released":{"BOOL":%t}}`,
		t.Region, t.Holder, t.Number, t.Beat, t.Next, t.Released)
}

// refuseWith is a failed condition, with what is stored.
func refuseWith(item string) reply {
	return reply{status: 400, body: fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"refused","Item":%s}`, item)}
}

// call is the deadline that a monitor lease gives a call.
const call = 466 * time.Millisecond

func TestReadMonitorLease(t *testing.T) {
	w, s := script(t, ok(`{"Item":`+monitorLeaseJSON(held)+`}`), ok(`{}`), ok(`{"Item":{"sk":{"S":"monitor-lease#us-west-2"},"holder":{"S":"a"},"number":{"N":"4"},"beat":{"N":"7"},"next":{"S":""},"released":{"S":"no"}}}`))
	got, err := s.ReadMonitorLease(t.Context(), west)
	require.NoError(t, err)
	require.Equal(t, held, got)
	require.Equal(t, true, w.seen[0].Body["ConsistentRead"], "any other read may be old")

	got, err = s.ReadMonitorLease(t.Context(), west)
	require.NoError(t, err)
	require.Equal(t, dynamo.MonitorLease{Region: west}, got)

	_, err = s.ReadMonitorLease(t.Context(), west)
	require.EqualError(t, err, "dynamo: read monitor lease: table lifeboat-test from us-west-2: item monitor-lease#us-west-2: attribute released is not true or false: restore it")
}

func TestWriteMonitorLeaseWhoseFirstAnswerWasLost(t *testing.T) {
	other := dynamo.MonitorLease{Region: west, Holder: "b", Number: 5}
	for name, c := range map[string]struct {
		replies []reply
		want    error
	}{
		"it was carried out":             {[]reply{silence, refuseWith(monitorLeaseJSON(renewed))}, nil},
		"it was not, another's was":      {[]reply{silence, refuseWith(monitorLeaseJSON(other))}, dynamo.ErrMonitorLeaseMoved},
		"it was not, and is now":         {[]reply{silence, ok(`{}`)}, nil},
		"nothing is stored":              {[]reply{silence, refuse("ConditionalCheckFailedException")}, dynamo.ErrMonitorLeaseMoved},
		"the first is refused":           {[]reply{refuseWith(monitorLeaseJSON(renewed))}, dynamo.ErrMonitorLeaseMoved},
		"refused after another's writes": {[]reply{refuse("ReplicatedWriteConflictException"), refuseWith(monitorLeaseJSON(renewed))}, dynamo.ErrMonitorLeaseMoved},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := script(t, c.replies...)
				ctx, cancel := context.WithTimeout(t.Context(), call)
				defer cancel()
				began := time.Now()
				require.ErrorIs(t, s.WriteMonitorLease(ctx, held, renewed), c.want)
				require.Less(t, time.Since(began), call)
				require.Len(t, w.seen, len(c.replies), "no other call")
				require.Equal(t, "ALL_OLD", w.seen[0].Body["ReturnValuesOnConditionCheckFailure"])
			})
		})
	}
}

func TestWriteMonitorLeaseTellsNothingItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := script(t, silence, silence)
		ctx, cancel := context.WithTimeout(t.Context(), call)
		defer cancel()
		err := s.WriteMonitorLease(ctx, held, renewed)
		require.Error(t, err)
		require.NotErrorIs(t, err, dynamo.ErrMonitorLeaseMoved)

		w, s := script(t)
		err = s.WriteMonitorLease(t.Context(), held, dynamo.MonitorLease{Region: east, Number: 5})
		require.EqualError(t, err, "dynamo: write monitor lease: table lifeboat-test from us-west-2: number 5 of us-east-1 can't follow number 4 of us-west-2")
		require.Error(t, s.WriteMonitorLease(t.Context(), held, dynamo.MonitorLease{Region: west}), "it would read as none")
		require.Empty(t, w.seen)
	})
}
