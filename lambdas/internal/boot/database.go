package boot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// dialer returns what opens the connections below a pool's, with names looked up anew
// for each, as Go's resolver keeps nothing. Nil means the default: the system's name
// servers.
func dialer(dns string) func(ctx context.Context, network, address string) (net.Conn, error) {
	if dns == "" {
		return nil
	}
	ask := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, dns)
	}
	return (&net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: ask}}).DialContext
}

// server is where a pool's connections lead and whose they are. It implements
// aurora.MySQLSource.
type server struct {
	at    finder
	login *Login
}

func (s server) Resolve(ctx context.Context) (aurora.MySQLTarget, error) {
	place, err := s.at.find(ctx)
	if err != nil {
		return aurora.MySQLTarget{}, err
	}
	user, password, err := s.login.Account(ctx)
	return aurora.MySQLTarget{Addr: place.Address, Reader: place.Reader, User: user, Password: password}, err
}

func (s server) Failed(err error) {
	s.login.saw(err)
	var answer *mysql.MySQLError
	if !errors.As(err, &answer) { // who answers is there
		s.at.missed()
	}
}

// at returns where a member's database is: as named, else as its Region announces.
func (b *builder) at(r dr.Region) finder {
	if place := b.s.Database.place(r); place.Address != "" {
		return named(place)
	}
	if b.looks[r] == nil {
		b.looks[r] = newLookup(r, b.store)
	}
	return b.looks[r]
}

// pool returns connections to a server of the deployment. It connects to nothing yet.
func (b *builder) pool(at finder, login *Login) (*sql.DB, error) {
	cfg := aurora.MySQLConfig{Source: server{at, login}, Dial: dialer(b.s.Database.DNS)}
	if b.roots != nil {
		cfg.TLS = &tls.Config{RootCAs: b.roots, MinVersion: tls.VersionTLS12}
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
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // without the path, which is what LIFEBOAT_DATABASE_CA holds
		}
		return nil, fmt.Errorf("boot: read the database's authorities: %w: put RDS's bundle into the package as rds-ca.pem, or set LIFEBOAT_DATABASE_CA", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("boot: the file of the database's authorities (LIFEBOAT_DATABASE_CA) holds no certificate in PEM: take RDS's bundle from truststore.pki.rds.amazonaws.com")
	}
	return roots, nil
}

// database returns a Region's database, which may be a secondary: then it is asked through
// its reader endpoint. One that is fenced, opened or prepared from here needs the admin.
func (b *builder) database(r dr.Region, admin *Login) (*aurora.SQL, error) {
	cfg := aurora.SQLConfig{Region: r, Dialect: b.s.Database.Dialect, Schema: b.s.Database.Schema}
	if b.s.Policy.Watchdog {
		cfg.Watchdog = b.s.Policy.WatchdogAfter() // as the guard installs it, and looks for it
	}
	var err error
	if cfg.DB, err = b.pool(b.at(r), b.login); err != nil {
		return nil, err
	}
	if admin != nil {
		cfg.Account = aurora.Account{User: b.s.Database.User, Password: b.login.password}
		if cfg.Admin, err = b.pool(b.at(r), admin); err != nil {
			return nil, err
		}
	}
	return aurora.NewSQL(cfg)
}

// databases implements assembly.Databases by MySQL's protocol.
type databases struct{ b *builder }

var _ assembly.Databases = databases{}

// Own implements assembly.Databases.
func (d databases) Own() (assembly.Database, error) { return d.b.own, nil }

// Peer implements assembly.Databases.
func (d databases) Peer() (failover.ReplicaReader, error) {
	return d.b.database(d.b.s.Topology.Peer(d.b.s.Region), nil)
}

// PeerWriter implements assembly.Databases: the cluster endpoint, and no reader in its place.
func (d databases) PeerWriter() (failover.PeerDatabase, error) {
	b, peer := d.b, d.b.s.Topology.Peer(d.b.s.Region)
	db, err := b.pool(onWriter{b.at(peer)}, b.login)
	if err != nil {
		return nil, err
	}
	return aurora.NewSQL(aurora.SQLConfig{Region: peer, Dialect: b.s.Database.Dialect, Schema: b.s.Database.Schema, DB: db, Writer: true})
}

// Writes implements assembly.Databases.
func (d databases) Writes() (probe.Writes, error) {
	b, peer := d.b, d.b.s.Topology.Peer(d.b.s.Region)
	kept, err1 := b.pool(onWriter{b.at(peer)}, b.login)
	fresh, err2 := b.pool(onWriter{b.at(peer)}, b.login)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	fresh.SetMaxIdleConns(-1) // each use opens one and closes it
	return probe.NewMySQL(probe.MySQLConfig{
		Writers: map[dr.Region]*sql.DB{peer: kept}, Fresh: map[dr.Region]*sql.DB{peer: fresh}, Schema: b.s.Database.Schema,
	})
}

// Endpoint implements assembly.Databases.
func (d databases) Endpoint() (aurora.Reacher, error) {
	b := d.b
	db, err := b.pool(named{Address: b.s.Database.Endpoint}, b.login)
	if err != nil {
		return nil, err
	}
	return aurora.NewEndpoint(aurora.EndpointConfig{
		DB: db, Dialect: b.s.Database.Dialect, Schema: b.s.Database.Schema, Region: b.s.RegionOf,
	})
}
