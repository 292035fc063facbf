package failover

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// TriggerConfig says what the trigger of a member Region consists of. Everything is required
// unless it says otherwise.
type TriggerConfig struct {
	Region   dr.Region // a member: the one that the writer is moved to
	Topology dr.Topology
	Policy   dr.Policy

	Leaser  Leaser
	Reports Reports // read only: the monitor publishes the Region's report
	// Probers ask about the writer's Region; the LeaseProber's evidence is added. At least
	// one: a trigger acts on its own verdict, not on its monitor's.
	Probers []health.Prober
	// Controller moves the writer. Its Region, Topology, Policy, Leaser, Watch, Reports,
	// Promises and Trace are the trigger's.
	Controller ControllerConfig

	// OnOutcome is told of every execution that the controller has brought to an end,
	// or why it could not. It is called by one goroutine and must not block. Optional.
	OnOutcome func(Execution, error)
	Trace     *dr.Trace // optional
}

// Trigger moves the writer to its local Region when a [Monitor] in another process of that
// Region has asked for it: it looks at the evidence itself, and acts on that. It keeps no
// lease and publishes nothing.
type Trigger struct{ agent *agent }

// NewTrigger returns a member's trigger, or everything that its configuration lacks and
// everything in it that makes no sense.
func NewTrigger(cfg TriggerConfig) (*Trigger, error) {
	const role = "trigger"
	if err := errors.Join(
		cfg.Topology.Validate(), cfg.Policy.ValidateFor(cfg.Topology),
		member(role, cfg.Topology, cfg.Region, "there is nothing to promote"),
		required(role, append(cfg.Controller.parts("Controller."), part{"Leaser", cfg.Leaser == nil}, part{"Reports", cfg.Reports == nil})...),
		probers(role, cfg.Probers),
		same(role, "Controller.Region", cfg.Region, cfg.Controller.Region),
	); err != nil {
		return nil, err
	}
	a, err := newAgent(parts{
		Region: cfg.Region, Topology: cfg.Topology, Policy: cfg.Policy, Leaser: cfg.Leaser, Reports: cfg.Reports,
		Probers: cfg.Probers, Controller: &cfg.Controller, OnOutcome: cfg.OnOutcome, Silent: true, Trace: cfg.Trace,
	})
	if err != nil {
		return nil, err
	}
	return &Trigger{a}, nil
}

// Run works until ctx ends, and returns after every part has. What the journal holds open
// goes on in the next process.
func (t *Trigger) Run(ctx context.Context) error { return t.agent.Run(ctx) }

// Explain tells what the trigger would do now.
func (t *Trigger) Explain() Explanation { return t.agent.Explain() }
