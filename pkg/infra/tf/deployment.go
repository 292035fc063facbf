package tf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

// folder holds what a unit's folder has besides its configuration: the saved plan and
// the marks of a bootstrap. It may hold secrets.
const folder = ".lifeboat"

// Options say what to run and how. Dir, Units and Binary are required.
type Options struct {
	// Dir is the folder that render has filled: one folder per unit.
	Dir string
	// Units are all units of the deployment, in apply order.
	Units []infra.Unit
	// Binary is what [Find] returned.
	Binary Binary
	// LocalState keeps every state in a file beside its unit instead of in S3. It is
	// for development and CI: no other machine sees the state or its lock.
	LocalState bool
	// Allow lists what a plan may destroy, one "UNIT/ADDRESS" each, such as
	// "region-us-east-1/module.database.aws_rds_cluster.this". See [Check].
	Allow []string
	// LockTimeout is how long to wait for a held lock. Default: not at all.
	LockTimeout time.Duration
	// Parallelism bounds terraform's own. Default: terraform's, 10.
	Parallelism int
	// ApplyWait is how long a cancelled apply may take to come to a clean end before
	// it is killed. Default and least in production: 45 minutes, because Aurora
	// takes tens of them and a killed apply loses what it was creating.
	ApplyWait time.Duration
	// Approve is asked before each plan with changes is applied, after [Check]. An
	// error ends the run. Default: yes.
	Approve func(context.Context, *Plan) error
	// Progress is told what happens, one event at a time, and must not block: it
	// holds up terraform. Default: events are dropped.
	Progress func(unit string, e Event)
	// Environ is what terraform's environment is made from; see [CleanEnv].
	// Default: os.Environ().
	Environ []string
}

// Deployment runs terraform over a folder of rendered units. Runs of one Deployment
// take turns; two Deployments must not share a folder.
type Deployment struct {
	root        string
	units       []infra.Unit
	binary      Binary
	local       bool
	allow       map[string]Allow // by unit
	lockTimeout time.Duration
	parallelism int
	applyWait   time.Duration
	approve     func(context.Context, *Plan) error
	progress    func(string, Event)
	environ     []string

	busy  sync.Mutex
	mu    sync.Mutex
	ready map[string]bool // units that this value has initialised
}

// Open checks the options against the folder, everything at once, and changes nothing.
func Open(o Options) (*Deployment, error) {
	d := &Deployment{
		root: o.Dir, units: slices.Clone(o.Units), binary: o.Binary, local: o.LocalState, allow: map[string]Allow{},
		lockTimeout: o.LockTimeout, parallelism: o.Parallelism, applyWait: o.ApplyWait,
		approve: o.Approve, progress: o.Progress, environ: o.Environ, ready: map[string]bool{},
	}
	if d.applyWait == 0 {
		d.applyWait = applyWait
	}
	if d.environ == nil {
		d.environ = os.Environ()
	}
	var errs []error
	problem := func(format string, args ...any) { errs = append(errs, fmt.Errorf("tf: open: "+format, args...)) }
	if d.binary.Path == "" {
		problem("no binary: find one with Find")
	}
	if d.lockTimeout < 0 || d.applyWait < 0 || d.parallelism < 0 {
		problem("LockTimeout, ApplyWait and Parallelism must not be negative")
	}
	if len(d.units) == 0 {
		problem("no units: pass Config.Units()")
	}
	root, err := filepath.Abs(o.Dir)
	if o.Dir == "" || err != nil {
		problem("no folder: render the units into one first")
	}
	d.root = root
	known := map[string]bool{}
	for _, u := range d.units {
		if files, _ := filepath.Glob(filepath.Join(root, u.Name, "*.tf")); len(files) == 0 {
			problem("%s: no configuration in %s: render the units first", u.Name, filepath.Join(root, u.Name))
		}
		for _, need := range u.Needs {
			if !known[need] {
				problem("%s: needs %s, which does not come before it", u.Name, need)
			}
		}
		if known[u.Name] {
			problem("%s: given twice", u.Name)
		}
		known[u.Name] = true
	}
	for _, a := range o.Allow {
		unit, address, ok := strings.Cut(a, "/")
		if !ok || !known[unit] || address == "" {
			problem("allow %q: write UNIT/ADDRESS, with a unit of %s", a, strings.Join(names(d.units), ", "))
			continue
		}
		d.allow[unit] = append(d.allow[unit], address)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return d, nil
}

// Units returns the units in apply order.
func (d *Deployment) Units() []infra.Unit { return slices.Clone(d.units) }

func (d *Deployment) unit(name string) (infra.Unit, error) {
	for _, u := range d.units {
		if u.Name == name {
			return u, nil
		}
	}
	return infra.Unit{}, fmt.Errorf("tf: no unit %q: there are %s", name, strings.Join(names(d.units), ", "))
}

func (d *Deployment) dir(u infra.Unit) string { return filepath.Join(d.root, u.Name) }

// private returns the unit's own folder for what may hold secrets, and makes it.
func (d *Deployment) private(u infra.Unit) (string, error) {
	dir := filepath.Join(d.dir(u), folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("tf: %s: make %s: %w", u.Name, dir, err)
	}
	// A saved plan holds every variable in the clear: keep it out of git.
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return "", fmt.Errorf("tf: %s: %w", u.Name, err)
	}
	return dir, nil
}

func (d *Deployment) emit(unit string, e Event) {
	if d.progress != nil {
		d.progress(unit, e)
	}
}

// during tells the begin and the end of an operation on a unit.
func (d *Deployment) during(u infra.Unit, op Op, do func() error) error {
	d.emit(u.Name, UnitStarted{Op: op})
	begin := time.Now()
	err := do()
	d.emit(u.Name, UnitFinished{Op: op, Elapsed: time.Since(begin), Err: err})
	return err
}

func names(units []infra.Unit) []string {
	out := make([]string, len(units))
	for i, u := range units {
		out[i] = u.Name
	}
	return out
}
