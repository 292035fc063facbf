package agent

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// parts makes what an agent consists of, and remembers what is to be closed.
type parts struct {
	cfg   Config
	apis  map[dr.Region]*rds.Client
	pools []*sql.DB
}

// assemble puts the agent of a Region together. The function that it returns
// closes the agent's connections.
func assemble(cfg Config, trace *dr.Trace) (*failover.Agent, func(), error) {
	p := &parts{cfg: cfg, apis: map[dr.Region]*rds.Client{}}
	for r, url := range cfg.APIs {
		p.apis[r] = aurora.NewClient(credentials(), r, url, nil)
	}
	a, err := p.agent(trace)
	if err != nil {
		p.close()
		return nil, nil, err
	}
	return a, p.close, nil
}

func (p *parts) close() {
	for _, db := range p.pools {
		_ = db.Close() // the process ends
	}
}

func (p *parts) agent(trace *dr.Trace) (*failover.Agent, error) {
	c := p.cfg
	store, err := c.store()
	if err != nil {
		return nil, err
	}
	out := failover.AgentConfig{
		Region: c.Region, Topology: c.Topology, Policy: c.Policy, Leaser: store, Heartbeats: store, Trace: trace,
	}
	control, err := aurora.NewControl(aurora.ControlConfig{
		Vantage: c.Region, Family: c.family(), Members: c.Clusters,
		Clients: func(r dr.Region) aurora.MemberAPI {
			if api := p.apis[r]; api != nil {
				return api
			}
			return nil // of the interface, not of the client
		},
	})
	if err != nil {
		return nil, err
	}
	out.Probers = []health.Prober{control}
	if !c.member() {
		tcp, err := probe.NewTCP(probe.TCPConfig{Vantage: c.Region, Family: health.Witness, Addresses: c.Databases})
		if err != nil {
			return nil, err
		}
		out.Probers = append(out.Probers, tcp)
		return failover.NewAgent(out)
	}
	local, err := p.database(c.Region)
	if err != nil {
		return nil, err
	}
	peer, err := p.database(c.Topology.Peer(c.Region))
	if err != nil {
		return nil, err
	}
	probers, err := p.probers(local)
	if err != nil {
		return nil, err
	}
	out.Probers = append(out.Probers, probers...)
	isolator, err := aurora.NewIsolator(aurora.IsolatorConfig{
		Region: c.Region, Cluster: c.Clusters[c.Region], API: p.apis[c.Region],
	})
	if err != nil {
		return nil, err
	}
	out.Guard = &failover.GuardConfig{Beater: local, Fencer: local, Isolator: isolator, Replica: peer}
	if out.Controller, err = p.controller(local); err != nil {
		return nil, err
	}
	out.Controller.Journal, out.Controller.Acknowledger = store, store
	return failover.NewAgent(out)
}

// probers ask the peer's writer and the local secondary.
func (p *parts) probers(local *aurora.SQL) ([]health.Prober, error) {
	peer := p.cfg.Topology.Peer(p.cfg.Region)
	kept, err := p.pool(p.cfg.Databases[peer], p.cfg.Monitor, nil)
	if err != nil {
		return nil, err
	}
	fresh, err := p.pool(p.cfg.Databases[peer], p.cfg.Monitor, nil)
	if err != nil {
		return nil, err
	}
	fresh.SetMaxIdleConns(-1)
	writes, err := probe.NewMySQL(probe.MySQLConfig{
		Writers: map[dr.Region]*sql.DB{peer: kept}, Fresh: map[dr.Region]*sql.DB{peer: fresh}, Schema: mysqld.Schema,
	})
	if err != nil {
		return nil, err
	}
	asker, err := probe.NewSQL(p.cfg.Region, writes)
	if err != nil {
		return nil, err
	}
	replication, err := probe.NewReplication(p.cfg.Region, local, 0)
	if err != nil {
		return nil, err
	}
	return []health.Prober{asker, replication}, nil
}

// controller returns what moves the writer to this Region.
func (p *parts) controller(local *aurora.SQL) (*failover.ControllerConfig, error) {
	c := p.cfg
	promoter, err := aurora.NewCluster(aurora.ClusterConfig{
		GlobalCluster: c.Topology.GlobalCluster, Region: c.Region,
		Clients: func(r dr.Region) aurora.GlobalAPI {
			if api := p.apis[r]; api != nil {
				return api
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	endpoint, err := p.endpoint()
	if err != nil {
		return nil, err
	}
	role, err := cloudwatch.NewRole(cloudwatch.RoleConfig{
		Topology: c.Topology, Region: c.Region, Client: cloudwatch.NewClient(credentials(), c.Region, c.APIs[c.Region], nil),
	})
	if err != nil {
		return nil, err
	}
	people, err := notify.New(notify.Config{
		Region: c.Region, ARN: c.Topic, Client: notify.NewClient(credentials(), c.Region, c.APIs[c.Region], nil),
	})
	if err != nil {
		return nil, err
	}
	return &failover.ControllerConfig{
		Promoter: promoter, Beater: local, Router: aurora.Router{Redirecter: role, Reacher: endpoint}, Notifier: people,
	}, nil
}

// database returns a Region's database.
func (p *parts) database(r dr.Region) (*aurora.SQL, error) {
	monitor, err := p.pool(p.cfg.Databases[r], p.cfg.Monitor, nil)
	if err != nil {
		return nil, err
	}
	admin, err := p.pool(p.cfg.Databases[r], p.cfg.Admin, nil)
	if err != nil {
		return nil, err
	}
	cfg := aurora.SQLConfig{
		DB: monitor, Admin: admin, Region: r, Dialect: aurora.DialectMySQL, Schema: mysqld.Schema,
	}
	if policy := p.cfg.Policy.WithDefaults(); policy.Watchdog {
		cfg.Watchdog = policy.LeaseTTL - policy.LeaseMargin
	}
	return aurora.NewSQL(cfg)
}

// endpoint returns the endpoint that clients use, looked up anew for every
// connection.
func (p *parts) endpoint() (*aurora.Endpoint, error) {
	resolver, err := workload.NewResolver(workload.ResolverConfig{Server: p.cfg.DNS, TTL: -1})
	if err != nil {
		return nil, err
	}
	db, err := p.pool(p.cfg.Endpoint, p.cfg.Monitor, func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		found, err := resolver.Lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, errors.New("agent: " + host + " has no address")
		}
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort(found[0].String(), port))
	})
	if err != nil {
		return nil, err
	}
	return aurora.NewEndpoint(aurora.EndpointConfig{
		DB: db, Dialect: aurora.DialectMySQL, Schema: mysqld.Schema,
		Region: func(server string) (dr.Region, bool) {
			id, err := strconv.ParseUint(server, 10, 32)
			r, known := p.cfg.Servers[uint32(id)]
			return r, known && err == nil
		},
	})
}

func (p *parts) pool(address string, a mysqld.Account, dial func(context.Context, string, string) (net.Conn, error)) (*sql.DB, error) {
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{
		Addr: address, User: a.User, Dial: dial,
		Password: func(context.Context) (string, error) { return a.Password, nil },
	})
	if err != nil {
		return nil, err
	}
	p.pools = append(p.pools, db)
	return db, nil
}
