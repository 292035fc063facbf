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
	// MayFailOver: writes stop, and come back either by a failover or, when a person
	// was asked and did not answer, at the heal. What brings them back depends on
	// what was seen in the moment in which they stopped.
	MayFailOver Expectation = "may-fail-over"
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
	// Unfenced means that nothing fences the old writer until the heal, which is
	// what the drill shows: it must acknowledge writes after the new one has begun
	// to, each of them must be counted and listed, and none may come later than
	// this after the heal. Without it not one is allowed.
	Unfenced time.Duration `json:"unfenced_ns,omitempty"`
	// Unguarded means that the old writer's own monitor must not have fenced it
	// before the heal: it was to be dead by then.
	Unguarded bool `json:"unguarded,omitempty"`
	// MaxRTO tightens the objective for this scenario. Zero means the objective.
	MaxRTO time.Duration `json:"max_rto_ns,omitempty"`
	// NoOutage means that clients must see nothing: not one write may fail.
	NoOutage bool `json:"no_outage,omitempty"`
	// Suspects means that a controller must have suspected the writer. It belongs
	// to a drill in which one that is less careful would have failed over.
	Suspects bool `json:"suspects,omitempty"`
	// HeldUntil is how long after the injection the fault holds the promotion back. One
	// that is done earlier was not touched by it. Zero means that it holds nothing.
	HeldUntil time.Duration `json:"held_until_ns,omitempty"`
	// MinRate is the share of the offered rate that must be acknowledged before
	// the fault. Zero means 0.8.
	MinRate float64 `json:"min_rate,omitempty"`
}

// Validate reports everything that is wrong with the expectation.
func (e Expect) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("measure: expect: "+format, args...)) }
	switch e.Behaviour {
	case MustFailOver, MustNotFailOver, MustRefuse, MayFailOver:
	default:
		bad("Behaviour is %q: use %q, %q, %q or %q", e.Behaviour, MustFailOver, MustNotFailOver, MustRefuse, MayFailOver)
	}
	if e.Unfenced < 0 {
		bad("Unfenced is %v: use zero for a writer that is fenced, or a positive duration", e.Unfenced)
	}
	if e.Unfenced > 0 && e.Behaviour != MustFailOver {
		bad("Unfenced with %s: only a new writer makes an old one; use %s", e.Behaviour, MustFailOver)
	}
	if e.MaxRTO < 0 {
		bad("MaxRTO is %v: use zero for the objective, or a positive duration", e.MaxRTO)
	}
	if e.NoOutage && e.Behaviour != MustNotFailOver {
		bad("NoOutage with %s: a writer that moves can't do so unseen; use %s", e.Behaviour, MustNotFailOver)
	}
	if e.Suspects && e.NoFault {
		bad("Suspects with NoFault: without a fault there is nothing to suspect")
	}
	if e.HeldUntil < 0 || e.HeldUntil > 0 && e.Behaviour != MustFailOver {
		bad("HeldUntil is %v with %s: use a positive duration with %s, or zero", e.HeldUntil, e.Behaviour, MustFailOver)
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

// lag returns the loss from replication lag that the scenario accepts.
func (e Expect) lag(r Result) time.Duration {
	if e.MaxDataLoss == 0 {
		return r.Objectives.RPO
	}
	return e.MaxDataLoss
}

// allowedLoss returns the loss in time that the scenario accepts. An old writer
// that nothing fences goes on until the heal.
func (e Expect) allowedLoss(r Result) time.Duration {
	cut := e.PartitionWindow
	if e.Unfenced > 0 && r.Healed != Unknown && r.Injected != Unknown {
		cut = max(cut, r.Healed+e.Unfenced-r.Injected)
	}
	return e.lag(r) + cut
}

// nothing reports whether no write at all may be lost.
func (e Expect) nothing() bool { return e.NoLoss || e.Behaviour == MustNotFailOver }
