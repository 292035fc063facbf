package guard_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// world is what one guard acts in: its store, its server, its control plane and the other
// member, of which each answers, refuses, is late or loses its answers as drawn. It knows the
// truth, and holds every effect against it.
type world struct {
	t    *testing.T
	seed uint64
	rnd  *rand.Rand
	log  []string

	// harmless: no hand but the guard's moves the writer or the lease.
	harmless bool

	r   guard.Rules
	s   guard.State
	now guard.Instant

	stored   lease.Record
	readOnly bool
	reader   bool // the server is a secondary
	moods    map[string]guard.Result
	flying   []flight
	beats    []guard.Effect // sent in this process
	ids      map[uint32]bool

	// What the guard was told, by which its effects are judged.
	granted guard.Instant // what its newest grant counts from
	closed  *lease.Record // what it has acknowledged to be closed, until it has opened the writer again
	gave    dr.Epoch      // the epoch that it has given back
	secnd   dr.Epoch      // the epoch in which it was told that its server is a secondary, and nothing else since
	cut     bool          // the control plane was asked to cut the writer off since it was opened last
	opens   int
	fences  int

	spun  guard.Instant // when the newest answer came
	spins int           // and how many others came at that instant
}

// flight is a call that is under way.
type flight struct {
	e    guard.Effect
	at   guard.Instant // when its answer arrives
	sent guard.Instant
	in   guard.Input
}

func (w *world) chance(p float64) bool { return w.rnd.Float64() < p }

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%8v ", w.now.Round(time.Millisecond))+fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.note(format, args...)
	require.FailNow(w.t, fmt.Sprintf(format, args...), "seed %d\n%s", w.seed, strings.Join(w.log[max(0, len(w.log)-60):], "\n"))
}

// begin carries a call out, now or later, and has its answer on its way.
func (w *world) begin(e guard.Effect) {
	if e.Kind >= guard.Tell {
		return
	}
	f := flight{e: e, sent: w.now, in: guard.Input{Kind: guard.Answered, ID: e.ID, Seq: e.Seq, Result: guard.Done}}
	late := e.Until - w.now
	f.at = w.now + min(late, time.Duration(w.rnd.Int64N(int64(30*time.Millisecond))))
	if w.chance(.1) {
		f.at = w.now + time.Duration(w.rnd.Int64N(int64(late)+1))
	}
	who := map[guard.Does]string{
		guard.Renew: "store", guard.Release: "store", guard.ReadLease: "store", guard.Isolate: "plane", guard.AskPlane: "plane", guard.ReadReplica: "replica",
	}[e.Kind]
	if who == "" {
		who = "server"
	}
	mood := w.moods[who]
	carried := mood == guard.Done || mood == guard.Silent && w.chance(.5) // and the answer is lost
	if mood != guard.Done {
		f.in.Result = mood
	}
	switch {
	case mood == guard.Silent:
		f.at = e.Until
	case mood != guard.Done && w.seed%2 == 0: // a refused connection takes no time at all
		f.at = w.now
	}
	if carried {
		w.carry(&f)
	}
	w.flying = append(w.flying, f)
}

// carry does what a call asks for. The answer is what it was then.
func (w *world) carry(f *flight) {
	e, lost := f.e, f.in.Result == guard.Silent
	said := guard.Done
	switch e.Kind {
	case guard.Beat:
		switch {
		case w.reader:
			said = guard.NotWriter
		case w.readOnly:
			said = guard.ReadOnly
		default:
			w.beats = append(w.beats, e)
		}
	case guard.Renew:
		if w.stored.Epoch != e.Lease.Epoch || w.stored.Holder != w.r.Region || w.stored.Released {
			said = guard.Moved
			break
		}
		w.stored.Rev++
		if !e.Lease.Blind {
			w.stored.Served = w.stored.Rev
		}
		f.in.Lease = w.stored
	case guard.Release:
		if w.stored.Epoch != e.Lease.Epoch || w.stored.Rev != e.Lease.Rev || w.stored.Released {
			said = guard.Moved
			break
		}
		w.stored.Rev++
		w.stored.Released = true
		f.in.Lease = w.stored
	case guard.ReadLease:
		f.in.Lease = w.stored
	case guard.Fence:
		w.readOnly = true
	case guard.Open:
		if w.reader {
			said = guard.NotWriter
			break
		}
		w.readOnly = false
	case guard.AskRole:
		f.in.Server = guard.Writer
		if w.reader {
			f.in.Server = guard.Secondary
		}
	case guard.AskPlane:
		f.in.Here, f.in.Moved = !w.reader, w.reader
	case guard.ReadPromise:
		if len(w.beats) > 0 {
			f.in.Seq = w.beats[w.rnd.IntN(len(w.beats))].Seq
		}
	case guard.ReadReplica:
		there := slices.DeleteFunc(slices.Clone(w.beats), func(b guard.Effect) bool { return b.Row != e.Row })
		if len(there) > 0 {
			last := there[len(there)-1-w.rnd.IntN(min(3, len(there)))]
			f.in.Epoch, f.in.Seq = last.Epoch, last.Seq
		}
	case guard.CheckWatchdog:
		f.in.Awake = w.chance(.8)
	}
	if !lost {
		f.in.Result = said
	}
}

// happens draws something that no call of the guard is behind.
func (w *world) happens() {
	switch n := w.rnd.IntN(100); {
	case n < 30: // a party of this process reads the lease, and may be overtaken
		if w.moods["store"] == guard.Done {
			w.learn(guard.Input{Kind: guard.LeaseSeen, Lease: w.stored})
		}
	case n < 34:
		who := []string{"store", "server", "plane", "replica"}[w.rnd.IntN(4)]
		moods := []guard.Result{guard.Done, guard.Done, guard.Done, guard.Silent, guard.Refused, guard.NotAsked}
		if who == "server" {
			moods = append(moods, guard.NoWrites)
		}
		w.moods[who] = moods[w.rnd.IntN(len(moods))]
		w.note("%s: %d", who, w.moods[who])
	case n < 38:
		w.learn(guard.Input{Kind: guard.OthersReport, Others: guard.Others(w.rnd.IntN(3))})
	case n < 39:
		w.readOnly = !w.reader && w.chance(.5) || w.readOnly // by hand, or by a restart
	case w.harmless:
	case n < 40:
		w.reader = w.chance(.5)
		w.note("the server is a secondary: %v", w.reader)
	case n < 41 && w.chance(.3):
		holder, x := west, "0000000009-0001"
		if w.chance(.5) {
			holder = east
		}
		w.stored = lease.Record{Epoch: w.stored.Epoch + 1, Holder: holder, Rev: w.stored.Rev + 1, TakenRev: w.stored.Rev + 1, Execution: x}
		w.gave, w.secnd = 0, 0
		w.note("%s takes epoch %d", holder, w.stored.Epoch)
	case n < 43 && w.stored.Holder == east && w.stored.Execution != "":
		w.learn(guard.Input{Kind: guard.PromotionDone, Epoch: w.stored.Epoch})
	case n < 44:
		w.secnd = 0 // what the control plane says counts, too
		w.learn(guard.Input{Kind: guard.WriterMoved, Here: !w.reader, Moved: w.reader})
	case n < 45:
		w.learn(guard.Input{Kind: guard.Recalled, Epoch: dr.Epoch(w.rnd.IntN(3))})
	}
}

// runs plays a world for a time.
func (w *world) runs(d time.Duration) {
	w.t.Helper()
	for end := w.now + d; w.now < end && !w.s.Finished; {
		next := min(guard.Next(&w.r, &w.s, w.now), w.now+time.Duration(w.rnd.Int64N(int64(80*time.Millisecond))))
		first := -1
		for i, f := range w.flying {
			if f.at <= next && (first < 0 || f.at < w.flying[first].at) {
				first = i
			}
		}
		if first >= 0 {
			f := w.flying[first]
			w.flying = append(w.flying[:first:first], w.flying[first+1:]...)
			if w.now = max(w.now, f.at); w.now == w.spun {
				w.spins++
			} else {
				w.spun, w.spins = w.now, 0
			}
			if w.spins > 20 {
				w.fail("asks without a pause what is refused: %v", f.e.Kind)
			}
			w.arrive(f)
			continue
		}
		w.now = next
		if w.learn(guard.Input{}); w.chance(.5) {
			w.happens()
		}
	}
}

func newWorld(t *testing.T, seed uint64, harmless bool) *world {
	rnd := rand.New(rand.NewPCG(seed, 7))
	p := dr.Policy{RPOGuard: !harmless && seed%3 == 0, Watchdog: seed%5 == 0}
	r := guard.NewRules(east, p)
	r.Peer, r.Roles, r.Releases, r.Plane, r.Keeper = rnd.IntN(4) > 0, rnd.IntN(4) > 0, rnd.IntN(4) > 0, rnd.IntN(2) > 0, rnd.IntN(2) > 0
	w := &world{
		t: t, seed: seed, rnd: rnd, harmless: harmless, r: r, now: time.Duration(rnd.Int64N(int64(time.Minute))),
		stored: held(1), moods: map[string]guard.Result{}, ids: map[uint32]bool{}, granted: guard.Never,
	}
	for _, who := range []string{"store", "server", "plane", "replica"} {
		w.moods[who] = guard.Done
	}
	w.s = guard.New(r, w.now)
	return w
}

// Whatever fails, and in whatever order the answers come, a guard whose writer nothing but
// itself moves never closes it while a grant holds, and never lets it outlive the last one.
func TestAGuardDoesNoHarm(t *testing.T) {
	opens, fences := 0, 0
	worlds := raced.Few[uint64](30, 300)
	for seed := range worlds {
		w := newWorld(t, seed, true)
		w.runs(2 * time.Minute)
		opens, fences = opens+w.opens, fences+w.fences
	}
	t.Logf("%d fences, %d openings", fences, opens)
	require.Greater(t, fences, int(worlds)/3, "no grant has ever run out")
	require.Greater(t, opens, int(worlds)/3, "no writer was ever opened again")
}

// The same with people, AWS and executions that move the writer and the lease, with the guard
// of the lag, and with a process that hands over at the end.
func TestAGuardKeepsTheRules(t *testing.T) {
	opens, gave := 0, 0
	worlds := raced.Few[uint64](30, 300)
	for seed := range worlds {
		w := newWorld(t, seed, false)
		w.runs(time.Duration(w.rnd.Int64N(int64(2 * time.Minute))))
		opens += w.opens
		if w.gave != 0 {
			gave++
		}
		w.learn(guard.Input{Kind: guard.Stopped})
		w.now += time.Duration(w.rnd.Int64N(int64(100 * time.Millisecond)))
		until := guard.Never
		if w.chance(.5) {
			until = w.now + time.Duration(w.rnd.Int64N(int64(time.Minute)))
		}
		w.learn(guard.Input{Kind: guard.HandedOver, Until: until})
		w.runs(2 * time.Minute)
		if !w.s.Finished {
			w.fail("stays behind for ever")
		}
	}
	t.Logf("%d openings, %d times given back", opens, gave)
	require.Greater(t, opens, int(worlds)/3)
	require.Positive(t, gave)
}
