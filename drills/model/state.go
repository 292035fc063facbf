package model

import (
	"fmt"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// The members. The writer begins in a, and a third Region gives the lease its majority.
const (
	a, b uint8 = 0, 1
	none uint8 = 255
)

func peer(r uint8) uint8 { return 1 - r }

func name(r uint8) string {
	switch r {
	case a:
		return "a"
	case b:
		return "b"
	}
	return "-"
}

// Times, in ticks of a quarter of the lease.
const (
	ttl    = 4
	margin = 1
	drift  = 1
	// expired is how long an observer must have seen a revision unchanged.
	expired = ttl + drift
	// silent is how long before a failover may begin, see dr.Policy.SilentAfter.
	silent = 1
	// watchdogAfter leaves room within the lease for the beats that are younger than the
	// last renewal and for the event's own second, see failover's watchdogAfter.
	watchdogAfter = ttl - 2
)

// State is everything at one moment. It is small and comparable; see [State.String].
type State struct {
	Lease   lease
	Journal execution
	// Links between a and b, a and the witness, b and the witness that are cut.
	Cut    [3]bool
	Member [2]member
	// Plane is the control plane: the member that it names the writer, and the one that
	// it is moving the writer to.
	Writer, Moving uint8
	Switching      bool // without loss, so the old one is stopped first
	// Acknowledged is the member promoted last of those that have acknowledged a write.
	Acknowledged uint8
	// Silence is how many ticks the lease's revision has been unchanged, by the clock of
	// the process that looked first: the other member's, its predecessor, or the witness's.
	// They report it to each other, so a process that looks late knows it, too.
	Silence uint8
	// Out: the store's quorum can't be reached from a member's Region, though links are well.
	Out [2]bool
	// Harmed: a guard has closed a writer that served, while a grant held.
	Harmed bool
	// Harming: harm is looked for, because a fault of this run could lead to it.
	Harming bool
	// Answer is what a person has answered last, as it is kept.
	Answer answer
	// Left are the faults that may still happen.
	Left budget
}

// budget counts faults.
type budget struct{ Cuts, Crashes, Kills, Freezes, Losses, Lost, Stuck, Asks, Outs, Deaf, Moves, Partitions, Guards, Peers, Unready, Returns, Aborts uint8 }

func (b budget) sum() int {
	return int(b.Cuts) + int(b.Crashes) + int(b.Kills) + int(b.Freezes) + int(b.Losses) + int(b.Lost) + int(b.Stuck) + int(b.Asks) +
		int(b.Outs) + int(b.Deaf) + int(b.Moves) + int(b.Partitions) + int(b.Guards) + int(b.Peers) + int(b.Unready)
}

// lease is the store's item. Revisions are not counted: a process that remembers one
// knows whether it is still the current one.
type lease struct {
	Epoch    uint8
	Holder   uint8
	By       uint8 // the attempt of the execution that took it, and back where it gave it back; 0 for the first epoch
	Renewed  bool  // since it was taken
	Released bool  // by its holder
	After    uint8 // how long the one before had been silent on the taker's clock
}

// execution is what the journal and its controllers know.
type execution struct {
	State, Asked uint8 // index into states; Asked only in AwaitingApproval
	To           uint8
	Epoch, Try   uint8
	Seq          uint8 // see written
	Switchover   bool
	Adopt        bool // it follows a move from outside
	Released     bool // the old holder had given the lease back when it was taken
	LagUnknown   bool
	DiedFirst    bool
	RevCurrent   bool // the lease's revision is still the one it began with
	Silent       uint8
	Unchanged    uint8 // when the epoch was taken
	Proven       bool  // that the old writer is fenced, by whatever proof
	Question     uint8 // the one that is open: its place in Put, counted from 1
	Put          [mostPut]put
	Accepted     needs // what the execution takes people to have consented to
	Allowed      needs // what they have consented to
}

// Entries of the journal are not counted either: a process that holds one knows whether it
// is still the latest. One that is just being written is neither.
const (
	latest  uint8 = 0
	written uint8 = 1
	stale   uint8 = 2
)

// member is a Region with a database, its monitor and its triggers.
type member struct {
	// The database. Primary: its storage takes writes, whatever the variables say.
	Primary, Open, Frozen bool
	Stopped               bool  // a person has stopped it; it comes back as a secondary
	Quiet                 uint8 // ticks since the heartbeat row that the watchdog looks at
	Unready               bool  // it can't be promoted: its control plane refuses
	LateBeat              bool  // a heartbeat write lies in the socket of a frozen server

	// Deaf: its monitor can't ask it, for a reason on the monitor's side.
	Deaf bool
	// Row is the other member's promise, as it stands in this database. Beat is how long ago
	// the newest heartbeat write was sent that has committed here, of the process that lives.
	Row  promise
	Beat uint8

	// The monitor: what it has seen of the lease, and its guard. A trigger goes by the first,
	// too.
	Up         bool
	DiedFirst  bool // it was seen to be down while its Region could be reached
	Known      bool // the lease was read
	Current    bool // and that is the last revision of its epoch
	Sees       lease
	Due        bool // a tick has passed that the guard has not dealt with
	G          guardian
	Zombie     uint8
	Slow, Fast bool
	// Granted is how long ago the last thing was asked that grants: what the guard counts
	// from, or should.
	Granted uint8
	Noted   uint8 // the same of a promise that the guard has not had the time to read
	// Abstains: it promises nothing, because an execution may promote its Region. Promised
	// is how long ago it last did, by its own clock.
	Abstains bool
	Promised uint8

	// What it has published of its fence.
	FenceReported uint8 // the epoch whose fence was confirmed at the lease's last revision

	// An order to promote that is on its way to the control plane.
	Order uint8

	Trigger [2]trigger
}

// The kinds of orders to promote.
const (
	nothing uint8 = iota
	toFailOver
	toSwitchOver
)

// trigger is a controller's process.
type trigger struct {
	On     bool
	X      execution
	Next   execution // the outcome that it is about to journal
	Has    bool
	Waited uint8 // for the lease to run out
}

// states are those of an execution, in order.
var states = failover.States()

func index(s failover.State) uint8 {
	for i, known := range states {
		if known == s {
			return uint8(i)
		}
	}
	panic("model: unknown state " + string(s))
}

var (
	steady     = index(failover.Steady)
	confirmed  = index(failover.Confirmed)
	epochTaken = index(failover.EpochTaken)
	fenced     = index(failover.Fenced)
	gated      = index(failover.LossAccepted)
	promoted   = index(failover.Promoted)
	verified   = index(failover.Verified)
	redirected = index(failover.Redirected)
	settled    = index(failover.Settled)
	aborted    = index(failover.Aborted)
	returning  = index(failover.Returning)
	returned   = index(failover.Returned)
	operator   = index(failover.AwaitingApproval)
)

func (x *execution) ended() bool {
	return x.State == settled || x.State == aborted || x.State == returned || x.State == steady
}

// at is where an execution stands, or stood when it asked a person.
func (x *execution) at() uint8 {
	if x.State == operator {
		return x.Asked
	}
	return x.State
}

func (x *execution) hasPromoted() bool {
	return x.State == promoted || x.State == verified || x.State == redirected || x.State == settled
}

// serves reports whether a member's database acknowledges a client's write.
func (m *member) serves() bool { return m.Primary && m.Open && !m.Frozen && !m.Stopped }

// reaches reports whether two Regions reach each other, of a, b and the witness (2).
func (s *State) reaches(x, y uint8) bool {
	switch {
	case x == y:
		return true
	case x > y:
		x, y = y, x
	}
	return !s.Cut[x+y-1] // a-b 0, a-witness 1, b-witness 2
}

// majority reports whether a member reaches the lease store.
func (s *State) majority(r uint8) bool { return s.linked(r) && !s.Out[r] }

// linked reports whether a member's Region reaches another one.
func (s *State) linked(r uint8) bool { return s.reaches(r, peer(r)) || s.reaches(r, 2) }

// current reports whether what a member has seen of the lease is what the store has.
func (s *State) current(r uint8) bool {
	m := &s.Member[r]
	return m.Known && m.Current && m.Sees.Epoch == s.Lease.Epoch
}

// elapsed is for how long a member knows that another Region has not renewed.
func (s *State) elapsed(r uint8) uint8 {
	if m := &s.Member[r]; !s.current(r) || m.Sees.Holder == r {
		return 0
	}
	return s.Silence
}

// String prints the state for people, without what is as it was at the start.
func (s *State) String() string {
	var t strings.Builder
	fmt.Fprintf(&t, "epoch %d held by %s", s.Lease.Epoch, name(s.Lease.Holder))
	if s.Journal.State != steady {
		fmt.Fprintf(&t, ", execution %d.%d to %s %s", s.Journal.Epoch, s.Journal.Try, name(s.Journal.To), states[s.Journal.State])
	}
	fmt.Fprintf(&t, ", control plane says %s", name(s.Writer))
	for r, m := range s.Member {
		fmt.Fprintf(&t, "; %s:", name(uint8(r)))
		for _, word := range []struct {
			is   bool
			text string
		}{
			{m.Primary, "primary"}, {!m.Primary, "secondary"}, {m.Open, "open"}, {m.Frozen, "frozen"}, {m.Stopped, "stopped"},
			{!m.Up, "no monitor"}, {m.Deaf, "not asked"}, {m.Unready, "can't be promoted"}, {s.Out[r], "no store"}, {m.G.Closing.On, "closing"}, {m.G.Closing.Acked, "confirmed"},
			{m.G.Demoted, "demoted"}, {m.Abstains, "abstains"}, {m.serves(), "SERVES"},
		} {
			if word.is {
				t.WriteString(" " + word.text)
			}
		}
		if m.Up && m.G.Armed && !m.G.Closing.On {
			fmt.Fprintf(&t, " fence due in %d", ttl-margin-min(m.G.Store, m.G.Peer))
		}
	}
	return t.String()
}
