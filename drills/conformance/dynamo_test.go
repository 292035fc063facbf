package conformance_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// store returns the lease store as a Region reaches it: a member by its own replica
// first, the witness by either of the members'.
func (w *world) store(t *testing.T, r dr.Region) *dynamo.Store {
	t.Helper()
	cfg := dynamo.Config{Region: r, Table: table, Cluster: globalCluster}
	replicas := []dr.Region{east, west}
	if r == west {
		replicas = []dr.Region{west, east}
	}
	for _, at := range replicas {
		cfg.Clients = append(cfg.Clients, dynamo.NewClient(config(), at, "", w.From(r)))
	}
	s, err := dynamo.New(cfg)
	require.NoError(t, err)
	return s
}

func TestStore(t *testing.T) {
	for _, r := range []dr.Region{east, west, witness} {
		t.Run("from "+r.String(), func(t *testing.T) {
			open := func(t *testing.T) *dynamo.Store { return start(t).store(t, r) }
			t.Run("leaser", func(t *testing.T) {
				drtest.TestLeaser(t, func(t *testing.T) failover.Leaser { return open(t) })
			})
			t.Run("releaser", func(t *testing.T) {
				drtest.TestReleaser(t, func(t *testing.T) drtest.Lease { return open(t) })
			})
			t.Run("heartbeats", func(t *testing.T) {
				drtest.TestReports(t, func(t *testing.T) failover.Reports { return open(t) })
			})
			t.Run("journal", func(t *testing.T) {
				drtest.TestJournal(t, func(t *testing.T) failover.Journal { return open(t) })
			})
			t.Run("acknowledger", func(t *testing.T) {
				drtest.TestAcknowledger(t, func(t *testing.T) failover.Acknowledger { return open(t) })
			})
		})
	}
}

// Two Regions that write the same item get ReplicatedWriteConflictException, which the
// store retries: its caller sees no error.
func TestStoreFromTwoRegionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		stores := []*dynamo.Store{w.store(t, east), w.store(t, west)}
		held, err := stores[0].TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
		require.NoError(t, err)

		var mu sync.Mutex
		revs := make(map[uint64]bool)
		var wg sync.WaitGroup
		for _, s := range stores {
			wg.Go(func() {
				for range 10 {
					l, err := s.RenewLease(t.Context(), held)
					mu.Lock()
					require.NoError(t, err)
					require.False(t, revs[l.Rev], "revision %d was given twice", l.Rev)
					revs[l.Rev] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		require.Len(t, revs, 20)
	})
}

// A Region that reaches no other has no lease store, and is told so in time.
func TestStoreWithoutAMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		eastern, western := w.store(t, east), w.store(t, west)
		held, err := eastern.TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
		require.NoError(t, err)
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err = eastern.RenewLease(ctx, held)
		require.Error(t, err)
		require.NotErrorIs(t, err, failover.ErrLeaseMoved)
		require.LessOrEqual(t, time.Since(began), time.Second)

		taken, err := western.TakeLease(t.Context(), held, failover.Claim{Holder: west, Execution: "x"})
		require.NoError(t, err, "two of three Regions are a majority")
		require.EqualValues(t, 2, taken.Epoch)

		seen, err := w.store(t, witness).ReadLease(t.Context())
		require.NoError(t, err, "the witness asks the Region that answers")
		require.Equal(t, taken, seen)

		w.SetLink(east, west, true)
		_, err = eastern.RenewLease(t.Context(), held)
		require.ErrorIs(t, err, failover.ErrLeaseMoved)
	})
}

// What an unanswered write did has happened: what is stored tells.
func TestStoreWhenAnswersAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		western := w.store(t, west)
		held, err := w.store(t, east).TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
		require.NoError(t, err)
		clear := w.SetFault(cloud.On(west, cloud.DynamoDB, "PutItem").Lose())
		defer clear()

		taken, err := western.TakeLease(t.Context(), held, failover.Claim{Holder: west, Execution: "x", After: time.Second})
		require.NoError(t, err)
		require.Equal(t, failover.Lease{Epoch: 2, Holder: west, Rev: 2, Execution: "x", TakenRev: 2, TakenAfter: time.Second}, taken)
		_, err = western.TakeLease(t.Context(), held, failover.Claim{Holder: west, Execution: "y"})
		require.ErrorIs(t, err, failover.ErrLeaseMoved)

		entry := failover.Entry{Execution: failover.Execution{ID: "0000000002-0001", Seq: 1, State: failover.Confirmed}, At: time.Now()}
		require.NoError(t, western.Append(t.Context(), entry))
		other := entry
		other.Execution.State = failover.Aborted
		require.ErrorIs(t, western.Append(t.Context(), other), failover.ErrConflict)
	})
}

func TestStoreUnderThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		clear := w.SetFault(cloud.On(east, cloud.DynamoDB, "*").Throttle())
		time.AfterFunc(200*time.Millisecond, clear)
		_, err := w.store(t, east).TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
		require.NoError(t, err)
	})
}
