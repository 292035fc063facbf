package failover

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// State is where an execution stands.
type State string

// The states, in order. Everything before EpochTaken may be dropped without a
// trace in the world; after it an execution goes forward, back, or to a person.
const (
	Steady           State = "Steady"           // nothing to do
	Suspect          State = "Suspect"          // something is dark
	Confirmed        State = "Confirmed"        // proven dark, or asked for, or moved from outside
	EpochTaken       State = "EpochTaken"       // the lease is ours: the old writer can't renew
	Fenced           State = "Fenced"           // the old writer provably accepts no writes
	LossAccepted     State = "LossAccepted"     // the known data loss is acceptable
	Promoted         State = "Promoted"         // the control plane names the new writer
	Verified         State = "Verified"         // the new writer has committed a write
	Redirected       State = "Redirected"       // a write through the clients' endpoint landed on it
	Settled          State = "Settled"          // done
	Aborted          State = "Aborted"          // ended before the epoch was taken
	Returning        State = "Returning"        // the next epoch goes back to the old Region
	Returned         State = "Returned"         // the writer is in the old Region, which has the lease or adopts it
	AwaitingApproval State = "AwaitingApproval" // waits for a person
)

// States returns every state in order.
func States() []State { return slices.Clone(states) }

var states = []State{
	Steady, Suspect, Confirmed, EpochTaken, Fenced, LossAccepted, Promoted, Verified, Redirected, Settled,
	Aborted, Returning, Returned, AwaitingApproval,
}

// Ended reports whether an execution in this state needs no further step.
func (s State) Ended() bool { return s == Settled || s == Aborted || s == Returned }

// beforeEpoch reports whether nothing was touched yet.
func (s State) beforeEpoch() bool { return s == Steady || s == Suspect || s == Confirmed }

// hasPromoted reports whether an execution in this state has moved the writer.
func (s State) hasPromoted() bool {
	return s == Promoted || s == Verified || s == Redirected || s == Settled
}

// Kind names what happened to an execution.
type Kind string

// The kinds of events.
const (
	EvSuspected    Kind = "suspected"    // some evidence is dark
	EvCleared      Kind = "cleared"      // no evidence is dark any more
	EvConfirmed    Kind = "confirmed"    // a verdict of Impaired
	EvRequested    Kind = "requested"    // an operator asks for a switchover
	EvEpochTaken   Kind = "epoch-taken"  // the lease store gave us the next epoch
	EvRecovered    Kind = "recovered"    // the old holder has renewed: it lives
	EvFenceProven  Kind = "fence-proven" // positive acknowledgement, or the lease ran out
	EvGatePassed   Kind = "gate-passed"  // the loss is within policy or acknowledged
	EvPromoted     Kind = "promoted"     // the target is the writer
	EvVerified     Kind = "verified"     // a write committed on it
	EvRedirected   Kind = "redirected"   // a write through the endpoint landed on it
	EvAnnounced    Kind = "announced"    // people were told
	EvStuck        Kind = "stuck"        // the step can't be done; Code says why
	EvAcknowledged Kind = "acknowledged" // a person has consented
	EvSuperseded   Kind = "superseded"   // another epoch was taken: this execution is void

	EvAdopted         Kind = "adopted"          // the control plane has moved the writer here by itself
	EvMovedBack       Kind = "moved-back"       // the control plane names the old Region the writer again
	EvReady           Kind = "ready"            // what stood in the way is gone
	EvReassessed      Kind = "reassessed"       // what the open question is about has changed
	EvAbortRequested  Kind = "abort-requested"  // a person calls the execution off
	EvReturnRequested Kind = "return-requested" // a person gives the lease back to the old Region
	EvReturned        Kind = "returned"         // the old Region has the next epoch
	EvPaused          Kind = "paused"           // a person has stopped the automation
	EvResumed         Kind = "resumed"          // a person has ended the pause
	EvTold            Kind = "told"             // a message was accepted
	EvEndorsed        Kind = "endorsed"         // a person asks for the execution that is open
)

// Kinds returns every kind of event.
func Kinds() []Kind { return slices.Clone(kinds) }

var kinds = []Kind{
	EvSuspected, EvCleared, EvConfirmed, EvRequested, EvEpochTaken, EvRecovered, EvFenceProven,
	EvGatePassed, EvPromoted, EvVerified, EvRedirected, EvAnnounced, EvStuck, EvAcknowledged, EvSuperseded,
	EvAdopted, EvMovedBack, EvReady, EvReassessed, EvAbortRequested, EvReturnRequested, EvReturned,
	EvPaused, EvResumed, EvTold, EvEndorsed,
}

// Table returns what may follow what. It is the whole of the machine: a pair that is
// not in it is refused by name, and [Step] adds only the question that a policy
// puts to an operator. The caller may change what it gets.
func Table() map[State]map[Kind]State {
	out := make(map[State]map[Kind]State, len(table))
	for from, row := range table {
		out[from] = maps.Clone(row)
	}
	return out
}

var table = map[State]map[Kind]State{
	Steady: {EvSuspected: Suspect, EvConfirmed: Confirmed, EvRequested: Confirmed, EvAdopted: Confirmed, EvPaused: Steady, EvResumed: Steady},
	Suspect: {
		EvSuspected: Suspect, EvCleared: Steady, EvConfirmed: Confirmed, EvRequested: Confirmed, EvAdopted: Confirmed,
		EvPaused: Suspect, EvResumed: Suspect,
	},
	Confirmed: {
		EvEpochTaken: EpochTaken, EvRecovered: Aborted, EvStuck: AwaitingApproval, EvSuperseded: Aborted,
		EvAdopted: Confirmed, EvAbortRequested: Aborted, EvPaused: Confirmed, EvResumed: Confirmed, EvTold: Confirmed, EvEndorsed: Confirmed,
	},
	EpochTaken: {
		EvFenceProven: Fenced, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval,
		EvReturnRequested: Returning, EvPaused: EpochTaken, EvResumed: EpochTaken, EvTold: EpochTaken, EvEndorsed: EpochTaken,
	},
	Fenced: {
		EvGatePassed: LossAccepted, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval,
		EvReturnRequested: Returning, EvPaused: Fenced, EvResumed: Fenced, EvTold: Fenced, EvEndorsed: Fenced,
	},
	LossAccepted: {
		EvPromoted: Promoted, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval, EvMovedBack: Returned,
		EvReturnRequested: Returning, EvPaused: LossAccepted, EvResumed: LossAccepted, EvTold: LossAccepted, EvEndorsed: LossAccepted,
	},
	Promoted: {
		EvVerified: Verified, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval, EvMovedBack: Returned,
		EvPaused: Promoted, EvResumed: Promoted, EvTold: Promoted, EvEndorsed: Promoted,
	},
	Verified: {
		EvRedirected: Redirected, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval, EvMovedBack: Returned,
		EvPaused: Verified, EvResumed: Verified, EvTold: Verified, EvEndorsed: Verified,
	},
	Redirected: {
		EvAnnounced: Settled, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval,
		EvPaused: Redirected, EvResumed: Redirected, EvTold: Redirected, EvEndorsed: Redirected,
	},
	// The way back: while it lasts the control plane may move the writer here after all.
	Returning: {
		EvReturned: Returned, EvAdopted: EpochTaken, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval,
		EvPaused: Returning, EvResumed: Returning, EvTold: Returning,
	},
	// A person's consent goes back to the state that asked, and so does what makes the
	// question void; before the epoch was taken, a Region that recovers needs no answer.
	AwaitingApproval: {
		EvAcknowledged: AwaitingApproval, EvReady: AwaitingApproval, EvAdopted: AwaitingApproval, EvReassessed: AwaitingApproval,
		EvRecovered: Aborted, EvSuperseded: Aborted, EvAbortRequested: Aborted, EvReturnRequested: Returning, EvMovedBack: Returned,
		EvPaused: AwaitingApproval, EvResumed: AwaitingApproval, EvTold: AwaitingApproval, EvEndorsed: AwaitingApproval,
	},
	// What has ended can still be told to people, and carries the pause that is in force.
	// An abort that was journalled while the epoch was being taken gives it back.
	Settled:  {EvPaused: Settled, EvResumed: Settled, EvTold: Settled},
	Aborted:  {EvReturned: Returned, EvPaused: Aborted, EvResumed: Aborted, EvTold: Aborted},
	Returned: {EvPaused: Returned, EvResumed: Returned, EvTold: Returned},
}

// Mode is how the writer moves.
type Mode string

// The modes of an execution.
const (
	ModeFailover   Mode = "failover"   // unplanned: what has not arrived is lost
	ModeSwitchover Mode = "switchover" // planned: nothing is lost
	ModeAdopt      Mode = "adopt"      // moved from outside: the lease and the clients follow
)

// Code says why an execution was aborted or why an operator is asked. Codes are
// stable: runbooks refer to them.
type Code string

// The codes.
const (
	CodeRecovered       Code = "recovered"         // the old writer's Region renewed its lease
	CodeSuperseded      Code = "superseded"        // a newer epoch exists
	CodeLagUnknown      Code = "lag-unknown"       // no RPO lag was seen before the evidence went dark
	CodeLagStale        Code = "lag-stale"         // the last RPO lag was too old when the evidence went dark
	CodeLagAboveLimit   Code = "lag-above-limit"   // the last RPO lag was above MaxDataLoss
	CodeNoFenceProof    Code = "no-fence-proof"    // the writer's monitor was down before the evidence went dark
	CodeFenceFailed     Code = "fence-failed"      // the writer's Region reports that it could not fence
	CodeMonitorBlind    Code = "monitor-blind"     // the writer's monitor renews its lease and can't ask its server
	CodeNoWitness       Code = "no-witness"        // no majority exists without a witness
	CodeFailoverBudget  Code = "failover-budget"   // too many automatic failovers in the window
	CodePromotionStuck  Code = "promotion-stuck"   // the control plane does not finish or refuses
	CodeVerifyStuck     Code = "verify-stuck"      // the promoted writer commits nothing
	CodeRedirectStuck   Code = "redirect-stuck"    // clients' endpoint does not reach the new writer
	CodeLeaseStoreStuck Code = "lease-store-stuck" // the lease store does not answer

	CodeTargetNotReady   Code = "target-not-ready"  // the target can't be promoted now; nothing was touched
	CodeWriterUnknown    Code = "writer-unknown"    // the control plane names a writer that is no member
	CodeMovedElsewhere   Code = "moved-elsewhere"   // the writer is being moved by something else
	CodePromotionRefused Code = "promotion-refused" // the control plane refuses, and asking again won't help
	CodeReturnStuck      Code = "return-stuck"      // the lease can't be given back yet
	CodeAbortRequested   Code = "abort-requested"   // a person has called the execution off
	CodePaused           Code = "paused"            // a person has stopped the automation
)

// passes reports whether what a code names may be over without a person's doing, so that
// the execution goes on by itself.
func (c Code) passes() bool {
	switch c {
	case CodeTargetNotReady, CodeWriterUnknown, CodeMovedElsewhere, CodeReturnStuck, CodePromotionRefused, CodePromotionStuck, CodeVerifyStuck:
		return true
	}
	return false
}

// Evidence is what an execution rests on, as it stood when it began.
type Evidence struct {
	DarkSince        time.Time
	Dark             []health.Family
	Vantages         []dr.Region
	MonitorDiedFirst bool
	Lag              time.Duration // meaningful only if LagKnown
	LagAge           time.Duration
	LagKnown         bool
	LeaseRev         uint64 // of the lease that went silent
	LeaseUnchanged   time.Duration
	LeaseServed      uint64 // its newest renewal with a committed write behind it
	Blind            bool   // the lease is renewed all the same: the writer's monitor lives and can't ask its server
	Recent           int    // automatic failovers in the policy's window
	Witness          bool   // the topology has a witness
	Why              string
}

// ProofKind says what proves a fence.
type ProofKind string

// The proofs of a fence.
const (
	ProofAcknowledged ProofKind = "acknowledged"  // the writer's Region confirmed it
	ProofExpired      ProofKind = "lease-expired" // TTL and drift passed since the last renewal
	ProofOperator     ProofKind = "operator"      // a person has confirmed it
	ProofDemoted      ProofKind = "demoted"       // the holder has released the lease: its database is a secondary
)

// Question is what an execution asks a person. A consent names its execution and ID, and
// counts for nothing else: a question about another code, or with more at stake, has
// another ID.
type Question struct {
	ID    string // within its execution: "1", "2" and so on
	Codes []Code // everything that it asks about, the execution's Code first
	// Lag is what was at stake; it is unknown when LagKnown is not set.
	Lag      time.Duration
	LagKnown bool
	Asked    State // the state that put it
	Told     bool  // a message about it was accepted
	Answered bool  // its consent was used
}

// same reports whether another question is about the same, with the same at stake.
func (q Question) same(other Question) bool {
	return q.Asked == other.Asked && slices.Equal(q.Codes, other.Codes) && q.Lag == other.Lag && q.LagKnown == other.LagKnown
}

// Pause stops the automation until a time: verdicts are formed and explained, and no
// execution begins by itself. Requests of people are carried out, and a writer that other
// hands have moved is adopted: until then no Region writes.
type Pause struct {
	Until  time.Time
	By     string
	Reason string
}

// Active reports whether the pause is in force.
func (p *Pause) Active(now time.Time) bool { return p != nil && now.Before(p.Until) }

// Origin is who asks for something, and why. The zero Origin is the automation's.
type Origin struct {
	By     string
	Reason string
}

// Execution is one attempt to move the writer, complete in itself: a controller
// that reads it from the journal can go on with it.
type Execution struct {
	ID       string
	Seq      int // of the journal entry that holds this value
	Mode     Mode
	From, To dr.Region
	State    State
	Asked    State // the state that put the question while State is AwaitingApproval
	Code     Code
	Detail   string
	// Origin is who has asked for it: zero while only the automation has. Last is who has
	// asked for the latest step, when a person has: an abort, a return, a pause, or the
	// same execution once more.
	Origin Origin
	Last   Origin
	// Epoch is the one that is or will be taken. Back is the one that the old Region was
	// given, when it was.
	Epoch    dr.Epoch
	Back     dr.Epoch
	Evidence Evidence
	// Unchanged is how long the old lease had been silent when the epoch was taken.
	Unchanged time.Duration
	// Released says that the old holder had given the lease back when it was taken.
	Released bool
	// TakenRev is the lease's revision when it was taken, one above the last that
	// the old holder can have renewed.
	TakenRev uint64
	Proof    ProofKind
	// Followed says that the target's server was seen to be a secondary right before the
	// epoch was taken: if it is the writer later, then the control plane has promoted it.
	Followed bool
	// MovedAt is when a move from outside was seen that the execution adopts, by the clock of
	// To. It is when it was seen, and not when it was made.
	MovedAt time.Time `json:",omitzero"`
	// Unnamed says that the promotion was concluded from that, while the control plane's
	// description still named the old writer.
	Unnamed bool
	// Question is the one that was put last. It is open while State is AwaitingApproval.
	Question Question
	// Put are all that were put, by their IDs. One whose cause passes and comes back before
	// it was answered is opened again, and people are not told a second time.
	Put []Question
	// Ack is the consent that was used last, and Accepted the question that it answered.
	Ack      *Acknowledgement
	Accepted Question
	// Pause is the one that was asked for last; executions hand it on.
	Pause *Pause
	// Owed is what people must still be told.
	Owed []Notice
}

// EpochTakenYet reports whether the execution has taken its epoch: then it can be
// returned and no longer aborted.
func (x Execution) EpochTakenYet() bool { return !x.at().beforeEpoch() }

// at is where an execution stands, or stood when it asked.
func (x Execution) at() State {
	if x.State == AwaitingApproval {
		return x.Asked
	}
	return x.State
}

// Event is something that happened to an execution.
type Event struct {
	Kind      Kind
	Code      Code
	Detail    string
	Epoch     dr.Epoch      // of EvEpochTaken and EvReturned
	Rev       uint64        // of EvEpochTaken
	Unchanged time.Duration // of EvEpochTaken
	Released  bool          // of EvEpochTaken
	Followed  bool          // of EvEpochTaken
	Unnamed   bool          // of EvPromoted
	Proof     ProofKind     // of EvFenceProven
	Ack       *Acknowledgement
	Evidence  *Evidence // of EvReassessed
	Origin    Origin    // of what a person asks for
	Pause     *Pause    // of EvPaused
	Notice    Notice    // of EvTold and EvAnnounced: what was accepted
	At        time.Time // of EvAdopted: when the move was seen

	joined *Execution // another controller was faster, and this is what it has journalled
	unread error      // another controller was faster, and what it has journalled is not known here
}

// seen returns the event with the time at which a move from outside was seen.
func (e Event) seen(now time.Time) Event {
	if e.Kind == EvAdopted {
		e.At = now.UTC().Truncate(time.Millisecond)
	}
	return e
}

// Refusal says why an event has no effect on an execution.
type Refusal struct {
	State  State
	Event  Kind
	Reason string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("failover: %s refused in state %s: %s", r.Event, r.State, r.Reason)
}
