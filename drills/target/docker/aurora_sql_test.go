package docker_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

const (
	eastRegion dr.Region = east
	westRegion dr.Region = west
)

// The SQL side of pkg/dr/aurora on two real servers, of which the second one
// follows the first.
func TestAuroraSQL(t *testing.T) {
	servers := newServers(t, 2)
	writer, replica := servers[0], servers[1]
	writer.open(t, eastRegion)
	replica.follow(t, writer)

	t.Run("fencer", func(t *testing.T) {
		drtest.TestFencer(t, func(t *testing.T) drtest.Fenceable { return writer.open(t, eastRegion) })
	})
	t.Run("secondary", func(t *testing.T) {
		drtest.TestSecondary(t, func(t *testing.T) drtest.Fenceable { return replica.at(t, westRegion) })
	})
	t.Run("role reader", func(t *testing.T) {
		drtest.TestRoleReader(t, func(t *testing.T) drtest.Roles {
			own, other := writer.open(t, eastRegion), replica.at(t, westRegion)
			return drtest.Roles{Writer: own, Secondary: other, Silent: silent(t), Fence: func(t *testing.T) {
				require.NoError(t, own.Fence(t.Context(), 1))
				require.NoError(t, other.Fence(t.Context(), 1))
			}}
		})
	})
	t.Run("peer database", func(t *testing.T) {
		drtest.TestPeerDatabase(t, func(t *testing.T) drtest.Peers {
			return drtest.Peers{
				Guard: writer.open(t, eastRegion), Replica: replica.at(t, westRegion),
				Writer: writer.peer(t, eastRegion), Secondary: replica.peer(t, westRegion), Silent: silent(t),
			}
		})
	})
	t.Run("replica reader", func(t *testing.T) {
		drtest.TestReplicaReader(t, func(t *testing.T) (failover.Beater, failover.ReplicaReader) {
			db, follower := writer.open(t, eastRegion), replica.at(t, westRegion)
			require.Eventually(t, func() bool {
				got, err := follower.Replicated(t.Context(), eastRegion)
				return err == nil && got == failover.Beat{}
			}, 10*time.Second, 20*time.Millisecond)
			return db, follower
		})
	})
	t.Run("watchdog", func(t *testing.T) {
		drtest.TestWatchdog(t, func(t *testing.T) drtest.Fenceable { return writer.open(t, eastRegion) })
	})
	t.Run("a watchdog that is awake lets the writer be opened", func(t *testing.T) { openUnderWatchdog(t, writer) })
	t.Run("a fence ends transactions and sessions", func(t *testing.T) { fenceEndsSessions(t, writer) })
	t.Run("a locked table does not hold a fence up", func(t *testing.T) { fenceLockedTable(t, writer) })
	t.Run("a frozen server is fenced after the thaw", func(t *testing.T) { fenceAfterThaw(t, writer) })
	t.Run("lag", func(t *testing.T) { lagOfReplica(t, writer, replica) })
	t.Run("endpoint", func(t *testing.T) { reach(t, writer) })
	t.Run("prober", func(t *testing.T) { probeWriter(t, writer) })
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func openUnderWatchdog(t *testing.T, s *server) {
	db := s.open(t, eastRegion)
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: eastRegion, Epoch: 1, Seq: 1}))
	require.NoError(t, db.InstallWatchdog(t.Context(), 2*time.Second))
	require.Eventually(t, func() bool { return s.readOnly(t) }, 10*time.Second, 20*time.Millisecond)
	// The row is old now, and the event runs every second: opening must not lose.
	opened := 0
	require.Eventually(t, func() bool {
		require.NoError(t, db.Open(within(t, time.Second), 1))
		require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: eastRegion, Epoch: 1, Seq: 2}))
		s.exec(t, "UPDATE lifeboat.heartbeat SET at = at - INTERVAL 1 HOUR")
		require.NoError(t, db.Fence(t.Context(), 1))
		opened++
		return opened == 100
	}, 20*time.Second, 20*time.Millisecond)
}

func fenceEndsSessions(t *testing.T, s *server) {
	db := s.open(t, eastRegion)
	client := s.pool(t, "lifeboat_app", "app")
	tx, err := client.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO lifeboat.heartbeat VALUES ('tx', 1, 1, NOW(6))")
	require.NoError(t, err)
	idle, err := client.Conn(t.Context())
	require.NoError(t, err)

	began := time.Now()
	require.NoError(t, db.Fence(within(t, 500*time.Millisecond), 1))
	t.Attr("fence", time.Since(began).Round(10*time.Microsecond).String())
	require.Error(t, tx.Commit(), "an open transaction must not commit any more")
	require.Error(t, idle.PingContext(t.Context()), "a client must look for the new writer")
	var n int
	require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM lifeboat.heartbeat WHERE region = 'tx'").Scan(&n))
	require.Zero(t, n)

	reader, err := client.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Fence(within(t, 500*time.Millisecond), 1))
	require.NoError(t, reader.PingContext(t.Context()), "a session that began after the fence may go on reading")
	require.NoError(t, reader.Close())
}

func fenceLockedTable(t *testing.T, s *server) {
	db := s.open(t, eastRegion)
	client, err := s.pool(t, "lifeboat_app", "app").Conn(t.Context())
	require.NoError(t, err)
	_, err = client.ExecContext(t.Context(), "LOCK TABLES lifeboat.heartbeat WRITE")
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, db.Fence(within(t, 2*time.Second), 1))
	t.Attr("fence", time.Since(began).Round(time.Millisecond).String())
	require.True(t, s.readOnly(t))
}

// What was sent to a frozen server may be carried out when it thaws. It must end
// closed.
func fenceAfterThaw(t *testing.T, s *server) {
	db := s.open(t, eastRegion)
	require.NoError(t, db.Fence(t.Context(), 1))
	thaw := s.freeze(t)
	require.Error(t, db.Open(within(t, 300*time.Millisecond), 1))
	require.Error(t, db.Fence(within(t, 300*time.Millisecond), 1))
	thaw()
	require.Eventually(t, func() bool { return db.Fence(within(t, time.Second), 1) == nil }, 10*time.Second, 20*time.Millisecond)
	require.Never(t, func() bool { return !s.readOnly(t) }, 500*time.Millisecond, 20*time.Millisecond)

	// The statement itself, when it comes too late.
	_, err := s.admin.ExecContext(t.Context(), "SET GLOBAL read_only = IF(UTC_TIMESTAMP(6) < '2026-01-01 00:00:00.000000', 0, @@global.read_only)")
	require.NoError(t, err)
	require.True(t, s.readOnly(t))
}

func lagOfReplica(t *testing.T, writer, replica *server) {
	db, follower := writer.open(t, eastRegion), replica.at(t, westRegion)
	none, err := db.Lag(t.Context())
	require.NoError(t, err)
	require.Nil(t, none, "a writer receives nothing: unknown, not zero")

	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: eastRegion, Epoch: 1, Seq: 7}))
	require.Eventually(t, func() bool {
		got, err := follower.Replicated(t.Context(), eastRegion)
		return err == nil && got.Seq == 7
	}, 10*time.Second, 5*time.Millisecond)
	fresh, err := follower.Lag(t.Context())
	require.NoError(t, err)
	require.NotNil(t, fresh)
	require.Less(t, fresh.Value, time.Second)
	require.Less(t, time.Since(fresh.At), time.Second)

	require.Eventually(t, func() bool { return time.Since(fresh.At) > 1200*time.Millisecond }, 5*time.Second, 20*time.Millisecond)
	old, err := follower.Lag(t.Context())
	require.NoError(t, err)
	require.WithinDuration(t, fresh.At, old.At, 100*time.Millisecond, "nothing has arrived since")
	require.Equal(t, fresh.Value, old.Value)
}

func reach(t *testing.T, s *server) {
	s.open(t, eastRegion)
	e, err := aurora.NewEndpoint(aurora.EndpointConfig{
		DB: s.app, Dialect: aurora.DialectMySQL,
		Region: func(id string) (dr.Region, bool) { return eastRegion, id == "1" },
	})
	require.NoError(t, err)
	at, err := e.Reach(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, eastRegion, at)
	_, err = e.Reach(t.Context(), 2)
	require.ErrorIs(t, err, aurora.ErrStaleEpoch)
	s.exec(t, "SET GLOBAL super_read_only = ON")
	_, err = e.Reach(t.Context(), 3)
	require.ErrorIs(t, err, failover.ErrReadOnly)
}

func probeWriter(t *testing.T, s *server) {
	db := s.open(t, eastRegion)
	ask := func(kept, fresh *sql.DB) []health.Observation {
		w, err := probe.NewMySQL(probe.MySQLConfig{
			Writers: map[dr.Region]*sql.DB{eastRegion: kept}, Fresh: map[dr.Region]*sql.DB{eastRegion: fresh},
		})
		require.NoError(t, err)
		p, err := probe.NewSQL(westRegion, w)
		require.NoError(t, err)
		return p.Probe(within(t, 1500*time.Millisecond), eastRegion)
	}
	expect := func(want health.Answer, cause string, got []health.Observation) {
		t.Helper()
		for _, o := range got {
			require.Equal(t, want, o.Answer, "%s: %s", o.Method, o.Cause)
			require.Contains(t, o.Cause, cause)
		}
	}
	kept, fresh := s.pool(t, "lifeboat_app", "app"), s.pool(t, "lifeboat_app", "app")
	expect(health.Alive, "", ask(kept, fresh))

	require.NoError(t, db.Fence(t.Context(), 1))
	expect(health.Dead, "read-only", ask(kept, fresh))
	require.NoError(t, db.Open(t.Context(), 1))
	expect(health.Alive, "", ask(kept, fresh))

	expect(health.Unknown, "Access denied", ask(s.pool(t, "lifeboat_app", "wrong"), s.pool(t, "lifeboat_app", "wrong")))

	var limit string
	require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT @@global.max_connections").Scan(&limit))
	s.exec(t, "SET GLOBAL max_connections = 1")
	expect(health.Unknown, "1040", ask(s.pool(t, "lifeboat_app", "app"), s.pool(t, "lifeboat_app", "app"))[1:])
	s.exec(t, "SET GLOBAL max_connections = "+limit)

	gone := &server{addr: dead(t)}
	expect(health.Dead, "refused", ask(gone.pool(t, "a", ""), gone.pool(t, "a", "")))

	thaw := s.freeze(t)
	began := time.Now()
	got := ask(kept, fresh)
	require.Less(t, time.Since(began), 2*time.Second)
	for _, o := range got {
		require.Equal(t, health.Dead, o.Answer, o.Cause)
		require.True(t, strings.Contains(o.Cause, "no answer in time") || strings.Contains(o.Cause, "reset"), o.Cause)
	}
	thaw()
	expect(health.Alive, "", ask(kept, fresh))
}
