package boot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// dialer opens the connection below a pool's; nil means the net package's.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// pool returns connections to a server of the deployment. It connects to nothing yet.
func (b *builder) pool(address string, dial dialer) (*sql.DB, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("boot: address %q: %w", address, err)
	}
	cfg := aurora.MySQLConfig{Addr: address, User: b.s.Database.User, Password: b.login.Password, Dial: dial}
	if b.roots != nil {
		cfg.TLS = &tls.Config{RootCAs: b.roots, ServerName: host, MinVersion: tls.VersionTLS12}
	}
	db, err := aurora.OpenMySQL(cfg)
	if err != nil {
		return nil, err
	}
	b.pools = append(b.pools, db)
	return db, nil
}

// readRoots reads the authorities that sign the servers' certificates; see the
// package's comment.
func readRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("boot: read the database's authorities: %w: put RDS's bundle into the package as rds-ca.pem, or set LIFEBOAT_DATABASE_CA", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("boot: %s holds no certificate in PEM: take RDS's bundle from truststore.pki.rds.amazonaws.com", path)
	}
	return roots, nil
}

// database returns a Region's database.
func (b *builder) database(r dr.Region) (*database, error) {
	db, err := b.pool(b.s.Database.Addresses[r], nil)
	if err != nil {
		return nil, err
	}
	cfg := aurora.SQLConfig{DB: db, Region: r, Dialect: b.s.Database.Dialect, Schema: b.s.Database.Schema}
	if p := b.s.Policy.WithDefaults(); p.Watchdog {
		cfg.Watchdog = p.LeaseTTL - p.LeaseMargin
	}
	server, err := aurora.NewSQL(cfg)
	if err != nil {
		return nil, err
	}
	return &database{server, b.login}, nil
}

// database is aurora.SQL that tells the login of denials.
type database struct {
	*aurora.SQL
	login *Login
}

func (d *database) Beat(ctx context.Context, beat failover.Beat) error {
	return d.login.saw(d.SQL.Beat(ctx, beat))
}

func (d *database) Fence(ctx context.Context, e dr.Epoch) error {
	return d.login.saw(d.SQL.Fence(ctx, e))
}

func (d *database) Open(ctx context.Context, e dr.Epoch) error {
	return d.login.saw(d.SQL.Open(ctx, e))
}

func (d *database) Replicated(ctx context.Context, from dr.Region) (failover.Beat, error) {
	beat, err := d.SQL.Replicated(ctx, from)
	return beat, d.login.saw(err)
}

func (d *database) Lag(ctx context.Context) (*health.Lag, error) {
	lag, err := d.SQL.Lag(ctx)
	return lag, d.login.saw(err)
}

// writes are probe's that tell the login of denials.
type writes struct {
	probe.Writes
	login *Login
}

func (w writes) Write(ctx context.Context, subject dr.Region, row string, fresh bool) error {
	return w.login.saw(w.Writes.Write(ctx, subject, row, fresh))
}

// reacher is aurora.Endpoint that tells the login of denials.
type reacher struct {
	aurora.Reacher
	login *Login
}

func (r reacher) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	at, err := r.Reacher.Reach(ctx, e)
	return at, r.login.saw(err)
}

// probers ask the peer's writer and the local secondary.
func (b *builder) probers(local *database) ([]health.Prober, error) {
	peer := b.s.Topology.Peer(b.s.Region)
	kept, err1 := b.pool(b.s.Database.Addresses[peer], nil)
	fresh, err2 := b.pool(b.s.Database.Addresses[peer], nil)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	fresh.SetMaxIdleConns(-1) // each use opens one and closes it
	asked, err := probe.NewMySQL(probe.MySQLConfig{
		Writers: map[dr.Region]*sql.DB{peer: kept}, Fresh: map[dr.Region]*sql.DB{peer: fresh}, Schema: b.s.Database.Schema,
	})
	if err != nil {
		return nil, err
	}
	writer, err1 := probe.NewSQL(b.s.Region, writes{asked, b.login})
	stream, err2 := probe.NewReplication(b.s.Region, local, 0)
	return []health.Prober{writer, stream}, errors.Join(err1, err2)
}

// endpoint returns the one that clients use. Its name is looked up anew for every
// connection, as Go's resolver keeps nothing.
func (b *builder) endpoint() (aurora.Reacher, error) {
	var dial dialer
	if server := b.s.Database.DNS; server != "" {
		ask := func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, server)
		}
		d := net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: ask}}
		dial = d.DialContext
	}
	db, err := b.pool(b.s.Database.Endpoint, dial)
	if err != nil {
		return nil, err
	}
	e, err := aurora.NewEndpoint(aurora.EndpointConfig{
		DB: db, Dialect: b.s.Database.Dialect, Schema: b.s.Database.Schema, Region: b.s.RegionOf,
	})
	return reacher{e, b.login}, err
}
