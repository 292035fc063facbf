package cloud

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/aurora"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/dynamo"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/links"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/metrics"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/secrets"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/topics"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Cloud is a set of emulated Regions. It is safe for concurrent use. Inside a
// testing/synctest bubble, make it there.
type Cloud struct {
	cfg     Config
	regions []dr.Region
	budgets map[dr.Region]*bucket // of the RDS API
	links   *links.Links
	faults  switchboard

	rds     *aurora.Service
	tables  *dynamo.Service
	metrics *metrics.Service
	topics  *topics.Service
	secrets *secrets.Service
	names   map[string]dr.Region // DNS names of single Regions
}

// New returns a cloud in its steady state. [Cloud.Run] must run for failovers,
// switchovers and reboots to make progress.
func New(cfg Config) (*Cloud, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	c := &Cloud{cfg: cfg}
	for _, m := range cfg.Members {
		c.regions = append(c.regions, m.Region)
	}
	replicas := slices.Clone(c.regions[:2])
	c.regions = append(c.regions, cfg.Witness)
	c.budgets = make(map[dr.Region]*bucket)
	for _, r := range c.regions {
		c.budgets[r] = newBucket(cfg.RDSRate, cfg.RDSLoad, cfg.RDSBurst)
	}
	c.links = links.New(append(slices.Clone(replicas), cfg.Witness), cfg.Latency)

	rdsConfig := aurora.Config{
		Account: cfg.Account, GlobalCluster: cfg.GlobalCluster, Database: cfg.Database,
		Regions: c.regions, Links: c.links, Servers: cfg.Servers,
		Rand:      rand.New(rand.NewPCG(cfg.Seed, 0x6c6966656267)),
		Promotion: cfg.Promotion, Switchover: cfg.Switchover, DNSDelay: cfg.DNSDelay,
		FenceTimeout: cfg.FenceTimeout, PromoteTimeout: cfg.PromoteTimeout,
		RejoinTimeout: cfg.RejoinTimeout, RejoinInterval: cfg.RejoinInterval,
		RebootTimeout: cfg.RebootTimeout, History: cfg.History,
	}
	for _, m := range cfg.Members {
		rdsConfig.Members = append(rdsConfig.Members, aurora.Member(m))
	}
	c.rds = aurora.New(rdsConfig)
	c.names = c.rds.Names()

	tables := dynamo.Config{
		Account: cfg.Account, Replicas: replicas, Witness: cfg.Witness, Links: c.links,
		FailWithoutQuorum: cfg.QuorumLoss == FailWithoutQuorum, History: cfg.History,
	}
	for _, t := range cfg.Tables {
		tables.Tables = append(tables.Tables, dynamo.Table{
			Name:      t.Name,
			Partition: dynamo.Key{Name: t.PartitionKey, Kind: attr.KindOf(t.PartitionType)},
			Sort:      dynamo.Key{Name: t.SortKey, Kind: attr.KindOf(t.SortType)},
		})
	}
	c.tables = dynamo.New(tables)
	c.metrics = metrics.New(metrics.Config{Account: cfg.Account, Regions: c.regions, Delay: cfg.MetricDelay})
	list := make([]topics.Topic, len(cfg.Topics))
	for i, t := range cfg.Topics {
		list[i] = topics.Topic(t)
	}
	c.topics = topics.New(cfg.Account, list)
	kept := make([]secrets.Secret, len(cfg.Secrets))
	for i, s := range cfg.Secrets {
		kept[i] = secrets.Secret(s)
	}
	c.secrets = secrets.New(cfg.Account, kept)
	return c, nil
}

// Run carries out accepted operations until ctx ends, and returns nil after
// every goroutine it started has ended. Operations that are under way when ctx
// ends stay unfinished.
func (c *Cloud) Run(ctx context.Context) error { return c.rds.Run(ctx) }

// Regions returns the members' Regions, then the witness.
func (c *Cloud) Regions() []dr.Region { return slices.Clone(c.regions) }

// SetLink cuts or restores the link between two Regions, in both directions.
// It carries table replication, the control plane's reach to another Region's
// servers, what a Region's RDS API knows of another's changes, and calls made
// through [Cloud.From]. A Region that loses both its links has no quorum.
func (c *Cloud) SetLink(a, b dr.Region, up bool) {
	c.links.Set(a, b, up)
	if up {
		c.rds.SyncViews()
	}
}

// Linked reports whether two Regions reach each other.
func (c *Cloud) Linked(a, b dr.Region) bool { return c.links.Up(a, b) }

// SetFault switches a fault on and returns what switches it off again. Faults
// add up: delays are summed, and of the others the most drastic one wins.
func (c *Cloud) SetFault(f Fault) (clear func()) { return c.faults.add(f) }

// Faults returns the faults that are on, in the order they were set.
func (c *Cloud) Faults() []Fault { return c.faults.list() }

// SetHeadless takes the instances of a Region's member away, so that it can't be
// promoted, or gives them back. Without a member in the Region it does nothing.
func (c *Cloud) SetHeadless(r dr.Region, headless bool) { c.rds.Behead(r, headless) }

// SetResync has a Region's member wait for a resynchronization, in which it can't be
// promoted, or ends that.
func (c *Cloud) SetResync(r dr.Region, waits bool) { c.rds.Desync(r, waits) }

// Writer returns the Region of the current writer, past every fault.
func (c *Cloud) Writer() dr.Region { return c.rds.Writer() }

// ClusterARN returns the ARN of a Region's cluster, which failovers name as
// their target; empty for a Region without one.
func (c *Cloud) ClusterARN(r dr.Region) string { return c.rds.ClusterARN(r) }

// Items returns what a table holds under a partition key whose sort keys have a prefix,
// in their order, past every fault: for a test's judge. Each is its attributes that are
// text or numbers.
func (c *Cloud) Items(table, partition, prefix string) []map[string]string {
	return c.tables.Items(table, partition, prefix)
}

// TopicARN returns the ARN of a topic, whether it exists or not.
func (c *Cloud) TopicARN(r dr.Region, name string) string {
	return c.topics.ARN(topics.Topic{Region: r, Name: name})
}

// SecretARN returns the ARN of a secret, whether it exists or not.
func (c *Cloud) SecretARN(r dr.Region, name string) string { return c.secrets.ARN(r, name) }

// Event is an RDS event. IDs are AWS's, such as RDS-EVENT-0238.
type Event struct {
	At      time.Time
	Region  dr.Region // where AWS would record it
	ID      string
	Source  string // cluster or instance identifier
	Message string
}

// Events returns the RDS events so far, oldest first. AWS delivers events on a
// best-effort basis and up to minutes late; this list is for reports, nothing
// that recovers may read it.
func (c *Cloud) Events() []Event {
	events := c.rds.Events()
	out := make([]Event, len(events))
	for i, e := range events {
		out[i] = Event(e)
	}
	return out
}

// Operation is the life of one failover or switchover.
type Operation struct {
	Kind       string // failover or switchover
	From, To   dr.Region
	AcceptedAt time.Time
	Drawn      time.Duration // what the configured distribution gave
	FencedAt   time.Time     // zero when the old primary was not fenced
	PromotedAt time.Time     // zero until the new writer accepts writes
	DoneAt     time.Time     // zero while it runs
	Err        error         // why it failed
}

// Operations returns every accepted failover and switchover, oldest first.
func (c *Cloud) Operations() []Operation {
	ops := c.rds.Operations()
	out := make([]Operation, len(ops))
	for i, op := range ops {
		out[i] = Operation(op)
	}
	return out
}

// Publication is one message that a topic accepted.
type Publication struct {
	At         time.Time
	Region     dr.Region
	TopicARN   string
	MessageID  string
	Subject    string
	Message    string
	Attributes map[string]string
}

// Published returns every accepted message, oldest first.
func (c *Cloud) Published() []Publication {
	published := c.topics.Published()
	out := make([]Publication, len(published))
	for i, p := range published {
		out[i] = Publication(p)
	}
	return out
}

// RecordRPOLag records a sample of AuroraGlobalDBRPOLag, in milliseconds and
// one-minute periods, as Aurora does: in the secondary's Region only, once by
// DBClusterIdentifier alone and once with SourceRegion. It is an error to
// record one for the writer or for a Region without a member.
func (c *Cloud) RecordRPOLag(secondary dr.Region, lag time.Duration) error {
	writer := c.Writer()
	for _, m := range c.cfg.Members {
		if m.Region != secondary || secondary == writer {
			continue
		}
		cluster := metrics.Dimension{Name: "DBClusterIdentifier", Value: m.Cluster}
		source := metrics.Dimension{Name: "SourceRegion", Value: string(writer)}
		for _, dims := range [][]metrics.Dimension{{cluster}, {cluster, source}} {
			metric := metrics.Metric{Namespace: "AWS/RDS", Name: "AuroraGlobalDBRPOLag", Dimensions: dims}
			c.metrics.Record(secondary, metric, time.Now(), "Milliseconds", float64(lag)/float64(time.Millisecond))
		}
		return nil
	}
	return fmt.Errorf("cloud: record RPO lag of %s: only a secondary has one, the writer is %s", secondary, writer)
}

// service returns the emulated service by its name in the fault switch.
func (c *Cloud) service(name Service) wire.Service {
	switch name {
	case RDS:
		return c.rds
	case DynamoDB:
		return c.tables
	case CloudWatch:
		return c.metrics
	case SNS:
		return c.topics
	case SecretsManager:
		return c.secrets
	}
	return nil
}
