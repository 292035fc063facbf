package dynamo_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

var (
	seen  = failover.Lease{Epoch: 4, Holder: east, Rev: 90, Execution: "x3", TakenRev: 70}
	claim = failover.Claim{Holder: west, Execution: "x4", After: 3 * time.Second}
)

func TestReadLease(t *testing.T) {
	w, s := script(t, ok(leaseJSON("Item", 4, 90, east, "x3")), ok(`{}`))
	l, err := s.ReadLease(t.Context())
	require.NoError(t, err)
	require.Equal(t, failover.Lease{Epoch: 4, Holder: east, Rev: 90, Execution: "x3", TakenRev: 1, TakenAfter: 3 * time.Second, Served: 90}, l, "an older item's renewals had a write behind them")
	require.Equal(t, true, w.seen[0].Body["ConsistentRead"], "any other read may be old")
	require.Equal(t, "dynamodb.us-west-2.amazonaws.com", w.seen[0].Host)

	_, err = s.ReadLease(t.Context())
	require.ErrorIs(t, err, failover.ErrNoLease)
}

func TestReadLeaseRefusesADamagedItem(t *testing.T) {
	_, s := script(t, ok(`{"Item":{"sk":{"S":"lease"},"epoch":{"S":"4"}}}`))
	_, err := s.ReadLease(t.Context())
	require.EqualError(t, err, "dynamo: read lease: table lifeboat-test from us-west-2: item lease: attribute epoch is not a number that is not negative: restore it")
}

func TestRenewLeaseRepeatsAfterAWriteInAnotherRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := script(t, refuse("ReplicatedWriteConflictException"), refuse("ReplicatedWriteConflictException"),
			ok(leaseJSON("Attributes", 4, 91, east, "x3")))
		began := time.Now()
		l, err := s.RenewLease(t.Context(), seen)
		require.NoError(t, err)
		require.EqualValues(t, 91, l.Rev)
		require.Equal(t, []string{"UpdateItem", "UpdateItem", "UpdateItem"}, w.ops())
		require.Less(t, time.Since(began), 100*time.Millisecond)
		require.Equal(t, "#epoch = :epoch AND #holder = :holder AND (attribute_not_exists(#released) OR #released = :no)"+
			" AND (attribute_not_exists(#version) OR #version <= :version)", w.seen[0].Body["ConditionExpression"])
	})
}

func TestRenewLeaseGivesUpInTime(t *testing.T) {
	for name, answer := range map[string]reply{"silence": silence, "conflict": refuse("ReplicatedWriteConflictException")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				replies := make([]reply, 20)
				for i := range replies {
					replies[i] = answer
				}
				_, s := script(t, replies...)
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				began := time.Now()
				_, err := s.RenewLease(ctx, seen)
				require.Error(t, err)
				require.NotErrorIs(t, err, failover.ErrLeaseMoved, "nothing is known")
				require.LessOrEqual(t, time.Since(began), 500*time.Millisecond)
			})
		})
	}
}

func TestRenewLeaseThatHasMoved(t *testing.T) {
	w, s := script(t, refuse("ConditionalCheckFailedException"))
	_, err := s.RenewLease(t.Context(), seen)
	require.ErrorIs(t, err, failover.ErrLeaseMoved)
	require.Len(t, w.seen, 1)
}

// The first attempt may have gone into a dead connection, and may be slow.
func TestASilentReplicaIsAskedAgainBesideTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := script(t, silence, ok(leaseJSON("Item", 4, 90, east, "x3")))
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		_, err := s.ReadLease(ctx)
		require.NoError(t, err, "the first attempt must leave time for the second")
		require.Equal(t, 1500*time.Millisecond, w.seen[0].Timeout, "it may answer as long as the call lasts")
		require.Equal(t, 750*time.Millisecond, w.seen[1].Timeout)
	})
}

func TestTakeLease(t *testing.T) {
	w, s := script(t, ok(`{}`))
	l, err := s.TakeLease(t.Context(), seen, claim)
	require.NoError(t, err)
	require.Equal(t, failover.Lease{Epoch: 5, Holder: west, Rev: 91, Execution: "x4", TakenRev: 91, TakenAfter: 3 * time.Second}, l)
	item := w.seen[0].Body["Item"].(map[string]any)
	delete(item, "renewed_at")
	require.Equal(t, map[string]any{
		"pk": map[string]any{"S": "orders"}, "sk": map[string]any{"S": "lease"}, "epoch": map[string]any{"N": "5"},
		"holder": map[string]any{"S": "us-west-2"}, "rev": map[string]any{"N": "91"}, "execution": map[string]any{"S": "x4"},
		"taken_rev": map[string]any{"N": "91"}, "taken_after_ns": map[string]any{"N": "3000000000"},
		"released": map[string]any{"BOOL": false}, "version": map[string]any{"N": "1"}, "served": map[string]any{"N": "0"},
	}, item)
	require.Equal(t, "#epoch = :epoch AND #holder = :holder AND #rev = :rev AND (attribute_not_exists(#version) OR #version <= :version)",
		w.seen[0].Body["ConditionExpression"])
	require.Equal(t, map[string]any{
		":epoch": map[string]any{"N": "4"}, ":holder": map[string]any{"S": "us-east-1"}, ":rev": map[string]any{"N": "90"}, ":version": map[string]any{"N": "1"},
	}, w.seen[0].Body["ExpressionAttributeValues"])
}

func TestTakeFirstLease(t *testing.T) {
	w, s := script(t, ok(`{}`))
	l, err := s.TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
	require.NoError(t, err)
	require.Equal(t, failover.Lease{Epoch: 1, Holder: east, Rev: 1, TakenRev: 1}, l)
	require.Equal(t, "attribute_not_exists(pk)", w.seen[0].Body["ConditionExpression"])
}

// After silence the caller can't know whether it has taken the lease; reading it tells.
func TestTakeLeaseAfterSilence(t *testing.T) {
	for name, c := range map[string]struct {
		replies []reply
		ops     []string
		check   func(*testing.T, failover.Lease, error)
	}{
		"the first attempt had taken it": {
			[]reply{silence, refuseShowing(leaseJSON("Item", 5, 91, west, "x4"))}, []string{"PutItem", "PutItem"},
			func(t *testing.T, l failover.Lease, err error) {
				require.NoError(t, err)
				require.EqualValues(t, 5, l.Epoch)
			},
		},
		"both attempts silent, one had taken it": {
			[]reply{silence, silence, ok(leaseJSON("Item", 5, 93, west, "x4"))}, []string{"PutItem", "PutItem", "GetItem"},
			func(t *testing.T, l failover.Lease, err error) {
				require.NoError(t, err)
				require.EqualValues(t, 93, l.Rev, "renewed since by the Region's guard")
			},
		},
		"the second attempt takes it": {
			[]reply{silence, ok(`{}`)}, []string{"PutItem", "PutItem"},
			func(t *testing.T, _ failover.Lease, err error) { require.NoError(t, err) },
		},
		"the holder has renewed": {
			[]reply{silence, refuseShowing(leaseJSON("Item", 4, 91, east, "x3"))}, []string{"PutItem", "PutItem"},
			func(t *testing.T, _ failover.Lease, err error) { require.ErrorIs(t, err, failover.ErrLeaseMoved) },
		},
		"another Region has taken it": {
			[]reply{silence, silence, ok(leaseJSON("Item", 5, 91, west, "other"))}, []string{"PutItem", "PutItem", "GetItem"},
			func(t *testing.T, _ failover.Lease, err error) { require.ErrorIs(t, err, failover.ErrLeaseMoved) },
		},
		"it was deleted by hand": {
			[]reply{silence, refuse("ConditionalCheckFailedException")}, []string{"PutItem", "PutItem"},
			func(t *testing.T, _ failover.Lease, err error) { require.ErrorIs(t, err, failover.ErrLeaseMoved) },
		},
		"what is stored is damaged": {
			[]reply{silence, refuseShowing(`{"Item":{"sk":{"S":"lease"}}}`)}, []string{"PutItem", "PutItem"},
			func(t *testing.T, _ failover.Lease, err error) {
				require.NotErrorIs(t, err, failover.ErrLeaseMoved, "it may be the caller's lease")
				require.ErrorContains(t, err, "item lease: attribute epoch")
			},
		},
		"still as it was seen": {
			[]reply{silence, silence, ok(leaseJSON("Item", 4, 90, east, "x3"))}, []string{"PutItem", "PutItem", "GetItem"},
			func(t *testing.T, _ failover.Lease, err error) {
				require.Error(t, err)
				require.NotErrorIs(t, err, failover.ErrLeaseMoved, "an attempt may still be on its way")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := script(t, c.replies...)
				l, err := s.TakeLease(t.Context(), seen, claim)
				c.check(t, l, err)
				require.Equal(t, c.ops, w.ops())
			})
		})
	}
}

func TestTakeLeaseRefusedAtOnceIsNotRead(t *testing.T) {
	w, s := script(t, refuse("ConditionalCheckFailedException"))
	_, err := s.TakeLease(t.Context(), seen, claim)
	require.ErrorIs(t, err, failover.ErrLeaseMoved)
	require.Len(t, w.seen, 1)
}

func TestARefusalIsNotRepeated(t *testing.T) {
	w, s := script(t, refuse("AccessDeniedException"))
	_, err := s.ReadLease(t.Context())
	require.ErrorContains(t, err, "allow the role dynamodb:GetItem, PutItem, UpdateItem and Query")
	var failed *dynamo.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "read lease", failed.Op)
	require.Len(t, w.seen, 1)
}

func TestAServerErrorIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := script(t, reply{status: 500, body: `{"__type":"InternalServerError"}`}, ok(leaseJSON("Item", 4, 90, east, "x3")))
		_, err := s.ReadLease(t.Context())
		require.NoError(t, err)
		require.Len(t, w.seen, 2)
	})
}

// The witness's replica can't be read, so its agent asks the members' Regions, and
// stays with the one that answers.
func TestTheWitnessAsksTheNextRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &wire{t: t, replies: []reply{silence}}
		alive := &wire{t: t, replies: []reply{ok(`{}`), ok(`{}`)}}
		s, err := dynamo.New(dynamo.Config{
			Clients: []dynamo.Client{dynamo.NewClient(anyone(), east, "", dead), dynamo.NewClient(anyone(), west, "", alive)},
			Region:  "us-east-2", Table: "lifeboat-test", Cluster: "orders",
		})
		require.NoError(t, err)
		began := time.Now()
		for range 2 {
			_, err = s.ReadLease(t.Context())
			require.ErrorIs(t, err, failover.ErrNoLease)
		}
		require.Zero(t, time.Since(began), "the first read asks all, and the next one who answered")
		require.LessOrEqual(t, len(dead.seen), 1, "it may be called off before it is sent")
		require.Len(t, alive.seen, 2)
	})
}

// A replica that hangs costs a renewal Hedge, and not the writer.
func TestAReplicaThatHangsCostsARenewalTheHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &wire{t: t, replies: []reply{silence}}
		other := &wire{t: t, replies: []reply{ok(leaseJSON("Attributes", 4, 91, east, "x3"))}}
		s, err := dynamo.New(dynamo.Config{
			Clients: []dynamo.Client{dynamo.NewClient(anyone(), west, "", own), dynamo.NewClient(anyone(), east, "", other)},
			Region:  west, Table: "lifeboat-test", Cluster: "orders", Hedge: 200 * time.Millisecond,
		})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		began := time.Now()
		l, err := s.RenewLease(ctx, seen)
		require.NoError(t, err, "the other Region's replica is asked")
		require.Equal(t, uint64(91), l.Rev)
		require.Equal(t, 200*time.Millisecond, time.Since(began))
	})
}

// Of two writes at once it must be told which one was carried out, so only reads race.
func TestTheWitnessSendsNoWriteTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &wire{t: t, replies: []reply{silence}}
		alive := &wire{t: t, replies: []reply{ok(leaseJSON("Attributes", 1, 2, east, ""))}}
		s, err := dynamo.New(dynamo.Config{
			Clients: []dynamo.Client{dynamo.NewClient(anyone(), east, "", dead), dynamo.NewClient(anyone(), west, "", alive)},
			Region:  "us-east-2", Table: "lifeboat-test", Cluster: "orders",
		})
		require.NoError(t, err)
		_, err = s.RenewLease(t.Context(), failover.Lease{Epoch: 1, Holder: east})
		require.NoError(t, err)
		require.Equal(t, 200*time.Millisecond, alive.seen[0].At.Sub(dead.seen[0].At))
	})
}

func TestNoReplicaAnswersTheFirstRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &wire{t: t, replies: []reply{silence, ok(`{}`)}}
		second := &wire{t: t, replies: []reply{silence}}
		s, err := dynamo.New(dynamo.Config{
			Clients: []dynamo.Client{dynamo.NewClient(anyone(), east, "", first), dynamo.NewClient(anyone(), west, "", second)},
			Region:  "us-east-2", Table: "lifeboat-test", Cluster: "orders",
		})
		require.NoError(t, err)
		_, err = s.ReadLease(t.Context())
		require.ErrorIs(t, err, failover.ErrNoLease, "the attempts follow")
	})
}
