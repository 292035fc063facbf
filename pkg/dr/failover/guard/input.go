package guard

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Input is something that a guard learns.
type Input struct {
	Kind Learns
	Now  Instant
	// ID names the effect that this is the answer to.
	ID     uint32
	Result Result
	Lease  lease.Record // of LeaseSeen, and of an answer that brings one
	Epoch  dr.Epoch     // of a promise, of what has arrived, of a promotion, of what a predecessor guarded
	Seq    uint64       // of a promise and of what has arrived: a heartbeat write's number
	Server Role         // of the answer to AskRole
	Others Others       // of OthersReport
	// Here and Moved are of WriterMoved and of the answer to AskPlane: the control plane names
	// this Region the writer's, or another one, and moves it nowhere.
	Here, Moved bool
	Back        bool          // of PromotionDone: the epoch was given back by an execution that had taken it away
	Granted     time.Duration // of Recalled: how old the predecessor's newest grant was at its last report; 0 when it did not say
	Until       Instant       // of HandedOver: the process's deadline, or never
	// Awake is set when the watchdog was found as the policy says.
	Awake bool
}

// Learns is the kind of an input.
type Learns uint8

// The kinds of inputs.
const (
	// Tick: time has passed.
	Tick Learns = iota
	// LeaseSeen: the lease was read, by any reader in this process.
	LeaseSeen
	// Answered: an effect that is a call has ended. Every call ends, at its deadline at
	// the latest, and exactly once.
	Answered
	// PromotionDone: the journal says that the server is the promoted writer of Epoch, or that
	// Epoch was given back to it.
	PromotionDone
	// OthersReport: what the other Regions report of this Region's writer.
	OthersReport
	// WriterMoved: what the Region's own control plane says of a move that another Region
	// claims.
	WriterMoved
	// Recalled: the predecessor has guarded the lag in Epoch, and its newest grant was Granted
	// old.
	Recalled
	// Stopped: the process stops working, and nothing is done until it has handed over.
	Stopped
	// HandedOver: from now on the guard only stays behind.
	HandedOver
)

// Result is how a call has ended.
type Result uint8

// The results of calls.
const (
	// Silent: no answer by the deadline, a reset, a refused connection.
	Silent Result = iota
	// Done: carried out; a heartbeat write has committed.
	Done
	// Refused: the server has answered, and the answer says nothing of its clients' writes:
	// too many connections, access denied. Of a call to the store or to the control plane:
	// any other refusal.
	Refused
	// NotAsked: the question has not reached the server, for a reason on this side: no login,
	// no address.
	NotAsked
	// ReadOnly: the server has answered that it is read-only.
	ReadOnly
	// NotWriter: the server itself says that it is a secondary.
	NotWriter
	// NoWrites: the server has answered that it can commit no client's write.
	NoWrites
	// Moved: the lease is no longer the one that was named.
	Moved
)

// unknown reports whether a result says nothing of whether clients' writes are served.
func (r Result) unknown() bool { return r == Refused || r == NotAsked }

// Role is what a server says of itself.
type Role uint8

// The roles of a server.
const (
	RoleUnknown Role = iota
	Writer
	Secondary
)

// Others is what other Regions have lately seen of this Region's writer.
type Others uint8

// What others may have seen.
const (
	OthersUnknown Others = iota
	OthersAlive          // a write of theirs has committed
	OthersDead           // all of those who know say that it does not answer
)
