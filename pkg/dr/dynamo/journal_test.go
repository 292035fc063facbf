package dynamo_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

func journalEntry() failover.Entry {
	at := time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)
	return failover.Entry{
		Execution: failover.Execution{
			ID: "0000000005-0001", Seq: 3, Mode: failover.ModeFailover, From: east, To: west, State: failover.Fenced, Epoch: 5,
			Evidence: failover.Evidence{DarkSince: at.Add(-8 * time.Second), Dark: []health.Family{health.SQL}, Vantages: []dr.Region{west}, LagKnown: true},
			Ack:      &failover.Acknowledgement{Execution: "0000000005-0001", Question: "1", By: "ada", Reason: "accepted"},
		},
		Event: failover.EvFenceProven, At: at,
	}
}

// stored returns an entry's item as the service would return it, taken from the
// request that stored it.
func stored(t *testing.T, member string, put request) reply {
	t.Helper()
	b, err := json.Marshal(put.Body["Item"])
	require.NoError(t, err)
	return ok(`{"` + member + `":` + string(b) + `}`)
}

func TestAppendAndLatest(t *testing.T) {
	w, s := script(t, ok(`{}`), reply{}, ok(`{"Count":0,"ScannedCount":0,"Items":[]}`))
	require.NoError(t, s.Append(t.Context(), journalEntry()))
	put := w.seen[0]
	require.Equal(t, "attribute_not_exists(pk)", put.Body["ConditionExpression"])
	require.Equal(t, map[string]any{"S": "journal#0000000005-0001#000003"}, put.Body["Item"].(map[string]any)["sk"])

	item, err := json.Marshal(put.Body["Item"])
	require.NoError(t, err)
	w.replies[1] = ok(`{"Count":1,"ScannedCount":1,"Items":[` + string(item) + `]}`)
	got, err := s.Latest(t.Context())
	require.NoError(t, err)
	require.Equal(t, journalEntry(), got)
	require.Equal(t, false, w.seen[1].Body["ScanIndexForward"])
	require.Equal(t, true, w.seen[1].Body["ConsistentRead"])

	_, err = s.Latest(t.Context())
	require.ErrorIs(t, err, failover.ErrNoEntry)
}

func TestAppendToATakenPlace(t *testing.T) {
	w, s := script(t, refuse("ConditionalCheckFailedException"))
	require.ErrorIs(t, s.Append(t.Context(), journalEntry()), failover.ErrConflict)
	require.Len(t, w.seen, 1)
}

func TestAppendAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The place holds this entry: the first attempt had stored it.
		first, probe := script(t, ok(`{}`))
		require.NoError(t, probe.Append(t.Context(), journalEntry()))
		there := stored(t, "Item", first.seen[0])
		w, s := script(t, silence, refuseShowing(there.body))
		require.NoError(t, s.Append(t.Context(), journalEntry()))
		require.Equal(t, []string{"PutItem", "PutItem"}, w.ops())

		// So it was when the second attempt got no answer either.
		w, s = script(t, silence, silence, there)
		require.NoError(t, s.Append(t.Context(), journalEntry()))
		require.Equal(t, []string{"PutItem", "PutItem", "GetItem"}, w.ops())

		// The place holds another one.
		other, s := script(t, silence, refuseShowing(there.body))
		e := journalEntry()
		e.Event = failover.EvStuck
		require.ErrorIs(t, s.Append(t.Context(), e), failover.ErrConflict)
		require.Equal(t, []string{"PutItem", "PutItem"}, other.ops())

		// The place is empty: an attempt may still be on its way.
		_, s = script(t, silence, silence, ok(`{}`))
		err := s.Append(t.Context(), journalEntry())
		require.Error(t, err)
		require.NotErrorIs(t, err, failover.ErrConflict)
	})
}

func TestSettledCountsEveryPage(t *testing.T) {
	w, s := script(t,
		ok(`{"Count":1,"ScannedCount":40,"LastEvaluatedKey":{"pk":{"S":"orders"},"sk":{"S":"journal#x"}}}`),
		ok(`{"Count":2,"ScannedCount":9}`))
	n, err := s.Settled(t.Context(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.NotNil(t, w.seen[1].Body["ExclusiveStartKey"])
	require.Equal(t, map[string]any{"S": "2026-11-22T09:00:00.000000000Z"}, w.seen[0].Body["ExpressionAttributeValues"].(map[string]any)[":since"])
}

func TestReports(t *testing.T) {
	h := failover.Report{
		Region: east, Seq: 12, FencedEpoch: 4, FencedRev: 90, LeaseRev: 90, LeaseUnchanged: 3 * time.Second,
		Observations: []failover.Observation{{Subject: west, Family: health.Control, Method: "m", Answer: health.Dead, Cause: "c", Age: time.Second, RegionAnswers: true}},
	}
	w, s := script(t, ok(`{}`), reply{}, refuse("ConditionalCheckFailedException"))
	require.NoError(t, s.Publish(t.Context(), h))
	require.Equal(t, "attribute_not_exists(pk) OR #seq <= :seq", w.seen[0].Body["ConditionExpression"])

	item, err := json.Marshal(w.seen[0].Body["Item"])
	require.NoError(t, err)
	w.replies[1] = ok(`{"Count":1,"ScannedCount":1,"Items":[` + string(item) + `]}`)
	all, err := s.Reports(t.Context())
	require.NoError(t, err)
	require.Equal(t, []failover.Report{h}, all)

	var newer *dynamo.SupersededError
	require.ErrorAs(t, s.Publish(t.Context(), h), &newer)
}

func TestAcknowledgements(t *testing.T) {
	a := failover.Acknowledgement{Execution: "0000000005-0001", Question: "2", By: "ada", Reason: "the lag is known to be small"}
	w, s := script(t, ok(`{}`), reply{}, ok(`{}`))
	require.NoError(t, s.Acknowledge(t.Context(), a))
	w.replies[1] = stored(t, "Item", w.seen[0])
	got, err := s.Acknowledgement(t.Context(), a.Execution, "2")
	require.NoError(t, err)
	require.Equal(t, a, got)
	_, err = s.Acknowledgement(t.Context(), a.Execution, "3")
	require.ErrorIs(t, err, failover.ErrNotAcknowledged)
	require.ErrorContains(t, s.Acknowledge(t.Context(), failover.Acknowledgement{Execution: a.Execution, Question: "2"}), "the name of the person who consents")
}
