package tf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// Plan is a saved plan of one unit.
type Plan struct {
	Unit    string
	Destroy bool // it destroys the whole unit
	Changes bool // there is something to do, if only to an output
	// JSON is what `terraform show` says of it. It holds secrets: use
	// terraform-json's sanitize before printing any of it.
	JSON *tfjson.Plan
	Path string // of the saved plan
	mark mark
}

// Plan plans a unit and saves the plan in its .lifeboat folder, in place of an
// earlier one. It initialises the unit when this Deployment has not. The error is a
// [*WaitsError] when units that it needs have not been applied. Call [Check] to judge
// the plan; Apply does.
func (d *Deployment) Plan(ctx context.Context, unit string) (*Plan, error) {
	return d.plan(ctx, unit, false)
}

// PlanDestroy plans the end of a unit.
func (d *Deployment) PlanDestroy(ctx context.Context, unit string) (*Plan, error) {
	return d.plan(ctx, unit, true)
}

func (d *Deployment) plan(ctx context.Context, unit string, destroy bool) (*Plan, error) {
	u, err := d.unit(unit)
	if err != nil {
		return nil, err
	}
	if err := d.prepare(ctx, u); err != nil {
		return nil, err
	}
	if err := d.inputs(ctx, u); err != nil {
		return nil, err
	}
	var p *Plan
	err = d.during(u, OpPlan, func() error {
		p, err = d.newPlan(ctx, u, destroy)
		return err
	})
	return p, err
}

func (d *Deployment) newPlan(ctx context.Context, u infra.Unit, destroy bool) (*Plan, error) {
	if err := d.forget(u); err != nil { // a plan that failed must not leave the one before it
		return nil, err
	}
	dir, err := d.private(u)
	if err != nil {
		return nil, err
	}
	p := &Plan{Unit: u.Name, Destroy: destroy, Path: filepath.Join(dir, "plan")}
	before, err := digest(d.inputFiles(u)...)
	if err != nil {
		return nil, fmt.Errorf("tf: plan %s: read its configuration: %w", u.Name, err)
	}
	_, err = d.terraform(ctx, command{unit: u, op: OpPlan, wait: readWait, do: func(ctx context.Context, t *tfexec.Terraform, w io.Writer) error {
		p.Changes, err = t.PlanJSON(ctx, w, tfexec.Out(p.Path), tfexec.Destroy(destroy), d.planTimeout(), tfexec.Parallelism(d.workers()))
		return err
	}})
	if err != nil {
		return nil, errors.Join(err, d.forget(u))
	}
	if err := os.Chmod(p.Path, private); err != nil {
		return nil, fmt.Errorf("tf: plan %s: %w", u.Name, err)
	}
	p.mark = mark{Inputs: before, Destroy: destroy, Changes: p.Changes}
	if p.mark.Plan, err = digest(p.Path); err != nil {
		return nil, fmt.Errorf("tf: plan %s: %w", u.Name, err)
	}
	if p.JSON, err = d.show(ctx, u, p.Path); err != nil {
		return nil, err
	}
	data, err := p.mark.text()
	if err == nil {
		err = os.WriteFile(p.Path+".json", data, private)
	}
	if err != nil {
		return nil, fmt.Errorf("tf: plan %s: %w", u.Name, err)
	}
	return p, nil
}

// LoadPlan returns the plan that an earlier run has saved. The error matches
// fs.ErrNotExist when there is none.
func (d *Deployment) LoadPlan(ctx context.Context, unit string) (*Plan, error) {
	u, err := d.unit(unit)
	if err != nil {
		return nil, err
	}
	p := &Plan{Unit: u.Name, Path: filepath.Join(d.dir(u), folder, "plan")}
	data, err := os.ReadFile(p.Path + ".json")
	if err != nil {
		return nil, fmt.Errorf("tf: load the plan of %s: %w: plan it first", u.Name, err)
	}
	if p.mark, err = parseMark(data); err != nil {
		return nil, fmt.Errorf("tf: load the plan of %s: %s.json: %w: plan again", u.Name, p.Path, err)
	}
	p.Destroy, p.Changes = p.mark.Destroy, p.mark.Changes
	if err := d.fits(u, p); err != nil {
		return nil, err
	}
	if err := d.prepare(ctx, u); err != nil {
		return nil, err
	}
	p.JSON, err = d.show(ctx, u, p.Path)
	return p, err
}

func (d *Deployment) show(ctx context.Context, u infra.Unit, path string) (plan *tfjson.Plan, err error) {
	_, err = d.terraform(ctx, command{unit: u, op: OpPlan, wait: readWait, quiet: true, do: func(ctx context.Context, t *tfexec.Terraform, _ io.Writer) error {
		plan, err = t.ShowPlanFile(ctx, path)
		return err
	}})
	return plan, err
}

// fits refuses a plan whose file or whose inputs are not those that were planned.
// Terraform itself sees a changed state, but not changed outputs of another unit.
func (d *Deployment) fits(u infra.Unit, p *Plan) error {
	if got, err := digest(p.Path); err != nil {
		return &StalePlanError{Unit: u.Name, Reason: "its file is gone, because it was applied or planned anew"}
	} else if got != p.mark.Plan {
		return &StalePlanError{Unit: u.Name, Reason: "its file is another one than was checked"}
	}
	if got, err := digest(d.inputFiles(u)...); err != nil {
		return fmt.Errorf("tf: apply %s: read its configuration: %w", u.Name, err)
	} else if got != p.mark.Inputs {
		return &StalePlanError{Unit: u.Name, Reason: "the unit's files or the outputs that it takes have changed since"}
	}
	return nil
}

// forget removes a saved plan.
func (d *Deployment) forget(u infra.Unit) error {
	for _, name := range []string{"plan", "plan.json"} {
		if err := os.Remove(filepath.Join(d.dir(u), folder, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("tf: %s: remove the old plan: %w", u.Name, err)
		}
	}
	return nil
}

// inputFiles are the files that decide what a unit is: its configuration and values.
func (d *Deployment) inputFiles(u infra.Unit) []string {
	var files []string
	entries, _ := os.ReadDir(d.dir(u)) // an unreadable folder has no files, which is a change
	for _, e := range entries {
		for _, suffix := range []string{".tf", ".tf.json", ".tfvars", ".tfvars.json", ".lock.hcl"} {
			if !e.IsDir() && strings.HasSuffix(e.Name(), suffix) {
				files = append(files, filepath.Join(d.dir(u), e.Name()))
				break
			}
		}
	}
	return files
}

// digest hashes names and contents of files.
func digest(files ...string) (string, error) {
	all := sha256.New()
	slices.Sort(files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%s %d\n", filepath.Base(file), len(data))
		all.Write(data)
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

func (d *Deployment) planTimeout() *tfexec.LockTimeoutOption {
	return tfexec.LockTimeout(d.lockTimeout.String())
}

func (d *Deployment) workers() int {
	if d.parallelism == 0 {
		return 10
	}
	return d.parallelism
}
