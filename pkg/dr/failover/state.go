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
// trace in the world; after it an execution goes forward or to an operator.
const (
	Steady           State = "Steady"           // nothing to do
	Suspect          State = "Suspect"          // something is dark
	Confirmed        State = "Confirmed"        // proven dark, or a switchover was requested
	EpochTaken       State = "EpochTaken"       // the lease is ours: the old writer can't renew
	Fenced           State = "Fenced"           // the old writer provably accepts no writes
	LossAccepted     State = "LossAccepted"     // the known data loss is acceptable
	Promoted         State = "Promoted"         // the control plane names the new writer
	Verified         State = "Verified"         // the new writer has committed a write
	Redirected       State = "Redirected"       // a write through the clients' endpoint landed on it
	Settled          State = "Settled"          // done, and people were told
	Aborted          State = "Aborted"          // ended before the epoch was taken
	AwaitingApproval State = "AwaitingApproval" // waits for a person
)

// States returns every state in order.
func States() []State { return slices.Clone(states) }

var states = []State{Steady, Suspect, Confirmed, EpochTaken, Fenced, LossAccepted, Promoted, Verified, Redirected, Settled, Aborted, AwaitingApproval}

// Ended reports whether an execution in this state needs no further step.
func (s State) Ended() bool { return s == Settled || s == Aborted }

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
)

// Kinds returns every kind of event.
func Kinds() []Kind { return slices.Clone(kinds) }

var kinds = []Kind{
	EvSuspected, EvCleared, EvConfirmed, EvRequested, EvEpochTaken, EvRecovered, EvFenceProven,
	EvGatePassed, EvPromoted, EvVerified, EvRedirected, EvAnnounced, EvStuck, EvAcknowledged, EvSuperseded,
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
	Steady: {EvSuspected: Suspect, EvConfirmed: Confirmed, EvRequested: Confirmed},
	Suspect: {
		EvSuspected: Suspect, EvCleared: Steady, EvConfirmed: Confirmed, EvRequested: Confirmed,
	},
	Confirmed:    {EvEpochTaken: EpochTaken, EvRecovered: Aborted, EvStuck: AwaitingApproval, EvSuperseded: Aborted},
	EpochTaken:   {EvFenceProven: Fenced, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval},
	Fenced:       {EvGatePassed: LossAccepted, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval},
	LossAccepted: {EvPromoted: Promoted, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval},
	Promoted:     {EvVerified: Verified, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval},
	Verified:     {EvRedirected: Redirected, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval},
	Redirected:   {EvAnnounced: Settled, EvStuck: AwaitingApproval, EvSuperseded: AwaitingApproval},
	// An operator's consent goes back to the state that asked; before the epoch
	// was taken, a Region that recovers needs no answer any more.
	AwaitingApproval: {EvAcknowledged: AwaitingApproval, EvRecovered: Aborted, EvSuperseded: Aborted},
	Settled:          {},
	Aborted:          {},
}

// Mode is how the writer moves.
type Mode string

// The modes of an execution.
const (
	ModeFailover   Mode = "failover"   // unplanned: what has not arrived is lost
	ModeSwitchover Mode = "switchover" // planned: nothing is lost
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
	CodeNoWitness       Code = "no-witness"        // no majority exists without a witness
	CodeFailoverBudget  Code = "failover-budget"   // too many automatic failovers in the window
	CodePromotionStuck  Code = "promotion-stuck"   // the control plane does not finish or refuses
	CodeVerifyStuck     Code = "verify-stuck"      // the promoted writer commits nothing
	CodeRedirectStuck   Code = "redirect-stuck"    // clients' endpoint does not reach the new writer
	CodeLeaseStoreStuck Code = "lease-store-stuck" // the lease store does not answer
)

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
	Recent           int  // automatic failovers in the policy's window
	Witness          bool // the topology has a witness
	Why              string
}

// ProofKind says what proves a fence.
type ProofKind string

// The proofs of a fence.
const (
	ProofAcknowledged ProofKind = "acknowledged"  // the writer's Region confirmed it
	ProofExpired      ProofKind = "lease-expired" // TTL and drift passed since the last renewal
	ProofOperator     ProofKind = "operator"      // a person vouches for it
)

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
	// Epoch is the one that is or will be taken.
	Epoch    dr.Epoch
	Evidence Evidence
	// Unchanged is how long the old lease had been silent when the epoch was taken.
	Unchanged time.Duration
	// TakenRev is the lease's revision when it was taken, one above the last that
	// the old holder can have renewed.
	TakenRev uint64
	Proof    ProofKind
	Ack      *Acknowledgement
}

// Event is something that happened to an execution.
type Event struct {
	Kind      Kind
	Code      Code
	Detail    string
	Epoch     dr.Epoch      // of EvEpochTaken
	Rev       uint64        // of EvEpochTaken
	Unchanged time.Duration // of EvEpochTaken
	Proof     ProofKind     // of EvFenceProven
	Ack       *Acknowledgement
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
