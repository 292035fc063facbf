package drtest

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// World is one of everything, wired together: two databases, their control plane,
// the lease store, the clients' endpoint and somebody to notify in every Region.
type World struct {
	Topology  dr.Topology
	Net       *Network
	Store     *Store
	Pair      *Pair
	Cluster   *GlobalCluster
	Router    *Router
	Notifiers map[dr.Region]*Notifier
	// Spare is how many instances besides the writer every member is said to have.
	Spare int
}

// WorldConfig says how long things take.
type WorldConfig struct {
	Topology dr.Topology // its first member is the writer
	// Ship draws how long a record takes to the other Region, Promotion how long a
	// promotion takes. Nil means 50 ms and 3 s.
	Ship, Promotion func() time.Duration
	// EndpointTTL is how long clients follow an old endpoint. Default 5 s.
	EndpointTTL time.Duration
	// Unbootstrapped leaves the world as a new deployment is: no lease, no heartbeat table,
	// and servers that boot read-only.
	Unbootstrapped bool
}

// NewWorld returns a world in which the first member is the writer and holds the
// first epoch, unless the world is unbootstrapped.
func NewWorld(cfg WorldConfig) (*World, error) {
	if err := cfg.Topology.Validate(); err != nil {
		return nil, err
	}
	if cfg.Ship == nil {
		cfg.Ship = func() time.Duration { return 50 * time.Millisecond }
	}
	if cfg.Promotion == nil {
		cfg.Promotion = func() time.Duration { return 3 * time.Second }
	}
	if cfg.EndpointTTL == 0 {
		cfg.EndpointTTL = 5 * time.Second
	}
	writer := cfg.Topology.Members[0]
	w := &World{
		Topology: cfg.Topology, Net: NewNetwork(cfg.Topology.Vantages()...),
		Pair: NewPair(writer, cfg.Topology.Members[1], cfg.Ship), Notifiers: make(map[dr.Region]*Notifier),
	}
	w.Store = NewStore(w.Net)
	w.Cluster = NewGlobalCluster(w.Net, w.Pair, cfg.Promotion)
	w.Router = NewRouter(w.Net, w.Pair, writer, cfg.EndpointTTL)
	for _, r := range cfg.Topology.Vantages() {
		w.Notifiers[r] = NewNotifier(w.Net, r)
	}
	if cfg.Unbootstrapped {
		w.Pair.Unbootstrap()
		return w, nil
	}
	if _, err := w.Store.At(writer).TakeLease(context.Background(), failover.Lease{}, failover.Claim{Holder: writer}); err != nil {
		return nil, fmt.Errorf("drtest: take the first epoch: %w", err)
	}
	return w, nil
}

// Agent returns the configuration of a Region's agent in this world.
func (w *World) Agent(r dr.Region, p dr.Policy, t *dr.Trace) failover.AgentConfig {
	store := w.Store.At(r)
	cfg := failover.AgentConfig{
		Region: r, Topology: w.Topology, Policy: p, Leaser: store, Heartbeats: store,
		Probers: []health.Prober{NewProber(w.Net, w.Pair, r, w.Spare)}, Trace: t,
	}
	peer := w.Topology.Peer(r)
	if peer == "" {
		return cfg
	}
	local := w.Net.Dial(r, w.Pair.DB(r))
	cfg.Guard = &failover.GuardConfig{
		Beater: local, Fencer: local, Isolator: w.Cluster.At(r), Replica: w.Net.Dial(r, w.Pair.DB(peer)),
		Releaser: store, Roles: local, Plane: w.Cluster.At(r), Promises: local, Peer: peer,
	}
	cfg.Peer = w.Net.Dial(r, w.Pair.DB(peer))
	cfg.Bootstrapper = NewBootstrapper(w.Cluster.At(r), local)
	cfg.Controller = new(w.Controller(r, p, nil, t))
	return cfg
}

// Controller returns the configuration of a controller in this world, for an
// operator's hands or beside an agent's own.
func (w *World) Controller(r dr.Region, p dr.Policy, watch *failover.Watch, t *dr.Trace) failover.ControllerConfig {
	store := w.Store.At(r)
	return failover.ControllerConfig{
		Region: r, Topology: w.Topology, Policy: p, Leaser: store, Watch: watch, Heartbeats: store, Journal: store,
		Acknowledger: store, Promoter: w.Cluster.At(r), Preflight: w.Cluster.At(r), Beater: w.Net.Dial(r, w.Pair.DB(r)),
		Router: w.Router.At(r), Notifier: w.Notifiers[r], Trace: t,
	}
}

// Cut opens or closes the path between two Regions for calls and for the log.
func (w *World) Cut(a, b dr.Region, cut bool) {
	w.Cluster.spread()
	w.Net.SetLink(a, b, !cut)
	m := w.Topology.Members
	w.Pair.SetLink(w.Net.Reaches(m[0], m[1]))
}

// CutRegion opens or closes every path between a Region and the others.
func (w *World) CutRegion(r dr.Region, cut bool) {
	for _, other := range w.Topology.Vantages() {
		if other != r {
			w.Cut(r, other, cut)
		}
	}
}
