package tf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
)

const (
	// An Aurora cluster takes tens of minutes to come up. Terraform stops after the
	// resource that it is at; killed before, it would lose it from its state.
	applyWait = 45 * time.Minute
	readWait  = time.Minute
	// birth is how long a cancelled run may take to print its first line.
	birth = 10 * time.Second
	// private is the mode of what may hold secrets: plans, state dumps.
	private = 0o600
)

// command is one run of terraform in a unit's folder.
type command struct {
	unit  infra.Unit
	op    Op
	wait  time.Duration // between the request to stop and the kill
	quiet bool          // its stdout is not a stream of messages
	do    func(context.Context, *tfexec.Terraform, io.Writer) error
}

// terraform runs a command and returns what its stream told and, if it failed, an
// error whose type says what to do.
func (d *Deployment) terraform(ctx context.Context, c command) (report, error) {
	d.busy.Lock() // two runs in one folder, or two inits on one plugin cache, break each other
	defer d.busy.Unlock()
	if err := ctx.Err(); err != nil {
		return report{}, &CancelledError{Unit: c.unit.Name, Op: c.op, Cause: context.Cause(ctx)}
	}
	// A new value for every run: terraform-exec's *JSON methods leave their writer
	// attached, so that the next Output or Show would print secrets into it.
	t, err := d.fresh(c)
	if err != nil {
		return report{}, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s := newStream(func(e Event) { d.emit(c.unit.Name, e) }, func(state []byte) { d.keepDump(c.unit, state) }, stop)
	release := context.AfterFunc(ctx, func() { handOver(s, c.quiet, run, stop) })
	defer release()

	// terraform-exec asks Linux to kill terraform when the thread that started it
	// ends. Pinned, the thread can't be taken and ended by another goroutine.
	runtime.LockOSThread()
	err = c.do(run, t, s)
	runtime.UnlockOSThread()

	got := s.report()
	return got, d.verdict(ctx, c, got, err)
}

// handOver passes a cancellation on once the process is surely there. terraform-exec
// returns from a context that ends while the process starts without waiting for
// it: an apply would go on behind the caller's back.
func handOver(s *stream, quiet bool, run context.Context, stop context.CancelFunc) {
	wait := birth
	if quiet {
		wait = time.Second
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-s.begun:
	case <-timer.C:
	case <-run.Done():
	}
	stop()
}

func (d *Deployment) fresh(c command) (*tfexec.Terraform, error) {
	t, err := tfexec.NewTerraform(d.dir(c.unit), d.binary.Path)
	if err != nil {
		return nil, &RunError{Unit: c.unit.Name, Op: c.op, Err: err}
	}
	// Without SetEnv the caller's TF_VAR_* and TF_CLI_ARGS* would take effect.
	if err := t.SetEnv(CleanEnv(d.environ)); err != nil {
		return nil, &RunError{Unit: c.unit.Name, Op: c.op, Err: err}
	}
	if err := t.SetWaitDelay(c.wait); err != nil { // on Windows, which can't stop gracefully
		return nil, &RunError{Unit: c.unit.Name, Op: c.op, Err: err}
	}
	return t, nil
}

// verdict turns the end of a run into its error. err of a cancelled run is never
// formatted: terraform-exec's cmdErr panics when the process succeeded at that moment.
func (d *Deployment) verdict(ctx context.Context, c command, got report, err error) error {
	dir := d.dir(c.unit)
	if got.format != nil {
		return &RunError{Unit: c.unit.Name, Op: c.op, Err: got.format}
	}
	told := classify(c.unit.Name, c.op, dir, got.diagnostics)
	var unwritten *StateNotWrittenError
	if errors.As(told, &unwritten) { // cancelled or not
		if got.dumped {
			unwritten.File = folder + "/errored.tfstate"
		}
		return unwritten
	}
	if ctx.Err() != nil {
		if got.finished && (c.op == OpApply || c.op == OpDestroy) {
			return nil // it had come to its end before the request to stop
		}
		if err == nil && c.op != OpPlan { // a cancelled plan may look like one with changes
			return nil
		}
		return &CancelledError{
			Unit: c.unit.Name, Op: c.op, Applied: got.applied, Unfinished: got.unfinished,
			Killed: killed(err), Cause: context.Cause(ctx),
		}
	}
	if told != nil {
		return told
	}
	if err == nil {
		return nil
	}
	if c.quiet { // its errors are text on stderr
		if told := classify(c.unit.Name, c.op, dir, []Diagnostic{{Severity: "error", Detail: err.Error()}}); !errors.As(told, new(*DiagnosticsError)) {
			return told
		}
	}
	return &RunError{Unit: c.unit.Name, Op: c.op, Err: err}
}

// killed reports whether a run ended because the wait for it was over.
func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ProcessState.String() == "signal: killed" || errors.Is(err, exec.ErrWaitDelay)
}

// keepDump saves a state that terraform could write nowhere.
func (d *Deployment) keepDump(u infra.Unit, state []byte) {
	dir, err := d.private(u)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "errored.tfstate"), state, private)
	}
	if err != nil {
		// Terraform's own error follows and says that the state is lost.
		d.emit(u.Name, Log{Level: "error", Message: fmt.Sprintf("the emergency dump of the state can't be kept: %v", err)})
	}
}
