package event

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Mode is what is wished for.
type Mode string

// The modes of a request.
const (
	// Failover: look whether the other Region is lost, and if so move the writer here.
	// An execution that is open goes on.
	Failover Mode = "failover"
	// Switchover: move the writer here without loss, while both Regions are healthy.
	Switchover Mode = "switchover"
	// Acknowledge: a person answers the question that an execution has put.
	Acknowledge Mode = "acknowledge"
)

// Request is what somebody wants of the failover trigger.
type Request struct {
	Mode Mode `json:"mode"`
	// Target is the Region to which the writer moves: the trigger's own, and written out
	// so that nobody moves it the wrong way by calling the wrong function.
	Target dr.Region `json:"target_region"`
	// Acknowledgement comes with mode acknowledge, and with no other: consent given
	// before the question is known would lie about for whatever asks next.
	Acknowledgement *Acknowledgement `json:"acknowledge_data_loss,omitempty"`
	// Reason is for people and for the journal, at most 1024 bytes. Mode acknowledge
	// needs one.
	Reason string `json:"reason,omitempty"`
}

// Acknowledgement is a person's consent to what an execution has asked.
type Acknowledgement struct {
	// Epoch is the one that the question names. Consent counts for no other.
	Epoch dr.Epoch `json:"epoch"`
	// By is who consents, 1 to 256 bytes.
	By string `json:"by"`
}

// The bounds of what a person writes, in bytes. The journal keeps it in an item.
const (
	maxReason = 1024
	maxBy     = 256
)

var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]{1,12}){1,3}-[1-9][0-9]?$`)

// Validate reports everything that is wrong with the request at once.
func (w Request) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("event: "+format, args...))
		}
	}
	asks := w.Mode == Acknowledge
	refuse(w.Mode != Failover && w.Mode != Switchover && !asks, "mode %s: use %q, %q or %q", short(string(w.Mode)), Failover, Switchover, Acknowledge)
	refuse(!regionForm.MatchString(w.Target.String()), "target_region %s: name the Region that the writer moves to, such as us-west-2", short(w.Target.String()))
	refuse(len(w.Reason) > maxReason || !plain(w.Reason), "reason: at most %d bytes of plain text", maxReason)
	refuse(asks && w.Reason == "", "reason: mode %q needs one, it goes into the journal", Acknowledge)
	refuse(asks && w.Acknowledgement == nil, "acknowledge_data_loss: mode %q needs it, with the epoch that the question names", Acknowledge)
	refuse(!asks && w.Acknowledgement != nil, "acknowledge_data_loss: only mode %q takes it: let the execution ask first, the question names the epoch", Acknowledge)
	if a := w.Acknowledgement; a != nil {
		refuse(a.Epoch == 0, "acknowledge_data_loss.epoch: give the number that the question names")
		refuse(a.By == "" || len(a.By) > maxBy || !plain(a.By), "acknowledge_data_loss.by: who consents, in 1 to %d bytes of plain text", maxBy)
	}
	return errors.Join(errs...)
}

// plain reports whether people can read a text on one screen: no control characters
// that would let it forge lines of a log.
func plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return true
}

// short quotes what somebody sent, so that an error stays a line.
func short(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%.*q...", most, s)
	}
	return fmt.Sprintf("%q", s)
}

// Plain makes of any text a reason that is taken: control characters become blanks, and
// what is too long is cut.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "")
	}
	return s
}
