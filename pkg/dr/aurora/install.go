package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// Account is a login that Install creates: the one for heartbeats, probes and lag.
// It has no CONNECTION_ADMIN, so that a read-only server binds it.
type Account struct {
	User string // at most 32 characters, no white space at either end
	// Password is asked by every Install, which sets what it says.
	Password func(context.Context) (string, error)
}

func (a Account) validate() error {
	switch {
	case a.User == "" && a.Password == nil:
		return nil
	case a.User == "" || a.Password == nil:
		return errors.New("aurora: sql: Account: User and Password go together")
	case len([]rune(a.User)) > 32:
		return fmt.Errorf("aurora: sql: Account: User has %d characters, MySQL takes 32 at most", len([]rune(a.User)))
	case strings.TrimSpace(a.User) != a.User:
		return errors.New("aurora: sql: Account: User begins or ends with white space, which MySQL drops")
	}
	return nil
}

// Install creates on the writer what is missing: the schema, its heartbeat table, and
// Account with its password and its privileges. It is idempotent. On a secondary it
// returns failover.ErrNotWriter and changes nothing.
//
// The server may be read-only: read_only does not bind Admin, which needs
// CONNECTION_ADMIN, CREATE, CREATE USER and what it grants, with GRANT OPTION.
// super_read_only, as on MySQL after a fence, binds every user, so it is off while
// Install works; read_only stays on and keeps the applications out.
//
// The password is set by every Install, so that the last one counts. A rotation after
// that must set it in the database itself, as a rotation by Secrets Manager does: no
// monitor installs a second time. MySQL keeps the password out of its general, slow and
// binary logs (MySQL Reference Manual, passwords and logging) unless it runs with
// --log-raw; errors never hold it.
func (s *SQL) Install(ctx context.Context) error {
	return s.session(ctx, s.cfg.Admin, "install the schema", func(c *sql.Conn) error {
		return s.locked(ctx, c, func() error { return s.install(ctx, c) })
	})
}

// install works on a writer; its caller holds the lock, so that no goroutine opens or fences
// the writer meanwhile.
func (s *SQL) install(ctx context.Context, c *sql.Conn) (err error) {
	password, err := s.password(ctx)
	if err != nil {
		return err
	}
	m, err := s.writer(ctx, c)
	if err != nil {
		return err
	}
	if m.closed && s.cfg.Dialect == DialectMySQL {
		if _, err := c.ExecContext(ctx, "SET GLOBAL super_read_only = OFF"); err != nil {
			return err
		}
		defer func() {
			_, closeErr := c.ExecContext(ctx, "SET GLOBAL super_read_only = ON")
			err = errors.Join(err, closeErr)
		}()
	}
	for _, statement := range []string{
		"CREATE DATABASE IF NOT EXISTS " + s.cfg.Schema,
		"CREATE TABLE IF NOT EXISTS " + s.heartbeat() +
			" (region VARCHAR(64) NOT NULL PRIMARY KEY, epoch BIGINT UNSIGNED NOT NULL, seq BIGINT UNSIGNED NOT NULL, at DATETIME(6) NOT NULL)",
	} {
		if _, err := c.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if s.cfg.Account.User == "" {
		return nil
	}
	return s.account(ctx, c, password)
}

// password returns Account's, "" when there is no account.
func (s *SQL) password(ctx context.Context) (string, error) {
	a := s.cfg.Account
	if a.User == "" {
		return "", nil
	}
	password, err := a.Password(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("password of %s: %w", a.User, mysqlerr.As(health.ErrNotAsked, err))
	case password == "":
		return "", fmt.Errorf("the password of %s is empty: every client could log in", a.User)
	}
	return password, nil
}

// writer returns the mode of a server that is the writer, or failover.ErrNotWriter.
func (s *SQL) writer(ctx context.Context, c *sql.Conn) (mode, error) {
	m, err := s.mode(ctx, c)
	if err != nil {
		return m, err
	}
	if m.secondary {
		if err := s.provenSecondary(ctx, c); err != nil {
			return m, err
		}
		return m, failover.ErrNotWriter
	}
	if s.cfg.Dialect == DialectMySQL {
		replica, err := replicates(ctx, c)
		if err != nil {
			return m, err
		}
		if replica {
			return m, failover.ErrNotWriter
		}
	}
	return m, nil
}

// account creates the login, or gives it the password and the privileges it needs.
// The driver quotes the arguments: no value is put into a statement by hand.
func (s *SQL) account(ctx context.Context, c *sql.Conn, password string) error {
	user := s.cfg.Account.User
	for _, statement := range []string{"CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?", "ALTER USER ?@'%' IDENTIFIED BY ?"} {
		if _, err := c.ExecContext(ctx, statement, user, password); err != nil {
			return fmt.Errorf("set the password of %s: %w", user, without(password, err))
		}
	}
	for _, grant := range s.grants() {
		if _, err := c.ExecContext(ctx, "GRANT "+grant+" TO ?@'%'", user); err != nil {
			return fmt.Errorf("grant %s to %s: %w", grant, user, err)
		}
	}
	return nil
}

// grants are what heartbeats, probes and lag need, and nothing that writes on a
// read-only server. PROCESS shows Aurora's status tables in information_schema.
func (s *SQL) grants() []string {
	all := []string{"SELECT, INSERT, UPDATE ON " + s.cfg.Schema + ".*"}
	if s.cfg.Dialect == DialectAurora {
		return append(all, "PROCESS, REPLICATION CLIENT ON *.*")
	}
	return append(all, "REPLICATION CLIENT ON *.*", "SELECT ON performance_schema.replication_connection_status")
}

// without keeps a password out of an error that quotes its statement.
func without(password string, err error) error {
	if strings.Contains(err.Error(), password) {
		return fmt.Errorf("error %d, whose message holds the password", number(err))
	}
	return err
}

// Newest returns the newest epoch in the heartbeat table, 0 when there is none or no
// such table.
func (s *SQL) Newest(ctx context.Context) (dr.Epoch, error) {
	var newest dr.Epoch
	err := s.session(ctx, s.cfg.Admin, "read the newest epoch", func(c *sql.Conn) (err error) {
		newest, _, err = s.newest(ctx, c)
		return err
	})
	return newest, err
}

// newest also reports whether there is a table to ask.
func (s *SQL) newest(ctx context.Context, c *sql.Conn) (e dr.Epoch, installed bool, err error) {
	var newest sql.Null[uint64]
	err = c.QueryRowContext(ctx, "SELECT MAX(epoch) FROM "+s.heartbeat()+" WHERE region NOT LIKE '%"+failover.PromiseRow+"'").Scan(&newest)
	switch number(err) {
	case 1049, 1146: // ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE
		return 0, false, nil
	}
	return dr.Epoch(newest.V), err == nil, err
}
