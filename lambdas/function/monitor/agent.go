package monitor

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Agent is what the function runs while its process holds the monitor lease: a [Member] or a
// [Witness]. A new one is made each time, as after a crash: the process stands still between
// two invocations, and what a guard believed of its lease then is void.
type Agent interface {
	common() common
	check() error
	start(*dr.Trace) (worker, error)
}

// Member is a member Region's monitor. Its Mover is a [failover.ByTrigger].
type Member failover.MonitorConfig

// Witness is the monitor of the witness Region.
type Witness failover.WitnessConfig

// common is what the function itself needs of an agent's configuration.
type common struct {
	region dr.Region
	policy dr.Policy
	leaser failover.Leaser
	trace  *dr.Trace
	member bool
	asks   failover.TriggerInvoker // nil in the witness
}

// worker is an agent that works.
type worker interface {
	Run(ctx context.Context) error
	StayBehind(ctx context.Context)
}

func (m Member) common() common {
	c := common{region: m.Region, policy: m.Policy.WithDefaults(), leaser: m.Leaser, trace: m.Trace, member: true}
	if by, ok := m.Mover.(failover.ByTrigger); ok {
		c.asks = by.Trigger
	}
	return c
}

func (m Member) start(trace *dr.Trace) (worker, error) {
	m.Trace = trace
	return failover.NewMonitor(failover.MonitorConfig(m))
}

func (m Member) check() error {
	_, err := failover.NewMonitor(failover.MonitorConfig(m))
	if _, here := m.Mover.(failover.ByController); here {
		err = errors.Join(err, errors.New("monitor: Agent.Mover is a controller: the trigger moves the writer, give ByTrigger"))
	}
	return err
}

func (w Witness) common() common {
	return common{region: w.Region, policy: w.Policy.WithDefaults(), leaser: w.Leaser, trace: w.Trace}
}

func (w Witness) start(trace *dr.Trace) (worker, error) {
	w.Trace = trace
	a, err := failover.NewWitness(failover.WitnessConfig(w))
	return unguarded{a}, err
}

func (w Witness) check() error {
	_, err := failover.NewWitness(failover.WitnessConfig(w))
	return err
}

// unguarded has no writer to stay behind for.
type unguarded struct{ *failover.Witness }

func (unguarded) StayBehind(context.Context) {}
