package measure

import (
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Mark is one event of the run that is not a write: a fault, a phase of the
// failover, what an independent probe saw.
type Mark struct {
	At     time.Duration `json:"at_ns"`
	Source string        `json:"source"` // who reports it, such as "drill" or "monitor us-west-2"
	Name   string        `json:"name"`   // one of the Mark constants, or the reporter's own
	Region dr.Region     `json:"region,omitempty"`
	// Detail is for people, with two exceptions. Two MarkPromoted of one Region
	// with equal details are the same promotion reported twice, so put the
	// epoch there. The marks of one fault have the fault, as it prints.
	Detail string `json:"detail,omitempty"`
}

// The names of the marks that Measure and Judge understand.
const (
	MarkSteady    = "load.steady"     // steady state is proven; nothing before it counts
	MarkPrepared  = "fault.prepared"  // the drill began to inject a fault before the one it measures from
	MarkSeen      = "fault.seen"      // something showed that a prepared fault does what it says
	MarkInjected  = "fault.injected"  // the drill began to inject the fault
	MarkEffective = "fault.effective" // an independent probe saw the fault
	MarkHealed    = "fault.healed"    // the drill undid the fault

	MarkSuspected    = "dr.suspected"    // a controller first suspects the writer
	MarkDecided      = "dr.decided"      // the epoch is taken: the point of no return
	MarkFenced       = "dr.fenced"       // there is proof that the old writer can't acknowledge
	MarkPromoted     = "dr.promoted"     // the promotion is done
	MarkVerified     = "dr.verified"     // a committed write was seen on the new writer
	MarkRedirected   = "dr.redirected"   // the endpoint answers with the new writer
	MarkSettled      = "dr.settled"      // the execution is over
	MarkAborted      = "dr.aborted"      // the execution gave up
	MarkOperator     = "dr.operator"     // the controller waits for a person
	MarkAcknowledged = "dr.acknowledged" // a person has accepted the loss

	MarkGuarded = "lease.fenced" // the writer's own monitor has made it read-only

	MarkWritable  = "server.writable" // an independent probe's first write that the promoted server accepts
	MarkSustained = "load.sustained"  // the drill saw the load recover, while it ran
)

// sortedMarks returns a copy in the order of time; equal times keep their order.
func sortedMarks(marks []Mark) []Mark {
	out := slices.Clone(marks)
	slices.SortStableFunc(out, func(a, b Mark) int { return int(sign(a.At - b.At)) })
	return out
}

// firstMark returns the time of the first mark of that name at or after since,
// or Unknown.
func firstMark(marks []Mark, name string, since time.Duration) time.Duration {
	for _, m := range marks {
		if m.Name == name && m.At >= since {
			return m.At
		}
	}
	return Unknown
}

// lastMark returns the time of the last mark of that name in [since, until], or
// Unknown.
func lastMark(marks []Mark, name string, since, until time.Duration) time.Duration {
	for _, m := range slices.Backward(marks) {
		if m.Name == name && m.At >= since && m.At <= until {
			return m.At
		}
	}
	return Unknown
}

// guarded returns when a Region's own monitor fenced its writer between a fault and
// the heal, or Unknown.
func guarded(marks []Mark, r dr.Region, since, healed time.Duration) time.Duration {
	for _, m := range marks {
		if m.Name == MarkGuarded && m.Region == r && m.At >= since && (healed == Unknown || m.At < healed) {
			return m.At
		}
	}
	return Unknown
}

// unseen returns the faults that were injected, or prepared, and of which no later
// mark says that they were effective, or seen. An effect without a detail is one of
// all faults.
func unseen(marks []Mark) []string {
	var out []string
	for i, m := range marks {
		if m.Name != MarkInjected && m.Name != MarkPrepared {
			continue
		}
		if !slices.ContainsFunc(marks[i:], func(s Mark) bool {
			return (s.Name == MarkEffective || s.Name == MarkSeen) && (s.Detail == "" || s.Detail == m.Detail)
		}) {
			out = append(out, m.Detail)
		}
	}
	return out
}

func sign(d time.Duration) time.Duration {
	switch {
	case d < 0:
		return -1
	case d > 0:
		return 1
	}
	return 0
}
