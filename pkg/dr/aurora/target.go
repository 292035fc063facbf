package aurora

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// resolved makes connections to what its source knows, and tells it of those that fail.
type resolved struct {
	cfg    *mysql.Config // of every connection, without the target
	source MySQLSource
	writer *instance
}

// Driver implements driver.Connector.
func (r resolved) Driver() driver.Driver { return pooled{writer: r.writer} }

// Connect implements driver.Connector.
func (r resolved) Connect(ctx context.Context) (driver.Conn, error) {
	target, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	c, err := r.connect(ctx, target)
	if err != nil {
		r.source.Failed(err)
	}
	return c, err
}

func (r resolved) resolve(ctx context.Context) (MySQLTarget, error) {
	asked := time.Now()
	target, err := r.source.Resolve(ctx)
	if err != nil {
		return target, fmt.Errorf("aurora: mysql: %w: %w", health.ErrNotAsked, err)
	}
	if _, _, err := hostPort(target.Addr); err != nil {
		return target, fmt.Errorf("aurora: mysql: %w: address: %w", health.ErrNotAsked, err)
	}
	if _, _, err := hostPort(target.Reader); err != nil && target.Reader != "" {
		return target, fmt.Errorf("aurora: mysql: %w: reader: %w", health.ErrNotAsked, err)
	}
	// A server that is given the rest of the caller's time, and doesn't answer in it,
	// has not been asked properly.
	if end, ok := ctx.Deadline(); ok && time.Since(asked) > time.Until(end) {
		return target, fmt.Errorf("aurora: mysql: %w: to learn where %s is took %v", health.ErrNotAsked, target.Addr, time.Since(asked))
	}
	return target, nil
}

// connect leads to Addr, and else to what [MySQLTarget.next] says. What is dialled as the
// writer is forgotten when nothing answers there, and when its storage takes no writes: it
// is a reader then like any other.
func (r resolved) connect(ctx context.Context, t MySQLTarget) (driver.Conn, error) {
	c, err := t.dial(ctx, r.cfg, t.Addr)
	known := r.writer.id.Load()
	addr, isWriter := t.next(err, known)
	if addr == "" {
		return c, err
	}
	role := "reader"
	c, nextErr := t.dial(ctx, r.cfg, addr)
	if isWriter {
		role = "writer"
		demoted := false
		if nextErr == nil {
			if demoted, nextErr = storageReadOnly(ctx, c); nextErr != nil {
				_ = c.Close() // it has failed
			}
		}
		if demoted || nextErr != nil {
			r.writer.forget(known)
		}
	}
	switch {
	case nextErr != nil && isWriter: // what the writer itself says, or its silence, counts
		return nil, fmt.Errorf("aurora: mysql: %s %s, asked because %v: %w", role, addr, err, nextErr) //nolint:errorlint // the name's error is not in the chain
	case nextErr != nil:
		return nil, fmt.Errorf("aurora: mysql: %s %s, asked because %w: %w", role, addr, err, nextErr)
	}
	return c, nil
}

func (t MySQLTarget) dial(ctx context.Context, cfg *mysql.Config, addr string) (driver.Conn, error) {
	host, port, err := hostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("aurora: mysql: address: %w", err)
	}
	m := cfg.Clone()
	m.Addr, m.User, m.Passwd = addr, t.User, t.Password
	if m.TLS != nil && m.TLS.ServerName == "" {
		m.TLS.ServerName = strings.TrimSuffix(host, ".") // of the host that is dialled
	}
	if t.Reader != "" && net.ParseIP(host) == nil {
		definite(m, host, port)
	}
	connector, err := mysql.NewConnector(m)
	if err != nil {
		return nil, fmt.Errorf("aurora: mysql: %w", err)
	}
	return connector.Connect(ctx)
}

// hostPort splits an address. Its error doesn't quote what it was given, which may be a
// connection string with a password in it.
func hostPort(addr string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(addr)
	if n, numErr := strconv.ParseUint(port, 10, 16); err != nil || host == "" || numErr != nil || n == 0 {
		return "", "", fmt.Errorf("%d characters that are not host:port", len(addr))
	}
	return host, port, nil
}

// definite has a name that does not exist answered quickly and beyond doubt. The name is
// absolute, or the resolver would go through its search domains. One question is asked,
// for IPv4, which every Aurora cluster has: of two, Go's resolver reports the error that
// arrives first, so the empty answer for IPv6 would hide that the one for IPv4 was lost.
func definite(m *mysql.Config, host, port string) {
	m.Net, m.Addr = "tcp4", net.JoinHostPort(strings.TrimSuffix(host, ".")+".", port)
	if m.DialFunc == nil {
		m.DialFunc = (&net.Dialer{Resolver: &net.Resolver{PreferGo: true}}).DialContext
	}
}
