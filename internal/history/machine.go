package history

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Machine is a guard that is played: it keeps its own state and is given the time.
type Machine interface {
	// Learn gives it something that is no answer: run, see, told, recall, stop or rear.
	Learn(at time.Duration, l Learnt) []Effect
	// Answer tells how one of its calls has ended. Each ends exactly once, at its deadline at
	// the latest.
	Answer(at time.Duration, id uint32, a Answer) []Effect
	// Tick says that time has passed. It comes at the latest when it is due.
	Tick(at time.Duration) []Effect
	// Due returns when the next tick must come, after an instant.
	Due(at time.Duration) time.Duration
}

// Learnt is what a guard was told.
type Learnt struct {
	What  string
	Lease Lease         // of see
	Epoch dr.Epoch      // of told and recall
	Until time.Duration // of rear: the process's deadline, or zero
}

// Effect is what a machine does. It is a call if it has an ID.
type Effect struct {
	ID    uint32
	What  string // as in a recording
	Row   string // of a beat: own, unrenewed or rear
	Epoch dr.Epoch
	Seq   uint64        // of a beat
	Until time.Duration // the deadline of a call
}

// Answer is how a call has ended.
type Answer struct {
	Outcome string // as in a recording
	Lease   Lease
	Epoch   dr.Epoch // of what has arrived in the other Region
	Seq     uint64   // of a beat, or of what has arrived; zero if it was no beat of this guard
	Writer  bool     // of role: the server takes itself for the writer
	Awake   bool     // of check
}
