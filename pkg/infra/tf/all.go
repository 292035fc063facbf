package tf

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// UnitPlan is one unit's part of [Deployment.PlanAll].
type UnitPlan struct {
	Unit string
	// Plan is nil when the unit waits or could not be planned.
	Plan *Plan
	// Waits names the units that must be applied before this one can be planned.
	Waits []string
	// Err is what kept it from being planned, or the [*RefusedError] of its Plan.
	Err error
}

// PlanAll plans every unit and checks every plan. It goes on after a unit that fails,
// because one Region must be plannable while the other is dark. The error joins those of
// the units; a unit that waits is none.
func (d *Deployment) PlanAll(ctx context.Context) ([]UnitPlan, error) {
	var plans []UnitPlan
	var errs []error
	var done []string
	for i, u := range d.units {
		up := UnitPlan{Unit: u.Name}
		up.Plan, up.Err = d.Plan(ctx, u.Name)
		var waiting *WaitsError
		switch {
		case errors.As(up.Err, &waiting):
			up.Waits, up.Err = waiting.For, nil
			d.emit(u.Name, UnitWaits{For: waiting.For})
		case up.Err == nil:
			up.Err = d.judge(u, up.Plan)
		}
		plans = append(plans, up)
		if up.Err == nil {
			done = append(done, u.Name)
			continue
		}
		errs = append(errs, up.Err)
		if ctx.Err() != nil {
			return plans, &UnitError{Unit: u.Name, Op: OpPlan, Done: done, Left: names(d.units[i+1:]), Err: errors.Join(errs...)}
		}
	}
	return plans, errors.Join(errs...)
}

// ApplyAll goes through the units in order. Each is planned from the outputs of those
// before it, checked, approved and applied. The first one that fails ends the run with a
// [*UnitError]; the others keep what they have, and the next ApplyAll goes on there.
func (d *Deployment) ApplyAll(ctx context.Context) error {
	return d.each(d.units, OpApply, func(u infra.Unit) error {
		p, err := d.Plan(ctx, u.Name)
		if err != nil {
			return err
		}
		if err := d.judge(u, p); err != nil {
			return err
		}
		if err := d.ask(ctx, p); err != nil {
			return err
		}
		return d.Apply(ctx, p)
	})
}

// each runs over units until one fails.
func (d *Deployment) each(units []infra.Unit, op Op, do func(infra.Unit) error) error {
	for i, u := range units {
		if err := do(u); err != nil {
			return &UnitError{Unit: u.Name, Op: op, Done: names(units[:i]), Left: names(units[i+1:]), Err: err}
		}
	}
	return nil
}

// ask puts a plan with changes before the caller.
func (d *Deployment) ask(ctx context.Context, p *Plan) error {
	if d.approve == nil || !p.Changes {
		return nil
	}
	return d.approve(ctx, p)
}

func waits(err error) bool {
	var waiting *WaitsError
	return errors.As(err, &waiting)
}
