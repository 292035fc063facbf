// Package health turns observations of a Region into a verdict about it.
//
// Probers ask questions of independent families; their answers are Alive, Dead or
// Unknown, and each carries its vantage, method and age. [Evaluate] is pure: it
// reads no clock, does no I/O and keeps no state, so a verdict can be replayed
// from a journal. [Monitor] is the loop that asks, samples and evaluates.
//
// Two rules matter more than the rest: unknown is never dead, and one vantage or
// one family never decides.
package health

import (
	"errors"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Answer is the outcome of one question. The zero value is Unknown, which never
// authorises anything.
type Answer uint8

// The answers to a question.
const (
	Unknown Answer = iota // not asked, no answer that counts, or too old
	Alive                 // positive proof: the thing answered as it should
	Dead                  // the question was asked properly and not answered
)

// String returns the answer in lower case.
func (a Answer) String() string {
	switch a {
	case Alive:
		return "alive"
	case Dead:
		return "dead"
	default:
		return "unknown"
	}
}

// ErrNotAsked is in the chain of an error with which a question did not reach what it
// was about: its address or the login for it was not to be had. Whatever the rest of the
// chain says, a deadline even, the answer is Unknown.
var ErrNotAsked = errors.New("the server was not asked")

// Family groups observations that can fail together. Two families are independent.
type Family string

// The families of evidence.
const (
	// SQL is a heartbeat write that commits on the writer.
	SQL Family = "sql"
	// Heartbeat is what the other Region's monitor reports through the lease
	// store, which does not share a path with the VPC peering.
	Heartbeat Family = "heartbeat"
	// Control is what a Region's RDS API says.
	Control Family = "control"
	// Replication is the stream of changes that arrives from the writer: Alive when
	// a fresh change has arrived, which proves that the writer commits.
	Replication Family = "replication"
	// Witness is what the third Region sees.
	Witness Family = "witness"
)

// Known reports whether the family is one of those above.
func (f Family) Known() bool { return slices.Contains(families, f) }

// DataPlane reports whether the family shows whether writes are served, rather
// than whether an API answers.
func (f Family) DataPlane() bool { return f == SQL || f == Heartbeat || f == Replication }

// Store is the vantage of evidence that a majority of Regions holds in the lease
// store: the absence of a report there is seen by more than one Region.
const Store dr.Region = "lease-store"

// Observation is the answer to one question about a Region.
type Observation struct {
	Subject dr.Region // the Region asked about; about another one than the window's it doesn't count
	Vantage dr.Region // the Region that asked
	Family  Family
	Method  string // what was done, such as "heartbeat write, fresh connection"
	Answer  Answer
	Cause   string // why not Alive; empty when Alive
	At      time.Time
	Latency time.Duration

	// DarkFor is how long the silence behind a Dead has provably lasted, for a family
	// that is watched without a break; 0 when only this moment is known.
	DarkFor time.Duration

	// MonitorWorks is set when this observation shows that the Region's monitor works, even
	// if it proves no service: it would fence its writer in time.
	MonitorWorks bool
	// RegionAnswers is set when this observation shows that something in the
	// Region works, even if its writer does not.
	RegionAnswers bool
	// OtherInstances counts instances of the member besides its writer; -1 means
	// not known.
	OtherInstances int
	// Lag is the RPO lag that the observation brought, or nil.
	Lag *Lag
}

// Lag is a sample of the RPO lag: the age of the newest commit that was not yet
// safe in the other Region.
type Lag struct {
	Value time.Duration
	At    time.Time // when it was true, which may be well before it was read
}

// Round is one sample: what every prober answered at about the same time.
type Round struct {
	At           time.Time // when the round began
	Observations []Observation
	// SelfCheck tells whether this vantage reached its own control target in the
	// same round. A vantage that did not may only say Unknown.
	SelfCheck Answer
}

// Answer returns what a family says in this round. Alive wins: one positive proof
// outweighs any number of silences.
func (r Round) Answer(f Family) Answer {
	best := Unknown
	for _, o := range r.Observations {
		if o.Family != f {
			continue
		}
		if o.Answer == Alive {
			return Alive
		}
		if o.Answer == Dead {
			best = Dead
		}
	}
	return best
}

// Window is the recent past of one Region, oldest round first, as one vantage
// gathered it.
type Window struct {
	Subject dr.Region
	Vantage dr.Region
	Rounds  []Round
}
