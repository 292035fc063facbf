package tf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// Outputs returns a unit's outputs by name, but for the sensitive ones, which are
// never handed on. There are none before its first apply.
func (d *Deployment) Outputs(ctx context.Context, unit string) (map[string]json.RawMessage, error) {
	u, err := d.unit(unit)
	if err != nil {
		return nil, err
	}
	if err := d.prepare(ctx, u); err != nil {
		return nil, err
	}
	var all map[string]tfexec.OutputMeta
	_, err = d.terraform(ctx, command{unit: u, op: OpOutputs, wait: readWait, quiet: true, do: func(ctx context.Context, t *tfexec.Terraform, _ io.Writer) error {
		all, err = t.Output(ctx)
		return err
	}})
	if err != nil {
		return nil, err
	}
	values := map[string]json.RawMessage{}
	for name, o := range all {
		if !o.Sensitive {
			values[name] = o.Value
		}
	}
	return values, nil
}

// carry writes a unit's outputs into the folders of the units that need them, as one
// variable named after the unit.
func (d *Deployment) carry(u infra.Unit, values map[string]json.RawMessage) error {
	data, err := json.MarshalIndent(map[string]any{u.VarName(): values}, "", "  ")
	if err != nil {
		return fmt.Errorf("tf: outputs of %s: %w", u.Name, err)
	}
	data = append(data, '\n')
	for _, to := range d.dependents(u) {
		file := d.carried(u, to)
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, data) {
			continue
		}
		// Renamed into place: a crash must not leave half a file of values.
		if err := os.WriteFile(file+".new", data, 0o644); err != nil {
			return fmt.Errorf("tf: carry outputs of %s into %s: %w", u.Name, to.Name, err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			return fmt.Errorf("tf: carry outputs of %s into %s: %w", u.Name, to.Name, err)
		}
	}
	return nil
}

// withdraw removes the outputs of a destroyed unit from the others' folders.
func (d *Deployment) withdraw(u infra.Unit) error {
	var errs []error
	for _, to := range d.dependents(u) {
		errs = append(errs, remove(d.carried(u, to)))
	}
	return errors.Join(errs...)
}

// inputs makes sure that the outputs which a unit takes are there. What was carried
// once is used again without asking the other unit's backend: it may be dark, and
// [Deployment.Apply] renews it after every change.
func (d *Deployment) inputs(ctx context.Context, u infra.Unit) error {
	var waits []string
	for _, name := range u.Needs {
		from, err := d.unit(name)
		if err != nil {
			return err
		}
		if _, err := os.Stat(d.carried(from, u)); err == nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(d.dir(from), folder, "incomplete")); err == nil {
			waits = append(waits, name)
			continue
		}
		values, err := d.Outputs(ctx, name)
		var waiting *WaitsError
		switch {
		case errors.As(err, &waiting):
			waits = append(waits, name)
		case err != nil:
			return fmt.Errorf("tf: plan %s: read the outputs of %s: %w", u.Name, name, err)
		case len(values) == 0:
			waits = append(waits, name)
		default:
			if err := d.carry(from, values); err != nil {
				return err
			}
		}
	}
	if len(waits) > 0 {
		return &WaitsError{Unit: u.Name, For: waits}
	}
	return nil
}

func (d *Deployment) carried(from, to infra.Unit) string {
	return filepath.Join(d.dir(to), from.Name+".auto.tfvars.json")
}

func (d *Deployment) dependents(u infra.Unit) []infra.Unit {
	var out []infra.Unit
	for _, other := range d.units {
		if slices.Contains(other.Needs, u.Name) {
			out = append(out, other)
		}
	}
	return out
}
