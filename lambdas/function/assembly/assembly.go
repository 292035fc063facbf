// Package assembly puts the two functions together: which adapter answers which port of
// which role. What is deployed and what is drilled in memory are both built here, so that a
// drill runs the deployed assembly. What differs is given: the HTTP client and the addresses
// of AWS's services, how the databases are reached, and the Lambda API.
package assembly

import (
	"log/slog"
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

// Service is a service of AWS that a function calls, as the variables call it that say
// where it is.
type Service string

// The services.
const (
	RDS            Service = "RDS"
	DynamoDB       Service = "DYNAMODB"
	CloudWatch     Service = "CLOUDWATCH"
	SNS            Service = "SNS"
	SecretsManager Service = "SECRETS_MANAGER"
	Lambda         Service = "LAMBDA"
)

// Config is what a process of a function is put together from.
type Config struct {
	Region   dr.Region
	Topology dr.Topology
	Policy   dr.Policy
	Clusters map[dr.Region]string // identifiers of the member clusters
	Topic    string               // ARN of the local Region's topic

	// Name is the function's own name, which a trigger needs; Trigger that of its own
	// Region's trigger, which a member needs.
	Name, Trigger string

	// AWS, HTTP and URL are what every client of AWS is made of. URL returns where a service
	// of a Region is; "" means AWS's own address.
	AWS  aws.Config
	HTTP aws.HTTPClient
	URL  func(Service, dr.Region) string

	Table     Table
	Databases Databases       // a member's
	Lambda    invoker.API     // of a member's monitor
	Probers   []health.Prober // what the witness asks besides the control planes

	Trace *dr.Trace
	Log   *slog.Logger     // nil: none
	Fatal func(error) bool // see monitor.Config and trigger.Config
}

// Database is a member's database, as its local Region reaches it.
type Database interface {
	failover.Beater
	failover.Fencer
	failover.ReplicaReader
	failover.RoleReader
	aurora.Installer
	probe.LagSource
}

// Databases are the members' databases, as a process of one member reaches them.
type Databases interface {
	// Own is the local Region's. The trigger neither fences, opens nor installs.
	Own() (Database, error)
	// Peer is the other member's, which may be a secondary.
	Peer() (failover.ReplicaReader, error)
	// PeerWriter is the other member's as long as it is the writer, and no reader beside it.
	PeerWriter() (failover.PeerDatabase, error)
	// Writes commits probes on the other member's writer.
	Writes() (probe.Writes, error)
	// Endpoint is the one that clients use.
	Endpoint() (aurora.Reacher, error)
}

// Table is the lease table, as the process reaches it.
type Table struct {
	*dynamo.Store
	Failures *failover.Failures // of one replica, beside which the other one answers
}

// Replicas returns the Regions whose replica of the lease table is used, the preferred one
// first: of a member its own. The witness's own can be neither read nor written.
func Replicas(t dr.Topology, r dr.Region) []dr.Region {
	if peer := t.Peer(r); peer != "" {
		return []dr.Region{r, peer}
	}
	return t.Members
}

// NewTable returns the table of a name, by a client of each replica in the order of Replicas.
// A nil jitter is drawn by chance.
func NewTable(t dr.Topology, r dr.Region, name string, jitter func() float64, clients ...dynamo.Client) (Table, error) {
	failures, at := &failover.Failures{}, Replicas(t, r)
	store, err := dynamo.New(dynamo.Config{
		Clients: clients, Region: r, Table: name, Cluster: t.GlobalCluster, Jitter: jitter,
		Trouble: func(client int, err error) {
			failures.Note(dr.Problem{At: time.Now(), Region: r, Op: "reach the lease table's replica in " + at[client].String(), Err: err})
		},
	})
	return Table{store, failures}, err
}

func (c Config) member() bool { return c.Topology.Peer(c.Region) != "" }

// family is what this Region's view of the control planes counts as.
func (c Config) family() health.Family {
	if c.member() {
		return health.Control
	}
	return health.Witness
}

// control asks the members' control planes.
func (c Config) control(apis map[dr.Region]*rds.Client) (health.Prober, error) {
	return aurora.NewControl(aurora.ControlConfig{
		Vantage: c.Region, Family: c.family(), Members: c.Clusters, Interval: c.Policy.WithDefaults().ControlInterval,
		Clients: func(r dr.Region) aurora.MemberAPI {
			if api := apis[r]; api != nil {
				return api
			}
			return nil // of the interface, not of the client
		},
	})
}

// apis are clients of the members' RDS.
func (c Config) apis() map[dr.Region]*rds.Client {
	out := make(map[dr.Region]*rds.Client)
	for _, m := range c.Topology.Members {
		out[m] = aurora.NewClient(c.AWS, m, c.URL(RDS, m), c.HTTP)
	}
	return out
}

// cluster returns the global database.
func (c Config) cluster(apis map[dr.Region]*rds.Client) (*aurora.Cluster, error) {
	return aurora.NewCluster(aurora.ClusterConfig{
		GlobalCluster: c.Topology.GlobalCluster, Region: c.Region,
		Clients: func(r dr.Region) aurora.GlobalAPI {
			if api := apis[r]; api != nil {
				return api
			}
			return nil // of the interface, not of the client
		},
	})
}

// people returns whom the function tells.
func (c Config) people() (*notify.Topic, error) {
	return notify.New(notify.Config{
		Region: c.Region, ARN: c.Topic, Client: notify.NewClient(c.AWS, c.Region, c.URL(SNS, c.Region), c.HTTP),
	})
}

// role publishes which Region has the writer.
func (c Config) role() (*cloudwatch.Role, error) {
	return cloudwatch.NewRole(cloudwatch.RoleConfig{
		Topology: c.Topology, Region: c.Region, Client: cloudwatch.NewClient(c.AWS, c.Region, c.URL(CloudWatch, c.Region), c.HTTP),
	})
}

// probers ask about the other member: its control plane, its writer, and what arrives here.
func (c Config) probers(apis map[dr.Region]*rds.Client, own Database) ([]health.Prober, error) {
	control, err := c.control(apis)
	if err != nil {
		return nil, err
	}
	writes, err := c.Databases.Writes()
	if err != nil {
		return nil, err
	}
	writer, err := probe.NewSQL(c.Region, writes)
	if err != nil {
		return nil, err
	}
	stream, err := probe.NewReplication(c.Region, own, 0)
	return []health.Prober{control, writer, stream}, err
}
