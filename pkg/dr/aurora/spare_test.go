package aurora_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// keeping returns a database whose pools keep nothing themselves, on a server from which
// Keep has its connections already, and the pool of the account that fences.
func keeping(t *testing.T, s *server) *aurora.SQL {
	t.Helper()
	db, admin := s.db(t), s.db(t)
	for _, pool := range []*sql.DB{db, admin} {
		pool.SetMaxIdleConns(-1)
	}
	out := sqlOn(t, s, func(c *aurora.SQLConfig) { c.DB, c.Admin = db, admin })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { out.Keep(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	synctest.Wait()
	return out
}

// connections are those that were opened so far.
func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

func (s *server) refuseConnections(n uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = func() error { return &mysql.MySQLError{Number: n, Message: "refused"} }
}

// A server that takes no new connections, or none of this account, is asked and fenced on
// those that were open before.
func TestAFullServerIsStillAskedAndFenced(t *testing.T) {
	for _, n := range []uint16{1040, 1203, 1226, 1135, 1045, 3118, 1862, 1129} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.sessions = []uint64{7}
			db := keeping(t, s)
			require.Equal(t, 3, s.connections(), "one for heartbeats, two for the fence")
			s.refuseConnections(n)
			for range 3 {
				require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}), n)
			}
			require.NoError(t, db.Fence(t.Context(), 4))
			require.True(t, s.readOnly)
			require.Empty(t, s.sessions)
			require.Equal(t, failover.ReplyReadOnly, failover.ReplyOf(db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4})))
			require.NoError(t, db.Open(t.Context(), 4))
			require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}), "an answer doesn't cost the spare")
			require.Equal(t, 3, s.connections())
		})
	}
}

// A fence that clients hold up, in a server that is full, ends their sessions on its second one.
func TestAFullServerIsFencedThoughItIsHeldUp(t *testing.T) {
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
		db := keeping(t, s)
		s.refuseConnections(1040)
		require.NoError(t, db.Fence(t.Context(), 4))
		require.True(t, s.readOnly)
	})
}

// While the server takes connections, the spare ones are used for nothing.
func TestASpareIsLeftAloneWhileOthersAreToBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		db := keeping(t, s)
		for range 4 {
			require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
		}
		require.Equal(t, 3+4, s.connections())
		s.mu.Lock()
		s.full = func() error { return context.DeadlineExceeded }
		s.mu.Unlock()
		require.Equal(t, failover.ReplyUnanswered, failover.ReplyOf(db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4})),
			"silence is not worked around: the writer may be another one by now")
	})
}

// A spare that has broken is made anew before it is needed.
func TestASpareThatBrokeIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		db := keeping(t, s)
		s.mu.Lock()
		s.deaf = 3 // a restart: every connection is dead
		s.mu.Unlock()
		<-time.After(11 * time.Second)
		require.Equal(t, 6, s.connections())
		s.refuseConnections(1040)
		require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
		require.NoError(t, db.Fence(t.Context(), 4))

		<-time.After(10 * time.Minute)
		require.NoError(t, db.Fence(t.Context(), 4), "a full server costs none that works")
		s.mu.Lock()
		s.full = nil
		s.mu.Unlock()
		<-time.After(11 * time.Second)
		require.Equal(t, 9, s.connections(), "an old one is replaced, because the name may lead elsewhere")
	})
}

// Without Keep nothing is kept, and the refusal stands.
func TestWithoutKeepARefusalStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		db := sqlOn(t, s)
		s.refuseConnections(1040)
		require.Equal(t, failover.ReplyAnswered, failover.ReplyOf(db.Fence(t.Context(), 4)))
		require.Equal(t, failover.ReplyAnswered, failover.ReplyOf(db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4})))
	})
}

// Sessions end once for each time that a fence has closed the server, never for a fence
// that finds it closed, nor after one that it has refused.
func TestSessionsEndOnceForEachClosing(t *testing.T) {
	s := newServer()
	db := sqlOn(t, s)
	kills := func() int { return len(s.statements("CALL mysql.rds_kill")) }
	for cycle := range 3 {
		s.sessions = []uint64{7}
		require.NoError(t, db.Fence(t.Context(), 4))
		require.Equal(t, cycle+1, kills())
		s.sessions = []uint64{8}
		for range 4 {
			require.NoError(t, db.Fence(t.Context(), 4))
		}
		require.Equal(t, cycle+1, kills())
		require.NoError(t, db.Open(t.Context(), 4))
	}

	s.refuse = func(q string) error {
		if strings.HasPrefix(q, "CALL mysql.rds_set_read_only(1)") {
			return &mysql.MySQLError{Number: 1370, Message: "execute command denied"}
		}
		return nil
	}
	require.Equal(t, failover.ReplyAnswered, failover.ReplyOf(db.Fence(t.Context(), 4)))
	s.refuse = nil
	s.mu.Lock()
	s.readOnly = true // by another hand
	s.mu.Unlock()
	require.NoError(t, db.Fence(t.Context(), 4))
	require.Equal(t, 3, kills(), "what this fence has not closed keeps its sessions")
}
