package guard

import (
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// State is everything that a guard knows. It is a value: comparable, and changed by [Step]
// alone. The zero value is none; see [New].
type State struct {
	Begun  Instant
	TermAt Instant // since when Term's epoch is this Region's own to serve
	// The lease as last read.
	lease.View
	// Told is the epoch whose promotion is done, as the journal says, or that was given back:
	// then it is Back, too.
	Told, Back dr.Epoch

	// Term is the last renewal of this Region's own term, or what was seen of it. Armed: the
	// writer may be open under it. Inherited: it may be open since before this process, which
	// has not renewed yet.
	Term      lease.Record
	Armed     bool
	Inherited bool
	// What keeps the writer open.
	lease.Grants

	Closing Closing
	// Trials counts the openings in a row after which nothing has committed.
	Trials  uint8
	TriedAt Instant
	// Demoted is the epoch in which this guard has learnt that its server is no writer, or
	// that the control plane has moved the writer: then Displaced.
	Demoted   dr.Epoch
	Displaced bool
	Role      Role
	Others    Others
	OthersAt  Instant

	// The heartbeat writes. Sent is a ring by number.
	Seq, Committed uint64
	CommittedAt    Instant
	Sent           [kept]Written
	RoundAt        Instant
	Short          bool // the next one that keeps the lease must tell soon whether the server can be asked
	// Unheard counts the renewals since the last one that was answered; FailedAt is when one
	// last ended without an answer.
	Unheard  uint64
	FailedAt Instant
	Renewals [5]Renewal

	// The calls that are under way. MayOpen: the renewal that goes before an opening has
	// succeeded, and the server is to be opened as soon as no other call may close it.
	Fencing, Isolating, Opening, Releasing, Asking, Promise, Replica, Dog, Plane Call
	// Looks are a guard's that stays behind. They overlap, because a slow store answers, too.
	Looks                                                                    [8]Call
	Confirms, Enforces, MayOpen                                              bool
	FencingRev                                                               uint64
	DogDoes                                                                  Does
	EnforcedAt, AskedAt, PromisedAt, SampledAt, BeatAt, ReleasedAt, LookedAt Instant

	// PlaneAt is when the control plane last named this Region the writer's. PlaneWanted: a
	// writer is to be opened, and it is asked first. PlaneTries counts the calls in vain.
	PlaneAt, PlaneAskedAt Instant
	PlaneWanted           bool
	PlaneTries            uint8

	// The watchdog is as the policy says in term Watched, as last known at CheckedAt.
	Watched   dr.Epoch
	CheckedAt Instant

	// The RPO guard: everything that was acknowledged before SafeAt has arrived in the other
	// Region. Guarded is the term in which a predecessor has confirmed the lag, Sampled the
	// one whose lag is sampled.
	SafeAt           Instant
	Guarded, Sampled dr.Epoch
	// DoneAt is when a heartbeat write last committed, whatever its row. CanAskAt is since when
	// the server can be asked for the lag, or never.
	DoneAt, CanAskAt Instant

	// Behind: the process has stopped at BehindAt, and this guard stays until End at most;
	// Paused: it does nothing until its process has handed over. AnsweredAt is from before the last look at the lease that got an answer. RowOnce:
	// the local Region's row was sampled once since.
	Behind, Paused            bool
	BehindAt, End, AnsweredAt Instant
	RowOnce, Finished         bool

	ids uint32
}

// kept is how many heartbeat writes are remembered. The RPO guard sends ten a second at
// most, and nothing asks about one that is older than the lease.
const kept = 64

// Closing is what a guard knows of the closing of its own writer.
type Closing struct {
	On     bool // the writer must not be open: it is being closed, or is closed
	Acked  bool // the server has confirmed it
	ByRPO  bool // by the RPO guard, with the lease still held
	Forced bool // another Region holds a newer epoch: the writer must stop, whatever it serves
	Since  Instant
	Epoch  dr.Epoch
	Rev    uint64
	// Isolated: the control plane has cut the server off. Misses counts the trials in a row
	// that did not, Failed says that the writer can be neither closed nor cut off.
	Isolated bool
	Misses   uint8
	Failed   bool
	RetryAt  Instant
	Withheld bool // no reboot, because another Region sees the writer serve
}

// Written is a heartbeat write that was sent.
type Written struct {
	Seq            uint64
	Epoch          dr.Epoch
	Sent, Answered Instant // Answered: when it was known to have committed, or never
	Row            Row
	Keeps          bool // a renewal follows it
	Pending        bool
}

// Renewal is a renewal that is under way.
type Renewal struct {
	ID      uint32
	Sent    Instant
	Epoch   dr.Epoch
	Blind   bool
	Opening bool // an opening of the writer follows it
	ByRPO   bool
}

// Call is a call that is under way; its ID is zero when none is.
type Call struct {
	ID   uint32
	Sent Instant
}

// New returns the state of a guard that starts. It can't know when its predecessor last
// renewed: unless it renews within half the time that a renewal lasts, it closes the
// writer.
func New(r Rules, now Instant) State {
	s := State{
		Begun: now, View: lease.View{SeenAt: never}, Grants: lease.Grants{StoreAt: never, PeerAt: never}, TriedAt: never, CommittedAt: never, RoundAt: never,
		FailedAt: never, EnforcedAt: never, AskedAt: never, PromisedAt: never, SampledAt: never, BeatAt: never,
		ReleasedAt: never, LookedAt: never, CheckedAt: never, SafeAt: never, End: never, AnsweredAt: never, OthersAt: never, BehindAt: never,
		PlaneAt: never, PlaneAskedAt: never, DoneAt: never, CanAskAt: never,
	}
	s.inherit(&r, now)
	return s
}

// inherit counts the writer as open under a lease of unknown age, of which half is left
// at best.
func (s *State) inherit(r *Rules, now Instant) {
	s.Armed, s.Inherited = true, true
	s.StoreAt = max(s.StoreAt, now-r.Valid/2)
}

// GrantEnd is when the last grant has run out.
func (s *State) GrantEnd(r *Rules) Instant { return s.Grants.End(r.Valid) }

// Serves reports whether the lease as last seen lets this Region's writer be open. An
// epoch that was taken by an execution does not yet: the old writer may still be open, and
// a member that has not rejoined reports itself as the writer. A renewal of the epoch, or
// an entry of the journal, shows that the promotion is done.
func (s *State) Serves(r *Rules) bool { return s.Known && s.serves(r, s.Seen) }

func (s *State) serves(r *Rules, l lease.Record) bool {
	return l.Holder == r.Region && !l.Released && (l.Execution == "" || l.Rev > l.TakenRev || s.Told == l.Epoch)
}

// BeingPromoted reports whether this Region's own execution holds the lease, and has not
// told yet that its promotion is done. Until then the server is a secondary, which Aurora
// moves by itself: what served here in an earlier term was fenced before this one could be
// promoted.
func (s *State) BeingPromoted(r *Rules) bool {
	return s.Known && s.Seen.Holder == r.Region && !s.Seen.Released && !s.Serves(r)
}

// Open reports whether the writer may be open.
func (s *State) Open() bool { return s.Armed && !(s.Closing.On && s.Closing.Acked) }

// written returns the ring's place of a heartbeat write, and whether it is still there.
func (s *State) written(seq uint64) (*Written, bool) {
	w := &s.Sent[seq%kept]
	return w, seq != 0 && w.Seq == seq
}
