package conformance_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
)

var crashTopology = dr.Topology{GlobalCluster: globalCluster, Members: []dr.Region{east, west}, Witness: witness}

// crashCloud is the emulated cloud of a stage, with the adapters that AWS gets.
type crashCloud struct {
	*world
	s     *crashpoint.Stage
	burst sync.Once // of throttling

	mu   sync.Mutex
	text string // of the newest entry when it was last read, which is every few milliseconds
	last failover.Entry
}

func newCrashCloud(s *crashpoint.Stage) *crashCloud {
	c := &crashCloud{s: s, world: &world{
		pair: drtest.NewPair(east, west, func() time.Duration { return 50 * time.Millisecond }),
		net:  drtest.NewNetwork(east, west, witness), rebooted: make(chan struct{}, 8),
	}}
	c.net.SetHook(func(c drtest.Call) drtest.Fault {
		if c.From != c.To {
			return drtest.Fault{Delay: 60 * time.Millisecond}
		}
		return drtest.Fault{Delay: 2 * time.Millisecond}
	})
	three := cloud.Uniform(3*time.Second, 3*time.Second)
	var err error
	c.Cloud, err = cloud.New(cloud.Config{
		GlobalCluster: globalCluster, Servers: crashServers{c.world}, Promotion: three, Switchover: three,
		Tables:     []cloud.Table{{Name: table, PartitionKey: "pk", SortKey: "sk"}},
		Topics:     []cloud.Topic{{Region: west, Name: topic}, {Region: east, Name: topic}},
		DNSDelay:   cloud.Uniform(500*time.Millisecond, 500*time.Millisecond),
		Witness:    witness,
		QuorumLoss: cloud.HangWithoutQuorum,
	})
	require.NoError(s.T, err)
	return c
}

// steady runs the cloud, in its steady state.
func (c *crashCloud) steady() crashpoint.World {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Run(c.s.Ctx)
	}()
	_, err := c.at(east, c.From(east)).TakeLease(c.s.Ctx, failover.Lease{}, failover.Claim{Holder: east})
	require.NoError(c.s.T, err)
	return crashpoint.World{
		Topology: crashTopology, Pair: c.pair, Cut: c.cut, Newest: c.newest, Entries: c.entries, Ending: c.ending,
		Monitor: func(r dr.Region, process string) failover.MonitorConfig {
			if process == "" {
				return c.monitor(r, c.From(r))
			}
			return c.monitor(r, c.caller(process))
		},
		Trigger:     func(process string) failover.TriggerConfig { return c.trigger(west, c.caller(process)) },
		Witness:     func() failover.WitnessConfig { return c.witness(c.From(witness)) },
		Controller:  func(process string) failover.ControllerConfig { return c.controller(west, c.caller(process)) },
		Acknowledge: c.at(witness, c.From(witness)).Acknowledge,
		Close:       func() { <-ended },
	}
}

func (c *crashCloud) caller(process string) caller { return caller{c, process} }

// at returns the table as a Region reaches it by a client.
func (c *crashCloud) at(r dr.Region, client aws.HTTPClient) *dynamo.Store {
	cfg := dynamo.Config{Region: r, Table: table, Cluster: globalCluster}
	replicas := []dr.Region{west, east}
	if r == east {
		replicas = []dr.Region{east, west}
	}
	for _, to := range replicas {
		cfg.Clients = append(cfg.Clients, dynamo.NewClient(config(), to, "", client))
	}
	got, err := dynamo.New(cfg)
	require.NoError(c.s.T, err)
	return got
}

var crashClusters = map[dr.Region]string{east: globalCluster + "-us-east-1", west: globalCluster + "-us-west-2"}

// monitor returns a member's monitor, of the adapters that AWS gets.
func (c *crashCloud) monitor(r dr.Region, client aws.HTTPClient) failover.MonitorConfig {
	store, plane := c.at(r, client), c.plane(r, client)
	isolator, err := aurora.NewIsolator(aurora.IsolatorConfig{Region: r, Cluster: crashClusters[r], API: aurora.NewClient(config(), r, "", client)})
	require.NoError(c.s.T, err)
	local := c.net.Dial(r, c.pair.DB(r))
	bootstrapper, err := aurora.NewBootstrapper(aurora.BootstrapperConfig{Region: r, Cluster: plane, Database: local})
	require.NoError(c.s.T, err)
	peer := c.net.Dial(r, c.pair.DB(crashTopology.Peer(r)))
	return failover.MonitorConfig{
		Region: r, Topology: crashTopology, Policy: c.s.Policy, Leaser: store, Reports: store, Trace: c.s.Trace,
		Probers: c.probers(r, client), Peer: peer, Bootstrapper: bootstrapper, Notifier: crashpoint.Quiet{},
		Guard: failover.GuardConfig{
			Beater: local, Fencer: local, Isolator: isolator, Replica: peer, Releaser: store, Roles: local, Plane: plane, Promises: local,
		},
		Mover: failover.ByController{Controller: c.controller(r, client)},
	}
}

func (c *crashCloud) trigger(r dr.Region, client aws.HTTPClient) failover.TriggerConfig {
	store := c.at(r, client)
	return failover.TriggerConfig{
		Region: r, Topology: crashTopology, Policy: c.s.Policy, Leaser: store, Reports: store, Trace: c.s.Trace,
		Probers: c.probers(r, client), Controller: c.controller(r, client),
	}
}

func (c *crashCloud) witness(client aws.HTTPClient) failover.WitnessConfig {
	store := c.at(witness, client)
	return failover.WitnessConfig{
		Region: witness, Topology: crashTopology, Policy: c.s.Policy, Leaser: store, Reports: store, Trace: c.s.Trace,
		Probers: c.probers(witness, client), Notifier: crashpoint.Quiet{},
	}
}

func (c *crashCloud) probers(r dr.Region, client aws.HTTPClient) []health.Prober {
	family := health.Control
	if r == witness {
		family = health.Witness
	}
	control, err := aurora.NewControl(aurora.ControlConfig{
		Vantage: r, Family: family, Members: crashClusters,
		Clients: func(at dr.Region) aurora.MemberAPI { return aurora.NewClient(config(), at, "", client) },
	})
	require.NoError(c.s.T, err)
	if r == witness {
		return []health.Prober{control}
	}
	return []health.Prober{control, drtest.NewProber(c.net, c.pair, r, 0)}
}

func (c *crashCloud) plane(r dr.Region, client aws.HTTPClient) *aurora.Cluster {
	plane, err := aurora.NewCluster(aurora.ClusterConfig{GlobalCluster: globalCluster, Region: r, Clients: func(at dr.Region) aurora.GlobalAPI {
		return aurora.NewClient(config(), at, "", client)
	}})
	require.NoError(c.s.T, err)
	return plane
}

func (c *crashCloud) controller(r dr.Region, client aws.HTTPClient) failover.ControllerConfig {
	store := c.at(r, client)
	promoter := c.plane(r, client)
	role, err := cloudwatch.NewRole(cloudwatch.RoleConfig{Region: r, Topology: crashTopology, Client: cloudwatch.NewClient(config(), r, "", client)})
	require.NoError(c.s.T, err)
	people, err := notify.New(notify.Config{Region: r, ARN: c.TopicARN(r, topic), Client: notify.NewClient(config(), r, "", client)})
	require.NoError(c.s.T, err)
	preflight, err := aurora.NewPreflight(aurora.PreflightConfig{
		Cluster: promoter, Member: globalCluster + "-" + r.String(), API: aurora.NewClient(config(), r, "", client), Database: c.net.Dial(r, c.pair.DB(r)),
	})
	require.NoError(c.s.T, err)
	return failover.ControllerConfig{
		Region: r, Topology: crashTopology, Policy: c.s.Policy, Leaser: store, Reports: store, Journal: store, Acknowledger: store,
		Promoter: promoter, Preflight: preflight, Beater: c.net.Dial(r, c.pair.DB(r)), Router: aurora.Router{Redirecter: role, Reacher: reacher{c.world, r}}, Notifier: people,
		Trace: c.s.Trace,
	}
}

// reacher commits a write through the endpoint that clients use.
type reacher struct {
	*world
	from dr.Region
}

func (r reacher) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	to, _, _ := r.Resolve(r.from)
	return to, r.net.Dial(r.from, r.pair.DB(to)).Beat(ctx, failover.Beat{Region: "endpoint", Epoch: e, Seq: uint64(time.Now().UnixMicro())})
}

// cut opens or closes every path between the east and the others.
func (c *crashCloud) cut(cut bool) {
	for _, other := range []dr.Region{west, witness} {
		c.SetLink(east, other, !cut)
		c.net.SetLink(east, other, !cut)
	}
	c.pair.SetLink(!cut)
}

// entries returns the journal, past every fault.
func (c *crashCloud) entries() []failover.Entry {
	var out []failover.Entry
	for _, row := range c.Items(table, globalCluster, "journal#") {
		out = append(out, c.entry(row))
	}
	return out
}

func (c *crashCloud) newest() (failover.Entry, bool) {
	rows := c.Items(table, globalCluster, "journal#")
	if len(rows) == 0 {
		return failover.Entry{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if row := rows[len(rows)-1]; row["entry"] != c.text {
		c.text, c.last = row["entry"], c.entry(row)
	}
	return c.last, true
}

func (c *crashCloud) entry(row map[string]string) failover.Entry {
	var e failover.Entry
	if err := json.Unmarshal([]byte(row["entry"]), &e); err != nil {
		c.s.T.Error(err)
	}
	return e
}

func (c *crashCloud) ending() crashpoint.Ending {
	var end crashpoint.Ending
	end.Moves = len(c.Operations())
	for _, row := range c.Items(table, globalCluster, "lease") {
		epoch, err := strconv.ParseUint(row["epoch"], 10, 64)
		require.NoError(c.s.T, err)
		end.Lease = failover.Lease{Epoch: dr.Epoch(epoch), Holder: dr.Region(row["holder"]), Execution: row["execution"]}
	}
	for _, p := range c.Published() {
		end.Told = append(end.Told, failover.Message{Subject: p.Subject, Body: p.Message})
	}
	end.Lands, _, _ = c.Resolve(west)
	return end
}

// crashServers is what the emulated control plane acts on, as the network lets it.
type crashServers struct{ *world }

func (s crashServers) Promote(_ context.Context, to dr.Region, dataLoss bool) error {
	if writer, _ := s.pair.Following(); writer == to {
		return nil
	}
	if dataLoss {
		_, err := s.pair.Promote(to)
		return err
	}
	return s.pair.Move(to, 0, true)
}

func (s crashServers) Fence(ctx context.Context, old dr.Region) error {
	if !s.net.Reaches(east, west) {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.pair.DB(old).Fence(ctx, 0)
}

func (s crashServers) Rejoin(ctx context.Context, old, _ dr.Region) error {
	if !s.net.Reaches(east, west) {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.pair.Rejoin(old)
}

func (s crashServers) Reboot(_ context.Context, r dr.Region) error {
	s.pair.DB(r).Reboot()
	return nil
}
