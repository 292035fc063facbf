package workload

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// connector asks every new connection which server it reached.
type connector struct {
	inner   driver.Connector
	servers map[uint32]dr.Region
}

// wireKey carries the place where the dialler leaves the connection it opened.
type wireKey struct{}

// Connect opens a connection and tags it with the server that it reached.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var opened *wire
	conn, err := c.inner.Connect(context.WithValue(ctx, wireKey{}, &opened))
	if err != nil {
		if opened != nil && opened.cause() != nil {
			return nil, fmt.Errorf("handshake: %w: %w", err, opened.cause())
		}
		return nil, err
	}
	full, ok := conn.(driverConn)
	if !ok || opened == nil {
		return nil, errors.Join(fmt.Errorf("driver connection %T is not one of go-sql-driver/mysql", conn), conn.Close())
	}
	id, err := serverID(ctx, full)
	if err != nil {
		if cause := opened.cause(); cause != nil {
			err = fmt.Errorf("%w: %w", err, cause)
		}
		return nil, errors.Join(fmt.Errorf("read @@server_id: %w", err), conn.Close())
	}
	region, known := c.servers[id]
	if !known {
		return nil, errors.Join(fmt.Errorf("server_id %d is not in MySQLConfig.Servers %v", id, c.servers), conn.Close())
	}
	return &taggedConn{driverConn: full, region: region, wire: opened}, nil
}

// Driver returns the driver under the connector.
func (c *connector) Driver() driver.Driver { return c.inner.Driver() }

func serverID(ctx context.Context, conn driver.QueryerContext) (id uint32, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT @@server_id", nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	var text string
	switch v := row[0].(type) {
	case []byte:
		text = string(v)
	default:
		text = fmt.Sprint(v)
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err
}

// driverConn is what a connection of go-sql-driver can do. The tag must not hide
// any of it from database/sql.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// taggedConn is a connection that knows its server.
type taggedConn struct {
	driverConn
	region dr.Region
	wire   *wire
}

// attempt is what the last try to write came to. It travels in the context,
// because database/sql does not tell which connection it took.
type attempt struct {
	region   dr.Region
	sent     bool // bytes left, and no answer settled what became of them
	readOnly bool // the server refused as read-only
}

type attemptKey struct{}

// ExecContext runs a statement and leaves what it came to in the attempt.
func (c *taggedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	before := c.wire.sent.Load()
	res, err := c.driverConn.ExecContext(ctx, query, args)
	sent := c.wire.sent.Load() > before
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		refused := errors.Is(err, driver.ErrBadConn)
		*a = attempt{region: c.region, sent: sent && !refused, readOnly: sent && refused}
	}
	if errors.Is(err, mysql.ErrInvalidConn) { // hides the cause, which the wire remembers
		if cause := c.wire.cause(); cause != nil {
			err = fmt.Errorf("%w: %w", err, cause)
		}
	}
	return res, err
}

// dialer returns a function that opens the connection under the driver: by name
// through the resolver, or to the pinned address. It tries each address in turn.
func dialer(cfg MySQLConfig) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		var addrs []netip.Addr
		if literal, err := netip.ParseAddr(host); err == nil {
			addrs = []netip.Addr{literal}
		} else if addrs, err = cfg.Resolver.Lookup(ctx, host); err != nil {
			return nil, err
		}
		var errs []error
		for _, addr := range addrs {
			conn, err := cfg.Dial(ctx, network, net.JoinHostPort(addr.String(), port))
			if err != nil {
				errs = append(errs, err)
				continue
			}
			w := &wire{Conn: conn}
			if place, ok := ctx.Value(wireKey{}).(**wire); ok {
				*place = w
			}
			if _, ok := conn.(syscall.Conn); ok {
				return checkedWire{w}, nil
			}
			return w, nil
		}
		return nil, errors.Join(errs...)
	}
}

// wire counts what leaves a connection and remembers why it broke.
type wire struct {
	net.Conn
	sent atomic.Int64

	mu  sync.Mutex
	err error
}

// Write sends, and counts.
func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.sent.Add(int64(n))
	w.note(err)
	return n, err
}

// Read receives.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.note(err)
	return n, err
}

// checkedWire is a wire on a socket. It lets the driver look whether the peer of
// an idle connection has gone, before it uses the connection again.
type checkedWire struct{ *wire }

// SyscallConn returns the socket.
func (w checkedWire) SyscallConn() (syscall.RawConn, error) {
	return w.Conn.(syscall.Conn).SyscallConn()
}

// note keeps the first error that the network gave. Our own closing is none.
func (w *wire) note(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return
	}
	var op *net.OpError
	if errors.As(err, &op) { // without the local port, which differs every time
		err = fmt.Errorf("%s %v: %w", op.Op, op.Addr, op.Err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

func (w *wire) cause() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
