package tf

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"
)

// Renderer shows the events of a [Deployment] to people. Pass its Event as
// Options.Progress.
type Renderer interface {
	Event(unit string, e Event)
	// Close ends the display. No event may follow.
	Close() error
}

// NewRenderer returns a live table when f is a terminal, and plain lines otherwise.
func NewRenderer(f *os.File) Renderer {
	if !term.IsTerminal(int(f.Fd())) {
		return NewLines(f)
	}
	return NewTable(f, func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width < 20 {
			return 80
		}
		return width
	})
}

// Lines prints one line for each event that says something new. It is for logs.
type Lines struct {
	mu sync.Mutex
	w  io.Writer
}

// NewLines returns a renderer that writes to w.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Event prints an event. What w can't take is lost: progress must not stop terraform.
func (l *Lines) Event(unit string, e Event) {
	text := Describe(e)
	if text == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%s: %s\n", unit, strings.ReplaceAll(text, "\n", "\n  "))
}

// Close does nothing.
func (l *Lines) Close() error { return nil }

// Describe returns an event in words, or "" when it says nothing new. Control
// characters are taken out.
func Describe(e Event) string { return printable(describe(e)) }

func describe(e Event) string {
	switch e := e.(type) {
	case UnitStarted:
		return string(e.Op) + " begins"
	case UnitFinished:
		if e.Err != nil {
			return fmt.Sprintf("%s failed after %s", e.Op, seconds(e.Elapsed))
		}
		return fmt.Sprintf("%s done in %s", e.Op, seconds(e.Elapsed))
	case UnitWaits:
		return "waits for outputs of " + strings.Join(e.For, ", ")
	case Drifted:
		return fmt.Sprintf("%s: has changed outside of terraform (%s)", e.Address, e.Action)
	case Planned:
		text := fmt.Sprintf("%s: to %s", e.Address, e.Action)
		if e.Reason != "" {
			text += " (" + strings.ReplaceAll(e.Reason, "_", " ") + ")"
		}
		if e.Previous != "" {
			text += ", was " + e.Previous
		}
		return text
	case Applying:
		return fmt.Sprintf("%s: %s begins", e.Address, e.Action)
	case Progress:
		return fmt.Sprintf("%s: %s goes on, %s", e.Address, e.Action, seconds(e.Elapsed))
	case Applied:
		return fmt.Sprintf("%s: %s done in %s", e.Address, e.Action, seconds(e.Elapsed))
	case Failed:
		return fmt.Sprintf("%s: %s FAILED after %s", e.Address, e.Action, seconds(e.Elapsed))
	case Diagnostic:
		text := e.Severity + ": " + e.line()
		if e.Detail != "" {
			text += "\n" + strings.TrimSpace(e.Detail)
		}
		return text
	case Summary:
		verb := map[string]string{"plan": "planned", "apply": "applied", "destroy": "destroyed"}[e.Operation]
		text := fmt.Sprintf("%s: %d to add, %d to change, %d to destroy", verb, e.Add, e.Change, e.Remove)
		if e.Operation != "plan" {
			text = fmt.Sprintf("%s: %d added, %d changed, %d destroyed", verb, e.Add, e.Change, e.Remove)
		}
		if e.Import > 0 {
			text += fmt.Sprintf(", %d imported", e.Import)
		}
		return text
	case StateDumped:
		return "terraform could not write its state; it is kept in " + folder + "/errored.tfstate"
	case Log:
		if e.Level == "error" || strings.HasPrefix(e.Message, "Interrupt") || strings.Contains(e.Message, "nterrupt received") {
			return e.Message
		}
	}
	return "" // Version, Refreshing, Refreshed, OutputsKnown, init's chatter
}

func seconds(d time.Duration) string {
	if d < time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// printable keeps a cloud's answer from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) {
			return r
		}
		return -1
	}, s)
}
