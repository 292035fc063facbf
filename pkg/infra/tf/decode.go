package tf

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// message is one line of the JSON stream, with the payloads that we read.
// https://developer.hashicorp.com/terraform/internals/machine-readable-ui
type message struct {
	Level      string          `json:"@level"`
	Text       string          `json:"@message"`
	Type       string          `json:"type"`
	Terraform  string          `json:"terraform"`
	Tofu       string          `json:"tofu"`
	UI         string          `json:"ui"`
	Change     change          `json:"change"`
	Changes    changes         `json:"changes"`
	Hook       hook            `json:"hook"`
	Diagnostic diagnostic      `json:"diagnostic"`
	Outputs    outputs         `json:"outputs"`
	State      json.RawMessage `json:"state"` // the emergency dump
}

type (
	resource struct {
		Addr   string `json:"addr"`
		Module string `json:"module"`
		Type   string `json:"resource_type"`
	}
	change struct {
		Resource resource  `json:"resource"`
		Previous *resource `json:"previous_resource"`
		Action   Action    `json:"action"`
		Reason   string    `json:"reason"`
	}
	changes struct {
		Add       int    `json:"add"`
		Change    int    `json:"change"`
		Import    int    `json:"import"`
		Remove    int    `json:"remove"`
		Operation string `json:"operation"`
	}
	hook struct {
		Resource resource `json:"resource"`
		Action   Action   `json:"action"`
		ID       string   `json:"id_value"`
		Elapsed  float64  `json:"elapsed_seconds"`
	}
	diagnostic struct {
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
		Detail   string `json:"detail"`
		Address  string `json:"address"`
		Range    *struct {
			Filename string `json:"filename"`
			Start    struct {
				Line int `json:"line"`
			} `json:"start"`
		} `json:"range"`
	}
	// outputs has no field for a value: what is not decoded can't be printed.
	outputs map[string]struct {
		Sensitive bool `json:"sensitive"`
	}
)

// SyntaxError is a line of the stream that is not a JSON object of the expected
// shape. The line itself is not kept, because it may hold anything.
type SyntaxError struct{ Err error }

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("tf: decode progress: not a message of terraform -json: %v", e.Err)
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// FormatError is a stream whose format this package does not read.
type FormatError struct{ UI string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("tf: decode progress: stream format ui %q: only 1.x is understood: use a terraform that writes it, or a newer lifeboat", e.UI)
}

// Decode reads one line of `terraform … -json`. It returns nil without an error for
// a type of message that it does not know and for one that says nothing to a
// reader, so that later terraforms keep working: their format promises that 1.x
// only adds types and fields.
func Decode(line []byte) (Event, error) {
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return nil, nil
	}
	// The type decides whether the rest must have the shape that we know.
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, &SyntaxError{Err: err}
	}
	decode, known := decoders[head.Type]
	if !known {
		return nil, nil
	}
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, &SyntaxError{Err: err}
	}
	return decode(m)
}

// Events reads a whole stream, such as a recorded one. Lines may have any length. It
// goes on after a [SyntaxError] and stops after any other error.
func Events(r io.Reader) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		in := bufio.NewReader(r)
		for {
			line, readErr := in.ReadBytes('\n')
			event, err := Decode(line)
			if (event != nil || err != nil) && !yield(event, err) {
				return
			}
			var format *FormatError
			if errors.As(err, &format) {
				return
			}
			if readErr != nil {
				if !errors.Is(readErr, io.EOF) {
					yield(nil, fmt.Errorf("tf: read progress: %w", readErr))
				}
				return
			}
		}
	}
}

var decoders = map[string]func(message) (Event, error){
	"version": decodeVersion,
	"log":     decodeLog,
	"diagnostic": func(m message) (Event, error) {
		d := m.Diagnostic
		e := Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail, Address: d.Address}
		if d.Range != nil {
			e.File, e.Line = d.Range.Filename, d.Range.Start.Line
		}
		return e, nil
	},
	"resource_drift": func(m message) (Event, error) {
		return Drifted{Resource: m.Change.Resource.public(), Action: m.Change.Action}, nil
	},
	"planned_change": func(m message) (Event, error) {
		e := Planned{Resource: m.Change.Resource.public(), Action: m.Change.Action, Reason: m.Change.Reason}
		if m.Change.Previous != nil {
			e.Previous = m.Change.Previous.Addr
		}
		return e, nil
	},
	"change_summary": func(m message) (Event, error) {
		c := m.Changes
		return Summary{Operation: c.Operation, Add: c.Add, Change: c.Change, Import: c.Import, Remove: c.Remove}, nil
	},
	"outputs": func(m message) (Event, error) {
		e := OutputsKnown{Names: slices.Sorted(maps.Keys(m.Outputs))}
		for _, name := range e.Names {
			if m.Outputs[name].Sensitive {
				e.Sensitive = append(e.Sensitive, name)
			}
		}
		return e, nil
	},
	"refresh_start":    func(m message) (Event, error) { return Refreshing{m.Hook.Resource.public()}, nil },
	"refresh_complete": func(m message) (Event, error) { return Refreshed{m.Hook.Resource.public()}, nil },
	"apply_start": func(m message) (Event, error) {
		return Applying{Resource: m.Hook.Resource.public(), Action: m.Hook.Action}, nil
	},
	"apply_progress": func(m message) (Event, error) {
		return Progress{Resource: m.Hook.Resource.public(), Action: m.Hook.Action, Elapsed: m.Hook.elapsed()}, nil
	},
	"apply_complete": func(m message) (Event, error) {
		return Applied{Resource: m.Hook.Resource.public(), Action: m.Hook.Action, ID: m.Hook.ID, Elapsed: m.Hook.elapsed()}, nil
	},
	"apply_errored": func(m message) (Event, error) {
		return Failed{Resource: m.Hook.Resource.public(), Action: m.Hook.Action, Elapsed: m.Hook.elapsed()}, nil
	},
	// provision_* is left out on purpose: it carries what a script has printed.
}

func decodeVersion(m message) (Event, error) {
	major, _, _ := strings.Cut(m.UI, ".")
	if n, err := strconv.Atoi(major); err != nil || n != 1 {
		return nil, &FormatError{UI: m.UI}
	}
	if m.Tofu != "" {
		return Version{Flavour: OpenTofu, Version: m.Tofu, UI: m.UI}, nil
	}
	return Version{Flavour: Terraform, Version: m.Terraform, UI: m.UI}, nil
}

// decodeLog takes the state out of an emergency dump: it holds every secret.
func decodeLog(m message) (Event, error) {
	if len(m.State) > 0 {
		return StateDumped{Bytes: len(m.State)}, nil
	}
	return Log{Level: m.Level, Message: m.Text}, nil
}

func (r resource) public() Resource {
	return Resource{Address: r.Addr, Module: r.Module, Type: r.Type}
}

// elapsed bounds what a stream may claim to what a Duration holds.
func (h hook) elapsed() time.Duration {
	const most = 1e9 // seconds, 31 years
	return time.Duration(min(max(h.Elapsed, 0), most)) * time.Second
}
