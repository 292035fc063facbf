package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// bootstrap takes the first epoch for the writer's Region, as the deployment does.
func (w *world) bootstrap(ctx context.Context) error {
	store, err := w.store(w.setup.Writer)
	if err != nil {
		return err
	}
	if _, err := store.TakeLease(ctx, failover.Lease{}, failover.Claim{Holder: w.setup.Writer}); err != nil {
		return fmt.Errorf("embedded: take the first epoch: %w", err)
	}
	return nil
}

// startAgent runs a Region's agent until it is killed or the world ends.
func (w *world) startAgent(r dr.Region) error {
	a, err := w.agent(r)
	if err != nil {
		return fmt.Errorf("embedded: agent of %s: %w", r, err)
	}
	ctx, kill := context.WithCancel(w.life)
	done := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.agents[r] != nil || w.life.Err() != nil {
		kill()
		return w.life.Err()
	}
	w.agents[r] = &running{kill, done}
	go func() {
		defer close(done)
		_ = a.Run(ctx)
	}()
	return nil
}

// agent puts together what runs in a Region: the adapters that AWS gets, and the
// databases in memory.
func (w *world) agent(r dr.Region) (*failover.Agent, error) {
	s := w.setup
	store, err := w.store(r)
	if err != nil {
		return nil, err
	}
	control, err := aurora.NewControl(aurora.ControlConfig{
		Vantage: r, Family: w.family(r), Members: w.clusters(),
		Clients: func(at dr.Region) aurora.MemberAPI { return w.rds(r, at) },
	})
	if err != nil {
		return nil, err
	}
	cfg := failover.AgentConfig{
		Region: r, Topology: s.Topology, Policy: s.Policy, Leaser: store, Heartbeats: store,
		Probers: []health.Prober{control}, Trace: drill.MarkTrace(r, w.Clock, w.mark),
	}
	if s.Topology.Peer(r) == "" {
		return failover.NewAgent(cfg) // the witness observes
	}
	return w.member(cfg, store)
}

// member adds what only the Regions with a database have.
func (w *world) member(cfg failover.AgentConfig, store *dynamo.Store) (*failover.Agent, error) {
	r, peer := cfg.Region, w.setup.Topology.Peer(cfg.Region)
	local := w.dial(r, r)
	probers, err1 := w.probers(r)
	isolator, err2 := aurora.NewIsolator(aurora.IsolatorConfig{Region: r, Cluster: w.clusters()[r], API: w.rds(r, r)})
	promoter, err3 := aurora.NewCluster(aurora.ClusterConfig{
		GlobalCluster: w.setup.Topology.GlobalCluster, Region: r,
		Clients: func(at dr.Region) aurora.GlobalAPI { return w.rds(r, at) },
	})
	router, err4 := w.router(r)
	notifier, err5 := w.notifier(r)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	cfg.Probers = append(cfg.Probers, probers...)
	cfg.Guard = &failover.GuardConfig{Beater: local, Fencer: local, Isolator: isolator, Replica: w.dial(r, peer)}
	cfg.Controller = &failover.ControllerConfig{
		Journal: store, Acknowledger: store, Promoter: promoter, Beater: local, Router: router, Notifier: notifier,
	}
	return failover.NewAgent(cfg)
}

func (w *world) rds(from, at dr.Region) *rds.Client {
	return aurora.NewClient(awsConfig(), at, endpoint("rds", at), w.http(from))
}

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

// store returns the table as a Region reaches it. The witness's replica can't be
// read, so the witness asks the members'.
func (w *world) store(r dr.Region) (*dynamo.Store, error) {
	at := []dr.Region{r}
	if r == w.setup.Topology.Witness {
		at = []dr.Region{w.setup.Topology.Peer(w.setup.Writer), w.setup.Writer}
	}
	var clients []dynamo.Client
	for _, to := range at {
		clients = append(clients, dynamo.NewClient(awsConfig(), to, endpoint("dynamodb", to), w.http(r)))
	}
	return dynamo.New(dynamo.Config{Clients: clients, Region: r, Table: tableName, Cluster: w.setup.Topology.GlobalCluster})
}

// awsConfig has credentials that open nothing: the emulated cloud checks none.
func awsConfig() aws.Config {
	return aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "EMBEDDED", SecretAccessKey: "embedded", Source: "drill"}, nil
	})}
}

func endpoint(service string, r dr.Region) string {
	return "http://" + service + "." + r.String() + ".amazonaws.com"
}

// http carries a Region's calls to the emulated cloud over the drill's network.
func (w *world) http(from dr.Region) aws.HTTPClient {
	carrier := w.cloud.From(from)
	return doer(func(r *http.Request) (*http.Response, error) {
		if w.inBlackout(from) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		answer, err := carrier.Do(r)
		if err == nil && w.inBlackout(from) { // the answer found the Region dark
			<-r.Context().Done()
			return nil, errors.Join(r.Context().Err(), answer.Body.Close())
		}
		return answer, err
	})
}

type doer func(*http.Request) (*http.Response, error)

// Do implements aws.HTTPClient.
func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
