package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// Open implements failover.Fencer. It returns failover.ErrNotWriter on an Aurora
// secondary and on a MySQL replica, and ErrStaleEpoch when the database holds a
// heartbeat of a newer epoch. A server without the heartbeat table was promoted before
// its first writer's installation had arrived: it is installed first.
//
// The statement that opens carries its own deadline, on the server's clock: when
// a frozen server thaws and finds it in its socket, it opens nothing.
func (s *SQL) Open(ctx context.Context, e dr.Epoch) error {
	fences := s.fences.Load()
	asked := time.Now()
	return s.session(ctx, s.cfg.Admin, "open the writer", func(c *sql.Conn) error {
		return s.locked(ctx, c, func() error {
			if err := s.mayOpen(ctx, c, e); err != nil {
				return err
			}
			watched, err := s.watched(ctx, c)
			if err != nil {
				return err
			}
			until, err := deadline(ctx, c, asked)
			if err != nil {
				return err
			}
			if s.fences.Load() != fences {
				return mysqlerr.As(health.ErrNotAsked, errors.New("a fence has begun meanwhile"))
			}
			if !watched && s.cfg.Watchdog == 0 {
				return s.open(ctx, c, until)
			}
			err = s.openWatched(ctx, c, until, e)
			if err == nil && s.cfg.Watchdog != 0 {
				err = s.installWatchdog(ctx, c, s.cfg.Watchdog)
			}
			return err
		})
	})
}

// mayOpen says why a server must stay closed.
func (s *SQL) mayOpen(ctx context.Context, c *sql.Conn, e dr.Epoch) error {
	if _, err := s.writer(ctx, c); err != nil {
		return err
	}
	newest, installed, err := s.newest(ctx, c)
	if err != nil {
		return err
	}
	if !installed {
		return s.install(ctx, c)
	}
	if newest > e {
		return fmt.Errorf("%w: %d, not %d", ErrStaleEpoch, newest, e)
	}
	return nil
}

// replicates reports whether a MySQL server is configured to follow another one,
// whether or not it does at the moment.
func replicates(ctx context.Context, c *sql.Conn) (bool, error) {
	rows, err := c.QueryContext(ctx, "SHOW REPLICA STATUS")
	if err != nil {
		return false, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	configured := rows.Next()
	return configured, rows.Err()
}

// deadline returns ctx's deadline on the server's clock, or one second from now.
// Time is counted from before the server was asked, so the error is on the safe
// side.
func deadline(ctx context.Context, c *sql.Conn, asked time.Time) (string, error) {
	end, ok := ctx.Deadline()
	if !ok {
		end = asked.Add(time.Second)
	}
	left := time.Until(end)
	var until string
	err := c.QueryRowContext(ctx, fmt.Sprintf("SELECT CAST(UTC_TIMESTAMP(6) + INTERVAL %d MICROSECOND AS CHAR)", left.Microseconds())).Scan(&until)
	return until, err
}

// open makes the server writable unless the time has come on its own clock, and
// reads back what came of it. On MySQL, read_only off includes super_read_only.
func (s *SQL) open(ctx context.Context, c *sql.Conn, until string) error {
	statement := "SET GLOBAL read_only = IF(UTC_TIMESTAMP(6) < '%s', 0, @@global.read_only)"
	if s.cfg.Dialect == DialectAurora {
		statement = "CALL mysql.rds_set_read_only(IF(UTC_TIMESTAMP(6) < '%s', 0, 1))"
	}
	if _, err := c.ExecContext(ctx, fmt.Sprintf(statement, until)); err != nil {
		return err
	}
	var closed bool
	if err := c.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&closed); err != nil {
		return err
	}
	if closed {
		return saying("the server is still read-only: the statement came too late, or something closed it again")
	}
	return nil
}

// openWatched opens a server whose watchdog is awake: until the first heartbeat it
// takes the server for abandoned and closes it again.
func (s *SQL) openWatched(ctx context.Context, c *sql.Conn, until string, e dr.Epoch) error {
	var err error
	for range 3 {
		if err = s.open(ctx, c, until); err != nil {
			continue
		}
		if err = beat(ctx, c, s.heartbeat(), failover.Beat{Region: s.cfg.Region, Epoch: e}); err == nil {
			return nil
		}
		if !errors.Is(err, failover.ErrReadOnly) {
			return err
		}
	}
	return err
}
