package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// Fence implements failover.Fencer. It makes the server read-only, waits for an
// opening that is under way and undoes it, reads the server's state back, and ends
// the sessions of clients from before. Ending them matters on Aurora, where
// read_only doesn't bind users with CONNECTION_ADMIN; on both it makes clients look for
// the new writer at once.
//
// A server that was read-only before keeps its sessions: they may be reports that
// run on a secondary, or have begun since the last fence. They are ended once for each time
// that a fence has moved the server from writable to read-only, however often it is called.
func (s *SQL) Fence(ctx context.Context, _ dr.Epoch) error {
	s.fences.Add(1)
	return s.session(ctx, s.cfg.Admin, "fence the writer", func(c *sql.Conn) error {
		m, err := s.mode(ctx, c)
		if err != nil {
			return err
		}
		if m.secondary {
			return s.provenSecondary(ctx, c)
		}
		// First without the lock: a goroutine that opens may hold it and hang.
		if err := s.close(ctx, c, m); err != nil {
			return err
		}
		err = s.locked(ctx, c, func() error {
			m, err := s.mode(ctx, c)
			if err == nil && !m.closed {
				err = s.close(ctx, c, m)
			}
			if err != nil {
				return err
			}
			if m, err = s.mode(ctx, c); err == nil && !m.closed {
				err = saying("the server is not read-only in spite of a successful statement")
			}
			return err
		})
		if err != nil || !s.unclean.Load() {
			return err
		}
		if err := s.endSessions(ctx, c); err != nil {
			return err
		}
		s.unclean.Store(false)
		return nil
	})
}

// mode is what a server says of itself.
type mode struct {
	closed    bool // refuses writes; on Aurora, those of users without CONNECTION_ADMIN
	secondary bool // its storage takes no writes, whatever the variables say
}

func (s *SQL) mode(ctx context.Context, c *sql.Conn) (mode, error) {
	closed := "@@global.super_read_only"
	if s.cfg.Dialect == DialectAurora {
		closed = "@@global.read_only"
	}
	var m mode
	err := c.QueryRowContext(ctx, "SELECT "+closed+", @@global.innodb_read_only").Scan(&m.closed, &m.secondary)
	return m, err
}

// blockedAfter is how long a server may take to become read-only before clients
// are disconnected. It waits for running statements and for locked tables.
const blockedAfter = 100 * time.Millisecond

// close makes the server read-only. What holds it up is disconnected.
func (s *SQL) close(ctx context.Context, c *sql.Conn, m mode) (err error) {
	if m.closed {
		return nil
	}
	before := s.unclean.Swap(true)
	// A server that has refused was not moved: its sessions are none of an open writer's
	// that this fence has closed.
	defer func() {
		if reply, _ := mysqlerr.Reply(err); err != nil && !before && reply.Heard() {
			s.unclean.Store(false)
		}
	}()
	statement := "SET GLOBAL super_read_only = ON"
	if s.cfg.Dialect == DialectAurora {
		statement = "CALL mysql.rds_set_read_only(1)"
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.ExecContext(ctx, statement)
		done <- err
	}()
	timer := time.NewTimer(blockedAfter)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
	}
	endErr := s.session(ctx, s.cfg.Admin, "end sessions", func(c *sql.Conn) error {
		// The pool may hold a session on a reader, from before a promotion.
		if m, err := s.mode(ctx, c); err != nil {
			return err
		} else if m.secondary {
			return fmt.Errorf("connected to a reader: %w", mysqlerr.As(health.ErrNotAsked, errElsewhere))
		}
		return s.endSessions(ctx, c)
	})
	if err := <-done; err != nil {
		return errors.Join(err, endErr)
	}
	return nil
}

// endSessions disconnects clients: neither the server's own threads, nor replicas,
// nor the accounts to spare.
func (s *SQL) endSessions(ctx context.Context, c *sql.Conn) error {
	// On Aurora the performance schema is often off, and its table then empty.
	list, end := "performance_schema.processlist", "KILL CONNECTION %d"
	if s.cfg.Dialect == DialectAurora {
		list, end = "information_schema.processlist", "CALL mysql.rds_kill(%d)"
	}
	spare := append([]string{"system user", "event_scheduler", "unauthenticated user", "rdsadmin", "rdsrepladmin"}, s.cfg.Spare...)
	args := make([]any, len(spare))
	for i, user := range spare {
		args[i] = user
	}
	rows, err := c.QueryContext(ctx, "SELECT id FROM "+list+" WHERE id <> CONNECTION_ID() "+
		"AND user <> SUBSTRING_INDEX(USER(), '@', 1) AND command NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID') "+
		"AND user NOT IN (?"+strings.Repeat(", ?", len(spare)-1)+")", args...)
	if err != nil {
		return err
	}
	ids, err := column[uint64](rows)
	if err != nil {
		return err
	}
	for _, id := range ids {
		_, err := c.ExecContext(ctx, fmt.Sprintf(end, id))
		if err != nil && number(err) != 1094 { // ER_NO_SUCH_THREAD: gone by itself
			return fmt.Errorf("end session %d: %w", id, err)
		}
	}
	return nil
}

// column reads a result of one column.
func column[T any](rows *sql.Rows) ([]T, error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// provenSecondary returns nil when no instance of this Region is the writer. A
// connection to a reader beside the writer proves nothing about the writer.
func (s *SQL) provenSecondary(ctx context.Context, c *sql.Conn) error {
	if s.cfg.Dialect != DialectAurora {
		return nil
	}
	rows, err := c.QueryContext(ctx, "SELECT server_id FROM information_schema.aurora_global_db_instance_status "+
		"WHERE session_id = 'MASTER_SESSION_ID' AND aws_region = ?", s.cfg.Region.String())
	if err != nil {
		return err
	}
	writers, err := column[string](rows)
	if err != nil {
		return err
	}
	if len(writers) > 0 {
		hint := errors.New("connect to the cluster endpoint")
		if s.learn(writers) {
			hint = errElsewhere
		}
		return fmt.Errorf("connected to a reader, the writer is %s: %w", strings.Join(writers, ", "), mysqlerr.As(health.ErrNotAsked, hint))
	}
	return nil
}

// learn tells the pools who the writer is. It reports whether they will know.
func (s *SQL) learn(writers []string) (learnt bool) {
	for _, db := range []*sql.DB{s.cfg.DB, s.cfg.Admin} {
		if p, ok := db.Driver().(pooled); ok {
			learnt = p.writer.learn(writers) || learnt
		}
	}
	return learnt
}

// locked runs f while no other session opens the server. The lock belongs to the
// connection: it goes when the connection does.
func (s *SQL) locked(ctx context.Context, c *sql.Conn, f func() error) error {
	var got sql.NullInt64
	if err := c.QueryRowContext(ctx, "SELECT GET_LOCK('lifeboat.open', 1)").Scan(&got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return saying("the server is being opened or fenced by another session: try again")
	}
	err := f()
	if _, releaseErr := c.ExecContext(ctx, "DO RELEASE_LOCK('lifeboat.open')"); releaseErr != nil {
		drop(c)
	}
	return err
}
