package event

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Mode is what a request asks for.
type Mode string

// The modes of a request.
const (
	// Failover: look whether the other Region is lost, and if so move the writer here.
	// An execution that is open goes on. A person's is carried out in a pause and under a
	// policy that only observes.
	Failover Mode = "failover"
	// Switchover: move the writer here without loss, while both Regions are healthy.
	Switchover Mode = "switchover"
	// Acknowledge: a person answers the question that an execution has put.
	Acknowledge Mode = "acknowledge"
	// Abort: a person ends an execution that has not taken its epoch: nothing was touched.
	// Later, while nothing is promoted, it can be returned.
	Abort Mode = "abort"
	// Return: a person gives the writer back to the Region that an execution took it from.
	Return Mode = "return"
	// Pause: nothing begins by itself until the pause expires. People's requests are carried
	// out, and a writer that other hands have moved is adopted.
	Pause Mode = "pause"
	// Resume: a pause ends now.
	Resume Mode = "resume"
	// Status: say how things stand. It changes nothing.
	Status Mode = "status"
)

// Request is what a monitor, an alarm or a person wants of the failover trigger. Which
// fields a mode takes and needs is in the package's comment.
type Request struct {
	Mode Mode `json:"mode"`
	// Target is the Region to which the writer moves, or the named execution moves it: the
	// trigger's own, and written out so that a call of the wrong function moves nothing the
	// wrong way.
	Target dr.Region `json:"target_region,omitempty"`
	// Execution is the one that is answered, aborted or returned from.
	Execution string `json:"execution,omitempty"`
	// Question is the one that is answered. An answer counts for no other.
	Question string `json:"question,omitempty"`
	// For is how long a pause lasts.
	For Span `json:"for,omitempty"`
	// By is the person who asks. A request without it is the automation's.
	By string `json:"by,omitempty"`
	// Reason is for people and for the journal.
	Reason string `json:"reason,omitempty"`
}

// Person reports whether a person asks.
func (w Request) Person() bool { return w.By != "" }

// The bounds of what a person writes, in bytes. The journal keeps it in an item.
const (
	maxReason = 1024
	maxBy     = 256
	maxName   = 64 // of an execution or a question
)

// A pause lasts at least MinPause and at most MaxPause: one that was forgotten ends by
// itself.
const (
	MinPause = time.Minute
	MaxPause = 24 * time.Hour
)

// Span is a duration that is written as "2h30m".
type Span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%s is no duration: write one like \"2h30m\"", size(string(text)))
	}
	*s = Span(d)
	return nil
}

var (
	regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]{1,12}){1,3}-[1-9][0-9]?$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`)
)

// field is a key of a request.
type field string

// The keys.
const (
	target    field = "target_region"
	execution field = "execution"
	question  field = "question"
	span      field = "for"
	by        field = "by"
	reason    field = "reason"
)

// fields are the keys beside mode, in order.
var fields = []field{target, execution, question, span, by, reason}

// form is which keys a mode needs, and which it takes beside them.
type form struct{ needs, takes []field }

// modes are the modes in the order in which people are shown them.
var modes = []Mode{Status, Failover, Switchover, Acknowledge, Abort, Return, Pause, Resume}

// formOf returns the form of a mode.
func formOf(m Mode) (form, bool) {
	switch m {
	case Status:
		return form{takes: []field{by, reason}}, true
	case Failover:
		return form{needs: []field{target}, takes: []field{by, reason}}, true
	case Switchover:
		return form{needs: []field{target, by, reason}}, true
	case Acknowledge:
		return form{needs: []field{target, execution, question, by, reason}}, true
	case Abort, Return:
		return form{needs: []field{target, execution, by, reason}}, true
	case Pause:
		return form{needs: []field{span, by, reason}}, true
	case Resume:
		return form{needs: []field{by, reason}}, true
	}
	return form{}, false
}

// has reports whether a request has a key.
func (w Request) has(f field) bool {
	switch f {
	case target:
		return w.Target != ""
	case execution:
		return w.Execution != ""
	case question:
		return w.Question != ""
	case span:
		return w.For != 0
	case by:
		return w.By != ""
	}
	return w.Reason != ""
}

// Validate reports everything that is wrong with the request at once.
func (w Request) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("event: "+format, args...))
		}
	}
	needs := make(map[field]bool)
	f, known := formOf(w.Mode)
	refuse(!known, "mode %s is unknown: use one of %q", size(string(w.Mode)), modes)
	for _, n := range f.needs {
		needs[n] = true
		refuse(!w.has(n), "%s: mode %q needs it", n, w.Mode)
	}
	taken := fieldSet(append(f.takes, f.needs...))
	for _, n := range fields {
		refuse(known && w.has(n) && !taken[n], "%s: mode %q doesn't take it: leave it out", n, w.Mode)
	}
	refuse(w.Target != "" && !regionForm.MatchString(w.Target.String()), "target_region %s is no Region: name the one that the writer moves to, such as us-west-2", size(w.Target.String()))
	refuse(w.Execution != "" && !name(w.Execution), "execution %s is no name of one: name it as the question and the status do", size(w.Execution))
	refuse(w.Question != "" && !name(w.Question), "question %s is no name of one: name it as the message and the status do", size(w.Question))
	refuse(w.For != 0 && (w.For < Span(MinPause) || w.For > Span(MaxPause)), "for %v: a pause lasts %v to %v, and expires by itself", time.Duration(w.For), MinPause, MaxPause)
	refuse(len(w.By) > maxBy || !line(w.By), "by: who asks, in 1 to %d bytes of plain text on one line", maxBy)
	refuse(len(w.Reason) > maxReason || !line(w.Reason), "reason: at most %d bytes of plain text on one line", maxReason)
	refuse(w.Mode == Failover && w.Person() && w.Reason == "", "reason: a person's request needs one, it goes into the journal")
	return errors.Join(errs...)
}

func fieldSet(fs []field) map[field]bool {
	set := make(map[field]bool, len(fs))
	for _, f := range fs {
		set[f] = true
	}
	return set
}

func name(s string) bool { return len(s) <= maxName && nameForm.MatchString(s) }

// line reports whether people can read a text as what it is, on one line: no control
// characters that would let it forge lines of a log or of a message, none that are unseen
// or turn the direction of what follows, and something to see.
func line(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, hidden) && (s == "" || strings.TrimSpace(s) != "")
}

// hidden reports whether a rune can't be seen as itself.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// size says of what was sent only how long it is: errors are logged and kept, and a secret
// that was put into the wrong field must not be.
func size(s string) string { return fmt.Sprintf("(%d characters)", utf8.RuneCountInString(s)) }

// short quotes what was sent, so that an error stays a line.
func short(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%.*q...", most, s)
	}
	return fmt.Sprintf("%q", s)
}

// Plain makes of any text a reason that is taken: what can't be seen becomes blanks, and
// what is too long is cut.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	return strings.TrimSpace(s)
}
