package aurora

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// ErrStaleEpoch is returned when the database has seen a newer epoch than the one
// that a heartbeat or an opening carries. The server has answered: failover.ErrAnswered
// is in its chain.
var ErrStaleEpoch = mysqlerr.As(failover.ErrAnswered, errors.New("aurora: the database has seen a newer epoch"))

// Dialect says what kind of server it is.
type Dialect uint8

// The dialects.
const (
	DialectAurora Dialect = iota // Aurora MySQL 3.06 and later
	DialectMySQL                 // MySQL 8.0.22 and later, replicating by GTID
)

// SQLConfig says which server is spoken to, and by which accounts.
type SQLConfig struct {
	// DB is for heartbeats and for reading lag: a trigger has no other login. Its
	// account needs SELECT, INSERT and UPDATE on the schema; PROCESS on Aurora, SELECT on
	// performance_schema.replication_connection_status on MySQL; and it must not have
	// CONNECTION_ADMIN.
	DB *sql.DB
	// Admin is for fencing and opening; nil means DB. On MySQL its account needs
	// SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, PROCESS and REPLICATION CLIENT; on
	// Aurora EXECUTE on mysql.rds_set_read_only and mysql.rds_kill, and PROCESS.
	Admin   *sql.DB
	Region  dr.Region // where the server is
	Dialect Dialect
	// Account is DB's login, for Install to create; the zero value has it create none.
	Account Account
	// Schema holds the heartbeat table. Default "lifeboat".
	Schema string
	// Spare names accounts whose sessions survive a fence, besides Admin's own and
	// the server's.
	Spare []string
	// Writer has Replicated answer as the writer only, as failover.PeerDatabase must: on a
	// secondary it is failover.ErrNotWriter, and a reader beside the writer was not asked.
	Writer bool
	// Watchdog makes Open install the watchdog, with this time, before it returns:
	// a promoted server is then never open without one. 0 leaves that to the guard.
	Watchdog time.Duration
}

// Validate reports everything that is wrong with the configuration at once.
func (c SQLConfig) Validate() error {
	var errs []error
	if c.DB == nil {
		errs = append(errs, errors.New("aurora: sql: DB is nil: open one with OpenMySQL"))
	}
	if c.Region == "" {
		errs = append(errs, errors.New("aurora: sql: Region is empty"))
	}
	if c.Dialect > DialectMySQL {
		errs = append(errs, fmt.Errorf("aurora: sql: Dialect %d is unknown", c.Dialect))
	}
	if c.Schema != "" && !identifier.MatchString(c.Schema) {
		errs = append(errs, fmt.Errorf("aurora: sql: Schema is no name: use letters, digits and underscores (it has %d characters)", len(c.Schema)))
	}
	errs = append(errs, c.Account.validate())
	if c.Watchdog != 0 && c.Watchdog < 2*time.Second {
		errs = append(errs, fmt.Errorf("aurora: sql: Watchdog %v is below 2s: the event runs once a second", c.Watchdog))
	}
	return errors.Join(errs...)
}

var identifier = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// SQL speaks to the database of one Region. It is safe for concurrent use.
type SQL struct {
	cfg SQLConfig
	// fences counts the fences that have begun: an opening that began before one
	// must not finish after it.
	fences atomic.Uint64
	// unclean is set from before the server is made read-only until the sessions
	// from before have been ended.
	unclean atomic.Bool
	spares  map[*sql.DB]*spare // see Keep
}

var (
	_ failover.Beater        = (*SQL)(nil)
	_ failover.Fencer        = (*SQL)(nil)
	_ failover.Watchdog      = (*SQL)(nil)
	_ failover.ReplicaReader = (*SQL)(nil)
	_ failover.RoleReader    = (*SQL)(nil)
	_ failover.PeerDatabase  = (*SQL)(nil) // with SQLConfig.Writer
)

// NewSQL returns the database of a Region, or everything that its configuration
// lacks.
func NewSQL(cfg SQLConfig) (*SQL, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Admin == nil {
		cfg.Admin = cfg.DB
	}
	if cfg.Schema == "" {
		cfg.Schema = "lifeboat"
	}
	return &SQL{cfg: cfg, spares: newSpares(cfg.DB, cfg.Admin)}, nil
}

func (s *SQL) heartbeat() string { return s.cfg.Schema + ".heartbeat" }

// session runs f on one connection. After an error the connection is dropped: it
// may lead to a server that is no longer the writer, or that is gone. When the server
// takes no new connection, or not from this account, f runs on a spare one.
func (s *SQL) session(ctx context.Context, db *sql.DB, op string, f func(*sql.Conn) error) error {
	op = "aurora: " + op + " in " + s.cfg.Region.String()
	err := session(ctx, db, op, f)
	if mysqlerr.Full(err) || mysqlerr.Denied(err) {
		if used, spareErr := s.spares[db].use(ctx, f); used && spareErr != nil {
			return fmt.Errorf("%s, on a spare connection: %w", op, mysqlerr.Classed(spareErr))
		} else if used {
			return nil
		}
	}
	return err
}

func session(ctx context.Context, db *sql.DB, op string, f func(*sql.Conn) error) error {
	var err error
	// ErrBadConn: the kept connection had died before anything was sent. errElsewhere: it
	// leads to a reader, and so may every other one that the pool has kept.
	for range 4 {
		var c *sql.Conn
		if c, err = db.Conn(ctx); err != nil {
			break
		}
		if err = f(c); err != nil {
			drop(c)
		}
		_ = c.Close() // gives the connection back; one that was dropped is gone
		if !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, errElsewhere) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, mysqlerr.Classed(err))
	}
	return nil
}

// drop closes the connection under c instead of giving it back to its pool.
func drop(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
}

// readOnly reports whether a server has refused a write because it is read-only.
func readOnly(err error) bool {
	reply, _ := mysqlerr.Reply(err)
	return err != nil && reply == failover.ReplyReadOnly
}

// number returns the MySQL error number, or 0 when the server did not answer.
func number(err error) uint16 { return mysqlerr.Number(err) }

// saying returns an error of a server that has answered, and so works.
func saying(text string) error { return mysqlerr.As(failover.ErrAnswered, errors.New(text)) }
