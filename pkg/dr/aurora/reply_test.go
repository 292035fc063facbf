package aurora_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// What a guard acts on: every call says whether the server was asked, has answered, and
// what the answer says of its clients' writes.
func TestTheClassOfEveryCall(t *testing.T) {
	number := func(n uint16, message string) error { return &mysql.MySQLError{Number: n, Message: message} }
	for name, c := range map[string]struct {
		err  error
		want failover.Reply
	}{
		"too many connections": {number(1040, "Too many connections"), failover.ReplyAnswered},
		"access denied":        {number(1045, "Access denied"), failover.ReplyAnswered},
		"locked account":       {number(3118, "Account is locked"), failover.ReplyAnswered},
		"blocked host":         {number(1129, "Host is blocked"), failover.ReplyAnswered},
		"no privilege":         {number(1142, "denied"), failover.ReplyAnswered},
		"lock wait":            {number(1205, "Lock wait timeout exceeded"), failover.ReplyAnswered},
		"new number":           {number(65000, "?"), failover.ReplyAnswered},
		"disk full":            {number(3675, "disk is full"), failover.ReplyRefusesWrites},
		"shutdown":             {number(1053, "Server shutdown in progress"), failover.ReplyRefusesWrites},
		"no login":             {health.ErrNotAsked, failover.ReplyNotAsked},
		"silence":              {context.DeadlineExceeded, failover.ReplyUnanswered},
		"reset":                {mysql.ErrInvalidConn, failover.ReplyUnanswered},
	} {
		for at, spoil := range map[string]func(*server){
			"connection": func(s *server) { s.full = func() error { return c.err } },
			"statement":  func(s *server) { s.refuse = func(string) error { return c.err } },
		} {
			s := newServer()
			spoil(s)
			db := sqlOn(t, s)
			for op, err := range map[string]error{
				"beat":     db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}),
				"fence":    db.Fence(t.Context(), 4),
				"open":     db.Open(t.Context(), 4),
				"watchdog": db.RemoveWatchdog(t.Context()),
			} {
				require.Equal(t, c.want, failover.ReplyOf(err), "%s, %s at the %s: %v", name, op, at, err)
				require.ErrorIs(t, err, c.err)
			}
		}
	}
	require.Equal(t, failover.ReplyAnswered, failover.ReplyOf(aurora.ErrStaleEpoch), "a server that has seen a newer epoch answers")
}

// A MySQL server that follows another one says so itself, to an account that may ask; to
// another one it is read-only, and no more.
func TestAMySQLReplicaIsNotTheWriter(t *testing.T) {
	s := newServer()
	db := sqlOn(t, s, func(c *aurora.SQLConfig) { c.Dialect = aurora.DialectMySQL })
	beat := func() failover.Reply {
		return failover.ReplyOf(db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
	}
	s.channels = 1
	require.Equal(t, failover.ReplyCommitted, beat(), "a replica that accepts writes is for the control plane to judge")
	s.readOnly = true
	require.Equal(t, failover.ReplyNotWriter, beat())
	s.channels = 0
	require.Equal(t, failover.ReplyReadOnly, beat())
	s.channels = 1
	s.refuse = func(q string) error {
		if q == "SELECT COUNT(*) FROM performance_schema.replication_connection_status" {
			return &mysql.MySQLError{Number: 1142, Message: "SELECT command denied"}
		}
		return nil
	}
	require.Equal(t, failover.ReplyReadOnly, beat())
	s.refuse = func(q string) error {
		if q == "SELECT COUNT(*) FROM performance_schema.replication_connection_status" {
			return errors.New("cut")
		}
		return nil
	}
	require.Equal(t, failover.ReplyReadOnly, beat(), "the refusal itself was heard")
}
