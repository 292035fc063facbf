package boot

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// Parts are what a function consists of. They live as long as the process: the clients
// and pools are used by one agent after the other.
type Parts struct {
	// Monitor, Trigger and Witness are what the function runs: the one that its name and its
	// Region say, the others are zero.
	Monitor failover.MonitorConfig
	Trigger failover.TriggerConfig
	Witness failover.WitnessConfig
	// Role publishes which Region has the writer; nil in the witness.
	Role *cloudwatch.Role
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
func New(s Settings, trace *dr.Trace) (*Parts, error) {
	b := &builder{s: s, aws: aws.Config{Credentials: s.Credentials}, http: newHTTP(), apis: make(map[dr.Region]*rds.Client), looks: make(map[dr.Region]*lookup)}
	p, err := b.build(trace)
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
	apis  map[dr.Region]*rds.Client
	store *dynamo.Store
	trace *dr.Trace
	login *Login

	failures *failover.Failures
	roots    *x509.CertPool
	pools    []*sql.DB
	looks    map[dr.Region]*lookup
}

func (b *builder) build(trace *dr.Trace) (*Parts, error) {
	s := b.s
	for _, m := range s.Topology.Members {
		b.apis[m] = aurora.NewClient(b.aws, m, s.url(serviceRDS, m), b.http)
	}
	p := &Parts{AWS: b.aws, HTTP: b.http}
	for _, r := range s.stores() {
		p.Tables = append(p.Tables, b.table(r))
	}
	failures, at := &failover.Failures{}, s.stores()
	store, err := dynamo.New(dynamo.Config{
		Clients: p.Tables, Region: s.Region, Table: s.Table, Cluster: s.Topology.GlobalCluster,
		Trouble: func(client int, err error) {
			failures.Note(dr.Problem{At: time.Now(), Region: s.Region, Op: "reach the lease table's replica in " + at[client].String(), Err: err})
		},
	})
	if err != nil {
		return nil, err
	}
	b.store = store
	control, err := aurora.NewControl(aurora.ControlConfig{
		Vantage: s.Region, Family: s.family(), Members: s.Clusters, Interval: s.Policy.WithDefaults().ControlInterval,
		Clients: func(r dr.Region) aurora.MemberAPI {
			if api := b.apis[r]; api != nil {
				return api
			}
			return nil // of the interface, not of the client
		},
	})
	if err != nil {
		return nil, err
	}
	b.trace, b.failures = trace, failures
	people, err := b.people()
	if err != nil {
		return nil, err
	}
	if s.Member() {
		return p, b.member(p, control, people)
	}
	p.Witness = failover.WitnessConfig{
		Region: s.Region, Topology: s.Topology, Policy: s.Policy, Leaser: store, Heartbeats: store,
		Probers: []health.Prober{control}, Notifier: people, Failures: failures, Trace: trace,
	}
	if len(s.Database.Addresses) > 0 {
		port, err := probe.NewTCP(probe.TCPConfig{Vantage: s.Region, Family: health.Witness, Addresses: s.Database.Addresses})
		if err != nil {
			return nil, err
		}
		p.Witness.Probers = append(p.Witness.Probers, port)
	}
	return p, nil
}

// table returns a client of one replica of the lease table. A member's VPC reaches the other
// member's by a name of its own; everything else by AWS's.
func (b *builder) table(r dr.Region) dynamo.Client {
	url := b.s.url(serviceDynamo, r)
	if url != "" || r == b.s.Region || !b.s.Member() {
		return dynamo.NewClient(b.aws, r, url, b.http)
	}
	return dynamo.NewClientAt(b.aws, r, newReplica(r, nil).find, b.http)
}

// member adds what only the Regions with a database have.
func (b *builder) member(p *Parts, control health.Prober, people failover.Notifier) (err error) {
	s := b.s
	if b.roots, err = readRoots(s.Database.CA); err != nil {
		return err
	}
	secrets := newSecrets(b.aws, s.Region, s.url(serviceSecrets, s.Region), b.http)
	b.login = NewLogin(s.Secret, s.Database.User, secrets)
	p.Logins = []*Login{b.login}
	var admin *Login // the trigger only beats and asks
	if s.Function == Monitor {
		admin = NewAdmin(s.Admin, s.Database.User, secrets)
		p.Logins = append(p.Logins, admin)
	}
	local, err := b.database(s.Region, admin)
	if err != nil {
		return err
	}
	p.Keep = later(keepAfter, local.Keep)
	probers, err := b.probers(local)
	if err != nil {
		return err
	}
	probers = append([]health.Prober{control}, probers...)
	p.Role, err = cloudwatch.NewRole(cloudwatch.RoleConfig{
		Topology: s.Topology, Region: s.Region, Client: cloudwatch.NewClient(b.aws, s.Region, s.url(serviceMetrics, s.Region), b.http),
	})
	if err != nil {
		return err
	}
	if s.Function == Trigger {
		p.Trigger = failover.TriggerConfig{
			Region: s.Region, Topology: s.Topology, Policy: s.Policy, Leaser: b.store, Heartbeats: b.store, Probers: probers, Trace: b.trace,
		}
		p.Trigger.Controller, err = b.controller(p.Role, local, people)
		return err
	}
	p.Announcer = NewAnnouncer(s.Region, s.Database.place(s.Region), b.store, b.trace)
	p.Monitor = failover.MonitorConfig{
		Region: s.Region, Topology: s.Topology, Policy: s.Policy, Leaser: b.store, Heartbeats: b.store, Probers: probers,
		Mover: failover.ByTrigger{
			Trigger: invoker.New(s.Region, s.Trigger, invoker.NewClient(b.aws, s.Region, s.Lambda, b.http)), Journal: b.store,
		},
		Notifier: people, Failures: b.failures, Trace: b.trace,
	}
	if p.Monitor.Bootstrapper, err = b.bootstrapper(local); err != nil {
		return err
	}
	if p.Monitor.Guard, err = b.guard(local); err != nil {
		return err
	}
	p.Monitor.Peer, err = b.peerWriter()
	return err
}

// bootstrapper returns what bootstraps a new deployment, when its writer is here.
func (b *builder) bootstrapper(local *aurora.SQL) (*aurora.Bootstrapper, error) {
	cluster, err := b.cluster()
	if err != nil {
		return nil, err
	}
	return aurora.NewBootstrapper(aurora.BootstrapperConfig{Region: b.s.Region, Cluster: cluster, Database: local})
}

// cluster returns the global database.
func (b *builder) cluster() (*aurora.Cluster, error) {
	return aurora.NewCluster(aurora.ClusterConfig{
		GlobalCluster: b.s.Topology.GlobalCluster, Region: b.s.Region,
		Clients: func(r dr.Region) aurora.GlobalAPI {
			if api := b.apis[r]; api != nil {
				return api
			}
			return nil // of the interface, not of the client
		},
	})
}

// guard returns what keeps the lease and the local Region's writer.
func (b *builder) guard(local *aurora.SQL) (failover.GuardConfig, error) {
	isolator, err1 := aurora.NewIsolator(aurora.IsolatorConfig{
		Region: b.s.Region, Cluster: b.s.Clusters[b.s.Region], API: b.apis[b.s.Region],
	})
	peer, err2 := b.database(b.s.Topology.Peer(b.s.Region), nil)
	plane, err3 := b.cluster()
	if err := errors.Join(err1, err2, err3); err != nil {
		return failover.GuardConfig{}, err
	}
	return failover.GuardConfig{
		Beater: local, Fencer: local, Isolator: isolator, Replica: peer,
		Releaser: b.store, Roles: local, Plane: plane, Promises: local,
	}, nil
}

// peerWriter returns the peer's database as long as it is the writer: its cluster endpoint,
// and no reader in its place.
func (b *builder) peerWriter() (*aurora.SQL, error) {
	peer := b.s.Topology.Peer(b.s.Region)
	db, err := b.pool(onWriter{b.at(peer)}, b.login)
	if err != nil {
		return nil, err
	}
	return aurora.NewSQL(aurora.SQLConfig{Region: peer, Dialect: b.s.Database.Dialect, Schema: b.s.Database.Schema, DB: db})
}

// people returns whom the function tells.
func (b *builder) people() (*notify.Topic, error) {
	s := b.s
	return notify.New(notify.Config{
		Region: s.Region, ARN: s.Topic, Client: notify.NewClient(b.aws, s.Region, s.url(serviceTopics, s.Region), b.http),
	})
}

// controller returns what moves the writer to this Region.
func (b *builder) controller(role *cloudwatch.Role, local *aurora.SQL, people failover.Notifier) (failover.ControllerConfig, error) {
	s := b.s
	promoter, err1 := b.cluster()
	endpoint, err2 := b.endpoint()
	if err := errors.Join(err1, err2); err != nil {
		return failover.ControllerConfig{}, err
	}
	preflight, err := aurora.NewPreflight(aurora.PreflightConfig{
		Cluster: promoter, Member: s.Clusters[s.Region], API: b.apis[s.Region], Database: local,
	})
	if err != nil {
		return failover.ControllerConfig{}, err
	}
	return failover.ControllerConfig{
		Journal: b.store, Acknowledger: b.store, Promoter: promoter, Preflight: preflight, Beater: local, Notifier: people, Trigger: s.Trigger,
		Router: aurora.Router{Redirecter: role, Reacher: endpoint},
	}, nil
}
