package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// WitnessConfig says what the monitor of the witness Region consists of. Everything is
// required unless it says otherwise.
type WitnessConfig struct {
	Region   dr.Region // the topology's witness
	Topology dr.Topology
	Policy   dr.Policy

	Leaser  Leaser // read only
	Reports Reports
	// Probers ask about the writer's Region; the LeaseProber's evidence is added. At least
	// one.
	Probers []health.Prober
	// Notifier tells people of what fails for long although nothing stops for it.
	Notifier Notifier

	// Failures takes in what fails outside the witness, such as one replica of the store. It
	// outlives the witness. Optional.
	Failures *Failures
	Trace    *dr.Trace // optional
}

// Witness watches the writer from the third Region and reports what it sees. It keeps no
// lease and moves nothing.
type Witness struct{ agent *agent }

// NewWitness returns the witness, or everything that its configuration lacks and everything
// in it that makes no sense.
func NewWitness(cfg WitnessConfig) (*Witness, error) {
	const role = "witness"
	errs := []error{
		cfg.Topology.Validate(), cfg.Policy.ValidateFor(cfg.Topology),
		required(role, part{"Leaser", cfg.Leaser == nil}, part{"Reports", cfg.Reports == nil}, part{"Notifier", cfg.Notifier == nil}),
		probers(role, cfg.Probers),
	}
	switch {
	case slices.Contains(cfg.Topology.Members, cfg.Region):
		errs = append(errs, fmt.Errorf("failover: witness: Region %q is a member: its writer would have no guard: see NewMonitor", cfg.Region))
	case cfg.Region == "" || cfg.Region != cfg.Topology.Witness:
		errs = append(errs, fmt.Errorf("failover: witness: Region %q is not the topology's witness %q: its reports would count for nothing", cfg.Region, cfg.Topology.Witness))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	a, err := newAgent(parts{
		Region: cfg.Region, Topology: cfg.Topology, Policy: cfg.Policy, Leaser: cfg.Leaser, Reports: cfg.Reports,
		Probers: cfg.Probers, Notifier: cfg.Notifier, Failures: cfg.Failures, Trace: cfg.Trace,
	})
	if err != nil {
		return nil, err
	}
	return &Witness{a}, nil
}

// Run works until ctx ends, and returns after every part has.
func (w *Witness) Run(ctx context.Context) error { return w.agent.Run(ctx) }

// Explain tells what the witness sees now.
func (w *Witness) Explain() Explanation { return w.agent.Explain() }
