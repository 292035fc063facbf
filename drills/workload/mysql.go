package workload

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// MySQLConfig is one client of a MySQL endpoint.
type MySQLConfig struct {
	// Client is written into every row, at most 64 bytes. Required.
	Client string
	// Endpoint is what the application is configured with: name:port.
	Endpoint string
	// Resolver turns the endpoint's name into addresses. Required with Endpoint,
	// unless its host is an address.
	Resolver *Resolver
	// Pinned is an address:port that is dialled instead of the endpoint: a client
	// that goes past DNS and never moves. Exactly one of the two is set.
	Pinned string
	// User and Password log in. User is required.
	User, Password string
	// Servers tells whose server has which @@server_id. A server that is not
	// listed is refused at connect: its acknowledgement could not be attributed.
	Servers map[uint32]dr.Region
	// DialTimeout bounds name lookup and TCP connect. ReadTimeout and
	// WriteTimeout bound one read or write on the wire. The driver's own default
	// for the last two is none, and Linux gives up on a silent peer after 924 s
	// (tcp_retries2 = 15). Zero means 1 s, 2 s and 2 s.
	DialTimeout, ReadTimeout, WriteTimeout time.Duration
	// MaxOpen and MaxIdle bound the pool of database/sql. Zero means no limit
	// and 32; the library's own default of 2 idle connections makes an open loop
	// reconnect for almost every write.
	MaxOpen, MaxIdle int
	// MaxLifetime closes connections of that age. Zero means never, as in the
	// library.
	MaxLifetime time.Duration
	// KeepReadOnly leaves out rejectReadOnly: a client that keeps a connection to a
	// server that refuses its writes, as the driver does by default.
	KeepReadOnly bool
	// Dial opens a TCP connection to an address. Nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Validate reports everything that is wrong with the configuration.
func (c MySQLConfig) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Client == "" || len(c.Client) > 64 {
		bad("Client is %q: use 1 to 64 bytes", c.Client)
	}
	if c.User == "" {
		bad("User is empty: name the database user")
	}
	if (c.Endpoint == "") == (c.Pinned == "") {
		bad("Endpoint is %q and Pinned is %q: set exactly one", c.Endpoint, c.Pinned)
	}
	for _, address := range []string{c.Endpoint, c.Pinned} {
		if address == "" {
			continue
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil || host == "" || port == "" {
			bad("address %q: use host:port", address)
		} else if c.Resolver == nil && net.ParseIP(host) == nil {
			bad("Resolver is nil: %q needs one, or use an address", host)
		}
	}
	if len(c.Servers) == 0 {
		bad("Servers is empty: say which @@server_id is in which Region")
	}
	for name, d := range map[string]time.Duration{"DialTimeout": c.DialTimeout, "ReadTimeout": c.ReadTimeout, "WriteTimeout": c.WriteTimeout, "MaxLifetime": c.MaxLifetime} {
		if d < 0 {
			bad("%s is %v: use a positive duration, or zero for the default", name, d)
		}
	}
	if c.MaxOpen < 0 || c.MaxIdle < 0 {
		bad("MaxOpen is %d and MaxIdle is %d: use positive numbers, or zero for the default", c.MaxOpen, c.MaxIdle)
	}
	if len(errs) > 0 {
		return fmt.Errorf("workload: mysql client %q: %w", c.Client, errors.Join(errs...))
	}
	return nil
}

// MySQL is a session that writes as an application does: go-sql-driver/mysql
// behind the pool of database/sql, with rejectReadOnly, so that a connection to
// a server that has become read-only is thrown away.
type MySQL struct {
	client string
	db     *sql.DB
}

var _ Session = (*MySQL)(nil)

// NewMySQL returns a session. It connects with the first write.
func NewMySQL(cfg MySQLConfig) (*MySQL, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	orDefault := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	orDefault(&cfg.DialTimeout, time.Second)
	orDefault(&cfg.ReadTimeout, 2*time.Second)
	orDefault(&cfg.WriteTimeout, 2*time.Second)
	if cfg.MaxIdle == 0 {
		cfg.MaxIdle = 32
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}

	d := mysql.NewConfig()
	d.User, d.Passwd, d.Net, d.Addr = cfg.User, cfg.Password, "tcp", cfg.Endpoint
	if cfg.Pinned != "" {
		d.Addr = cfg.Pinned
	}
	d.Timeout, d.ReadTimeout, d.WriteTimeout = cfg.DialTimeout, cfg.ReadTimeout, cfg.WriteTimeout
	d.RejectReadOnly = !cfg.KeepReadOnly
	// One round trip per write, and the byte count tells whether it left.
	d.InterpolateParams = true
	d.Logger = &mysql.NopLogger{} // what it would say is in the op's error
	d.DialFunc = dialer(cfg)
	inner, err := mysql.NewConnector(d)
	if err != nil {
		return nil, fmt.Errorf("workload: mysql client %q: %w", cfg.Client, err)
	}
	db := sql.OpenDB(&connector{inner: inner, servers: cfg.Servers})
	db.SetMaxOpenConns(cfg.MaxOpen)
	db.SetMaxIdleConns(cfg.MaxIdle)
	db.SetConnMaxLifetime(cfg.MaxLifetime)
	return &MySQL{client: cfg.Client, db: db}, nil
}

// insert is safe to send again with the same id: the row is written once.
const insert = "INSERT INTO lifeboat.writes (id, client, intended_ns) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE id = id"

// Write inserts one row and returns the Region of the server that committed it.
// database/sql tries again, on another connection, when the driver says
// driver.ErrBadConn. go-sql-driver says so in two cases only, and in both nothing
// was applied: before the first byte of a command was written, and for a
// read-only answer under rejectReadOnly. Nothing else is ever sent twice.
func (m *MySQL) Write(ctx context.Context, id int64) (dr.Region, error) {
	var a attempt
	intended, _ := Intended(ctx)
	_, err := m.db.ExecContext(context.WithValue(ctx, attemptKey{}, &a), insert, id, m.client, int64(intended))
	switch {
	case err == nil:
		return a.region, nil
	case errors.Is(err, driver.ErrBadConn) && a.readOnly:
		return "", &SendError{Sent: true, Err: fmt.Errorf("%s: %w", a.region, ErrReadOnly)}
	case a.sent:
		return "", &SendError{Sent: true, Err: fmt.Errorf("%s: %w", a.region, err)}
	}
	return "", NotSent(fmt.Errorf("connect: %w", err))
}

// Close closes the pool.
func (m *MySQL) Close() error { return m.db.Close() }
