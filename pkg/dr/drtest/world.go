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
// the lease store, the clients' endpoint and a notification topic in every Region.
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

// Monitor returns the configuration of a member's monitor in this world. It moves the
// writer in its own process.
func (w *World) Monitor(r dr.Region, p dr.Policy, t *dr.Trace) failover.MonitorConfig {
	store, peer := w.Store.At(r), w.Topology.Peer(r)
	local := w.Net.Dial(r, w.Pair.DB(r))
	return failover.MonitorConfig{
		Region: r, Topology: w.Topology, Policy: p, Leaser: store, Reports: store, Probers: w.probers(r), Trace: t,
		Guard: failover.GuardConfig{
			Beater: local, Fencer: local, Isolator: w.Cluster.At(r), Replica: w.Net.Dial(r, w.Pair.DB(peer)),
			Releaser: store, Roles: local, Plane: w.Cluster.At(r), Promises: local, Peer: peer,
		},
		Peer: w.Net.Dial(r, w.Pair.DB(peer)).Writer(), Bootstrapper: NewBootstrapper(w.Cluster.At(r), local), Notifier: w.Notifiers[r],
		Mover: failover.ByController{Controller: w.Controller(r, p, nil, t)},
	}
}

// Trigger returns the configuration of a member's trigger in this world.
func (w *World) Trigger(r dr.Region, p dr.Policy, t *dr.Trace) failover.TriggerConfig {
	store := w.Store.At(r)
	return failover.TriggerConfig{
		Region: r, Topology: w.Topology, Policy: p, Leaser: store, Reports: store, Probers: w.probers(r), Trace: t,
		Controller: w.Controller(r, p, nil, t),
	}
}

// Witness returns the configuration of the witness in this world.
func (w *World) Witness(p dr.Policy, t *dr.Trace) failover.WitnessConfig {
	r := w.Topology.Witness
	store := w.Store.At(r)
	return failover.WitnessConfig{
		Region: r, Topology: w.Topology, Policy: p, Leaser: store, Reports: store, Probers: w.probers(r), Trace: t,
		Notifier: w.Notifiers[r],
	}
}

// Agent is a monitor, a trigger or a witness.
type Agent interface {
	Run(ctx context.Context) error
	Explain() failover.Explanation
}

// Watching returns what watches in a Region all the time: its monitor, or the witness.
func (w *World) Watching(r dr.Region, p dr.Policy, t *dr.Trace) (Agent, error) {
	if r == w.Topology.Witness {
		return failover.NewWitness(w.Witness(p, t))
	}
	return failover.NewMonitor(w.Monitor(r, p, t))
}

func (w *World) probers(r dr.Region) []health.Prober {
	return []health.Prober{NewProber(w.Net, w.Pair, r, w.Spare)}
}

// Controller returns the configuration of a controller in this world, for an
// operator's hands or beside an agent's own.
func (w *World) Controller(r dr.Region, p dr.Policy, watch *failover.Watch, t *dr.Trace) failover.ControllerConfig {
	store := w.Store.At(r)
	return failover.ControllerConfig{
		Region: r, Topology: w.Topology, Policy: p, Leaser: store, Watch: watch, Reports: store, Journal: store,
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
