package guard

import (
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Effect is something that a driver does for a guard. A call is answered by an input of
// kind Answered with the same ID; Until is its deadline.
type Effect struct {
	Kind  Does
	ID    uint32
	Until Instant
	Epoch dr.Epoch
	Seq   uint64       // of Beat: its number, from 1 in every process
	Row   Row          // of Beat and ReadReplica
	Lease lease.Record // of Renew and Release: what is held
	// Quiet is set for a Beat that only the guard of the lag needs, and for a Fence of a
	// server that is closed already.
	Quiet bool
	What  string // of Tell: one of the dr.Lease constants
	Why   Why    // of Tell and Complain
}

// Does is the kind of an effect.
type Does uint8

// The kinds of effects. All but Tell, Complain and Finish are calls.
const (
	Beat        Does = iota // commit a heartbeat write
	Renew                   // renew the lease; Lease.Blind goes with it
	Release                 // give the lease back
	ReadLease               // read the lease, for a guard that stays behind
	Fence                   // make the server read-only, and have it confirm that
	Isolate                 // have the control plane cut the server off
	Open                    // let the server accept writes
	AskRole                 // ask the server whether it is the writer
	AskPlane                // ask the control plane where the writer is
	ReadPromise             // read the peer's row in the local database
	ReadReplica             // read what has arrived in the other Region
	InstallWatchdog
	CheckWatchdog
	RemoveWatchdog
	Tell     // trace a change of the lease or of the fence
	Complain // trace a problem that no failed call tells
	Finish   // a guard that stayed behind has nothing to do any more
)

var does = [...]string{
	"beat", "renew", "release", "read-lease", "fence", "isolate", "open", "ask-role", "ask-plane", "read-promise", "read-replica",
	"install-watchdog", "check-watchdog", "remove-watchdog", "tell", "complain", "finish",
}

// String returns the effect's name.
func (d Does) String() string { return does[d] }

// Row says which row of the heartbeat table a beat is for.
type Row uint8

// The rows of a guard.
const (
	// RowOwn is what the other Region and the watchdog judge the guard by.
	RowOwn Row = iota
	// RowUnrenewed is for beats that must not keep the watchdog quiet: no grant is young
	// enough behind them.
	RowUnrenewed
	// RowBehind is for a guard that stays behind: its beats must not cover its successor's.
	RowBehind
)

// Why is a reason for people.
type Why uint8

// The reasons.
const (
	NoWhy Why = iota
	NewerEpoch
	NoAnswer
	IsSecondary
	MovedAway
	NoSuccessor
	KeptBecauseSeen
	WatchdogGone
)

var whys = [...]string{
	"", "another Region holds a newer epoch", "the writer did not answer in time", "its server is a secondary",
	"the control plane has moved the writer to another Region",
	"no other process of this Region has renewed the lease since: the writer is open and unguarded, and no automatic failover can prove a fence: start this Region's monitor",
	"the writer answers another Region and not this one: it is not rebooted, and no automatic failover can prove a fence: mend this Region's monitor",
	"it is missing, disabled or another one: it is installed again",
}

// String returns the reason in words.
func (w Why) String() string { return whys[w] }
