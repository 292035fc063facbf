package measure

import (
	"errors"
	"fmt"
	"time"
)

// Outcome is the value of a verdict.
type Outcome string

// The three verdicts. Inconclusive is not green: the drill proved nothing.
const (
	Passed       Outcome = "Passed"
	Failed       Outcome = "Failed"
	Inconclusive Outcome = "Inconclusive"
)

// Verdict is an outcome with every reason for it.
type Verdict struct {
	Outcome Outcome
	// Reasons say why it is not Passed, failures first. Each gives both numbers:
	// what was measured and what was allowed.
	Reasons []string
	// Notes are what a reader must know although it did not decide, such as a
	// loss that the policy allows and that exceeds the objective.
	Notes []string
}

// Expectation is what the system under drill must do.
type Expectation string

// The expectations.
const (
	// MustFailOver: the writer moves by itself.
	MustFailOver Expectation = "must-fail-over"
	// MustNotFailOver: the writer stays, and nothing is lost.
	MustNotFailOver Expectation = "must-not-fail-over"
	// MustRefuse: nothing moves until a person has been asked and has
	// acknowledged; then the writer moves. RTO counts from the acknowledgement.
	MustRefuse Expectation = "must-refuse"
)

// Expect is what a scenario demands of a run.
type Expect struct {
	Behaviour Expectation `json:"behaviour"`
	// NoFault marks a control drill: no fault is injected, so none must be seen.
	NoFault bool `json:"no_fault,omitempty"`
	// NoLoss means that no acknowledged write may be lost. It holds by itself
	// when the writer must not move.
	NoLoss bool `json:"no_loss,omitempty"`
	// MaxDataLoss is the loss from replication lag that the policy, or the
	// person who acknowledged, accepts. Zero means the objective for RPO.
	MaxDataLoss time.Duration `json:"max_data_loss_ns,omitempty"`
	// PartitionWindow is how long the old writer may acknowledge to clients on
	// its own side of a cut. It adds to the allowed loss. Zero means that the
	// fault leaves it none.
	PartitionWindow time.Duration `json:"partition_window_ns,omitempty"`
	// MinRate is the share of the offered rate that must be acknowledged before
	// the fault. Zero means 0.8.
	MinRate float64 `json:"min_rate,omitempty"`
}

// Validate reports everything that is wrong with the expectation.
func (e Expect) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("measure: expect: "+format, args...)) }
	switch e.Behaviour {
	case MustFailOver, MustNotFailOver, MustRefuse:
	default:
		bad("Behaviour is %q: use %q, %q or %q", e.Behaviour, MustFailOver, MustNotFailOver, MustRefuse)
	}
	if e.NoFault && e.Behaviour != MustNotFailOver {
		bad("NoFault with %s: without a fault the writer must stay; use %s", e.Behaviour, MustNotFailOver)
	}
	if e.MaxDataLoss < 0 {
		bad("MaxDataLoss is %v: use zero for the objective, or a positive duration", e.MaxDataLoss)
	}
	if e.PartitionWindow < 0 {
		bad("PartitionWindow is %v: use zero for none, or a positive duration", e.PartitionWindow)
	}
	if e.MinRate < 0 || e.MinRate > 1 {
		bad("MinRate is %v: use a share of at most 1, or zero for 0.8", e.MinRate)
	}
	return errors.Join(errs...)
}

// allowedLoss returns the loss in time that the scenario accepts.
func (e Expect) allowedLoss(r Result) time.Duration {
	lag := e.MaxDataLoss
	if lag == 0 {
		lag = r.Objectives.RPO
	}
	return lag + e.PartitionWindow
}

// nothing reports whether no write at all may be lost.
func (e Expect) nothing() bool { return e.NoLoss || e.Behaviour == MustNotFailOver }
