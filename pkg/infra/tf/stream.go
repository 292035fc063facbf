package tf

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sync"
)

// stream takes what terraform writes to stdout with -json. It is a writer and never
// returns an error: terraform-exec would stop reading, and terraform would be killed
// by a broken pipe in the middle of its work.
type stream struct {
	emit   func(Event)
	keep   func(state []byte) // an emergency dump
	refuse func()             // the format is not ours

	mu          sync.Mutex
	begun       chan struct{} // closed at the first line
	rest        []byte        // of a line that is not complete
	format      error
	diagnostics []Diagnostic
	applied     []string
	running     []string // begun, neither applied nor failed
	failed      []string
	summary     *Summary
	dumped      bool
}

func newStream(emit func(Event), keep func([]byte), refuse func()) *stream {
	return &stream{emit: emit, keep: keep, refuse: refuse, begun: make(chan struct{})}
}

// Write takes any part of the stream.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, p...)
	for {
		line, rest, complete := bytes.Cut(s.rest, []byte("\n"))
		if !complete {
			return len(p), nil
		}
		s.line(line)
		s.rest = rest
	}
}

func (s *stream) line(line []byte) {
	select {
	case <-s.begun:
	default:
		close(s.begun)
	}
	event, err := Decode(line)
	var format *FormatError
	if errors.As(err, &format) && s.format == nil {
		s.format = err
		s.refuse()
	}
	// A line that is no message is dropped: it may hold anything, and whether the
	// run went well is not read from it.
	if err != nil || event == nil {
		return
	}
	switch e := event.(type) {
	case Diagnostic:
		s.diagnostics = append(s.diagnostics, e)
	case Applying:
		s.running = append(s.running, e.Address)
	case Applied:
		s.applied = append(s.applied, e.Address)
		s.settle(e.Address)
	case Failed:
		s.failed = append(s.failed, e.Address)
		s.settle(e.Address)
	case Summary:
		s.summary = &e
	case StateDumped:
		var m struct {
			State json.RawMessage `json:"state"`
		}
		if json.Unmarshal(line, &m) == nil {
			s.keep(m.State)
			s.dumped = true
		}
	}
	s.emit(event)
}

func (s *stream) settle(address string) {
	if i := slices.Index(s.running, address); i >= 0 {
		s.running = slices.Delete(s.running, i, i+1)
	}
}

// report is what a stream has told.
type report struct {
	format      error
	diagnostics []Diagnostic
	applied     []string
	unfinished  []string
	finished    bool // an apply that came to its end: state written, lock given back
	dumped      bool
}

func (s *stream) report() report {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) > 0 { // terraform died in the middle of a line
		s.line(s.rest)
		s.rest = nil
	}
	failed := slices.ContainsFunc(s.diagnostics, func(d Diagnostic) bool { return d.Severity == "error" })
	return report{
		format: s.format, diagnostics: slices.Clone(s.diagnostics), applied: slices.Clone(s.applied),
		unfinished: append(slices.Clone(s.failed), s.running...), dumped: s.dumped,
		finished: !failed && s.summary != nil && s.summary.Operation != "plan",
	}
}
