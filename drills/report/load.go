package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// BrokenError says why a folder can't be read as a run, and what to do.
type BrokenError struct {
	Folder string
	File   string // empty for the folder itself
	Hint   string
	Err    error
}

// Error names the folder, the file, the cause and the way out.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("report: load %s: %v: %s", filepath.Join(e.Folder, e.File), e.Err, e.Hint)
}

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// Saved is a run that was read back.
type Saved struct {
	Folder string
	Meta   Meta
	Run    measure.Run
	// Result is result.json as it was saved. Nil when the run was never judged;
	// its history is complete all the same.
	Result *Result
}

// Measure measures and judges the run again, by the rules of today.
func (s Saved) Measure() (measure.Result, measure.Verdict) {
	r := measure.Measure(s.Run)
	return r, measure.Judge(r, s.Meta.Expect)
}

// Load reads a run's folder, or the link to one. What is broken is a
// *BrokenError.
func Load(dir string) (Saved, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Saved{}, &BrokenError{dir, "", "name a folder under drills/out, or run a drill first", err}
	case err != nil:
		return Saved{}, &BrokenError{dir, "", "make it readable", err}
	case !info.IsDir():
		return Saved{}, &BrokenError{dir, "", "name the run's folder, not a file in it", errors.New("not a folder")}
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return Saved{}, &BrokenError{dir, "", "make it readable", err}
	}
	s := Saved{Folder: real}

	var rec runRecord
	if err := loadJSON(dir, RunFile, RunSchema, &rec); err != nil {
		return Saved{}, err
	}
	s.Meta, s.Run = rec.Meta, rec.run()

	text, err := read(dir, HistoryFile)
	if err != nil {
		return Saved{}, err
	}
	s.Run.Ops, s.Run.Marks, err = ParseHistory(bytes.NewReader(text))
	if err != nil {
		return Saved{}, &BrokenError{dir, HistoryFile, "repair or delete that line, or run the drill again", err}
	}

	var result Result
	switch err := loadJSON(dir, ResultFile, ResultSchema, &result); {
	case err == nil:
		s.Result = &result
	case !errors.Is(err, fs.ErrNotExist):
		return Saved{}, err
	}
	return s, nil
}

func read(dir, name string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &BrokenError{dir, name, "the drill ended before it was written: run it again", err}
	case err != nil:
		return nil, &BrokenError{dir, name, "make it readable", err}
	}
	return text, nil
}

func loadJSON(dir, name, schema string, into any) error {
	text, err := read(dir, name)
	if err != nil {
		return err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	const again = "repair it, or run the drill again"
	if err := json.Unmarshal(text, &head); err != nil {
		return &BrokenError{dir, name, again, located(text, err)}
	}
	if head.Schema != schema {
		return &BrokenError{dir, name, "read it with the version of lifeboat that wrote it, or run the drill again",
			fmt.Errorf("schema is %q, this version reads %q", head.Schema, schema)}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &BrokenError{dir, name, again, located(text, err)}
	}
	return nil
}

// located adds the line to an error of encoding/json.
func located(text []byte, err error) error {
	at := int64(-1)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	if at < 0 || at > int64(len(text)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), err)
}
