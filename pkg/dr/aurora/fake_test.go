package aurora_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// server is an Aurora server as far as the SQL of this package can tell: two
// variables, a heartbeat table, sessions, one lock and a clock.
type server struct {
	mu        sync.Mutex
	readOnly  bool
	secondary bool                // innodb_read_only
	writers   []string            // of this Region, as a reader knows them
	epoch     uint64              // of the heartbeat row; 0: no row
	rows      map[string][2]int64 // epoch and seq of every row that was written
	follows   *server             // whose rows have arrived here
	sessions  []uint64            // of clients
	lag       []driver.Value
	skew      time.Duration // of its clock
	log       []string
	opened    int // connections
	deaf      int // connections that are dead when used next
	watched   int64

	lock chan struct{}
	hook func(query string) // runs before a statement, outside the mutex

	channels int64                    // of a MySQL server that follows another one
	refuse   func(query string) error // a statement's answer instead of its own
	full     func() error             // a new connection's
}

func newServer() *server { return &server{lock: make(chan struct{}, 1)} }

func (s *server) db(t *testing.T) *sql.DB {
	t.Helper()
	db := sql.OpenDB(s)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// sqlOn returns the package's view of the server.
func sqlOn(t *testing.T, s *server, change ...func(*aurora.SQLConfig)) *aurora.SQL {
	t.Helper()
	cfg := aurora.SQLConfig{DB: s.db(t), Region: west}
	for _, f := range change {
		f(&cfg)
	}
	out, err := aurora.NewSQL(cfg)
	require.NoError(t, err)
	return out
}

func (s *server) Connect(context.Context) (driver.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full != nil {
		if err := s.full(); err != nil {
			return nil, err
		}
	}
	s.opened++
	return &conn{server: s}, nil
}

func (s *server) Driver() driver.Driver { return nil }

// statements returns what was executed and begins with a prefix.
func (s *server) statements(prefix string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, q := range s.log {
		if strings.HasPrefix(q, prefix) {
			out = append(out, q)
		}
	}
	return out
}

type conn struct {
	server *server
	locked bool
}

func (c *conn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("prepared statements cost a round trip")
}

// Ping says whether the connection is alive.
func (c *conn) Ping(context.Context) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.deaf > 0 {
		c.server.deaf--
		return driver.ErrBadConn
	}
	return nil
}

func (c *conn) Begin() (driver.Tx, error) { return nil, errors.New("no transactions") }

func (c *conn) Close() error {
	if c.locked {
		<-c.server.lock
	}
	return nil
}

func (c *conn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	_, n, err := c.run(ctx, q, args)
	return driver.RowsAffected(n), err
}

func (c *conn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	r, _, err := c.run(ctx, q, args)
	if err != nil {
		return nil, err
	}
	return &rows{values: r}, nil
}

type rows struct{ values [][]driver.Value }

func (r *rows) Columns() []string {
	if len(r.values) == 0 {
		return []string{"x"}
	}
	return make([]string, len(r.values[0]))
}
func (r *rows) Close() error { return nil }
func (r *rows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}

var opening = regexp.MustCompile(`^CALL mysql\.rds_set_read_only\(IF\(UTC_TIMESTAMP\(6\) < '([^']+)', 0, 1\)\)$`)

const timeFormat = "2006-01-02 15:04:05.000000"

func (s *server) now() time.Time { return time.Now().UTC().Add(s.skew) }

// run executes a statement; one that the server does not know is an error, so that
// a test fails when the SQL changes.
func (c *conn) run(ctx context.Context, q string, args []driver.NamedValue) ([][]driver.Value, int64, error) {
	s := c.server
	s.mu.Lock()
	if s.deaf > 0 {
		s.deaf--
		s.mu.Unlock()
		return nil, 0, driver.ErrBadConn
	}
	s.log = append(s.log, q)
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		hook(q)
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if s.refuse != nil {
		if err := s.refuse(q); err != nil {
			return nil, 0, err
		}
	}
	switch {
	case strings.HasPrefix(q, "SELECT GET_LOCK"):
		select {
		case s.lock <- struct{}{}:
			c.locked = true
			return one(int64(1)), 0, nil
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	case strings.HasPrefix(q, "DO RELEASE_LOCK"):
		c.locked = false
		<-s.lock
		return nil, 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case q == "SELECT @@global.read_only, @@global.innodb_read_only":
		return one(s.readOnly, s.secondary), 0, nil
	case q == "SELECT @@global.super_read_only, @@global.innodb_read_only":
		return one(s.readOnly, s.secondary), 0, nil
	case q == "SELECT COUNT(*) > 0 FROM performance_schema.replication_connection_status":
		return one(s.channels > 0), 0, nil
	case q == "SELECT COUNT(*) FROM performance_schema.replication_connection_status":
		return one(s.channels), 0, nil
	case q == "SELECT @@global.read_only":
		return one(s.readOnly), 0, nil
	case q == "SELECT @@global.innodb_read_only":
		return one(s.secondary), 0, nil
	case q == "SELECT @@global.read_only OR @@global.innodb_read_only":
		return one(s.readOnly || s.secondary), 0, nil
	case q == "CALL mysql.rds_set_read_only(1)":
		s.readOnly = true
		return nil, 0, nil
	case opening.MatchString(q):
		until, err := time.Parse(timeFormat, opening.FindStringSubmatch(q)[1])
		s.readOnly = !s.now().Before(until)
		return nil, 0, err
	case strings.HasPrefix(q, "SELECT CAST(UTC_TIMESTAMP(6) + INTERVAL "):
		n, err := strconv.Atoi(strings.Fields(q)[4])
		return one(s.now().Add(time.Duration(n) * time.Microsecond).Format(timeFormat)), 0, err
	case strings.HasPrefix(q, "SELECT COUNT(*) FROM information_schema.events"):
		return one(s.watched), 0, nil
	case strings.HasPrefix(q, "SELECT MAX(epoch)"):
		if s.epoch == 0 {
			return one(nil), 0, nil
		}
		return one(int64(s.epoch)), 0, nil
	case strings.HasPrefix(q, "SELECT server_id"):
		var r [][]driver.Value
		for _, w := range s.writers {
			r = append(r, []driver.Value{w})
		}
		return r, 0, nil
	case strings.HasPrefix(q, "SELECT id FROM information_schema.processlist"):
		var r [][]driver.Value
		for _, id := range s.sessions {
			r = append(r, []driver.Value{int64(id)})
		}
		return r, 0, nil
	case strings.HasPrefix(q, "CALL mysql.rds_kill("):
		s.sessions = s.sessions[1:]
		return nil, 0, &mysql.MySQLError{Number: 1094, Message: "Unknown thread id"} // it may end by itself
	case strings.HasPrefix(q, "SELECT region, epoch, seq"):
		from := s
		if s.follows != nil {
			s.follows.mu.Lock()
			defer s.follows.mu.Unlock()
			from = s.follows
		}
		row, there := from.rows[args[0].Value.(string)]
		values := []driver.Value{args[0].Value, row[0], row[1]}
		switch q {
		case "SELECT region, epoch, seq FROM lifeboat.heartbeat WHERE region = ?":
		case "SELECT region, epoch, seq, @@global.innodb_read_only FROM lifeboat.heartbeat WHERE region = ?":
			values = append(values, s.secondary)
		case "SELECT region, epoch, seq, (SELECT COUNT(*) > 0 FROM performance_schema.replication_connection_status) FROM lifeboat.heartbeat WHERE region = ?":
			values = append(values, s.channels > 0)
		default:
			return nil, 0, fmt.Errorf("the server does not know %q", q)
		}
		if !there {
			return nil, 0, nil
		}
		return one(values...), 0, nil
	case strings.HasPrefix(q, "INSERT INTO lifeboat.heartbeat"):
		return s.beat(args)
	case strings.HasPrefix(q, "SELECT 1000 * rpo_lag_in_milliseconds"):
		if s.lag == nil {
			return nil, 0, nil
		}
		return one(s.lag...), 0, nil
	case q == "SELECT @@aurora_server_id":
		return one("orders-west-1"), 0, nil
	}
	return nil, 0, fmt.Errorf("the server does not know %q", q)
}

func (s *server) beat(args []driver.NamedValue) ([][]driver.Value, int64, error) {
	row, epoch := args[0].Value.(string), args[1].Value.(int64)
	promise := strings.HasSuffix(row, failover.PromiseRow) // whose epoch is a generation
	switch {
	case s.secondary:
		return nil, 0, &mysql.MySQLError{Number: 1836, Message: "Running in read-only mode"}
	case s.readOnly, epoch < s.rows[row][0], !promise && uint64(epoch) < s.epoch:
		return nil, 0, nil
	}
	if s.rows == nil {
		s.rows = make(map[string][2]int64)
	}
	written := [2]int64{epoch}
	if len(args) > 2 { // by the protocol only the first two are read
		written[1] = args[2].Value.(int64)
	}
	s.rows[row] = written
	if !promise {
		s.epoch = uint64(epoch)
	}
	return nil, 2, nil
}

func one(values ...driver.Value) [][]driver.Value { return [][]driver.Value{values} }

// uint64 arguments reach a driver as int64.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := v.Value.(uint64); ok {
		v.Value = int64(n)
	}
	return nil
}
