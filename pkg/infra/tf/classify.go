package tf

import (
	"regexp"
	"strings"
	"time"
)

// terraform has no codes for its errors, only summaries (terraform-exec dropped its
// own typed errors in 0.18). These are of 1.11.4, and the first words of later ones.
const (
	summaryLocked    = "Error acquiring the state lock"
	summaryStale     = "Saved plan is stale"
	summaryOtherPlan = "Saved plan does not match the given state"
	summaryNoState   = "Failed to save state"
)

var noCredentials = []string{
	"No valid credential sources found",
	"ExpiredToken",
	"InvalidClientTokenId",
	"UnrecognizedClientException",
	"failed to refresh cached credentials",
}

// classify turns the errors of a stream into the type that says what to do.
// It returns nil when there is none.
func classify(unit string, op Op, dir string, diagnostics []Diagnostic) error {
	var errs []Diagnostic
	for _, d := range diagnostics {
		if d.Severity == "error" {
			errs = append(errs, d)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	all := &DiagnosticsError{Unit: unit, Op: op, Diagnostics: errs}
	for _, d := range errs { // whatever else is wrong, this comes first
		if strings.HasPrefix(d.Summary, summaryNoState) {
			return &StateNotWrittenError{Unit: unit, Dir: dir, File: "errored.tfstate", Err: all}
		}
	}
	for _, d := range errs {
		switch {
		case d.Summary == summaryLocked:
			if e := locked(d.Detail); e != nil {
				e.Unit, e.Dir = unit, dir
				return e
			}
		case d.Summary == summaryStale, d.Summary == summaryOtherPlan:
			return &StalePlanError{Unit: unit, Reason: "the state has changed since"}
		}
	}
	for _, d := range errs {
		text := d.Summary + "\n" + d.Detail
		for _, sign := range noCredentials {
			if strings.Contains(text, sign) {
				return &CredentialsError{Unit: unit, Op: op, Reason: sign}
			}
		}
	}
	return all
}

// lockID is a lock's identifier: a UUID, or a number in some backends. It is shown as a
// part of a command that people copy into a shell, and the lock file is not ours alone.
var lockID = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// locked reads the "Lock Info:" of a diagnostic. It returns nil when the lock could
// not be asked for at all, which is another trouble than a lock that is held. The first
// line of a key counts: what the holder has written comes last.
func locked(detail string) *LockedError {
	_, info, found := strings.Cut(detail, "Lock Info:")
	if !found {
		return nil
	}
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if _, again := fields[key]; !again {
			fields[key] = strings.TrimSpace(printable(value))
		}
	}
	e := &LockedError{Who: fields["Who"], Operation: fields["Operation"]}
	if lockID.MatchString(fields["ID"]) && fields["ID"][0] != '-' {
		e.ID = fields["ID"]
	}
	// The zero time stands when a later terraform writes it otherwise.
	e.Created, _ = time.Parse(lockTime, fields["Created"])
	return e
}

// lockTime is how terraform prints a lock's time, Go's own form.
const lockTime = "2006-01-02 15:04:05.999999999 -0700 MST"
