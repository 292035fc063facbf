package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// LoadResult reads the result of a run's folder, without its history. A run that was
// saved and never judged has a Result without a Verdict. What is broken is a
// *BrokenError.
func LoadResult(dir string) (Result, error) {
	var r Result
	err := loadJSON(dir, ResultFile, ResultSchema, &r)
	name := ResultFile
	if errors.Is(err, fs.ErrNotExist) {
		var rec runRecord
		if err := loadJSON(dir, RunFile, RunSchema, &rec); err != nil {
			return Result{}, err
		}
		m := rec.Meta
		r, name = NewResult(m, measure.Result{}, measure.Verdict{}), RunFile
	} else if err != nil {
		return Result{}, err
	}
	if err := r.validate(name == ResultFile); err != nil {
		return Result{}, &BrokenError{dir, name, "repair it, or run the drill again", err}
	}
	return r, nil
}

// validate reports everything in a result that no drill writes and that would be counted
// wrong.
func (r Result) validate(judged bool) error {
	errs := []error{Meta{Scenario: r.Scenario, Target: r.Target, Started: r.Started}.Validate()}
	switch r.Verdict {
	case measure.Passed, measure.Failed, measure.Inconclusive:
	default:
		if judged {
			errs = append(errs, fmt.Errorf("verdict is %q: it must be %s, %s or %s", r.Verdict, measure.Passed, measure.Failed, measure.Inconclusive))
		}
	}
	for key, n := range map[string]*int64{"rto_ms": r.RTO, "rpo_ms": r.RPO} {
		if n != nil && *n < 0 {
			errs = append(errs, fmt.Errorf("%s is %d: a time is not negative", key, *n))
		}
	}
	if w := r.Writes; w.Lost < 0 || w.DualAcknowledged < 0 {
		errs = append(errs, fmt.Errorf("writes are %d lost, %d dual_acknowledged: a count is not negative", w.Lost, w.DualAcknowledged))
	}
	return errors.Join(errs...)
}

// LoadResults reads every run below the folders, each once, however often a link or two
// folders lead to it. One that is broken is an error and not left out: it may be the one
// that failed.
func LoadResults(dirs ...string) ([]Result, error) {
	var out []Result
	seen := map[string]bool{}
	for _, dir := range dirs {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			real, err = filepath.Abs(real)
		}
		if err != nil {
			return nil, &BrokenError{dir, "", "name a folder that holds runs, such as drills/out", err}
		}
		err = filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || seen[path] {
				return err
			}
			seen[path] = true
			is, err := isRun(path)
			if err != nil || !is {
				return err
			}
			r, err := LoadResult(path)
			out = append(out, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// isRun reports whether a drill has written to the folder, were it only its history.
func isRun(dir string) (bool, error) {
	for _, name := range []string{ResultFile, RunFile, HistoryFile} {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err == nil:
			return true, nil
		case !errors.Is(err, fs.ErrNotExist):
			return false, &BrokenError{dir, name, "make it readable", err}
		}
	}
	return false, nil
}
