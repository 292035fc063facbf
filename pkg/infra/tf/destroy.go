package tf

import (
	"context"
	"io"
	"slices"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// Destroy plans the end of a unit and applies that plan. A unit that has nothing is
// done at once. It refuses with a [*ProtectedError] while a resource is protected
// against deletion. Units that need this one must have been destroyed before;
// [Deployment.DestroyAll] sees to that.
func (d *Deployment) Destroy(ctx context.Context, unit string) error {
	u, err := d.unit(unit)
	if err != nil {
		return err
	}
	state, err := d.state(ctx, u)
	if err != nil {
		return err
	}
	if empty(state) {
		return d.withdraw(u)
	}
	return d.destroy(ctx, u)
}

func (d *Deployment) destroy(ctx context.Context, u infra.Unit) error {
	p, err := d.PlanDestroy(ctx, u.Name)
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
}

// DestroyOptions say how to take a deployment down.
type DestroyOptions struct {
	// Current is the Region where the writer is now; ask the RDS API, not a state.
	// Its member goes last: AWS refuses to delete it while another one is left. ""
	// when unknown: the Region that was created first is taken for it.
	Current dr.Region
	// Buckets destroys the state buckets as well, after their own state was moved
	// back into a file. By default they stay: they hold the history of every state.
	Buckets bool
}

// DestroyAll destroys every unit in [infra.DestroyOrder]. Before the first one it
// reads every state, and refuses with a [*ProtectedError] that names all protected
// resources, or with what kept it from reading. Run it again after an error: units
// that are gone are passed over.
func (d *Deployment) DestroyAll(ctx context.Context, o DestroyOptions) error {
	var units []infra.Unit
	for _, u := range infra.DestroyOrder(d.units, o.Current) {
		if u.Kind != infra.KindState || o.Buckets {
			units = append(units, u)
		}
	}
	there, err := d.unprotected(ctx, units)
	if err != nil {
		return err
	}
	return d.each(units, OpDestroy, func(u infra.Unit) error {
		if !there[u.Name] {
			return d.withdraw(u)
		}
		if u.Kind == infra.KindState {
			if err := d.evacuate(ctx, u); err != nil {
				return err
			}
		}
		return d.destroy(ctx, u)
	})
}

// unprotected looks for protected resources in the states of all units. It returns
// the units that have anything at all.
func (d *Deployment) unprotected(ctx context.Context, units []infra.Unit) (there map[string]bool, err error) {
	there = map[string]bool{}
	found := &ProtectedError{}
	for i, u := range units {
		state, err := d.state(ctx, u)
		if err != nil {
			return nil, &UnitError{Unit: u.Name, Op: OpDestroy, Left: slices.Concat(names(units[:i]), names(units[i+1:])), Err: err}
		}
		if empty(state) {
			continue
		}
		there[u.Name] = true
		walk(state.Values.RootModule, func(r *tfjson.StateResource) {
			if attribute := protectedBy(r.AttributeValues); attribute != "" && r.Mode == tfjson.ManagedResourceMode {
				found.Resources = append(found.Resources, Protected{Unit: u.Name, Address: r.Address, Attribute: attribute})
			}
		})
	}
	if len(found.Resources) > 0 {
		return nil, found
	}
	return there, nil
}

// state reads a unit's state. It holds secrets and goes no further. A unit whose
// bucket does not exist has none.
func (d *Deployment) state(ctx context.Context, u infra.Unit) (*tfjson.State, error) {
	if err := d.prepare(ctx, u); err != nil {
		if waits(err) {
			return nil, nil
		}
		return nil, err
	}
	var state *tfjson.State
	_, err := d.terraform(ctx, command{unit: u, op: OpDestroy, wait: readWait, quiet: true, do: func(ctx context.Context, t *tfexec.Terraform, _ io.Writer) (err error) {
		state, err = t.Show(ctx)
		return err
	}})
	return state, err
}

func empty(s *tfjson.State) bool {
	if s == nil || s.Values == nil || s.Values.RootModule == nil {
		return true
	}
	managed := false
	walk(s.Values.RootModule, func(r *tfjson.StateResource) { managed = managed || r.Mode == tfjson.ManagedResourceMode })
	return !managed
}

func walk(m *tfjson.StateModule, visit func(*tfjson.StateResource)) {
	for _, r := range m.Resources {
		visit(r)
	}
	for _, child := range m.ChildModules {
		walk(child, visit)
	}
}
