package boot

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"io"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// Parts are what a function consists of. They live as long as the process: the clients
// and pools are used by one agent after the other.
type Parts struct {
	// Monitor and Trigger are what the function runs, by its name; the other one is zero.
	Monitor monitor.Config
	Trigger trigger.Config
	// AWS and HTTP are what every client of the process is made of.
	AWS  aws.Config
	HTTP aws.HTTPClient
	// Tables are clients of the lease table, the preferred one first.
	Tables []dynamo.Client
	// Announcer tells the other Region where the local database is; nil but for a member's
	// monitor.
	Announcer *Announcer
	// Logins are the accounts of the database; empty in the witness.
	Logins []*Login
	// Keep holds connections to the local database open beside the invocations; nil in the
	// witness. See aurora.SQL.Keep.
	Keep func(context.Context)

	pools []*sql.DB
	looks map[dr.Region]*lookup
}

// Close ends the connections to the databases and what looks their addresses up.
func (p *Parts) Close() error {
	var errs []error
	for _, db := range p.pools {
		errs = append(errs, db.Close())
	}
	for _, l := range p.looks {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Events returns the trace that writes every event as a line of CloudWatch's embedded
// metric format.
func Events(s Settings, w io.Writer) (*dr.Trace, error) {
	events, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: w, Region: s.Region, GlobalCluster: s.Topology.GlobalCluster})
	if err != nil {
		return nil, err
	}
	return events.Trace(), nil
}

// New puts the parts of a function together. It reads the file of authorities and
// connects to nothing.
func New(s Settings, trace *dr.Trace, log *slog.Logger) (*Parts, error) {
	b := &builder{s: s, aws: aws.Config{Credentials: s.Credentials}, http: newHTTP(), looks: make(map[dr.Region]*lookup)}
	p, err := b.build(trace, log)
	if err != nil {
		return nil, errors.Join(err, (&Parts{pools: b.pools, looks: b.looks}).Close())
	}
	p.pools, p.looks = b.pools, b.looks
	return p, nil
}

// builder holds what the parts share.
type builder struct {
	s     Settings
	aws   aws.Config
	http  aws.HTTPClient
	store *dynamo.Store
	login *Login
	own   *aurora.SQL
	roots *x509.CertPool
	pools []*sql.DB
	looks map[dr.Region]*lookup
}

func (b *builder) build(trace *dr.Trace, log *slog.Logger) (*Parts, error) {
	s := b.s
	p := &Parts{AWS: b.aws, HTTP: b.http}
	for _, r := range assembly.Replicas(s.Topology, s.Region) {
		p.Tables = append(p.Tables, b.table(r))
	}
	table, err := assembly.NewTable(s.Topology, s.Region, s.Table, nil, p.Tables...)
	if err != nil {
		return nil, err
	}
	b.store = table.Store
	cfg := assembly.Config{
		Region: s.Region, Topology: s.Topology, Policy: s.Policy, Clusters: s.Clusters, Topic: s.Topic, Name: s.Name, Trigger: s.Trigger,
		AWS: b.aws, HTTP: b.http, URL: s.url, Table: table, Databases: databases{b}, Trace: trace, Log: log, Fatal: Expired,
	}
	if s.Member() {
		if err := b.member(p, trace); err != nil {
			return nil, err
		}
		cfg.Lambda = invoker.NewClient(b.aws, s.Region, s.url(assembly.Lambda, s.Region), b.http)
	} else if len(s.Database.Addresses) > 0 {
		port, err := probe.NewTCP(probe.TCPConfig{Vantage: s.Region, Family: health.Witness, Addresses: s.Database.Addresses})
		if err != nil {
			return nil, err
		}
		cfg.Probers = append(cfg.Probers, port)
	}
	if s.Function == Trigger {
		p.Trigger, err = assembly.Trigger(cfg)
	} else {
		p.Monitor, err = assembly.Monitor(cfg)
	}
	return p, err
}

// table returns a client of one replica of the lease table. A member's VPC reaches the other
// member's by a name of its own; everything else by AWS's.
func (b *builder) table(r dr.Region) dynamo.Client {
	url := b.s.url(assembly.DynamoDB, r)
	if url != "" || r == b.s.Region || !b.s.Member() {
		return dynamo.NewClient(b.aws, r, url, b.http)
	}
	return dynamo.NewClientAt(b.aws, r, newReplica(r, nil).find, b.http)
}

// member prepares what only the Regions with a database have.
func (b *builder) member(p *Parts, trace *dr.Trace) (err error) {
	s := b.s
	if b.roots, err = readRoots(s.Database.CA); err != nil {
		return err
	}
	secrets := newSecrets(b.aws, s.Region, s.url(assembly.SecretsManager, s.Region), b.http)
	b.login = NewLogin(s.Secret, s.Database.User, secrets)
	p.Logins = []*Login{b.login}
	var admin *Login // the trigger only beats and asks
	if s.Function == Monitor {
		admin = NewAdmin(s.Admin, s.Database.User, secrets)
		p.Logins = append(p.Logins, admin)
		p.Announcer = NewAnnouncer(s.Region, s.Database.place(s.Region), b.store, trace)
	}
	if b.own, err = b.database(s.Region, admin); err != nil {
		return err
	}
	p.Keep = later(keepAfter, b.own.Keep)
	return nil
}
