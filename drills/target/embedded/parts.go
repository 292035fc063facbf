package embedded

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/direct"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// parts are what one process of a Region consists of: the adapters that AWS gets, and
// the databases in memory, all behind the process's gate.
type parts struct {
	*world
	region   dr.Region
	process  *functions.Process
	client   aws.HTTPClient
	kept     *kept
	failures *failover.Failures
}

func (w *world) parts(r dr.Region, p *functions.Process) parts {
	return parts{w, r, p, p.HTTP(w.http(r)), &kept{}, &failover.Failures{}}
}

// control asks the control planes.
func (p parts) control() (health.Prober, error) {
	return aurora.NewControl(aurora.ControlConfig{
		Vantage: p.region, Family: p.family(p.region), Members: p.clusters(), Interval: p.setup.Policy.WithDefaults().ControlInterval,
		Clients: func(at dr.Region) aurora.MemberAPI { return p.rds(at) },
	})
}

// guard returns what keeps the lease and the local Region's writer.
func (p parts) guard(store *dynamo.Store) (failover.GuardConfig, error) {
	isolator, err := aurora.NewIsolator(aurora.IsolatorConfig{Region: p.region, Cluster: p.clusters()[p.region], API: p.rds(p.region)})
	if err != nil {
		return failover.GuardConfig{}, err
	}
	local := p.dial(p.region)
	peer := p.setup.Topology.Peer(p.region)
	plane, err := p.cluster()
	if err != nil {
		return failover.GuardConfig{}, err
	}
	return failover.GuardConfig{
		Plane:  plane,
		Beater: local, Fencer: local, Isolator: isolator, Replica: p.dial(peer), Releaser: store, Roles: local, Promises: local, Peer: peer,
	}, nil
}

// bootstrapper returns what bootstraps the deployment, when its writer is here.
func (p parts) bootstrapper() (*aurora.Bootstrapper, error) {
	cluster, err := p.cluster()
	if err != nil {
		return nil, err
	}
	return aurora.NewBootstrapper(aurora.BootstrapperConfig{Region: p.region, Cluster: cluster, Database: p.dial(p.region)})
}

// cluster returns the global database.
func (p parts) cluster() (*aurora.Cluster, error) {
	return aurora.NewCluster(aurora.ClusterConfig{
		GlobalCluster: p.setup.Topology.GlobalCluster, Region: p.region,
		Clients: func(at dr.Region) aurora.GlobalAPI { return p.rds(at) },
	})
}

// controller returns what moves the writer to the process's Region.
func (p parts) controller(store *dynamo.Store) (failover.ControllerConfig, error) {
	promoter, err1 := p.cluster()
	role, err2 := p.role()
	notifier, err3 := p.notifier()
	if err := errors.Join(err1, err2, err3); err != nil {
		return failover.ControllerConfig{}, err
	}
	preflight, err := aurora.NewPreflight(aurora.PreflightConfig{
		Cluster: promoter, Member: p.world.clusters()[p.region], API: p.rds(p.region), Database: p.dial(p.region),
	})
	if err != nil {
		return failover.ControllerConfig{}, err
	}
	return failover.ControllerConfig{
		Journal: store, Acknowledger: store, Promoter: promoter, Preflight: preflight, Beater: p.dial(p.region), Notifier: notifier, Trigger: triggerName,
		Router: aurora.Router{Redirecter: role, Reacher: endpointReach{p}},
	}, nil
}

func (p parts) rds(at dr.Region) *rds.Client {
	return aurora.NewClient(awsConfig(), at, endpoint("rds", at), p.client)
}

func (p parts) store() (*dynamo.Store, error) { return p.table(p.region, p.client, p.failures) }

// dial returns a Region's database as the process reaches it.
func (p parts) dial(to dr.Region) line { return line{p, to, p.world.dial(p.region, to)} }

// family is what a Region's view of the control planes counts as.
func (w *world) family(r dr.Region) health.Family {
	if r == w.setup.Topology.Witness {
		return health.Witness
	}
	return health.Control
}

// clusters names the member clusters by Region, as the emulated cloud does.
func (w *world) clusters() map[dr.Region]string {
	out := make(map[dr.Region]string)
	for _, r := range w.setup.Topology.Members {
		out[r] = w.setup.Topology.GlobalCluster + "-" + r.String()
	}
	return out
}

// table returns the lease table as a Region reaches it: by both members' replicas, its own
// first. The witness's can't be read.
func (w *world) table(r dr.Region, client aws.HTTPClient, failures *failover.Failures) (*dynamo.Store, error) {
	at := []dr.Region{r, w.setup.Topology.Peer(r)}
	if r == w.setup.Topology.Witness {
		at = []dr.Region{w.setup.Topology.Peer(w.setup.Writer), w.setup.Writer}
	}
	var clients []dynamo.Client
	for _, to := range at {
		clients = append(clients, direct.NewClient(url.URL{Scheme: "http", Host: host("dynamodb", to)}, authorization("dynamodb", to.String()), client))
	}
	return dynamo.New(dynamo.Config{
		Trouble: func(client int, err error) {
			failures.Note(dr.Problem{At: time.Now(), Region: r, Op: "reach the lease table's replica in " + at[client].String(), Err: err})
		},
		Clients: clients, Region: r, Table: tableName, Cluster: w.setup.Topology.GlobalCluster,
		Jitter: func() float64 { return float64(w.jitter("pause", string(r))) / float64(mostJitter) },
	})
}

func endpoint(service string, r dr.Region) string {
	return "http://" + host(service, r)
}

func host(service string, r dr.Region) string {
	return service + "." + r.String() + ".amazonaws.com"
}

// http carries a Region's calls to the emulated cloud over the drill's network.
func (w *world) http(from dr.Region) aws.HTTPClient {
	carrier := w.cloud.From(from)
	return doer(func(r *http.Request) (*http.Response, error) {
		if err := w.hush(r.Context(), from); err != nil {
			return nil, err
		}
		if err := pause(r.Context(), w.jitter(string(from), r.URL.Host, r.Header.Get("X-Amz-Target"), strconv.FormatInt(r.ContentLength, 10))); err != nil {
			return nil, err
		}
		answer, err := carrier.Do(r)
		if err != nil {
			return nil, err
		}
		if err := w.hush(r.Context(), from); err != nil { // the answer found the Region dark
			return nil, errors.Join(err, answer.Body.Close())
		}
		return answer, nil
	})
}

type doer func(*http.Request) (*http.Response, error)

// Do implements aws.HTTPClient.
func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// hush keeps a call waiting for its end while its Region is dark.
func (w *world) hush(ctx context.Context, r dr.Region) error {
	if !w.inBlackout(r) {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}
