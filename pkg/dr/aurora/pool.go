package aurora

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// MySQLTarget is where a connection leads, and as whom.
type MySQLTarget struct {
	Addr, User, Password string
	// Reader is host:port of what is asked instead when the name in Addr does not exist;
	// empty means nothing. Aurora's reader endpoint: when [SQL] finds that it leads to a
	// reader beside the writer, the writer's own endpoint is dialled in its place, until
	// that one fails or is no writer any more. See [MySQLTarget.next].
	Reader string
}

// MySQLSource knows the target of connections when it must be asked for: an address
// that is in no configuration, a login that is rotated. It is safe for concurrent use.
type MySQLSource interface {
	// Resolve is asked before every connection.
	Resolve(context.Context) (MySQLTarget, error)
	// Failed is told why a connection to what it has resolved could not be made.
	Failed(error)
}

// MySQLConfig says how a server is reached.
type MySQLConfig struct {
	Addr string // host:port
	User string
	// Password is asked for every connection, so that a rotated secret is used at
	// once. Nil means none.
	Password func(context.Context) (string, error)
	// Source takes the place of Addr, User and Password, which must be empty then.
	// When it, or Password, has no answer, the connection's error has
	// [health.ErrNotAsked] in its chain: it says nothing of the server.
	Source MySQLSource
	// TLS encrypts the connection; nil does not. An empty ServerName means the host
	// of the address; it must be the name on the server's certificate, which for
	// Aurora is the endpoint's.
	TLS *tls.Config
	// Timeout is for the connection, ReadTimeout and WriteTimeout for each packet.
	// Default 1.5 s each: a server that is cut off must not hold a goroutine for
	// the minutes that TCP takes.
	Timeout, ReadTimeout, WriteTimeout time.Duration
	// MaxOpen is how many connections may be open. Default 16: beats that hang in
	// a frozen server must leave room for the one that fences it.
	MaxOpen int
	// Dial replaces the dialer; it must heed ctx, and report a name that does not exist
	// as net.Dialer does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Validate reports everything that is wrong with the configuration at once.
func (c MySQLConfig) Validate() error {
	var errs []error
	if c.Source != nil {
		if c.Addr != "" || c.User != "" || c.Password != nil {
			errs = append(errs, errors.New("aurora: mysql: Source takes the place of Addr, User and Password: leave them empty"))
		}
	} else {
		if _, _, err := hostPort(c.Addr); err != nil {
			errs = append(errs, fmt.Errorf("aurora: mysql: Addr: %w: give host:port", err))
		}
		if c.User == "" {
			errs = append(errs, errors.New("aurora: mysql: User is empty"))
		}
	}
	if c.Timeout < 0 || c.ReadTimeout < 0 || c.WriteTimeout < 0 {
		errs = append(errs, errors.New("aurora: mysql: a timeout is negative: give a positive duration, or 0 for 1.5s"))
	}
	if c.MaxOpen < 0 {
		errs = append(errs, fmt.Errorf("aurora: mysql: MaxOpen %d is negative: give a positive number, or 0 for 16", c.MaxOpen))
	}
	return errors.Join(errs...)
}

// OpenMySQL returns a pool of connections to a server; it connects to nothing yet.
// Sessions run in UTC, because ages are computed from the server's timestamps.
// Connections end after a minute, so that a name that has moved is followed.
func OpenMySQL(cfg MySQLConfig) (*sql.DB, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := mysql.NewConfig()
	m.Net, m.Addr, m.User, m.TLS = "tcp", cfg.Addr, cfg.User, cfg.TLS
	m.Timeout, m.ReadTimeout, m.WriteTimeout = orDefault(cfg.Timeout), orDefault(cfg.ReadTimeout), orDefault(cfg.WriteTimeout)
	m.DialFunc = cfg.Dial
	m.Logger = &mysql.NopLogger{} // every error reaches the caller
	m.InterpolateParams = true    // one round trip per statement, not three
	m.Params = map[string]string{"time_zone": "'+00:00'"}
	if cfg.Password != nil {
		if err := m.Apply(mysql.BeforeConnect(cfg.password)); err != nil {
			return nil, fmt.Errorf("aurora: mysql: %w", err)
		}
	}
	var connector driver.Connector = resolved{m, cfg.Source, new(instance)}
	if cfg.Source == nil {
		var err error
		if connector, err = mysql.NewConnector(m); err != nil {
			return nil, fmt.Errorf("aurora: mysql: %w", err)
		}
	}
	db := sql.OpenDB(connector)
	if cfg.MaxOpen == 0 {
		cfg.MaxOpen = 16
	}
	db.SetMaxOpenConns(cfg.MaxOpen)
	db.SetMaxIdleConns(2)
	db.SetConnMaxLifetime(time.Minute)
	return db, nil
}

// password completes the configuration of a connection.
func (c MySQLConfig) password(ctx context.Context, m *mysql.Config) (err error) {
	if m.Passwd, err = c.Password(ctx); err != nil {
		return fmt.Errorf("aurora: mysql: password of %s: %w: %w", c.User, health.ErrNotAsked, err)
	}
	return nil
}

func orDefault(d time.Duration) time.Duration {
	if d == 0 {
		return 1500 * time.Millisecond
	}
	return d
}
