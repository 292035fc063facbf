package tf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// Apply applies that saved plan and nothing else, then hands the unit's outputs to
// the units that need them. It runs [Check] itself, so that no plan gets past it. A
// plan can be applied once. When ctx ends, terraform finishes the resource that it is
// at and writes its state; an apply that had come to its end all the same is a success.
func (d *Deployment) Apply(ctx context.Context, p *Plan) error {
	u, err := d.unit(p.Unit)
	if err != nil {
		return err
	}
	if err := d.fits(u, p); err != nil {
		return err
	}
	if err := d.judge(u, p); err != nil {
		return err
	}
	if err := d.prepare(ctx, u); err != nil {
		return err
	}
	op := OpApply
	if p.Destroy {
		op = OpDestroy
	}
	return d.during(u, op, func() error {
		if p.Changes {
			if err := d.apply(ctx, u, op, p); err != nil {
				return err
			}
		}
		// What has happened is told on, even when ctx has ended meanwhile.
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*readWait)
		defer cancel()
		if p.Destroy {
			return d.withdraw(u)
		}
		return d.settle(after, u)
	})
}

func (d *Deployment) apply(ctx context.Context, u infra.Unit, op Op, p *Plan) error {
	// Outputs of a half applied unit must not be taken for those of a whole one.
	half := filepath.Join(d.dir(u), folder, "incomplete")
	if err := os.WriteFile(half, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), private); err != nil {
		return fmt.Errorf("tf: %s %s: %w", op, u.Name, err)
	}
	_, err := d.terraform(ctx, command{unit: u, op: op, wait: d.applyWait, do: func(ctx context.Context, t *tfexec.Terraform, w io.Writer) error {
		return t.ApplyJSON(ctx, w, tfexec.DirOrPlan(p.Path), d.planTimeout(), tfexec.Parallelism(d.workers()))
	}})
	var locked *LockedError
	if errors.As(err, &locked) {
		// Nothing was done: the plan may still fit when the lock is free.
		return errors.Join(err, remove(half))
	}
	if err != nil {
		return errors.Join(err, d.forget(u))
	}
	return errors.Join(remove(half), d.forget(u))
}

// settle follows a successful apply.
func (d *Deployment) settle(ctx context.Context, u infra.Unit) error {
	if u.Kind == infra.KindState {
		if err := d.finishBootstrap(ctx, u); err != nil {
			return err
		}
	}
	values, err := d.Outputs(ctx, u.Name)
	if err != nil {
		return err
	}
	return d.carry(u, values)
}

// judge is [Check] with the unit's allowances; a destroy is asked about protection
// instead, because what it deletes is what was asked for.
func (d *Deployment) judge(u infra.Unit, p *Plan) error {
	if !p.Destroy {
		err := Check(p.JSON, d.allow[u.Name])
		var refused *RefusedError
		if errors.As(err, &refused) {
			refused.Unit = u.Name
		}
		return err
	}
	e := &ProtectedError{}
	for _, rc := range p.JSON.ResourceChanges {
		if rc.Change == nil || !rc.Change.Actions.Delete() {
			continue
		}
		if attribute := protectedBy(object(rc.Change.Before)); attribute != "" {
			e.Resources = append(e.Resources, Protected{Unit: u.Name, Address: rc.Address, Attribute: attribute})
		}
	}
	if len(e.Resources) > 0 {
		return e
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("tf: %w", err)
	}
	return nil
}
