package aurora

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// resolved makes connections to what its source knows, and tells it of those that fail.
type resolved struct {
	cfg    *mysql.Config // of every connection, without the target
	source MySQLSource
}

// Driver implements driver.Connector.
func (r resolved) Driver() driver.Driver { return mysql.MySQLDriver{} }

// Connect implements driver.Connector.
func (r resolved) Connect(ctx context.Context) (driver.Conn, error) {
	target, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	c, err := target.connect(ctx, r.cfg)
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
	if _, _, err := net.SplitHostPort(target.Addr); err != nil {
		return target, fmt.Errorf("aurora: mysql: %w: address: %w", health.ErrNotAsked, err)
	}
	if _, _, err := net.SplitHostPort(target.Reader); err != nil && target.Reader != "" {
		return target, fmt.Errorf("aurora: mysql: %w: reader: %w", health.ErrNotAsked, err)
	}
	// A server that is given the rest of the caller's time, and doesn't answer in it,
	// has not been asked properly.
	if end, ok := ctx.Deadline(); ok && time.Since(asked) > time.Until(end) {
		return target, fmt.Errorf("aurora: mysql: %w: to learn where %s is took %v", health.ErrNotAsked, target.Addr, time.Since(asked))
	}
	return target, nil
}

// connect leads to Addr; and to Reader only when a name server has said that Addr's name
// doesn't exist. That is how a secondary looks: its cluster endpoint is inactive, and its
// name has been seen not to resolve (gravitational/teleport#16079), which AWS documents
// nowhere. A server that is silent, refuses or resets is asked nothing else: a writer
// that hangs must not pass for a secondary because a reader beside it answers.
func (t MySQLTarget) connect(ctx context.Context, cfg *mysql.Config) (driver.Conn, error) {
	c, err := t.dial(ctx, cfg, t.Addr)
	if t.Reader == "" || !absent(err) {
		return c, err
	}
	c, readerErr := t.dial(ctx, cfg, t.Reader)
	if readerErr != nil {
		return nil, fmt.Errorf("aurora: mysql: reader %s, asked because %w: %w", t.Reader, err, readerErr)
	}
	return c, nil
}

func (t MySQLTarget) dial(ctx context.Context, cfg *mysql.Config, addr string) (driver.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
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

// absent reports whether a connection could not be made because a name server has said
// that the name doesn't exist.
func absent(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary
}
