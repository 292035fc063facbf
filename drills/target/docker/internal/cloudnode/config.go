// Package cloudnode is the container of the emulated AWS control plane: one
// process that answers for every Region, with a listener and a name server for
// each, and acts on the drill's real MySQL servers.
//
// Since it is one process in a network of its own, it has to be told what
// reaches what: the faults that cut Regions off from each other are announced to
// it, and it then neither answers nor acts across them.
package cloudnode

import (
	"encoding/json"
	"net/netip"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Config is the body of /cloud/start.
type Config struct {
	GlobalCluster string `json:"global_cluster"`
	// Regions has the members first, the writer's at their head, then the witness.
	Regions []Region `json:"regions"`
	// Latency is the round trip between two Regions.
	Latency []Latency `json:"latency"`
	Table   string    `json:"table"` // of the lease
	Topic   string    `json:"topic"` // in every Region
	Seed    uint64    `json:"seed"`
	// EndpointTTL is the time to live of every DNS answer, in whole seconds.
	EndpointTTL time.Duration `json:"endpoint_ttl"`
	// Admin acts on the servers, Apps are the accounts whose sessions a fence ends. The
	// login of each is a secret in every member's Region.
	Admin mysqld.Account   `json:"admin"`
	Apps  []mysqld.Account `json:"apps"`
}

// Region is one Region of the control plane.
type Region struct {
	Name dr.Region `json:"name"`
	// Network is where its callers come from.
	Network netip.Prefix `json:"network"`
	// Port serves its API over HTTP/TCP and its names over DNS/UDP.
	Port uint16 `json:"port"`
	// Server is the address of its MySQL server, Control that of the server's
	// supervisor; both are invalid in a Region without a member.
	Server  netip.AddrPort `json:"server,omitzero"`
	Control netip.AddrPort `json:"control,omitzero"`
}

// Latency is the round trip between two Regions.
type Latency struct {
	A         dr.Region     `json:"a"`
	B         dr.Region     `json:"b"`
	RoundTrip time.Duration `json:"round_trip"`
}

// Info is the answer of /cloud/start: the names that AWS chooses.
type Info struct {
	// Endpoint is the name of the global writer endpoint.
	Endpoint string `json:"endpoint"`
	// Clusters and Topics are identifiers and ARNs by Region.
	Clusters map[dr.Region]string `json:"clusters"`
	Topics   map[dr.Region]string `json:"topics"`
	// Secrets are the ARNs of the accounts' logins by Region and user.
	Secrets map[dr.Region]map[string]string `json:"secrets"`
}

// Writer is the answer of /cloud/writer.
type Writer struct {
	Region dr.Region `json:"region"`
}

// Events is the answer of /cloud/events.
type Events struct {
	Events     []cloud.Event `json:"events"`
	Operations []Operation   `json:"operations"`
	Messages   []Message     `json:"messages"`
}

// Message is one that a topic has accepted.
type Message struct {
	At      int64     `json:"at_ns"` // the containers' clock
	Region  dr.Region `json:"region"`
	Subject string    `json:"subject"`
}

// Operation is a failover or switchover that was accepted.
type Operation struct {
	Kind string    `json:"kind"`
	From dr.Region `json:"from"`
	To   dr.Region `json:"to"`
	// Accepted is the containers' clock when the control plane took it on.
	Accepted int64 `json:"accepted_ns"`
	// Fence is how long after the acceptance the old writer was fenced, Promote
	// when the new one was open; zero means never.
	Fence   time.Duration `json:"fence_ns,omitempty"`
	Promote time.Duration `json:"promote_ns,omitempty"`
	Error   string        `json:"error,omitempty"`
}

// operation says what became of an operation.
func operation(o cloud.Operation) Operation {
	out := Operation{Kind: o.Kind, From: o.From, To: o.To, Accepted: onClock(o.AcceptedAt)}
	if !o.FencedAt.IsZero() {
		out.Fence = o.FencedAt.Sub(o.AcceptedAt)
	}
	if !o.PromotedAt.IsZero() {
		out.Promote = o.PromotedAt.Sub(o.AcceptedAt)
	}
	if o.Err != nil {
		out.Error = o.Err.Error()
	}
	return out
}

// members are the Regions that have a server.
func (c Config) members() []Region {
	var out []Region
	for _, r := range c.Regions {
		if r.Server.IsValid() {
			out = append(out, r)
		}
	}
	return out
}

func (c Config) cluster(r dr.Region) string { return c.GlobalCluster + "-" + r.String() }

// caller returns the Region that an address belongs to; empty if none.
func (c Config) caller(a netip.Addr) dr.Region {
	for _, r := range c.Regions {
		if r.Network.Contains(a.Unmap()) {
			return r.Name
		}
	}
	return ""
}

// latency returns the round trip between two Regions; none is known between a
// Region and itself.
func (c Config) latency(a, b dr.Region) time.Duration {
	for _, l := range c.Latency {
		if l.A == a && l.B == b || l.A == b && l.B == a {
			return l.RoundTrip
		}
	}
	return 0
}

// emulation returns the configuration of the emulated cloud.
func (c Config) emulation(s cloud.Servers) cloud.Config {
	out := cloud.Config{
		GlobalCluster: c.GlobalCluster,
		Database:      mysqld.Schema,
		Tables:        []cloud.Table{{Name: c.Table, PartitionKey: "pk", SortKey: "sk"}},
		Servers:       s,
		Seed:          c.Seed,
		// Nothing is drawn: an operation takes what the servers need.
		Promotion:  cloud.Uniform(0, 0),
		Switchover: cloud.Uniform(0, 0),
		DNSDelay:   cloud.Uniform(0, 0),
		DNSTTL:     c.EndpointTTL,
		Latency:    c.latency,
		Address: func(_, member dr.Region) netip.Addr {
			for _, r := range c.Regions {
				if r.Name == member {
					return r.Server.Addr()
				}
			}
			return netip.Addr{}
		},
		FenceTimeout:   fenceTimeout,
		PromoteTimeout: promoteTimeout,
		RejoinInterval: rejoinInterval,
	}
	for _, r := range c.Regions {
		out.Topics = append(out.Topics, cloud.Topic{Region: r.Name, Name: c.Topic})
		if !r.Server.IsValid() {
			out.Witness = r.Name
			continue
		}
		out.Secrets = append(out.Secrets, login(r.Name, adminSecret, c.Admin))
		for _, a := range c.Apps {
			out.Secrets = append(out.Secrets, login(r.Name, appSecret(a), a))
		}
		out.Members = append(out.Members, cloud.Member{
			Region: r.Name, Cluster: c.cluster(r.Name), Instances: []string{c.cluster(r.Name) + "-1"},
		})
	}
	return out
}

// adminSecret is the name of the master user's login in every Region.
const adminSecret = "lifeboat-master"

func appSecret(a mysqld.Account) string { return "lifeboat-" + a.User }

// login is an account's secret, as module database/global writes it.
func login(r dr.Region, name string, a mysqld.Account) cloud.Secret {
	value, err := json.Marshal(map[string]string{"username": a.User, "password": a.Password})
	if err != nil {
		panic(err) // strings always marshal
	}
	return cloud.Secret{Region: r, Name: name, Value: string(value)}
}

const (
	// fenceTimeout bounds Aurora's best effort to fence a lost writer, which
	// delays every promotion that finds the writer silent.
	fenceTimeout = 300 * time.Millisecond
	// promoteTimeout bounds the wait for what has arrived to be applied.
	promoteTimeout = 30 * time.Second
	// rejoinInterval is how long a member that is back in reach is on its own
	// before Aurora rebuilds it: a fence that does not hold shows then.
	rejoinInterval = 3 * time.Second
)
