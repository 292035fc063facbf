package failover

import (
	"context"
	"errors"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// MonitorConfig says what the monitor of a member Region consists of. Everything is
// required unless it says otherwise.
type MonitorConfig struct {
	Region   dr.Region // a member
	Topology dr.Topology
	Policy   dr.Policy

	Leaser  Leaser
	Reports Reports
	// Probers ask about the writer's Region while it is the other member; the LeaseProber's
	// evidence is added. At least one.
	Probers []health.Prober
	// Guard keeps the local Region's writer. Beater, Fencer, Isolator, Releaser, Roles, Plane and
	// Promises are required, Replica with Policy.RPOGuard. Peer is the topology's, and
	// Region, Policy, Watch, Leaser and Trace are the monitor's.
	Guard GuardConfig
	// Peer is the writer's database in the other member Region: by a row there the monitor
	// promises to leave the lease alone, which keeps the writer open when the lease store
	// fails.
	Peer PeerDatabase
	// Bootstrapper takes the first epoch when no lease has ever existed.
	Bootstrapper Bootstrapper
	// Mover is what moves the writer to this Region: [ByTrigger], or [ByController].
	Mover Mover
	// Notifier tells people of what fails for long although nothing stops for it.
	Notifier Notifier

	// Failures takes in what fails outside the monitor, such as one replica of the store. It
	// outlives the monitor. Optional.
	Failures *Failures
	Trace    *dr.Trace // optional
}

// Mover is what moves the writer to a monitor's Region.
type Mover interface{ moves(*parts) error }

// ByTrigger has a [Trigger] move the writer, in another process: what is deployed. The
// monitor asks it, and follows in the journal what it does.
type ByTrigger struct {
	Trigger TriggerInvoker
	Journal Journal // the one that the trigger writes
}

// ByController has the monitor's own process move the writer. Its Region, Topology, Policy,
// Leaser, Watch, Reports and Trace are the monitor's.
type ByController struct {
	Controller ControllerConfig
	// OnOutcome is told of every execution that the controller has brought to an end,
	// or why it could not. It is called by one goroutine and must not block. Optional.
	OnOutcome func(Execution, error)
}

func (m ByTrigger) moves(p *parts) error {
	p.Trigger, p.Journal = m.Trigger, m.Journal
	return required("monitor", part{"Mover.Trigger", m.Trigger == nil}, part{"Mover.Journal", m.Journal == nil})
}

func (m ByController) moves(p *parts) error {
	p.Controller, p.Journal, p.OnOutcome = &m.Controller, m.Controller.Journal, m.OnOutcome
	return errors.Join(
		required("monitor", m.Controller.parts("Mover.Controller.")...),
		same("monitor", "Mover.Controller.Region", p.Region, m.Controller.Region),
	)
}

// Monitor is what works in a member Region all the time: it watches the writer, keeps the
// lease and its local writer when its Region holds it, reports to the other Regions, promises
// the other member to leave the lease alone, and has the writer moved here when the other
// Region is lost.
type Monitor struct{ agent *agent }

// NewMonitor returns a member's monitor, or everything that its configuration lacks and
// everything in it that makes no sense.
func NewMonitor(cfg MonitorConfig) (*Monitor, error) {
	const role = "monitor"
	p := parts{
		Region: cfg.Region, Topology: cfg.Topology, Policy: cfg.Policy, Leaser: cfg.Leaser, Reports: cfg.Reports,
		Probers: cfg.Probers, Guard: &cfg.Guard, Peer: cfg.Peer, Bootstrapper: cfg.Bootstrapper,
		Notifier: cfg.Notifier, Failures: cfg.Failures, Trace: cfg.Trace,
	}
	g := cfg.Guard
	g.Policy = cfg.Policy
	errs := []error{
		cfg.Topology.Validate(), cfg.Policy.ValidateFor(cfg.Topology),
		member(role, cfg.Topology, cfg.Region, "a witness has no writer to guard: see NewWitness"),
		required(role, append(g.parts("Guard."),
			part{"Guard.Releaser", g.Releaser == nil}, part{"Guard.Roles", g.Roles == nil}, part{"Guard.Plane", g.Plane == nil},
			part{"Guard.Promises", g.Promises == nil}, part{"Leaser", cfg.Leaser == nil}, part{"Reports", cfg.Reports == nil},
			part{"Peer", cfg.Peer == nil}, part{"Bootstrapper", cfg.Bootstrapper == nil}, part{"Mover", cfg.Mover == nil},
			part{"Notifier", cfg.Notifier == nil})...),
		probers(role, cfg.Probers),
		g.capable(), same(role, "Guard.Region", cfg.Region, g.Region),
	}
	if peer := cfg.Topology.Peer(cfg.Region); g.Peer != "" && g.Peer != peer {
		errs = append(errs, fmt.Errorf("failover: monitor: Guard.Peer is %q, and the topology's is %q", g.Peer, peer))
	}
	if cfg.Mover != nil {
		errs = append(errs, cfg.Mover.moves(&p))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.Guard.Peer = cfg.Topology.Peer(cfg.Region)
	a, err := newAgent(p)
	if err != nil {
		return nil, err
	}
	return &Monitor{a}, nil
}

// Run works until ctx ends, and returns after every part has. It leaves the writer as it is:
// see [Monitor.StayBehind].
func (m *Monitor) Run(ctx context.Context) error { return m.agent.Run(ctx) }

// StayBehind stays behind after Run has returned: see [Guard.StayBehind].
func (m *Monitor) StayBehind(ctx context.Context) { m.agent.guard.StayBehind(ctx) }

// Explain tells what the monitor would do now.
func (m *Monitor) Explain() Explanation { return m.agent.Explain() }
