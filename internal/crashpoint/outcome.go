package crashpoint

import (
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Outcome is what became of a course.
type Outcome struct {
	Course Course
	At     Point
	Hit    bool          // the call at the point was made
	Tells  bool          // it is one that tells people
	Took   time.Duration // from the fault until it had settled; zero when it had not
	Counts map[Port]int
	Loose  []Port // called without a deadline
	Ending
	Entries  []failover.Entry
	To       dr.Region
	Opened   bool     // the new writer accepts writes
	Clients  []string // what clients saw that must not be
	Verified dr.Epoch // of the write that proved the new writer
	Story    string
}

// allowed is how much later than undisturbed the execution may settle. Throttling is no
// single call: its calls may go wrong until the burst is over.
func (o Outcome) allowed() time.Duration {
	if o.At.Way.End == Throttling {
		return Burst + Late
	}
	return Late
}

// Judge returns what must not be, beside the undisturbed outcome of the same course.
func (o Outcome) Judge(base Outcome) []string {
	var bad []string
	fail := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if o.Took == 0 {
		fail("it did not settle")
	}
	if late := o.Took - base.Took; late > o.allowed() {
		fail("it settled %v later, allowed are %v", late, o.allowed())
	}
	if len(o.Loose) > 0 {
		fail("calls without a deadline, which could hang for ever: %v", o.Loose)
	}
	bad = append(bad, o.Clients...)
	bad = append(bad, o.journal()...)
	var last failover.Execution
	if len(o.Entries) > 0 {
		last = o.Entries[len(o.Entries)-1].Execution
	}
	if o.Moves != 1 || o.Lease.Epoch != 2 || o.Lease.Holder != o.To || o.Lease.Execution != last.ID {
		fail("%d promotions, lease %+v", o.Moves, o.Lease)
	}
	if o.Verified != 2 || o.Lands != o.To || !o.Opened {
		fail("verified in epoch %d, clients land in %s, the new writer is open: %v", o.Verified, o.Lands, o.Opened)
	}
	return append(bad, o.announced()...)
}

// journal judges the history: one execution along the table, each outcome once.
func (o Outcome) journal() []string {
	var bad []string
	fail := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	happened := make(map[failover.Kind]int)
	from := failover.Steady
	var last failover.Execution
	for i, e := range o.Entries {
		last = e.Execution
		if last.ID != o.Entries[0].Execution.ID || last.Seq != i+1 {
			fail("entry %d is %s/%d: not one execution without a gap", i+1, last.ID, last.Seq)
		}
		if _, ok := failover.Table()[from][e.Event]; !ok {
			fail("%s in state %s is not in the table", e.Event, from)
		}
		from = last.State
		happened[e.Event]++
	}
	for _, k := range []failover.Kind{failover.EvEpochTaken, failover.EvFenceProven, failover.EvGatePassed, failover.EvPromoted, failover.EvVerified, failover.EvRedirected, failover.EvAnnounced} {
		if happened[k] != 1 {
			fail("%s happened %d times", k, happened[k])
		}
	}
	if last.State != failover.Settled || last.Proof == "" {
		fail("it ended in state %s with proof %q", last.State, last.Proof)
	}
	if !o.Course.Planned && (len(last.Evidence.Dark) < 2 || len(last.Evidence.Vantages) < 2) {
		fail("promoted on evidence %v from %v", last.Evidence.Dark, last.Evidence.Vantages)
	}
	if o.Course.Asks != (last.Ack != nil) || o.Course.Asks && (happened[failover.EvAcknowledged] != 1 || last.Ack.Execution != last.ID) {
		fail("acknowledged %d times: %+v", happened[failover.EvAcknowledged], last.Ack)
	}
	if o.Course.Planned != (last.Mode == failover.ModeSwitchover) {
		fail("mode %s", last.Mode)
	}
	return bad
}

// announced judges what people were told: how it ended and, before, what it asked. A process
// that can't know whether its message was accepted sends it again, so one call that goes
// wrong may cost one message more or, when the topic refuses the message itself, one less.
// Each names the same execution.
func (o Outcome) announced() []string {
	var bad []string
	least, most := 1, 2
	if o.Course.Asks {
		least, most = 2, 3
	}
	if o.Course.Planned {
		most++ // the operator's process and the Region's own walk the same execution
	}
	if o.Tells {
		least--
	}
	if n := len(o.Told); n < least || n > most {
		bad = append(bad, fmt.Sprintf("%d messages, not %d to %d", n, least, most))
	}
	for _, m := range o.Told {
		if len(o.Entries) == 0 || !strings.Contains(m.Body, o.Entries[0].Execution.ID) {
			bad = append(bad, "a message about something else: "+m.Subject)
		}
	}
	return bad
}
