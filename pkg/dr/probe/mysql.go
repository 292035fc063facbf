package probe

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// MySQLConfig says how the writers are reached. The accounts need SELECT, INSERT
// and UPDATE on the schema, and must not have CONNECTION_ADMIN: they would write in
// spite of read_only.
type MySQLConfig struct {
	// Writers are pools on the writer of each member Region. Give each a connect
	// timeout below the probe's deadline.
	Writers map[dr.Region]*sql.DB
	// Fresh are pools that keep no connection, on the same writers; each use opens
	// one and closes it.
	Fresh map[dr.Region]*sql.DB
	// Schema holds the heartbeat table. Default "lifeboat".
	Schema string
}

// MySQL commits heartbeat writes on MySQL. It implements Writes.
type MySQL struct{ cfg MySQLConfig }

var (
	_          Writes = (*MySQL)(nil)
	identifier        = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

// NewMySQL returns the writes, or everything that their configuration lacks.
func NewMySQL(cfg MySQLConfig) (*MySQL, error) {
	var errs []error
	if len(cfg.Writers) == 0 {
		errs = append(errs, errors.New("probe: mysql: no Writers: open a pool on each member's writer"))
	}
	for r, db := range cfg.Writers {
		if db == nil || cfg.Fresh[r] == nil || cfg.Fresh[r] == db {
			errs = append(errs, fmt.Errorf("probe: mysql: %s needs a pool in Writers and another one in Fresh", r))
		}
	}
	if cfg.Schema != "" && !identifier.MatchString(cfg.Schema) {
		errs = append(errs, fmt.Errorf("probe: mysql: Schema is no name: use letters, digits and underscores (it has %d characters)", len(cfg.Schema)))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Schema == "" {
		cfg.Schema = "lifeboat"
	}
	return &MySQL{cfg}, nil
}

// Write implements Writes by one autocommitted statement.
func (m *MySQL) Write(ctx context.Context, subject dr.Region, row string, fresh bool) error {
	db := m.cfg.Writers[subject]
	if fresh {
		db = m.cfg.Fresh[subject]
	}
	if db == nil {
		return fmt.Errorf("probe: mysql: no database is configured for %s", subject)
	}
	var err error
	for range 4 {
		var c *sql.Conn
		if c, err = db.Conn(ctx); err != nil {
			return err
		}
		err = m.write(ctx, c, row)
		if err != nil || fresh {
			// After an error it may lead to a server that is no longer the writer.
			_ = c.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = c.Close()
		if fresh || !errors.Is(err, driver.ErrBadConn) {
			break
		}
		// The kept connection had died before anything was sent.
	}
	return err
}

func (m *MySQL) write(ctx context.Context, c *sql.Conn, row string) error {
	done, err := c.ExecContext(ctx, "INSERT INTO "+m.cfg.Schema+".heartbeat (region, epoch, seq, at) "+
		"SELECT new.region, 0, new.seq, UTC_TIMESTAMP(6) FROM (SELECT ? AS region, ? AS seq) AS new "+
		"WHERE @@global.read_only = 0 AND @@global.innodb_read_only = 0 "+
		"ON DUPLICATE KEY UPDATE seq = new.seq, at = UTC_TIMESTAMP(6)", row, time.Now().UnixMicro())
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return failover.ErrReadOnly
}
