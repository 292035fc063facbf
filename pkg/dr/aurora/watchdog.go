package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// InstallWatchdog implements failover.Watchdog by a MySQL event that looks once a
// second and makes the server read-only when this Region's heartbeat row is older
// than after. With it a writer stops by itself when its monitor has crashed inside a
// cut; without it a monitor must be alive to fence it. The price is that an outage of
// the monitor stops writes.
//
// after must leave room for the event's own second within the lease:
// dr.Policy.WatchdogAfter. A heartbeat must be there before it is installed. The event
// names the Region and replication disables it on secondaries, so every new term of a writer
// installs it again.
//
// Limits: a statement or a locked table that holds up SET GLOBAL holds up the
// watchdog, because an event ends no sessions. On Aurora the event calls
// mysql.rds_set_read_only, which does not bind accounts with CONNECTION_ADMIN; the
// cluster parameter event_scheduler must be ON; and none of this has been verified
// on a live cluster.
func (s *SQL) InstallWatchdog(ctx context.Context, after time.Duration) error {
	if after < 2*time.Second {
		return fmt.Errorf("aurora: install the watchdog in %s: %v is below 2s: the event runs once a second", s.cfg.Region, after)
	}
	return s.session(ctx, s.cfg.Admin, "install the watchdog", func(c *sql.Conn) error {
		return s.installWatchdog(ctx, c, after)
	})
}

func (s *SQL) installWatchdog(ctx context.Context, c *sql.Conn, after time.Duration) error {
	var scheduler string
	if err := c.QueryRowContext(ctx, "SELECT @@global.event_scheduler").Scan(&scheduler); err != nil {
		return err
	}
	if scheduler != "ON" {
		return saying("event_scheduler is " + scheduler + ": set the parameter to ON")
	}
	for _, statement := range []string{
		"DROP EVENT IF EXISTS " + s.watchdog(),
		fmt.Sprintf("CREATE EVENT %s ON SCHEDULE EVERY 1 SECOND ON COMPLETION PRESERVE ENABLE "+
			"COMMENT 'Lifeboat: read-only without a heartbeat' DO %s", s.watchdog(), s.bites(after)),
	} {
		if _, err := c.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// bites is the body of the event.
func (s *SQL) bites(after time.Duration) string {
	is, closed := "@@global.super_read_only", "SET GLOBAL super_read_only = ON"
	if s.cfg.Dialect == DialectAurora {
		is, closed = "@@global.read_only", "CALL mysql.rds_set_read_only(1)"
	}
	return fmt.Sprintf("BEGIN IF %s = 0 AND NOT EXISTS (SELECT 1 FROM %s WHERE region = %s AND at > UTC_TIMESTAMP(6) - INTERVAL %d MICROSECOND) "+
		"THEN %s; END IF; END", is, s.heartbeat(), quote(s.cfg.Region.String()), after.Microseconds(), closed)
}

// CheckWatchdog implements failover.WatchdogKeeper: the scheduler runs, and the event
// is enabled and word for word what InstallWatchdog makes.
func (s *SQL) CheckWatchdog(ctx context.Context, after time.Duration) (bool, error) {
	var n int
	err := s.session(ctx, s.cfg.Admin, "check the watchdog", func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.events WHERE event_schema = ? AND event_name = 'watchdog' "+
			"AND status = 'ENABLED' AND event_definition = ? AND @@global.event_scheduler = 'ON'", s.cfg.Schema, s.bites(after)).Scan(&n)
	})
	return n > 0, err
}

// RemoveWatchdog implements failover.WatchdogKeeper: it drops the event on the writer,
// if there is one.
func (s *SQL) RemoveWatchdog(ctx context.Context) error {
	return s.session(ctx, s.cfg.Admin, "remove the watchdog", func(c *sql.Conn) error {
		var n int
		err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.events WHERE event_schema = ? AND event_name = 'watchdog'", s.cfg.Schema).Scan(&n)
		if err != nil || n == 0 {
			return err // nothing goes into the binary log for nothing
		}
		_, err = c.ExecContext(ctx, "DROP EVENT IF EXISTS "+s.watchdog())
		if readOnly(err) {
			return mysqlerr.As(failover.ErrReadOnly, errors.New("the server is read-only: remove the watchdog on the writer"))
		}
		return err
	})
}

// watched reports whether the watchdog is awake on this server.
func (s *SQL) watched(ctx context.Context, c *sql.Conn) (bool, error) {
	var n int
	err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.events "+
		"WHERE event_schema = ? AND event_name = 'watchdog' AND status = 'ENABLED'", s.cfg.Schema).Scan(&n)
	return n > 0, err
}

func (s *SQL) watchdog() string { return s.cfg.Schema + ".watchdog" }

// quote returns a Region as a SQL string; no Region's code needs escaping.
func quote(s string) string {
	return "'" + strings.Map(func(r rune) rune {
		if r == '\'' || r == '\\' {
			return -1
		}
		return r
	}, s) + "'"
}
