package drtest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Fenceable is a database as its own Region's guard sees it.
type Fenceable interface {
	failover.Fencer
	failover.Beater
}

// TestFencer holds a Fencer and a Beater over one database against their
// documentation. open returns an open writer that has seen no epoch.
func TestFencer(t *testing.T, open func(t *testing.T) Fenceable) {
	const region dr.Region = "us-east-1"

	t.Run("a writer commits beats", func(t *testing.T) {
		db, ctx := open(t), callContext(t)
		for seq := uint64(1); seq <= 3; seq++ {
			require.NoError(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 1, Seq: seq}))
		}
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: "us-west-2", Epoch: 1, Seq: 1}), "another Region's row")
	})

	t.Run("a fenced writer refuses by name until it is opened", func(t *testing.T) {
		db, ctx := open(t), callContext(t)
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 1, Seq: 1}))
		require.NoError(t, db.Fence(ctx, 1))
		refused := db.Beat(ctx, failover.Beat{Region: region, Epoch: 1, Seq: 2})
		require.ErrorIs(t, refused, failover.ErrReadOnly)
		require.NotErrorIs(t, refused, failover.ErrNotWriter, "a writer that is read-only is no secondary")
		require.NoError(t, db.Fence(ctx, 1), "contract: Fence is idempotent")
		require.ErrorIs(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 1, Seq: 3}), failover.ErrReadOnly)
		require.NoError(t, db.Open(ctx, 1))
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 1, Seq: 4}))
		require.NoError(t, db.Open(ctx, 1), "contract: Open is idempotent")
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 1, Seq: 5}))
	})

	t.Run("an older epoch is refused", func(t *testing.T) {
		db, ctx := open(t), callContext(t)
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 3, Seq: 1}))
		err := db.Beat(ctx, failover.Beat{Region: region, Epoch: 2, Seq: 2})
		require.Error(t, err, "contract: Beat refuses an epoch below the newest one in its row: a guard of an older term must not pass for the writer's")
		require.NotErrorIs(t, err, failover.ErrReadOnly, "the server is not read-only")
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: "us-west-2/probe", Seq: 1}), "a row of its own has an epoch of its own")
		require.NoError(t, db.Fence(ctx, 3))
		require.Error(t, db.Open(ctx, 2), "contract: Open refuses an epoch below the newest one that the server has seen")
		require.ErrorIs(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 3, Seq: 3}), failover.ErrReadOnly)
		require.NoError(t, db.Open(ctx, 4), "a newer one opens it")
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: region, Epoch: 4, Seq: 4}))
	})

	t.Run("nothing commits after a fence is confirmed", func(t *testing.T) {
		db, ctx := open(t), callContext(t)
		fenced := make(chan struct{})
		var wg sync.WaitGroup
		late := make([]error, racers)
		for i := range late {
			wg.Go(func() {
				for seq := uint64(1); ; seq++ {
					var after bool
					select {
					case <-fenced:
						after = true
					default:
					}
					err := db.Beat(ctx, failover.Beat{Region: dr.Region("writer-" + string(rune('a'+i))), Epoch: 1, Seq: seq})
					if after {
						late[i] = err
						return
					}
				}
			})
		}
		require.NoError(t, db.Fence(ctx, 1))
		close(fenced)
		wg.Wait()
		for _, err := range late {
			require.ErrorIs(t, err, failover.ErrReadOnly, "contract: when Fence has returned nil, no session can commit any more")
		}
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		db := open(t)
		require.Error(t, db.Beat(endedContext(t), failover.Beat{Region: region, Epoch: 1, Seq: 1}))
		require.Error(t, db.Fence(endedContext(t), 1))
		require.Error(t, db.Open(endedContext(t), 1))
	})
}

// TestWatchdog holds a Watchdog against its documentation. open returns an open
// writer. The suite waits for seconds and has no parts, so that an implementation in
// memory can run it in a testing/synctest bubble.
func TestWatchdog(t *testing.T, open func(t *testing.T) Fenceable) {
	const region, after = dr.Region("us-east-1"), 2 * time.Second
	db, ctx := open(t), callContext(t)
	w, ok := db.(failover.Watchdog)
	require.True(t, ok)
	seq := uint64(0)
	beat := func(r dr.Region) error {
		seq++
		return db.Beat(ctx, failover.Beat{Region: r, Epoch: 1, Seq: seq})
	}
	require.NoError(t, beat(region))
	require.NoError(t, w.InstallWatchdog(ctx, after))
	require.NoError(t, w.InstallWatchdog(ctx, after), "installing twice is installing")
	if k, ok := db.(failover.WatchdogKeeper); ok {
		checkKeeper(t, k, w, after)
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); time.Since(begun) < 2*after; <-tick.C {
		require.NoError(t, beat(region), "a heartbeat keeps it open")
	}
	stopped := time.Now()
	eventually(t, "the writer is read-only", func() bool { return errors.Is(beat("us-west-2/probe"), failover.ErrReadOnly) })
	require.GreaterOrEqual(t, time.Since(stopped), after-500*time.Millisecond)
	require.Less(t, time.Since(stopped), after+1500*time.Millisecond, "a tick of a second is all that it may be late")
	require.NoError(t, db.Open(ctx, 1), "its guard opens it again")
	require.NoError(t, beat(region))
}

// checkKeeper holds a WatchdogKeeper whose watchdog is installed, and leaves it so.
func checkKeeper(t *testing.T, k failover.WatchdogKeeper, w failover.Watchdog, after time.Duration) {
	t.Helper()
	ctx := callContext(t)
	check := func(after time.Duration, want bool) {
		t.Helper()
		awake, err := k.CheckWatchdog(ctx, after)
		require.NoError(t, err)
		require.Equal(t, want, awake)
	}
	check(after, true)
	check(after+time.Second, false)
	require.NoError(t, k.RemoveWatchdog(ctx))
	require.NoError(t, k.RemoveWatchdog(ctx), "removing twice is removing")
	check(after, false)
	require.NoError(t, w.InstallWatchdog(ctx, after))
	check(after, true)
}

// TestSecondary holds a Fencer and a Beater over a database that follows another
// one against their documentation. open returns a secondary.
func TestSecondary(t *testing.T, open func(t *testing.T) Fenceable) {
	t.Run("a secondary is read-only and can't be opened", func(t *testing.T) {
		db, ctx := open(t), callContext(t)
		beat := failover.Beat{Region: "us-west-2", Epoch: 1, Seq: 1}
		require.ErrorIs(t, db.Beat(ctx, beat), failover.ErrReadOnly)
		require.ErrorIs(t, db.Beat(ctx, beat), failover.ErrNotWriter, "a secondary says so itself: a guard releases the lease by it")
		require.ErrorIs(t, db.Open(ctx, 1), failover.ErrNotWriter)
		require.ErrorIs(t, db.Beat(ctx, beat), failover.ErrReadOnly)
	})
	t.Run("a secondary can be fenced", func(t *testing.T) {
		db, ctx := open(t), callContext(t)
		require.NoError(t, db.Fence(ctx, 1))
		require.NoError(t, db.Fence(ctx, 1))
		require.ErrorIs(t, db.Open(ctx, 1), failover.ErrNotWriter)
	})
}

// TestIsolator holds an Isolator against its documentation. open returns one and
// the open writer that it acts on, as the guard of its Region reaches it.
func TestIsolator(t *testing.T, open func(t *testing.T) (failover.Isolator, failover.Beater)) {
	t.Run("an isolated writer acknowledges nothing", func(t *testing.T) {
		iso, db := open(t)
		ctx := callContext(t)
		require.NoError(t, db.Beat(ctx, failover.Beat{Region: "us-east-1", Epoch: 1, Seq: 1}))
		require.NoError(t, iso.Isolate(ctx, 1))
		require.Error(t, db.Beat(ctx, failover.Beat{Region: "us-east-1", Epoch: 1, Seq: 2}), "contract: a server that was isolated acknowledges nothing")
		require.NoError(t, iso.Isolate(ctx, 1), "contract: Isolate is idempotent")
		require.Error(t, db.Beat(ctx, failover.Beat{Region: "us-east-1", Epoch: 1, Seq: 3}))
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		iso, _ := open(t)
		require.Error(t, iso.Isolate(endedContext(t), 1))
	})
}

// TestReplicaReader holds a ReplicaReader against its documentation. open returns
// the writer's Beater and a reader in the other Region, with nothing written yet.
func TestReplicaReader(t *testing.T, open func(t *testing.T) (failover.Beater, failover.ReplicaReader)) {
	t.Run("a beat arrives", func(t *testing.T) {
		writer, replica := open(t)
		ctx := callContext(t)
		got, err := replica.Replicated(ctx, "us-east-1")
		require.NoError(t, err)
		require.Zero(t, got, "nothing was written")
		for seq := uint64(1); seq <= 3; seq++ {
			require.NoError(t, writer.Beat(ctx, failover.Beat{Region: "us-east-1", Epoch: 2, Seq: seq}))
		}
		want := failover.Beat{Region: "us-east-1", Epoch: 2, Seq: 3}
		eventually(t, "the newest beat arrives", func() bool {
			got, err := replica.Replicated(ctx, "us-east-1")
			require.NoError(t, err)
			require.LessOrEqual(t, got.Seq, want.Seq)
			return got == want
		})
		got, err = replica.Replicated(ctx, "us-west-2")
		require.NoError(t, err)
		require.Zero(t, got, "another Region's row")
	})
	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		_, replica := open(t)
		_, err := replica.Replicated(endedContext(t), "us-east-1")
		require.Error(t, err)
	})
}
