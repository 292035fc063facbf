package aurora_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func TestFenceOnAurora(t *testing.T) {
	s := newServer()
	s.sessions = []uint64{7, 9}
	db := sqlOn(t, s)
	require.NoError(t, db.Fence(t.Context(), 4))
	require.True(t, s.readOnly)
	require.Equal(t, []string{"CALL mysql.rds_kill(7)", "CALL mysql.rds_kill(9)"}, s.statements("CALL mysql.rds_kill"))
	require.ErrorIs(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}), failover.ErrReadOnly)

	s.sessions = []uint64{11}
	require.NoError(t, db.Fence(t.Context(), 4))
	require.Equal(t, []uint64{11}, s.sessions, "a report on a server that was read-only before may go on")
	require.Len(t, s.statements("CALL mysql.rds_set_read_only"), 1)
}

func TestFenceThatEndedNoSessionsIsRepeated(t *testing.T) {
	s := newServer()
	s.sessions = []uint64{7}
	s.hook = func(q string) {
		if strings.HasPrefix(q, "SELECT id FROM") {
			s.mu.Lock()
			s.deaf = 4 // the connection dies, and so do the next ones
			s.mu.Unlock()
		}
	}
	db := sqlOn(t, s)
	require.Error(t, db.Fence(t.Context(), 4))
	s.hook, s.deaf = nil, 0
	require.NoError(t, db.Fence(t.Context(), 4))
	require.Empty(t, s.sessions)
}

func TestFenceOnASecondary(t *testing.T) {
	s := newServer()
	s.secondary = true
	require.NoError(t, sqlOn(t, s).Fence(t.Context(), 4))
	require.Empty(t, s.statements("CALL"), "a secondary has nothing to close")

	// A reader beside the writer proves nothing, and its connection is not kept.
	s.writers = []string{"orders-west-1"}
	db := sqlOn(t, s)
	before := s.opened
	require.ErrorContains(t, db.Fence(t.Context(), 4), "connected to a reader, the writer is orders-west-1")
	require.ErrorContains(t, db.Fence(t.Context(), 4), "connected to a reader")
	require.Equal(t, 2, s.opened-before)
}

// A reader beside the writer answers for itself only: taken for the writer's answer, its
// refusal would say that the writer is closed, or is none, and disarm the guard.
func TestAReaderBesideTheWriterGivesNoAnswer(t *testing.T) {
	s := newServer()
	s.secondary, s.epoch, s.writers = true, 4, []string{"orders-west-1"}
	db := sqlOn(t, s)
	for name, f := range map[string]func() error{
		"beat":    func() error { return db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}) },
		"open":    func() error { return db.Open(t.Context(), 4) },
		"install": func() error { return db.Install(t.Context()) },
	} {
		before := s.opened
		for range 2 {
			err := f()
			require.ErrorContains(t, err, "connected to a reader, the writer is orders-west-1", name)
			require.NotErrorIs(t, err, failover.ErrReadOnly, name)
			require.NotErrorIs(t, err, failover.ErrNotWriter, name)
			require.Equal(t, failover.ReplyNotAsked, failover.ReplyOf(err), "%s: the writer was not asked", name)
		}
		require.GreaterOrEqual(t, s.opened-before, 1, "its connection is not kept")
	}
	s.writers = nil
	err := db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4})
	require.ErrorIs(t, err, failover.ErrReadOnly, "a secondary")
	require.ErrorIs(t, err, failover.ErrNotWriter)
	require.ErrorIs(t, db.Open(t.Context(), 4), failover.ErrNotWriter)
	require.ErrorIs(t, db.Install(t.Context()), failover.ErrNotWriter)
}

// A trigger has no other login.
func TestLagIsReadByTheAccountOfHeartbeats(t *testing.T) {
	s, admin := newServer(), newServer()
	s.lag = []driver.Value{1000.0, int64(0)}
	lag, err := sqlOn(t, s, func(c *aurora.SQLConfig) { c.Admin = admin.db(t) }).Lag(t.Context())
	require.NoError(t, err)
	require.NotNil(t, lag)
	require.Zero(t, admin.opened)
}

// What holds read_only up is disconnected: the statement waits for running ones and
// for locked tables.
func TestFenceThatIsHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.sessions = []uint64{7}
		released := make(chan struct{})
		s.hook = func(q string) {
			switch {
			case strings.HasPrefix(q, "CALL mysql.rds_set_read_only"):
				<-released
			case strings.HasPrefix(q, "CALL mysql.rds_kill(7)"):
				close(released)
			}
		}
		began := time.Now()
		require.NoError(t, sqlOn(t, s).Fence(t.Context(), 4))
		require.True(t, s.readOnly)
		require.Equal(t, 100*time.Millisecond, time.Since(began))
	})
}

func TestOpenOnAurora(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.readOnly, s.epoch, s.skew = true, 4, 90*time.Minute
		db := sqlOn(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
		defer cancel()
		require.NoError(t, db.Open(ctx, 4))
		require.False(t, s.readOnly)
		until := s.now().Add(800 * time.Millisecond).Format(timeFormat)
		require.Equal(t, "CALL mysql.rds_set_read_only(IF(UTC_TIMESTAMP(6) < '"+until+"', 0, 1))", s.statements("CALL")[0],
			"the statement must end with the call, on the server's clock")

		s.readOnly = true
		require.ErrorIs(t, db.Open(ctx, 3), aurora.ErrStaleEpoch)
		s.secondary = true
		require.ErrorIs(t, db.Open(ctx, 4), failover.ErrNotWriter)
		require.True(t, s.readOnly)
	})
}

// A server that froze with the statement in its socket must not open after the thaw.
func TestOpenThatComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		s.readOnly = true
		s.hook = func(q string) {
			if opening.MatchString(q) {
				s.mu.Lock()
				s.skew = 2 * time.Second // frozen for so long
				s.mu.Unlock()
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, sqlOn(t, s).Open(ctx, 4), "too late")
		require.True(t, s.readOnly)
	})
}

// A fence that begins while the server is being opened ends with it closed, at
// whatever statement it begins.
func TestFenceDuringOpen(t *testing.T) {
	steps := newServer()
	steps.readOnly = true
	require.NoError(t, sqlOn(t, steps).Open(t.Context(), 4))
	require.Greater(t, len(steps.log), 5)
	for _, at := range steps.log {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.readOnly = true
				db := sqlOn(t, s)
				var begun atomic.Bool
				var fence error
				var wg sync.WaitGroup
				s.hook = func(q string) {
					if strings.HasPrefix(q, at[:20]) && begun.CompareAndSwap(false, true) {
						wg.Go(func() { fence = db.Fence(t.Context(), 4) })
						synctest.Wait()
					}
				}
				openErr := db.Open(t.Context(), 4)
				wg.Wait()
				require.NoError(t, fence)
				require.True(t, s.readOnly, "opening said: %v", openErr)
			})
		})
	}
}

// A watchdog that is awake closes the server again until there is a heartbeat.
func TestOpenUnderAWatchdog(t *testing.T) {
	s := newServer()
	s.readOnly, s.watched = true, 1
	bites := 1
	s.hook = func(q string) {
		if strings.HasPrefix(q, "INSERT INTO lifeboat.heartbeat") && bites > 0 {
			bites--
			s.mu.Lock()
			s.readOnly = true
			s.mu.Unlock()
		}
	}
	require.NoError(t, sqlOn(t, s).Open(t.Context(), 4))
	require.False(t, s.readOnly)
	require.EqualValues(t, 4, s.epoch, "opened with a heartbeat")
	require.Len(t, s.statements("INSERT"), 2)

	s.readOnly, bites = true, 99
	require.ErrorIs(t, sqlOn(t, s).Open(t.Context(), 4), failover.ErrReadOnly)
}

func TestBeat(t *testing.T) {
	s := newServer()
	db := sqlOn(t, s)
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4, Seq: 1 << 40}))
	require.ErrorIs(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 3}), aurora.ErrStaleEpoch)
	s.secondary = true
	require.Equal(t, failover.ReplyNotWriter, failover.ReplyOf(db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4})))
	s.secondary, s.readOnly = false, true
	require.Equal(t, failover.ReplyReadOnly, failover.ReplyOf(db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4})))
	require.ErrorIs(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}), failover.ErrReadOnly,
		"an account that could write in spite of read_only must not")
}

func TestConnectionsAfterAnError(t *testing.T) {
	s := newServer()
	db := sqlOn(t, s)
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
	require.Equal(t, 1, s.opened, "a good one is kept")

	s.readOnly = true
	require.Error(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
	s.readOnly = false
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
	require.Equal(t, 2, s.opened, "one that led to a read-only server is not: the writer may be elsewhere")

	s.deaf = 1
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}), "one that died idle is replaced")
	require.Equal(t, 3, s.opened)
}

func TestLagOnAurora(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		db := sqlOn(t, s)
		for _, c := range []struct {
			name  string
			row   []driver.Value
			value time.Duration
			age   time.Duration
			known bool
		}{
			{"no row, or the year 1970", nil, 0, 0, false},
			{"a row", []driver.Value{340500.0, int64(1_200_000)}, 340500 * time.Microsecond, 1200 * time.Millisecond, true},
			{"no heartbeat yet", []driver.Value{340500.0, nil}, 0, 0, false},
			{"no value", []driver.Value{nil, int64(10)}, 0, 0, false},
			{"clocks that differ a bit", []driver.Value{-200.0, int64(-300)}, 0, 0, true},
			{"clocks that disagree", []driver.Value{-1_000_001.0, int64(0)}, 0, 0, false},
		} {
			s.lag = c.row
			lag, err := db.Lag(t.Context())
			require.NoError(t, err, c.name)
			if !c.known {
				require.Nil(t, lag, c.name)
				continue
			}
			require.NotNil(t, lag, c.name)
			require.Equal(t, c.value, lag.Value, c.name)
			require.Equal(t, c.age, time.Since(lag.At), c.name)
		}
	})
}

func TestReach(t *testing.T) {
	s := newServer()
	e, err := aurora.NewEndpoint(aurora.EndpointConfig{DB: s.db(t), Region: func(id string) (dr.Region, bool) {
		region, known := strings.CutPrefix(id, "orders-")
		return dr.Region(region), known
	}})
	require.NoError(t, err)
	r := aurora.Router{Reacher: e}
	require.NoError(t, r.Redirect(t.Context(), west, 5), "the global endpoint follows by itself")
	for range 3 {
		at, err := r.Reach(t.Context(), 5)
		require.NoError(t, err)
		require.Equal(t, dr.Region("west-1"), at)
	}
	require.Equal(t, 3, s.opened, "a name that has moved is only seen by a new connection")

	s.readOnly = true
	at, err := r.Reach(t.Context(), 5)
	require.ErrorIs(t, err, failover.ErrReadOnly)
	require.Empty(t, at, "a server that refuses has not been reached")
	s.readOnly = false
	_, err = r.Reach(t.Context(), 4)
	require.ErrorIs(t, err, aurora.ErrStaleEpoch)
}

func TestSQLConfigurationsReportEverythingAtOnce(t *testing.T) {
	_, err := aurora.NewSQL(aurora.SQLConfig{Schema: "a;b", Dialect: 9, Watchdog: time.Second})
	for _, want := range []string{"DB is nil", "Region is empty", `Schema is no name`, "Dialect 9", "Watchdog 1s"} {
		require.ErrorContains(t, err, want)
	}
	_, err = aurora.OpenMySQL(aurora.MySQLConfig{Addr: "nohost", Timeout: -1, MaxOpen: -1})
	for _, want := range []string{"give host:port", "User is empty", "a timeout is negative", "MaxOpen"} {
		require.ErrorContains(t, err, want)
	}
	_, err = aurora.NewEndpoint(aurora.EndpointConfig{Schema: "a b"})
	require.ErrorContains(t, err, "DB and Region are required")
}

func TestPasswordIsNotInErrors(t *testing.T) {
	secretErr := errors.New("secret store is down")
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{Addr: "127.0.0.1:1", User: "monitor", Password: func(context.Context) (string, error) { return "hunter2", secretErr }})
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // nothing was opened
	err = db.PingContext(t.Context())
	require.ErrorIs(t, err, secretErr)
	require.ErrorContains(t, err, "aurora: mysql: password of monitor")
	require.NotContains(t, err.Error(), "hunter2")
}
