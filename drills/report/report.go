// Package report writes what a drill leaves behind, and reads it back.
//
// One run is one folder:
//
//	run.json       what is needed to measure again: scenario, settings, survivors
//	history.jsonl  every write and every mark, in the order of time
//	trace.jsonl    what the controllers said, as they said it
//	result.json    the numbers and the verdict, schema lifeboat.drill/v1
//	summary.txt    the same for people
//
// The first three are saved before anything is judged, so that a mistake in the
// judging never costs a history. [Load] reads a folder into a run that
// [measure.Measure] takes, and gives the same result again.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// The schemas that this package writes and reads.
const (
	ResultSchema = "lifeboat.drill/v1"
	RunSchema    = "lifeboat.run/v1"
)

// The files of a run's folder.
const (
	RunFile     = "run.json"
	HistoryFile = "history.jsonl"
	TraceFile   = "trace.jsonl"
	ResultFile  = "result.json"
	SummaryFile = "summary.txt"
)

// Latest is the name of the link to the newest run, beside the folders.
const Latest = "latest"

// Meta says which drill a run was.
type Meta struct {
	Scenario string    `json:"scenario"` // such as "region-blackout"
	Target   string    `json:"target"`   // "embedded", "docker" or "aws"
	Seed     uint64    `json:"seed"`
	Started  time.Time `json:"started"`
	// Revision is the commit of the code that was drilled, with "-dirty" behind it when
	// files were changed since. Create fills it in from the build when it is empty; it
	// stays empty when the build doesn't know, as with go test without -buildvcs=true.
	Revision string `json:"revision,omitempty"`
	// Plan is what was broken, as fault.ParsePlan reads it.
	Plan string `json:"plan,omitempty"`
	// Model names what is not real, such as the distribution of promotion times
	// in use; N is how many samples it rests on, 0 for none.
	Model string `json:"model,omitempty"`
	N     int    `json:"n,omitempty"`
	// Settings are the client and policy settings that a reader needs.
	Settings map[string]string `json:"settings,omitempty"`
	// Expect is what the verdict was given on.
	Expect measure.Expect `json:"expect"`
}

// nameParts keeps folder names safe on every file system.
var nameParts = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// Validate reports everything that is wrong with the meta data.
func (m Meta) Validate() error {
	var errs []error
	if !nameParts.MatchString(m.Scenario) {
		errs = append(errs, fmt.Errorf("Scenario is %q: use lower-case letters, digits and dashes", m.Scenario))
	}
	if !nameParts.MatchString(m.Target) {
		errs = append(errs, fmt.Errorf("Target is %q: use lower-case letters, digits and dashes", m.Target))
	}
	if m.Started.IsZero() {
		errs = append(errs, errors.New("Started is zero: say when the run began"))
	}
	if len(errs) > 0 {
		return fmt.Errorf("report: %w", errors.Join(errs...))
	}
	return nil
}

// Name is the folder's name: <UTC stamp>-<scenario>-<target>-<seed>.
func (m Meta) Name() string {
	return m.Started.UTC().Format("20060102T150405Z") + "-" + m.Scenario + "-" + m.Target + "-" + strconv.FormatUint(m.Seed, 10)
}

// revision is the commit that this program was built from, as far as the build knows.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var commit, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + dirty
}

// Folder is a run's folder that is being written.
type Folder struct {
	path string
	meta Meta
}

// Create makes a new folder for a run under out, such as "drills/out". A folder
// that exists is never reused: the name gets a number.
func Create(out string, m Meta) (*Folder, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if m.Revision == "" {
		m.Revision = revision()
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, fmt.Errorf("report: create %s: %w: choose another folder with DRILL_OUT", out, err)
	}
	for n := 1; ; n++ {
		path := filepath.Join(out, m.Name())
		if n > 1 {
			path += "-" + strconv.Itoa(n)
		}
		switch err := os.Mkdir(path, 0o755); {
		case err == nil:
			return &Folder{path: path, meta: m}, nil
		case !errors.Is(err, os.ErrExist):
			return nil, fmt.Errorf("report: create %s: %w: choose another folder with DRILL_OUT", path, err)
		}
	}
}

// Path is where the folder is.
func (f *Folder) Path() string { return f.path }

// SaveRun writes the history, the trace and what else is needed to measure the
// run again. Call it before Measure. Each event of the trace becomes one line of
// JSON.
func (f *Folder) SaveRun(run measure.Run, trace []any) error {
	if err := f.write(HistoryFile, func(w *lines) error { return writeHistory(w, run) }); err != nil {
		return err
	}
	err := f.write(TraceFile, func(w *lines) error {
		for _, event := range trace {
			if err := w.json(event); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.writeJSON(RunFile, newRunRecord(f.meta, run))
}

// SaveResult writes the numbers, the verdict and the summary, and points the
// link "latest" to this folder. It returns the summary.
func (f *Folder) SaveResult(r measure.Result, v measure.Verdict) (summary string, err error) {
	if err := f.writeJSON(ResultFile, NewResult(f.meta, r, v)); err != nil {
		return "", err
	}
	summary = Summary(f.meta, r, v, f.path)
	if err := f.write(SummaryFile, func(w *lines) error { return w.text(summary) }); err != nil {
		return "", err
	}
	return summary, f.link()
}

// link replaces the link in one step, so that there is always a latest run.
func (f *Folder) link() error {
	temp := f.path + ".link"
	if err := os.Symlink(filepath.Base(f.path), temp); err != nil {
		return fmt.Errorf("report: link the latest run: %w", err)
	}
	if err := os.Rename(temp, filepath.Join(filepath.Dir(f.path), Latest)); err != nil {
		return fmt.Errorf("report: link the latest run: %w", errors.Join(err, os.Remove(temp)))
	}
	return nil
}

func (f *Folder) writeJSON(name string, v any) error {
	return f.write(name, func(w *lines) error {
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		return w.text(string(b) + "\n")
	})
}

// write fills a file and only then gives it its name.
func (f *Folder) write(name string, fill func(*lines) error) (err error) {
	path := filepath.Join(f.path, name)
	defer func() {
		if err != nil {
			err = fmt.Errorf("report: write %s: %w", path, err)
		}
	}()
	file, err := os.CreateTemp(f.path, "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	w := newLines(file)
	if err := errors.Join(fill(w), w.flush(), file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
