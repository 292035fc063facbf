package cloud

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Config describes the emulated cloud. The zero value plus Servers is the
// default deployment: a writer in us-east-1, a secondary in us-west-2, the
// witness in us-east-2, no tables, topics
// or secrets.
type Config struct {
	// Account is the twelve-digit account id in every ARN. Default
	// 123456789012.
	Account string
	// GlobalCluster is the global cluster's identifier. Default lifeboat.
	GlobalCluster string
	// Database is the database's name. Default app.
	Database string
	// Members are the Regional clusters, two or more; the first is the writer.
	// The default has one instance each.
	Members []Member
	// Witness is the third Region, which holds the tables' witness. Default
	// us-east-2.
	Witness dr.Region
	// Tables are the DynamoDB tables. Their replicas are in the first two
	// members' Regions.
	Tables []Table
	// Topics are the SNS topics that exist from the start.
	Topics []Topic
	// Secrets are what Secrets Manager holds. A replica is a Secret of the same
	// Name in another Region.
	Secrets []Secret
	// Servers is what failovers act on. Required.
	Servers Servers

	// Seed makes the drawn durations repeatable.
	Seed uint64
	// Promotion draws how long Aurora takes from accepting a failover to a
	// writable server, not counting what Servers needs. Default 2 to 5 s, far
	// better than AWS's "a few minutes": drills report it beside their own
	// share.
	Promotion func(*rand.Rand) time.Duration
	// Switchover is the same for a switchover. Default 2 to 5 s.
	Switchover func(*rand.Rand) time.Duration
	// DNSDelay draws how long after a promotion the global writer endpoint
	// changes. Default 0 to 1 s.
	DNSDelay func(*rand.Rand) time.Duration
	// DNSTTL is the TTL of every answer, in whole seconds. Default 5 s, AWS's
	// recommended ceiling for client caches; AWS documents no TTL of its own.
	DNSTTL time.Duration
	// Address returns where a member's server is for a client that asks from a
	// Region. The default invents 10.<member>.0.10.
	Address func(asking, member dr.Region) netip.Addr
	// Latency is the round trip between two Regions. Default: 12 ms inside the
	// us-east pair, 50 ms from us-west-2 to us-east-2, otherwise 60 ms. Like
	// the functions that draw, it must not call the Cloud.
	Latency func(a, b dr.Region) time.Duration
	// QuorumLoss is what a strongly consistent call gets in a Region that
	// reaches no other. Default HangWithoutQuorum.
	QuorumLoss QuorumLoss
	// RDSRate is how many requests a second the RDS API of a Region answers for the account,
	// and RDSBurst how many more at once after a rest; what is above is throttled. Default
	// 12 and 300, as AWS's support has told users (hashicorp/terraform-provider-aws issues).
	// A negative RDSRate throttles nothing.
	RDSRate, RDSBurst float64
	// RDSLoad is how many requests a second others in the account send to each Region's
	// RDS API, which count as much. Default none.
	RDSLoad float64
	// MetricDelay is how long after its minute a point in AWS/RDS shows.
	// Default 1 min, since AWS publishes them late (by how much is not
	// documented); negative means none.
	MetricDelay time.Duration

	// FenceTimeout bounds the fencing of the old primary. Default 2 s.
	FenceTimeout time.Duration
	// PromoteTimeout bounds Servers.Promote. Default 1 min.
	PromoteTimeout time.Duration
	// RejoinInterval is the pause before each try to rejoin. Default 1 s.
	RejoinInterval time.Duration
	// RejoinTimeout bounds one Servers.Rejoin. Default 2 min.
	RejoinTimeout time.Duration
	// RebootTimeout bounds Servers.Reboot. Default 2 min.
	RebootTimeout time.Duration
	// History is how far back a stale answer can look. Default 5 min.
	History time.Duration

	// Observe, when set, is called after each call from the goroutine that
	// made it, also when the call never arrived. It must not block.
	Observe func(Exchange)
}

// Member is one Region's cluster of the global database.
type Member struct {
	Region dr.Region
	// Cluster is the DB cluster identifier. Default <global cluster>-<Region>.
	Cluster string
	// Instances are the DB instance identifiers, the writer first. Empty means
	// headless: nothing there can be promoted.
	Instances []string
	// EngineVersion must be the same everywhere for a failover. Default
	// 8.0.mysql_aurora.3.10.0.
	EngineVersion string
}

// Table is a DynamoDB table's name and key schema. An empty SortKey means that
// the table has none. Both keys are strings unless their type says N or B.
type Table struct {
	Name                        string
	PartitionKey, PartitionType string
	SortKey, SortType           string
}

// Topic is an SNS topic of one Region.
type Topic struct {
	Region dr.Region
	Name   string
}

// Secret is a secret of one Region. It prints without its value.
type Secret struct {
	Region dr.Region
	Name   string
	Value  string // SecretString of the answer, such as {"username":"u","password":"p"}
}

// String names the secret.
func (s Secret) String() string { return s.Name + " in " + string(s.Region) }

// GoString names the secret.
func (s Secret) GoString() string { return "cloud.Secret{" + s.String() + "}" }

// QuorumLoss says what a strongly consistent call gets without a quorum.
type QuorumLoss uint8

// The two behaviours. AWS documents neither; silence is the harder one.
const (
	HangWithoutQuorum QuorumLoss = iota // hang until a link is back or the caller gives up
	FailWithoutQuorum                   // answer InternalServerError at once
)

// Exchange is one call that was answered, or was not.
type Exchange struct {
	At        time.Time
	Took      time.Duration
	From      dr.Region // empty when the caller's Region is not known
	To        dr.Region
	Service   Service
	Operation string
	Status    int    // HTTP status; 0 when there was no answer
	Code      string // of an answer that is an error, such as Throttling
	Err       error  // why there was no answer
}

// Uniform draws durations evenly from lo up to, not including, hi.
func Uniform(lo, hi time.Duration) func(*rand.Rand) time.Duration {
	return func(r *rand.Rand) time.Duration {
		if hi <= lo {
			return lo
		}
		return lo + time.Duration(r.Int64N(int64(hi-lo)))
	}
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// withDefaults returns a copy with every unset field filled in.
func (c Config) withDefaults() Config {
	c.Account = or(c.Account, "123456789012")
	c.GlobalCluster = or(c.GlobalCluster, "lifeboat")
	c.Database = or(c.Database, "app")
	c.Witness = or(c.Witness, "us-east-2")
	if len(c.Members) == 0 {
		for _, r := range []dr.Region{"us-east-1", "us-west-2"} {
			c.Members = append(c.Members, Member{Region: r, Instances: []string{c.GlobalCluster + "-" + string(r) + "-1"}})
		}
	}
	c.Members = slices.Clone(c.Members)
	for i := range c.Members {
		m := &c.Members[i]
		m.Cluster = or(m.Cluster, c.GlobalCluster+"-"+string(m.Region))
		m.EngineVersion = or(m.EngineVersion, "8.0.mysql_aurora.3.10.0")
	}
	c.Tables = slices.Clone(c.Tables)
	for i := range c.Tables {
		c.Tables[i].PartitionType = or(c.Tables[i].PartitionType, "S")
		c.Tables[i].SortType = or(c.Tables[i].SortType, "S")
	}
	if c.Promotion == nil {
		c.Promotion = Uniform(2*time.Second, 5*time.Second)
	}
	if c.Switchover == nil {
		c.Switchover = Uniform(2*time.Second, 5*time.Second)
	}
	if c.DNSDelay == nil {
		c.DNSDelay = Uniform(0, time.Second)
	}
	if c.Address == nil {
		c.Address = defaultAddress(c.Members)
	}
	if c.Latency == nil {
		c.Latency = defaultLatency
	}
	c.DNSTTL = or(c.DNSTTL, 5*time.Second)
	c.RDSRate, c.RDSBurst = or(c.RDSRate, 12), or(c.RDSBurst, 300)
	c.MetricDelay = max(or(c.MetricDelay, time.Minute), 0)
	c.FenceTimeout = or(c.FenceTimeout, 2*time.Second)
	c.PromoteTimeout = or(c.PromoteTimeout, time.Minute)
	c.RejoinInterval = or(c.RejoinInterval, time.Second)
	c.RejoinTimeout = or(c.RejoinTimeout, 2*time.Minute)
	c.RebootTimeout = or(c.RebootTimeout, 2*time.Minute)
	c.History = or(c.History, 5*time.Minute)
	return c
}

func defaultAddress(members []Member) func(asking, member dr.Region) netip.Addr {
	return func(_, member dr.Region) netip.Addr {
		for i, m := range members {
			if m.Region == member {
				return netip.AddrFrom4([4]byte{10, byte(i), 0, 10})
			}
		}
		return netip.Addr{}
	}
}

func defaultLatency(a, b dr.Region) time.Duration {
	pair := [2]dr.Region{min(a, b), max(a, b)}
	switch pair {
	case [2]dr.Region{"us-east-1", "us-east-2"}:
		return 12 * time.Millisecond
	case [2]dr.Region{"us-east-2", "us-west-2"}:
		return 50 * time.Millisecond
	}
	return 60 * time.Millisecond
}

// Validate reports everything that is wrong with the configuration. It counts
// unset fields as their defaults.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("cloud: config: "+format, args...))
	}
	if c.Servers == nil {
		bad("Servers is required: failovers need something to act on")
	}
	if len(c.Members) < 2 {
		bad("Members has %d entries; a global database needs two or more", len(c.Members))
	}
	seen := map[dr.Region]bool{c.Witness: true}
	for i, m := range c.Members {
		if m.Region == "" {
			bad("Members[%d].Region is empty", i)
		} else if seen[m.Region] {
			bad("Region %s is used twice; members and Witness must all differ", m.Region)
		}
		seen[m.Region] = true
	}
	names := map[string]bool{}
	for i, t := range c.Tables {
		switch {
		case t.Name == "" || t.PartitionKey == "":
			bad("Tables[%d] needs a Name and a PartitionKey", i)
		case names[t.Name]:
			bad("table %s is listed twice", t.Name)
		case t.PartitionKey == t.SortKey:
			bad("table %s uses %s for both keys", t.Name, t.SortKey)
		}
		names[t.Name] = true
		for _, kind := range []string{t.PartitionType, t.SortType} {
			if kind != "S" && kind != "N" && kind != "B" {
				bad("table %s has a key of type %q; DynamoDB keys are S, N or B", t.Name, kind)
			}
		}
	}
	for i, t := range c.Topics {
		if !seen[t.Region] || t.Name == "" {
			bad("Topics[%d] (%s in %q) needs a Name and one of the configured Regions", i, t.Name, t.Region)
		}
	}
	secrets := map[string]bool{}
	for i, s := range c.Secrets {
		if !seen[s.Region] || s.Name == "" {
			bad("Secrets[%d] (%s in %q) needs a Name and one of the configured Regions", i, s.Name, s.Region)
		}
		if secrets[s.String()] {
			bad("secret %s is listed twice", s)
		}
		secrets[s.String()] = true
	}
	if c.DNSTTL < time.Second || c.DNSTTL%time.Second != 0 {
		bad("DNSTTL is %v; DNS counts whole seconds, at least one", c.DNSTTL)
	}
	if c.RDSBurst < 1 || c.RDSLoad < 0 {
		bad("RDSBurst is %v and RDSLoad %v: use a burst of at least 1, and a load that is not negative", c.RDSBurst, c.RDSLoad)
	}
	for name, d := range map[string]time.Duration{
		"FenceTimeout": c.FenceTimeout, "PromoteTimeout": c.PromoteTimeout, "RejoinInterval": c.RejoinInterval,
		"RejoinTimeout": c.RejoinTimeout, "RebootTimeout": c.RebootTimeout, "History": c.History,
	} {
		if d < 0 {
			bad("%s is %v; it must not be negative", name, d)
		}
	}
	return errors.Join(errs...)
}
