package aurora

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MySQLConfig says how a server is reached.
type MySQLConfig struct {
	Addr string // host:port
	User string
	// Password is asked for every connection, so that a rotated secret is used at
	// once. Nil means none.
	Password func(context.Context) (string, error)
	// TLS encrypts the connection; nil does not. ServerName must be the name on the
	// server's certificate, which for Aurora is the endpoint's.
	TLS *tls.Config
	// Timeout is for the connection, ReadTimeout and WriteTimeout for each packet.
	// Default 1.5 s each: a server that is cut off must not hold a goroutine for
	// the minutes that TCP takes.
	Timeout, ReadTimeout, WriteTimeout time.Duration
	// MaxOpen is how many connections may be open. Default 16: beats that hang in
	// a frozen server must leave room for the one that fences it.
	MaxOpen int
	// Dial replaces the dialer; it must heed ctx.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Validate reports everything that is wrong with the configuration at once.
func (c MySQLConfig) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		errs = append(errs, fmt.Errorf("aurora: mysql: Addr: %w: give host:port", err))
	}
	if c.User == "" {
		errs = append(errs, errors.New("aurora: mysql: User is empty"))
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
		err := m.Apply(mysql.BeforeConnect(func(ctx context.Context, c *mysql.Config) (err error) {
			if c.Passwd, err = cfg.Password(ctx); err != nil {
				return fmt.Errorf("aurora: mysql: password of %s: %w", cfg.User, err)
			}
			return nil
		}))
		if err != nil {
			return nil, fmt.Errorf("aurora: mysql: %w", err)
		}
	}
	connector, err := mysql.NewConnector(m)
	if err != nil {
		return nil, fmt.Errorf("aurora: mysql: %w", err)
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

func orDefault(d time.Duration) time.Duration {
	if d == 0 {
		return 1500 * time.Millisecond
	}
	return d
}
