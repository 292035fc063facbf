package tf

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNotFound says that there is no terraform to run.
var ErrNotFound = errors.New("no terraform found")

// VersionError is a binary that is too old or can't say what it is.
type VersionError struct {
	Path string
	Have string // "" when it can't say
	Need string // such as "1.11.0"
}

func (e *VersionError) Error() string {
	if e.Have == "" {
		return fmt.Sprintf("tf: find terraform: %s does not say its version: give the path of a terraform or tofu of at least %s", e.Path, e.Need)
	}
	return fmt.Sprintf("tf: find terraform: %s is version %s, at least %s is needed (write-only passwords, S3 lock files): install a newer one, or name one by its path", e.Path, e.Have, e.Need)
}

// LockedError says that another run holds the lock of a unit's state.
type LockedError struct {
	Unit      string
	ID        string // of the lock; "" when terraform could not read it
	Who       string // user@host
	Operation string // such as "OperationTypeApply"
	Created   time.Time
	Dir       string // of the unit
}

func (e *LockedError) Error() string {
	s := fmt.Sprintf("tf: %s: the state is locked", e.Unit)
	if e.Who != "" {
		s += " by " + e.Who
	}
	if e.Operation != "" {
		s += " for " + e.Operation
	}
	if !e.Created.IsZero() {
		s += " since " + e.Created.UTC().Format(time.RFC3339)
	}
	s += ": wait until that run has ended, and try again"
	if e.ID != "" {
		s += fmt.Sprintf("; only if it is surely dead: terraform -chdir=%s force-unlock %s", e.Dir, e.ID)
	}
	return s
}

// StalePlanError says that a saved plan no longer fits. Nothing was applied.
type StalePlanError struct {
	Unit   string
	Reason string
}

func (e *StalePlanError) Error() string {
	return fmt.Sprintf("tf: apply %s: the saved plan is stale: %s: plan again and read the new plan", e.Unit, e.Reason)
}

// CancelledError says that a run was ended by its context. It matches the context's
// own error. Terraform was asked to stop and has written its state, unless Killed.
type CancelledError struct {
	Unit string
	Op   Op
	// Applied and Unfinished are the addresses that were done and that were begun,
	// in order.
	Applied, Unfinished []string
	// Killed says that terraform had not ended when the wait for it was over. Its
	// state may lack what it has just created, and its lock may be held.
	Killed bool
	Cause  error
}

func (e *CancelledError) Error() string {
	s := fmt.Sprintf("tf: %s %s: cancelled (%v)", e.Op, e.Unit, e.Cause)
	if e.Killed {
		return s + ": terraform did not end in time and was killed: look for resources that its state lacks and for a lock that it still holds, then plan again"
	}
	switch e.Op {
	case OpApply, OpDestroy, OpMigrate:
		s += fmt.Sprintf(": %s done", count(len(e.Applied), "resource"))
		if len(e.Unfinished) > 0 {
			s += ", stopped at " + strings.Join(e.Unfinished, ", ")
		}
		return s + "; the state is written and unlocked: run again to go on"
	}
	return s + ": nothing was changed: run again"
}

// Unwrap returns the context's error.
func (e *CancelledError) Unwrap() error { return e.Cause }

// CredentialsError says that AWS got no credentials, or none that it takes.
type CredentialsError struct {
	Unit   string
	Op     Op
	Reason string
}

func (e *CredentialsError) Error() string {
	return fmt.Sprintf("tf: %s %s: no valid AWS credentials: %s: sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID, and check with aws sts get-caller-identity", e.Op, e.Unit, e.Reason)
}

// DiagnosticsError is what terraform itself said was wrong.
type DiagnosticsError struct {
	Unit        string
	Op          Op
	Diagnostics []Diagnostic // errors only, at least one
}

func (e *DiagnosticsError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tf: %s %s: terraform reports %s", e.Op, e.Unit, count(len(e.Diagnostics), "error"))
	for _, d := range e.Diagnostics {
		b.WriteString("\n  - " + d.line())
		if d.Detail != "" {
			b.WriteString("\n    " + strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "\n    "))
		}
	}
	return b.String()
}

// line is a diagnostic without its detail.
func (d Diagnostic) line() string {
	s := d.Summary
	if d.Address != "" {
		s = d.Address + ": " + s
	}
	if d.File != "" {
		s += fmt.Sprintf(" (%s:%d)", d.File, d.Line)
	}
	return s
}

// StateNotWrittenError says that terraform has changed the world and could not save
// what it did. Nothing may be planned or applied until the file is pushed.
type StateNotWrittenError struct {
	Unit string
	Dir  string // of the unit
	File string // where the state is now, relative to Dir
	Err  error
}

func (e *StateNotWrittenError) Error() string {
	return fmt.Sprintf("tf: %s: the state could not be written and is kept in %s/%s: repair the backend, then run terraform -chdir=%s state push %s and remove that file before anything else: %v",
		e.Unit, e.Dir, e.File, e.Dir, e.File, e.Err)
}

// Unwrap returns the cause.
func (e *StateNotWrittenError) Unwrap() error { return e.Err }

// RunError is a terraform that failed without saying why in its stream.
type RunError struct {
	Unit string
	Op   Op
	Err  error // with what it wrote to stderr
}

func (e *RunError) Error() string { return fmt.Sprintf("tf: %s %s: %v", e.Op, e.Unit, e.Err) }

// Unwrap returns the cause.
func (e *RunError) Unwrap() error { return e.Err }

// WaitsError says that a unit can't be planned yet. It is not a failure: apply the
// units that it names first.
type WaitsError struct {
	Unit string
	For  []string
	// Buckets says that what is missing is not the outputs but the state buckets.
	Buckets bool
}

func (e *WaitsError) Error() string {
	what := "outputs"
	if e.Buckets {
		what = "the buckets"
	}
	return fmt.Sprintf("tf: %s: waits for %s of %s: apply that first", e.Unit, what, strings.Join(e.For, ", "))
}

// Protected is a resource that must not be deleted, by its own attribute.
type Protected struct {
	Unit, Address string
	Attribute     string // such as "deletion_protection"
}

// ProtectedError is a destroy that hits resources which are protected against it.
// Nothing was destroyed.
type ProtectedError struct{ Resources []Protected }

func (e *ProtectedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tf: destroy: refused before anything was touched: %s protected against deletion:", count(len(e.Resources), "resource"))
	for _, p := range e.Resources {
		fmt.Fprintf(&b, "\n  - %s: %s has %s = true", p.Unit, p.Address, p.Attribute)
	}
	b.WriteString("\nTo destroy them, set database.deletion_protection to false in the config, render, apply, and destroy then")
	return b.String()
}

// UnitError is a run over several units that one of them has stopped.
type UnitError struct {
	Unit string
	Op   Op
	Done []string // finished, in order
	Left []string // not begun, in order; without Unit
	Err  error
}

func (e *UnitError) Error() string {
	s := fmt.Sprintf("%v\ntf: %s stopped at %s", e.Err, e.Op, e.Unit)
	if len(e.Done) > 0 {
		s += "; done: " + strings.Join(e.Done, ", ")
	}
	if len(e.Left) > 0 {
		s += "; not begun: " + strings.Join(e.Left, ", ")
	}
	return s + "\nEvery unit keeps its own state: remove the cause and run the same command again; it goes on at " + e.Unit
}

// Unwrap returns the unit's own error.
func (e *UnitError) Unwrap() error { return e.Err }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
