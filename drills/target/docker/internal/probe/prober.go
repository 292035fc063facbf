package probe

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
)

// Prober makes attempts. The zero value is ready.
type Prober struct {
	mu   sync.Mutex
	kept map[string]*kept
}

// kept is a connection that outlives an attempt.
type kept struct {
	db   *sql.DB
	conn *sql.Conn
}

// Dial opens a TCP connection and closes it.
func (p *Prober) Dial(ctx context.Context, address string) Answer {
	return attempt(func() error {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// SQL runs one statement on the server at address as the account. With a name
// it uses the connection kept under that name, made at its first use; it is
// dropped when it breaks. Without, the connection is fresh.
func (p *Prober) SQL(ctx context.Context, address, user, password, name, statement string) Answer {
	return attempt(func() error {
		k, err := p.connection(ctx, address, user, password, name)
		if err != nil {
			return err
		}
		_, err = k.conn.ExecContext(ctx, statement)
		if name == "" || Classify(err) == Broken || Classify(err) == Silent {
			p.drop(name, k)
		}
		return err
	})
}

// Close closes the connections that are kept.
func (p *Prober) Close() {
	p.mu.Lock()
	all := p.kept
	p.kept = nil
	p.mu.Unlock()
	for name, k := range all {
		p.drop(name, k)
	}
}

func (p *Prober) connection(ctx context.Context, address, user, password, name string) (*kept, error) {
	p.mu.Lock()
	k, ok := p.kept[name]
	p.mu.Unlock()
	if ok {
		return k, nil
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = user, password, "tcp", address
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	k = &kept{db: sql.OpenDB(connector)}
	if k.conn, err = k.db.Conn(ctx); err != nil {
		k.db.Close()
		return nil, err
	}
	if name != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.kept == nil {
			p.kept = map[string]*kept{}
		}
		p.kept[name] = k
	}
	return k, nil
}

func (p *Prober) drop(name string, k *kept) {
	p.mu.Lock()
	if p.kept[name] == k {
		delete(p.kept, name)
	}
	p.mu.Unlock()
	// The outcome is known; how the goodbye went doesn't change it.
	k.conn.Close()
	k.db.Close()
}

func attempt(f func() error) Answer {
	a := Answer{Start: clock.Monotonic()}
	err := f()
	a.End = clock.Monotonic()
	a.Outcome = Classify(err)
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// Took returns how long the attempt took.
func (a Answer) Took() time.Duration { return time.Duration(a.End - a.Start) }
