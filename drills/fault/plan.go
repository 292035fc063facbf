package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Step is a fault at an offset from the fault instant, the moment from which a
// drill measures. A negative offset prepares, such as lag that has to build up.
type Step struct {
	Fault Fault
	At    time.Duration
	// For is how long the fault lasts; zero until everything is healed. Run leaves it
	// to the owner of the plan, as it leaves every heal.
	For time.Duration
}

// String prints the step as ParsePlan reads it, such as "kill(us-east-1)@2s" or
// "kill(us-east-1)@2s for 5s".
func (s Step) String() string {
	out := s.Fault.String() + "@" + s.At.String()
	if s.For != 0 {
		out += " for " + s.For.String()
	}
	return out
}

// Plan is faults on one time line. Its order is the order of injection for
// steps with equal offsets.
type Plan []Step

// All returns a plan that injects every fault at the fault instant.
func All(faults ...Fault) Plan {
	p := make(Plan, len(faults))
	for i, f := range faults {
		p[i] = Step{Fault: f}
	}
	return p
}

// Sequence returns a plan that injects the first fault at the fault instant and
// each next one that much later.
func Sequence(every time.Duration, faults ...Fault) Plan {
	p := All(faults...)
	for i := range p {
		p[i].At = time.Duration(i) * every
	}
	return p
}

// Flap returns a plan that has another one last for a while, again and again: n times, each
// beginning every after the one before. Lasts is above zero and below every.
func Flap(lasts, every time.Duration, n int, p Plan) (Plan, error) {
	once, err := p.ends(lasts)
	if err != nil {
		return nil, err
	}
	var out Plan
	for i := range n {
		out = append(out, once.later(time.Duration(i)*every)...)
	}
	return out, nil
}

// later returns the plan moved by an offset.
func (p Plan) later(by time.Duration) Plan {
	out := slices.Clone(p)
	for i := range out {
		out[i].At += by
	}
	return out
}

// ends returns the plan with everything in it healed that long after it has begun, which is
// when its first step is due.
func (p Plan) ends(after time.Duration) (Plan, error) {
	out := slices.Clone(p)
	if len(out) == 0 {
		return out, nil
	}
	begin := slices.MinFunc(out, func(a, b Step) int { return cmp.Compare(a.At, b.At) }).At
	for i := range out {
		left := begin + after - out[i].At
		if left <= 0 {
			return nil, fmt.Errorf("%s begins when the whole of it has ended, after %v: let that last longer", out[i], after)
		}
		if out[i].For == 0 || out[i].For > left {
			out[i].For = left
		}
	}
	return out, nil
}

// String prints the plan as ParsePlan reads it, such as
// "replication-lag(us-east-1,us-west-2,5s)@-8s + blackout(us-east-1)@0s". A
// single fault at the fault instant prints as the fault alone.
func (p Plan) String() string {
	switch {
	case len(p) == 0:
		return string(None)
	case len(p) == 1 && p[0].At == 0 && p[0].For == 0:
		return p[0].Fault.String()
	}
	steps := make([]string, len(p))
	for i, s := range p {
		steps[i] = s.String()
	}
	return strings.Join(steps, " + ")
}

// Validate reports everything that is wrong with the plan.
func (p Plan) Validate() error {
	var errs []error
	for _, s := range p {
		if err := s.Fault.Validate(); err != nil {
			errs = append(errs, err)
		}
		if s.For < 0 {
			errs = append(errs, fmt.Errorf("fault: %s lasts %v: use a length above zero, or none", s.Fault, s.For))
		}
	}
	return errors.Join(errs...)
}

// Supports reports every step that the injector can't do.
func (p Plan) Supports(in Injector) error {
	var errs []error
	for _, s := range p {
		if s.Fault.Kind == None {
			continue
		}
		if err := in.Supports(s.Fault); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Lead is how long before the fault instant the first step is due.
func (p Plan) Lead() time.Duration {
	var lead time.Duration
	for _, s := range p {
		lead = max(lead, -s.At)
	}
	return lead
}

// Run injects the steps when they are due: the fault instant is Lead from now.
// It stops at the first error or when ctx ends, and never heals: the owner of the
// set does so in every case.
func (p Plan) Run(ctx context.Context, inject func(context.Context, Step) error) error {
	steps := slices.Clone(p)
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	instant := time.Now().Add(p.Lead())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for _, s := range steps {
		timer.Reset(time.Until(instant.Add(s.At)))
		select {
		case <-ctx.Done():
			return fmt.Errorf("fault: %s was not injected: %w", s, context.Cause(ctx))
		case <-timer.C:
		}
		if err := inject(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
