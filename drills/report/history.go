package report

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// maxLine bounds one line of a history. A longer one is not a history.
const maxLine = 1 << 20

// entry is one line of history.jsonl: a write or a mark, never both.
type entry struct {
	Op   *workload.Op  `json:"op,omitempty"`
	Mark *measure.Mark `json:"mark,omitempty"`
}

func (e entry) at() time.Duration {
	if e.Op != nil {
		return e.Op.Intended
	}
	return e.Mark.At
}

// writeHistory writes ops and marks as one time line.
func writeHistory(w *lines, run measure.Run) error {
	entries := make([]entry, 0, len(run.Ops)+len(run.Marks))
	for i := range run.Marks {
		entries = append(entries, entry{Mark: &run.Marks[i]})
	}
	for i := range run.Ops {
		entries = append(entries, entry{Op: &run.Ops[i]})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.at(), b.at()) })
	for _, e := range entries {
		if err := w.json(e); err != nil {
			return err
		}
	}
	return nil
}

// ParseHistory reads a history.jsonl. An error names the line.
func ParseHistory(r io.Reader) (ops []workload.Op, marks []measure.Mark, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var e entry
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", n, err)
		}
		if rest, _ := io.ReadAll(dec.Buffered()); len(bytes.TrimSpace(rest)) > 0 {
			return nil, nil, fmt.Errorf("line %d: more than one value", n)
		}
		switch {
		case (e.Op == nil) == (e.Mark == nil):
			return nil, nil, fmt.Errorf("line %d: want one of \"op\" and \"mark\"", n)
		case e.Mark != nil:
			marks = append(marks, *e.Mark)
		case !e.Op.Outcome.Valid():
			return nil, nil, fmt.Errorf("line %d: write %d has outcome %q: want ok, fail, info or dropped", n, e.Op.ID, e.Op.Outcome)
		default:
			ops = append(ops, *e.Op)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, nil, fmt.Errorf("line %d: longer than %d bytes", n+1, maxLine)
	} else if err != nil {
		return nil, nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	return ops, marks, nil
}
