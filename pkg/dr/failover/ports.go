package failover

import (
	"context"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// States that an implementation of the interfaces below reports.
var (
	// ErrNoLease is returned by ReadLease when no lease has ever been taken.
	ErrNoLease = errors.New("failover: no lease exists yet")
	// ErrLeaseMoved is returned by RenewLease, TakeLease and ReleaseLease when the lease
	// is no longer the one that the caller has seen.
	ErrLeaseMoved = errors.New("failover: the lease has moved on")
	// ErrNewerRecord is returned by every method of Leaser and Releaser when a newer
	// version of Lifeboat has written the lease: nothing was changed.
	ErrNewerRecord = errors.New("failover: a newer version of Lifeboat has written the record")
	// ErrConflict is returned by Append when the entry's place is taken: another
	// controller drives the same execution.
	ErrConflict = errors.New("failover: journal entry exists")
	// ErrNoEntry is returned by Latest when the journal is empty.
	ErrNoEntry = errors.New("failover: the journal is empty")
	// ErrReadOnly is returned by Beat when the server answered and refused the
	// write because it is read-only.
	ErrReadOnly = errors.New("failover: the database is read-only")
	// ErrNotWriter is returned by Open and, together with ErrReadOnly, by Beat when the
	// server itself says that it is a secondary.
	ErrNotWriter = errors.New("failover: the database is not the writer")
	// ErrBootstrapped is returned by Install when the database has seen an epoch, so that
	// there has been a lease before.
	ErrBootstrapped = errors.New("failover: the database has seen an epoch: it is bootstrapped")
	// ErrNotAcknowledged is returned when a question has no answer.
	ErrNotAcknowledged = errors.New("failover: not acknowledged")
	// ErrAcknowledged is returned by Acknowledge when a question has another answer.
	ErrAcknowledged = errors.New("failover: the question has been answered")
	// ErrNewerEntry is returned by Latest when a newer version of Lifeboat has written
	// the entry. Nothing may be done by a part of what it says.
	ErrNewerEntry = errors.New("failover: the journal's entry was written by a newer version: update this program")
	// ErrRefused is wrapped by what Failover and Switchover return when the control plane
	// has refused for a reason that does not pass by asking again. Throttling, a server's
	// error and silence are none.
	ErrRefused = errors.New("failover: refused by the control plane")
)

// IsNewer reports whether an error says that a newer version of Lifeboat has written what was
// read. Asking again changes nothing: the newer functions must be deployed.
func IsNewer(err error) bool { return errors.Is(err, ErrNewerRecord) || errors.Is(err, ErrNewerEntry) }

// Lease is the exclusive right of one Region to accept writes.
type Lease = lease.Record

// Claim is what a Region says when it takes a lease.
type Claim struct {
	Holder    dr.Region
	Execution string
	After     time.Duration // see Lease.TakenAfter
}

// Leaser keeps the lease in a store that needs a majority of Regions. Every
// method is one linearizable operation; an error that is no sentinel leaves the
// outcome unknown, and the caller reads again.
type Leaser interface {
	// ReadLease returns the lease, or ErrNoLease.
	ReadLease(ctx context.Context) (Lease, error)
	// RenewLease raises Rev if epoch and holder are still those of held and the lease is
	// not released, or returns ErrLeaseMoved. The new revision is
	// stored as Served, too, unless held.Blind.
	RenewLease(ctx context.Context, held Lease) (Lease, error)
	// TakeLease gives the next epoch to the claimant if the lease is still exactly
	// seen, or returns ErrLeaseMoved. The zero Lease takes the first epoch if no
	// lease exists. What was taken is not released.
	TakeLease(ctx context.Context, seen Lease, claim Claim) (Lease, error)
}

// Releaser gives a lease back. It works on the store of a Leaser, under the same rules.
type Releaser interface {
	// ReleaseLease raises Rev by one and marks the lease as released if epoch, holder and
	// revision are still those of held, or returns ErrLeaseMoved. A released lease can't be
	// renewed, also not by a renewal that was sent before and is carried out late.
	//
	// Repeated with the same held it finds its own release and returns it: an answer that
	// was lost must not read as a lease that another process has changed.
	ReleaseLease(ctx context.Context, held Lease) (Lease, error)
}

// Report is what the monitor of one Region reports about itself.
type Report struct {
	Region dr.Region
	Seq    uint64
	// FencedEpoch and FencedRev acknowledge that the Region's writer has confirmed
	// to be read-only, and that the lease had this revision when it did. The
	// acknowledgement is void when the lease was renewed since.
	FencedEpoch dr.Epoch
	FencedRev   uint64
	// FenceFailed says that the Region could neither confirm the fence of this
	// epoch nor cut its writer off.
	FenceFailed dr.Epoch
	// Server is what the Region's guard knows of its own server: Alive when it has answered
	// lately and does not say that it is a secondary, Dead when it has been asked for long and
	// that can't be said. Unknown in the report of a witness and of a guard that has just started.
	Server health.Answer `json:",omitempty"`
	// Guarded is the epoch in which the Region's RPO guard confirms the lag, so that its
	// successor guards from its first moment on. Zero when it confirms none.
	Guarded dr.Epoch
	// Granted is how old the newest grant is on which the Region's guard keeps its writer open,
	// so that its successor closes the writer in time. Zero when it keeps none open.
	Granted time.Duration `json:",omitempty"`
	// LeaseRev has been unchanged for LeaseUnchanged on this Region's clock. A
	// duration needs no clock in common.
	LeaseRev       uint64
	LeaseUnchanged time.Duration
	// Abstains says that the Region's monitor promises nothing: no promise was sent after
	// this report, until one is published that says otherwise. Promised is how long ago the
	// newest one was sent at the latest. See promise.go.
	//
	// Generation numbers the processes of a Region that promise. Settled says that no older
	// one can promise any more: it said so itself, or the writer's database refuses it.
	Abstains   bool
	Promised   time.Duration
	Generation uint64
	Settled    bool
	// Claims says that the Region's server takes itself for the writer, that the Region's
	// control plane agrees, and that another Region holds the lease.
	Claims bool
	// Followed is the newest epoch in which the Region's server was seen to be a secondary:
	// one that takes itself for the writer without that was never told that it is none.
	Followed dr.Epoch
	// Troubles are what fails in the Region's monitor, for its successor to go on with.
	Troubles []Trouble `json:",omitempty"`
	// Owed is what people must still be told of moves from outside, for a successor to tell.
	Owed []Message `json:",omitempty"`
	// Observations are what the Region sees of the others.
	Observations []Observation
	// Lag is the newest RPO lag that the Region has seen of the writer's; nil when
	// none was.
	Lag *health.Lag
	// MonitorDiedFirst is the latest verdict's. the observations don't tell: of a family that
	// has been dark for longer than another one, they don't say what the other said before.
	MonitorDiedFirst bool
	// At is the wall clock when it was published. It is read by a successor of the
	// same Region only, which must know whether its predecessor's report is fresh.
	At time.Time
}

// Observation is an observation on its way to another Region.
type Observation struct {
	Subject       dr.Region
	Family        health.Family
	Method        string
	Answer        health.Answer
	Cause         string
	Age           time.Duration // when it was published
	Samples       int           // consecutive samples with this answer
	RegionAnswers bool
}

// Reports carries reports between the Regions' monitors.
type Reports interface {
	// Publish replaces the report of h's Region. When the one that is there has a higher Seq
	// it returns an error and changes nothing: a late report must not take away a newer one.
	Publish(ctx context.Context, h Report) error
	// Reports returns the newest report of every Region that has published one.
	Reports(ctx context.Context) ([]Report, error)
}

// Journal keeps every step of every execution.
type Journal interface {
	// Append stores the entry, or returns ErrConflict if its execution already
	// has an entry of that number.
	Append(ctx context.Context, e Entry) error
	// Latest returns the last entry of the newest execution, or ErrNoEntry. An entry
	// whose Version is above JournalVersion is ErrNewerEntry.
	Latest(ctx context.Context) (Entry, error)
	// Settled counts the automatic failovers settled since an instant. It counts what
	// EvAnnounced has led to: entries that come later settle nothing once more.
	Settled(ctx context.Context, since time.Time) (int, error)
}

// Entry is one step of an execution: what happened and what it led to. It is the
// outcome of the previous effect and the intent of the next.
type Entry struct {
	Version   int // see JournalVersion
	Execution Execution
	Event     Kind
	At        time.Time // wall clock, for people
}

// JournalVersion is the version of the entries that this program writes, and the newest
// that it reads.
const JournalVersion = 1

// Acknowledgement is a person's consent to what an execution has asked. It counts for
// one question of one execution, and once.
type Acknowledgement struct {
	Execution string
	Question  string
	By        string
	Reason    string
}

// Acknowledger carries acknowledgements from people to controllers.
type Acknowledger interface {
	// Acknowledge keeps the first answer to a question. The same answer again is
	// success; another one is ErrAcknowledged and changes nothing. Whether the question
	// is open [Controller.Acknowledge] says.
	Acknowledge(ctx context.Context, a Acknowledgement) error
	// Acknowledgement returns the answer to a question of an execution, or
	// ErrNotAcknowledged.
	Acknowledgement(ctx context.Context, execution, question string) (Acknowledgement, error)
}

// Cluster is what the control plane says of the global database.
type Cluster struct {
	Status   string    // AWS's word, which may be one that Lifeboat does not know
	Writer   dr.Region // Region of the member that is the writer
	MovingTo dr.Region // target of a running failover or switchover, else ""
}

// Promoter moves the writer of the global database. Failover and Switchover only
// ask; the caller looks with Describe until the writer has moved. What they return for a
// refusal that does not pass wraps ErrRefused.
type Promoter interface {
	// Describe is [Plane]'s.
	Describe(ctx context.Context) (Cluster, error)
	// Failover promotes a member and accepts the loss of what has not arrived.
	Failover(ctx context.Context, to dr.Region) error
	// Switchover promotes a member without loss; both Regions must be healthy.
	Switchover(ctx context.Context, to dr.Region) error
}

// Role is what a database server says that it is.
type Role string

// The roles. The empty Role is not known.
const (
	RoleWriter    Role = "writer"    // its storage takes writes
	RoleSecondary Role = "secondary" // it follows the writer of another Region
)

// Readiness is what is known of whether the member of a Region can be promoted.
type Readiness struct {
	// Cluster is what the control plane says of the writer; ClusterKnown is not set when
	// it did not answer.
	Cluster      Cluster
	ClusterKnown bool
	// Role is what the member's own server says; empty when it did not answer or was not
	// asked. Silent says that it was asked and did not answer.
	Role   Role
	Silent bool
	// Missing is what is known to stand in the way of a promotion, one sentence each.
	Missing []string
	// Unknown is what could not be asked, and why.
	Unknown []string
}

// Preflighter looks at the member of the local Region before it is promoted. It changes
// nothing.
type Preflighter interface {
	// Preflight returns what is known when everything was answered or ctx has ended,
	// whichever comes first. It asks the local Region's control plane and server at
	// the same time, and nothing outside the Region. That something could not be asked is
	// no error; the error says that nothing was asked at all.
	Preflight(ctx context.Context) (Readiness, error)
}

// Beat is one heartbeat write.
type Beat struct {
	Region dr.Region
	Epoch  dr.Epoch
	Seq    uint64
}

// Beater commits a heartbeat write on a database. Beat returns nil only for a commit that the
// server has confirmed. It refuses an epoch below the newest one in the Region's row, so that
// a guard of an older term can't pass for the writer's; a row that is named otherwise has an
// epoch of its own. Its errors are of the classes that ReplyOf tells apart: ErrReadOnly,
// ErrNotWriter, ErrAnswered, ErrRefusesWrites, health.ErrNotAsked. An error without a class
// leaves the outcome unknown, and silence has none: only a server that answers can say what
// it is.
type Beater interface {
	Beat(ctx context.Context, b Beat) error
}

// Fencer makes the database of a guard's own Region stop or resume accepting
// writes. Both are idempotent, and their errors are of the classes that ReplyOf tells
// apart. A server that does not answer is not fenced: Fence on it is no success.
type Fencer interface {
	// Fence returns nil only when the server has confirmed that it is read-only
	// and that sessions which could still commit are gone: no write is acknowledged after
	// it. An open writer may stand behind silence, so silence is an error.
	Fence(ctx context.Context, e dr.Epoch) error
	// Open lets the server accept writes again, or returns ErrNotWriter. It refuses an epoch
	// below the newest one that the server has seen.
	Open(ctx context.Context, e dr.Epoch) error
}

// Watchdog is a Fencer whose database can fence itself: it becomes read-only when
// its heartbeat row has not been renewed for a time. Policy.Watchdog needs one.
type Watchdog interface {
	InstallWatchdog(ctx context.Context, after time.Duration) error
}

// WatchdogKeeper is a Watchdog whose guard checks it now and then, and removes it when
// Policy.Watchdog is off: one that was left behind would go on closing writers.
type WatchdogKeeper interface {
	// CheckWatchdog reports whether the database watches over itself with this time.
	CheckWatchdog(ctx context.Context, after time.Duration) (bool, error)
	// RemoveWatchdog ends that. It is idempotent.
	RemoveWatchdog(ctx context.Context) error
}

// Isolator cuts a database off that does not answer, so that it can't acknowledge
// anything when it comes back, and has it restart read-only. Isolate succeeds when that is
// under way or done: also for a server that is down, restarts, was stopped or was deleted
// already, and when it is called twice. It fails when the server may go on as it is: then
// nothing is proven.
type Isolator interface {
	Isolate(ctx context.Context, e dr.Epoch) error
}

// Refresher is an Isolator that must look something up before it can act. A guard
// has it do so when it starts and every minute, while the control plane answers.
type Refresher interface {
	Refresh(ctx context.Context) error
}

// ReplicaReader tells the newest heartbeat of this Region that has arrived in the
// other one.
type ReplicaReader interface {
	// Replicated returns the newest heartbeat write of a row that has arrived, the zero Beat
	// when none has.
	Replicated(ctx context.Context, from dr.Region) (Beat, error)
}

// Plane is what a guard asks of its Region's control plane. See [Promoter].
type Plane interface {
	// Describe returns what the control plane says now. What it does not say is empty, and an
	// error says nothing of the writer.
	Describe(ctx context.Context) (Cluster, error)
}

// RoleReader asks the database of a guard's own Region what it takes itself for, open or
// closed. RoleSecondary is proven: the server itself says so, and no other one beside it is
// the writer. An error says nothing.
type RoleReader interface {
	Role(ctx context.Context) (Role, error)
}

// Router moves clients to a Region and tells where they land.
type Router interface {
	// Redirect publishes the Region as the target of new connections. Idempotent.
	Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error
	// Reach commits a write through the endpoint that clients use and returns the
	// Region whose member took it.
	Reach(ctx context.Context, e dr.Epoch) (dr.Region, error)
}

// NoticeKind is what a message to people is about.
type NoticeKind string

// The kinds of notices.
const (
	NoticeQuestion  NoticeKind = "question"  // a person is asked
	NoticeWithdrawn NoticeKind = "withdrawn" // what was asked needs no answer any more
	NoticeMoved     NoticeKind = "moved"     // the writer has moved
	NoticeReturned  NoticeKind = "returned"  // the writer stays where it was
)

// Notice is a message that an execution owes to people. It is kept in the journal until a
// Notifier has accepted it.
type Notice struct {
	What     NoticeKind
	Question string // of a question: its ID
}

// Message is for people.
type Message struct {
	Subject string
	Body    string
}

// Notifier tells people. Notify returns nil only when the message was accepted: a
// controller tells it again otherwise, so one that was accepted and whose answer was lost
// comes twice.
type Notifier interface {
	Notify(ctx context.Context, m Message) error
}
