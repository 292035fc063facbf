package tf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// The state of the buckets is kept in one of them, which is not there yet when they are
// first applied. So that unit starts with its state in a file and moves it over:
//
//	.lifeboat/bootstrap   backend_override.tf   where the state is
//	there                 there                 in the file: apply goes on
//	there                 gone                  perhaps moved: moving again is harmless
//	gone                  gone                  in the bucket
//
// A crash at any point leaves one of these rows, and the next run goes on from it.
const (
	overrideFile = "backend_override.tf"
	override     = "# Written by Lifeboat: the state of this unit is kept in a file.\nterraform {\n  backend \"local\" {}\n}\n"
)

// Init initialises a unit: backend, modules and providers, once per Deployment.
func (d *Deployment) Init(ctx context.Context, unit string) error {
	u, err := d.unit(unit)
	if err != nil {
		return err
	}
	return d.prepare(ctx, u)
}

func (d *Deployment) prepare(ctx context.Context, u infra.Unit) error {
	if err := d.stranded(u); err != nil {
		return err
	}
	if d.isReady(u) {
		return nil
	}
	if err := d.during(u, OpInit, func() error { return d.initialise(ctx, u) }); err != nil {
		return err
	}
	d.setReady(u, true)
	return nil
}

// stranded refuses to work on a unit whose last state has not been pushed: terraform
// would not know what exists, and create it again.
func (d *Deployment) stranded(u infra.Unit) error {
	for _, file := range []string{"errored.tfstate", folder + "/errored.tfstate"} {
		if exists(filepath.Join(d.dir(u), file)) {
			return &StateNotWrittenError{Unit: u.Name, Dir: d.dir(u), File: file, Err: errors.New("left by an earlier run")}
		}
	}
	return nil
}

func (d *Deployment) initialise(ctx context.Context, u infra.Unit) error {
	switch {
	case d.local:
		if err := d.writeOverride(u); err != nil {
			return err
		}
		return d.init(ctx, u)
	case u.Kind == infra.KindState:
		return d.initState(ctx, u)
	case exists(d.overridePath(u)):
		return fmt.Errorf("tf: init %s: its state is kept in a file (%s), from a run with LocalState: open it with LocalState, or render into another folder", u.Name, d.overridePath(u))
	}
	for _, other := range d.units {
		if other.Kind == infra.KindState && exists(d.bootstrapMark(other)) {
			return &WaitsError{Unit: u.Name, For: []string{other.Name}, Buckets: true}
		}
	}
	err := d.init(ctx, u)
	if noBucket(err) {
		for _, other := range d.units {
			if other.Kind == infra.KindState {
				return &WaitsError{Unit: u.Name, For: []string{other.Name}, Buckets: true}
			}
		}
	}
	return err
}

// initState initialises the unit that creates the buckets.
func (d *Deployment) initState(ctx context.Context, u infra.Unit) error {
	if exists(d.bootstrapMark(u)) {
		if exists(d.overridePath(u)) {
			return d.init(ctx, u)
		}
		return d.migrate(ctx, u)
	}
	if exists(d.overridePath(u)) {
		return fmt.Errorf("tf: init %s: its state is kept in a file (%s), from a run with LocalState: open it with LocalState, or render into another folder", u.Name, d.overridePath(u))
	}
	err := d.init(ctx, u)
	if !noBucket(err) {
		return err
	}
	if err := d.keepLocally(u); err != nil {
		return err
	}
	return d.init(ctx, u, tfexec.Reconfigure(true)) // nothing has been kept yet
}

// keepLocally puts the bucket unit's state into a file; the mark comes first.
func (d *Deployment) keepLocally(u infra.Unit) error {
	if _, err := d.private(u); err != nil {
		return err
	}
	if err := os.WriteFile(d.bootstrapMark(u), []byte("the state of this unit is on its way between its file and its bucket\n"), private); err != nil {
		return fmt.Errorf("tf: init %s: %w", u.Name, err)
	}
	return d.writeOverride(u)
}

// finishBootstrap moves the state of the buckets into them, once they exist.
func (d *Deployment) finishBootstrap(ctx context.Context, u infra.Unit) error {
	if d.local || !exists(d.bootstrapMark(u)) {
		return nil
	}
	if err := remove(d.overridePath(u)); err != nil {
		return err
	}
	d.setReady(u, false)
	if err := d.during(u, OpMigrate, func() error { return d.migrate(ctx, u) }); err != nil {
		return err
	}
	d.setReady(u, true)
	return nil
}

// migrate moves the state to the backend that the configuration names now.
func (d *Deployment) migrate(ctx context.Context, u infra.Unit) error {
	// terraform refuses -json beside -migrate-state.
	_, err := d.terraform(ctx, command{unit: u, op: OpMigrate, wait: d.applyWait, quiet: true, do: func(ctx context.Context, t *tfexec.Terraform, _ io.Writer) error {
		return t.Init(ctx, tfexec.ForceCopy(true))
	}})
	if err != nil {
		return err
	}
	if exists(d.overridePath(u)) {
		return nil // on its way out of the bucket
	}
	return remove(d.bootstrapMark(u))
}

// evacuate takes the state of the buckets out of them, so that they can be destroyed.
func (d *Deployment) evacuate(ctx context.Context, u infra.Unit) error {
	if d.local || exists(d.bootstrapMark(u)) {
		return nil
	}
	if err := d.keepLocally(u); err != nil {
		return err
	}
	return d.during(u, OpMigrate, func() error { return d.migrate(ctx, u) })
}

func (d *Deployment) init(ctx context.Context, u infra.Unit, options ...tfexec.InitOption) error {
	_, err := d.terraform(ctx, command{unit: u, op: OpInit, wait: readWait, do: func(ctx context.Context, t *tfexec.Terraform, w io.Writer) error {
		return t.InitJSON(ctx, w, options...)
	}})
	return err
}

func (d *Deployment) writeOverride(u infra.Unit) error {
	if err := os.WriteFile(d.overridePath(u), []byte(override), 0o644); err != nil {
		return fmt.Errorf("tf: init %s: %w", u.Name, err)
	}
	return nil
}

// noBucket reports whether a backend has failed because its bucket does not exist.
func noBucket(err error) bool {
	var e *DiagnosticsError
	if !errors.As(err, &e) {
		return false
	}
	for _, d := range e.Diagnostics {
		if text := d.Summary + d.Detail; strings.Contains(text, "S3 bucket") && strings.Contains(text, "does not exist") {
			return true
		}
	}
	return false
}

func (d *Deployment) overridePath(u infra.Unit) string { return filepath.Join(d.dir(u), overrideFile) }

func (d *Deployment) bootstrapMark(u infra.Unit) string {
	return filepath.Join(d.dir(u), folder, "bootstrap")
}

func (d *Deployment) isReady(u infra.Unit) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ready[u.Name]
}

func (d *Deployment) setReady(u infra.Unit, ready bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready[u.Name] = ready
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
