// Package embedded is the target that needs nothing: both Regions, their
// databases, the AWS control plane and the Lambda functions inside one process.
//
// The databases are in memory; they ship a log with a drawn delay and lose what
// has not arrived when the secondary is promoted. The control plane is
// drills/cloud behind the SDK's own clients, and for DynamoDB behind the SDK's encoding
// (package direct), so the adapters that talk to it are the real ones. In each Region a schedule ticks the health monitor, which asks the
// failover trigger: the handlers of lambdas/function, put together by its package assembly as
// they are deployed, in package functions' stand-in for Lambda. Inside a testing/synctest bubble a whole drill runs in virtual time.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Config says what is drawn. The zero value is what every report of this target
// speaks of unless it says otherwise.
type Config struct {
	// ShipMin and ShipMax bound the delay of replication. Default 20 to 80 ms.
	ShipMin, ShipMax time.Duration
	// PromoteMin and PromoteMax bound how long Aurora takes to promote. Default 2
	// to 5 s, which is far better than the "few minutes" that AWS documents.
	PromoteMin, PromoteMax time.Duration
	// ColdMin and ColdMax bound how long a new process takes before it works. Default
	// 100 to 400 ms: Lambda's own share, and the few milliseconds of ours.
	ColdMin, ColdMax time.Duration
	// Tick is the period of each Region's schedule. Default 10 s. The deployed one's is a
	// minute, AWS's shortest; a drill lasts about as long, and should see several
	// handovers.
	Tick time.Duration
	// Probe is how often the first write that a promoted server accepts is looked for.
	// Default 50 ms.
	Probe time.Duration
	// BootReadOnly has a promoted server come up read-only, as one does that restarts on
	// promotion. Default false.
	BootReadOnly bool
	// Observe is called after every call to the control plane, as cloud.Config says.
	// It may be nil.
	Observe func(cloud.Exchange)
	// Third is the Region of a third member that was added past Lifeboat; none by default.
	Third dr.Region
	// Trace is told what every process does, besides the marks. It may be nil.
	Trace *dr.Trace
}

func (c Config) withDefaults() Config {
	if c.ShipMax == 0 {
		c.ShipMin, c.ShipMax = 20*time.Millisecond, 80*time.Millisecond
	}
	if c.PromoteMax == 0 {
		c.PromoteMin, c.PromoteMax = 2*time.Second, 5*time.Second
	}
	if c.ColdMax == 0 {
		c.ColdMin, c.ColdMax = 100*time.Millisecond, 400*time.Millisecond
	}
	if c.Probe == 0 {
		c.Probe = probeEvery
	}
	if c.Tick == 0 {
		c.Tick = 10 * time.Second
	}
	return c
}

// Target makes embedded worlds.
type Target struct{ cfg Config }

// New returns the target.
func New(cfg Config) *Target { return &Target{cfg.withDefaults()} }

// Name implements drill.Target.
func (t *Target) Name() string { return "embedded" }

// Up implements drill.Target. The world begins as a new deployment, without a lease and
// with closed databases; Up returns when a monitor works in every Region and the
// writer's has bootstrapped it.
func (t *Target) Up(ctx context.Context, s drill.Setup) (drill.World, error) {
	if err := errors.Join(s.Topology.Validate(), s.Policy.ValidateFor(s.Topology)); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	w := &world{
		cfg: t.cfg, setup: s, began: time.Now(),
		net:    drtest.NewNetwork(s.Topology.Vantages()...),
		silent: make(map[dr.Region]int), entries: make(map[string]failover.Entry),
		cuts: make(map[[2]dr.Region]int), injected: make(map[fault.Fault]time.Duration), shown: make(map[fault.Fault]int64),
		lambdas: make(map[dr.Region]*lambda), failed: make(chan error, 1),
	}
	w.pair = drtest.NewPair(s.Writer, s.Topology.Peer(s.Writer), w.shipDelay(s.Seed))
	w.pair.SetBoot(t.cfg.BootReadOnly)
	w.pair.Unbootstrap()
	w.third.region = t.cfg.Third
	w.net.SetHook(w.hook)
	var err error
	w.cloud, err = cloud.New(cloud.Config{
		GlobalCluster: s.Topology.GlobalCluster,
		Members:       members(s, t.cfg.Third),
		Witness:       s.Topology.Witness,
		Tables:        []cloud.Table{{Name: tableName, PartitionKey: "pk", SortKey: "sk"}},
		Topics:        topics(s),
		Servers:       &servers{w},
		Seed:          s.Seed,
		Observe:       w.observed,
		Promotion:     cloud.Uniform(t.cfg.PromoteMin, t.cfg.PromoteMax),
		DNSTTL:        s.Policy.WithDefaults().EndpointTTL,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	// The world outlives the call that made it, and ends with Close.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	w.life, w.end = life, end
	w.tasks.Go(func() { _ = w.cloud.Run(life) })
	for _, r := range s.Topology.Vantages() {
		if err := w.deploy(r); err != nil {
			return nil, errors.Join(err, w.Close(ctx))
		}
	}
	if err := w.settle(ctx); err != nil {
		return nil, errors.Join(err, w.Close(ctx))
	}
	return w, nil
}

const (
	tableName = "lifeboat"
	topicName = "lifeboat"
)

// members lists the clusters, the writer's first.
func members(s drill.Setup, third dr.Region) []cloud.Member {
	out := make([]cloud.Member, 0, 3)
	for _, r := range []dr.Region{s.Writer, s.Topology.Peer(s.Writer), third} {
		if r == "" {
			continue
		}
		out = append(out, cloud.Member{Region: r, Instances: []string{s.Topology.GlobalCluster + "-" + r.String() + "-1"}})
	}
	return out
}

func topics(s drill.Setup) []cloud.Topic {
	var out []cloud.Topic
	for _, r := range s.Topology.Vantages() {
		out = append(out, cloud.Topic{Region: r, Name: topicName})
	}
	return out
}

// shipDelay draws the delay of each record, plus whatever lag a fault adds.
func (w *world) shipDelay(seed uint64) func() time.Duration {
	rng := rand.New(rand.NewPCG(seed, 0x5e))
	var mu sync.Mutex
	span := int64(w.cfg.ShipMax - w.cfg.ShipMin)
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		d := w.cfg.ShipMin
		if span > 0 {
			d += time.Duration(rng.Int64N(span))
		}
		return d + time.Duration(w.lag.Load())
	}
}
