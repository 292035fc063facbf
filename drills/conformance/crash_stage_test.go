package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
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

// course is a way that the writer moves, by processes of one kind.
type course struct {
	name    string
	apart   bool // monitor and trigger are two processes
	asks    bool // a person must acknowledge
	planned bool // an operator's process switches over
}

var courses = []course{
	{name: "failover"},
	{name: "failover-acknowledged", asks: true},
	{name: "switchover", planned: true},
	{name: "deputy-failover", apart: true},
}

// stage is a course that is being walked.
type stage struct {
	*world
	course
	t      *testing.T
	policy dr.Policy
	wire   *wire
	ctx    context.Context
	wg     sync.WaitGroup

	mu      sync.Mutex
	ends    map[string]func() // kills a process and starts its successor, if it has one
	running context.CancelFunc
	trouble []string
	fault   time.Time
}

// outcome is what became of a course.
type outcome struct {
	course  course
	at      point
	hit     bool
	waits   time.Duration
	took    time.Duration // until it had settled; zero when it had not
	counts  map[port]int
	loose   []port
	entries []failover.Entry
	lease   map[string]string
	moves   []cloud.Operation
	told    []cloud.Publication
	opened  bool
	lands   dr.Region
	clients []string
	story   string
}

// walk moves the writer to the west, and lets one call go wrong on the way.
func (c course) walk(t *testing.T, at point) outcome {
	s := &stage{course: c, t: t, ends: make(map[string]func())}
	if c.asks {
		s.policy.MaxDataLoss = 10 * time.Millisecond // shipping takes 50 ms
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.ctx = ctx
	s.build()
	s.wire = &wire{cloud: s.Cloud, at: at, crash: make(chan string, 1)}
	s.wg.Go(func() { _ = s.Run(ctx) })
	_, err := s.at(t, east, s.From(east)).TakeLease(ctx, failover.Lease{}, failover.Claim{Holder: east})
	require.NoError(t, err)
	s.again("east", func() failover.AgentConfig { return s.agent(east, s.From(east)) })
	s.again("witness", func() failover.AgentConfig { return s.agent(witness, s.From(witness)) })
	s.cast()
	s.wait(10*time.Second + 300*time.Millisecond)
	s.fault = time.Now()
	s.wire.mu.Lock()
	s.wire.counts = make(map[port]int)
	s.wire.mu.Unlock()
	clients := s.clients()
	s.wg.Go(s.reap)
	if c.planned {
		s.operate()
	} else {
		s.cut(true)
	}
	if c.asks {
		s.wg.Go(s.person)
	}
	o := outcome{course: c, at: at}
	for end := s.fault.Add(90 * time.Second); time.Now().Before(end); s.wait(20 * time.Millisecond) {
		if s.state() == failover.Settled {
			o.took = time.Since(s.fault)
			break
		}
	}
	s.wire.mu.Lock()
	o.counts, o.loose, o.hit, o.waits = s.wire.counts, s.wire.loose, s.wire.hit, s.wire.waits
	s.wire.counts = nil // what comes later is not on the path
	s.wire.mu.Unlock()
	s.wait(6 * time.Second) // the guard opens its server
	if !c.planned {
		s.cut(false)
		s.wait(3 * time.Second)
	}
	o.entries, o.moves, o.told = s.entries(), s.Operations(), s.Published()
	if leases := s.Items(table, globalCluster, "lease"); len(leases) > 0 {
		o.lease = leases[0]
	}
	o.opened = s.pair.DB(west).Accepts()
	o.lands, _, _ = s.Resolve(west)
	cancel()
	s.wg.Wait()
	o.clients, o.story = clients(), s.story(o.entries)
	return o
}

func (s *stage) build() {
	s.world = &world{
		pair: drtest.NewPair(east, west, func() time.Duration { return 50 * time.Millisecond }),
		net:  drtest.NewNetwork(east, west, witness), rebooted: make(chan struct{}, 8),
	}
	s.net.SetHook(func(c drtest.Call) drtest.Fault {
		if c.From != c.To {
			return drtest.Fault{Delay: 60 * time.Millisecond}
		}
		return drtest.Fault{Delay: 2 * time.Millisecond}
	})
	three := cloud.Uniform(3*time.Second, 3*time.Second)
	var err error
	s.Cloud, err = cloud.New(cloud.Config{
		GlobalCluster: globalCluster, Servers: crashServers{s.world}, Promotion: three, Switchover: three,
		Tables:     []cloud.Table{{Name: table, PartitionKey: "pk", SortKey: "sk"}},
		Topics:     []cloud.Topic{{Region: west, Name: topic}, {Region: east, Name: topic}},
		DNSDelay:   cloud.Uniform(500*time.Millisecond, 500*time.Millisecond),
		Witness:    witness,
		QuorumLoss: cloud.HangWithoutQuorum,
	})
	require.NoError(s.t, err)
}

// at returns the table as a Region reaches it by a client.
func (s *stage) at(t *testing.T, r dr.Region, client aws.HTTPClient) *dynamo.Store {
	t.Helper()
	cfg := dynamo.Config{Region: r, Table: table, Cluster: globalCluster}
	replicas := []dr.Region{r}
	if r == witness {
		replicas = []dr.Region{west, east}
	}
	for _, to := range replicas {
		cfg.Clients = append(cfg.Clients, dynamo.NewClient(config(), to, "", client))
	}
	got, err := dynamo.New(cfg)
	require.NoError(t, err)
	return got
}

// agent returns a Region's agent, of the adapters that AWS gets.
func (s *stage) agent(r dr.Region, client aws.HTTPClient) failover.AgentConfig {
	store := s.at(s.t, r, client)
	family := health.Control
	if r == witness {
		family = health.Witness
	}
	clusters := map[dr.Region]string{east: globalCluster + "-us-east-1", west: globalCluster + "-us-west-2"}
	control, err := aurora.NewControl(aurora.ControlConfig{
		Vantage: r, Family: family, Members: clusters,
		Clients: func(at dr.Region) aurora.MemberAPI { return aurora.NewClient(config(), at, "", client) },
	})
	require.NoError(s.t, err)
	cfg := failover.AgentConfig{
		Region: r, Topology: crashTopology, Policy: s.policy, Leaser: store, Heartbeats: store,
		Probers: []health.Prober{control, drtest.NewProber(s.net, s.pair, r, 0)},
		Trace: &dr.Trace{Problem: func(p dr.Problem) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if p.Region == west {
				s.trouble = append(s.trouble, fmt.Sprintf("%8.3fs problem: %s: %v", p.At.Sub(s.fault).Seconds(), p.Op, p.Err))
			}
		}},
	}
	if r == witness {
		cfg.Probers = cfg.Probers[:1]
		return cfg
	}
	isolator, err := aurora.NewIsolator(aurora.IsolatorConfig{Region: r, Cluster: clusters[r], API: aurora.NewClient(config(), r, "", client)})
	require.NoError(s.t, err)
	local := s.net.Dial(r, s.pair.DB(r))
	cfg.Guard = &failover.GuardConfig{Beater: local, Fencer: local, Isolator: isolator}
	cfg.Controller = new(s.controller(r, client))
	return cfg
}

func (s *stage) controller(r dr.Region, client aws.HTTPClient) failover.ControllerConfig {
	store := s.at(s.t, r, client)
	promoter, err := aurora.NewCluster(aurora.ClusterConfig{GlobalCluster: globalCluster, Region: r, Clients: func(at dr.Region) aurora.GlobalAPI {
		return aurora.NewClient(config(), at, "", client)
	}})
	require.NoError(s.t, err)
	role, err := cloudwatch.NewRole(cloudwatch.RoleConfig{Region: r, Topology: crashTopology, Client: cloudwatch.NewClient(config(), r, "", client)})
	require.NoError(s.t, err)
	people, err := notify.New(notify.Config{Region: r, ARN: s.TopicARN(r, topic), Client: notify.NewClient(config(), r, "", client)})
	require.NoError(s.t, err)
	return failover.ControllerConfig{
		Region: r, Topology: crashTopology, Policy: s.policy, Leaser: store, Heartbeats: store, Journal: store, Acknowledger: store,
		Promoter: promoter, Beater: s.net.Dial(r, s.pair.DB(r)), Router: aurora.Router{Redirecter: role, Reacher: reacher{s, r}}, Notifier: people,
	}
}

// reacher commits a write through the endpoint that clients use.
type reacher struct {
	*stage
	from dr.Region
}

func (r reacher) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	to, _, _ := r.Resolve(r.from)
	return to, r.net.Dial(r.from, r.pair.DB(to)).Beat(ctx, failover.Beat{Region: "endpoint", Epoch: e, Seq: uint64(time.Now().UnixMicro())})
}

// cast starts the processes of the west.
func (s *stage) cast() {
	if !s.apart {
		s.again("agent", func() failover.AgentConfig { return s.agent(west, caller{s.wire, "agent"}) })
		return
	}
	s.ends["trigger"] = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running != nil {
			s.running()
		}
	}
	s.again("monitor", func() failover.AgentConfig {
		cfg := s.agent(west, caller{s.wire, "monitor"})
		cfg.Journal, cfg.Controller, cfg.Deputy = cfg.Controller.Journal, nil, s
		return cfg
	})
}

// Ask implements failover.Deputy: a silent agent with a controller, one at a time, until
// an execution has ended or a minute has passed.
func (s *stage) Ask(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	s.running = cancel
	cfg := s.agent(west, caller{s.wire, "trigger"})
	cfg.Guard, cfg.Silent, cfg.OnOutcome = nil, true, func(failover.Execution, error) { cancel() }
	a, err := failover.NewAgent(cfg)
	if err != nil {
		return err
	}
	s.wg.Go(func() {
		_ = a.Run(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running = nil
		cancel()
	})
	return nil
}

// again runs an agent, and another one at once when it is killed.
func (s *stage) again(process string, cfg func() failover.AgentConfig) {
	a, err := failover.NewAgent(cfg())
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	s.wg.Go(func() {
		defer close(done)
		_ = a.Run(ctx)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[process] = func() {
		cancel()
		<-done
		s.again(process, cfg)
	}
}

// reap kills the process whose point has come.
func (s *stage) reap() {
	select {
	case <-s.ctx.Done():
	case process := <-s.wire.crash:
		s.mu.Lock()
		end := s.ends[process]
		s.mu.Unlock()
		end()
	}
}

// operate switches over in a process of its own, as an operator's command does. When it
// dies before anything has begun, the operator gives the command again; what has begun is
// the agent's to continue.
func (s *stage) operate() {
	ctx, cancel := context.WithCancel(s.ctx)
	over := make(chan struct{})
	s.wg.Go(func() {
		defer close(over)
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		cfg := s.controller(west, caller{s.wire, "operator"})
		cfg.Watch = &failover.Watch{}
		wg.Go(func() { _ = cfg.Watch.Run(ctx, s.policy, cfg.Leaser, west, nil) })
		c, err := failover.NewController(cfg)
		require.NoError(s.t, err)
		for ctx.Err() == nil && !s.state().Ended() {
			if x, err := c.Switchover(ctx); err == nil && x.State.Ended() {
				return
			}
			s.wait(250 * time.Millisecond)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends["operator"] = func() {
		cancel()
		<-over
		if s.state() == "" {
			s.operate()
		}
	}
}

// person acknowledges what an execution asks, a second later.
func (s *stage) person() {
	for ; s.ctx.Err() == nil; s.wait(100 * time.Millisecond) {
		if s.state() == failover.Operator {
			s.wait(time.Second)
			_ = s.at(s.t, witness, s.From(witness)).Acknowledge(s.ctx, failover.Acknowledgement{Epoch: 2, By: "oncall", Reason: "accepted"})
			return
		}
	}
}

// clients write in both Regions. What they return tells what must not have happened.
func (s *stage) clients() func() []string {
	var bad []string
	var first time.Time // when the west acknowledged for the first time
	var id int64
	arrived := map[int64]bool{} // acknowledged by the east, and must be in the west
	s.wg.Go(func() {
		for ; s.ctx.Err() == nil; s.wait(50 * time.Millisecond) {
			for _, m := range crashTopology.Members {
				if id++; !s.pair.DB(m).Accepts() || s.pair.DB(m).Write(context.Background(), id) != nil {
					continue
				}
				switch now := time.Now(); {
				case m == west && first.IsZero():
					first = now
				case m == east && !first.IsZero() && len(bad) < 3:
					bad = append(bad, fmt.Sprintf("the old writer acknowledged a write %v after the new one had", now.Sub(first)))
				case m == east && (s.planned || now.Before(s.fault.Add(-100*time.Millisecond))):
					arrived[id] = true
				}
			}
		}
	})
	return func() []string {
		for _, id := range s.pair.DB(west).Rows() {
			delete(arrived, id)
		}
		if len(arrived) > 0 {
			bad = append(bad, fmt.Sprintf("%d writes are lost that had arrived", len(arrived)))
		}
		if first.IsZero() {
			bad = append(bad, "the new writer acknowledged nothing")
		}
		return bad
	}
}

// cut opens or closes every path between the east and the others.
func (s *stage) cut(cut bool) {
	for _, other := range []dr.Region{west, witness} {
		s.SetLink(east, other, !cut)
		s.net.SetLink(east, other, !cut)
	}
	s.pair.SetLink(!cut)
}

func (s *stage) wait(d time.Duration) { _ = sleep(s.ctx, d) }

// entries returns the journal, past every fault.
func (s *stage) entries() []failover.Entry {
	var out []failover.Entry
	for _, row := range s.Items(table, globalCluster, "journal#") {
		var e failover.Entry
		require.NoError(s.t, json.Unmarshal([]byte(row["entry"]), &e))
		out = append(out, e)
	}
	return out
}

func (s *stage) state() failover.State {
	all := s.Items(table, globalCluster, "journal#")
	if len(all) == 0 {
		return ""
	}
	var e failover.Entry
	require.NoError(s.t, json.Unmarshal([]byte(all[len(all)-1]["entry"]), &e))
	return e.Execution.State
}

// story tells what happened, from the fault on.
func (s *stage) story(entries []failover.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%8.3fs %s/%d %s: %s %s %s\n", e.At.Sub(s.fault).Seconds(), e.Execution.ID, e.Execution.Seq, e.Event, e.Execution.State, e.Execution.Code, e.Execution.Detail)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return b.String() + strings.Join(s.trouble, "\n")
}
