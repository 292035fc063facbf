package failover_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestSearch draws worlds with faults and holds the invariants of the design in
// every one: no dual acknowledgement, no loss outside what was declared, no
// promotion without proof, every execution ended, and a writer within bounds.
//
// LIFEBOAT_SEEDS asks for another number of worlds, LIFEBOAT_SEED for a single one,
// both for that many from that one on.
// A seed draws the faults and the latencies; which of two goroutines runs first at
// the same instant is the scheduler's, so a rare failure may need a few replays.
func TestSearch(t *testing.T) {
	first, n := uint64(1), uint64(defaultSeeds)
	for name, into := range map[string]*uint64{"LIFEBOAT_SEED": &first, "LIFEBOAT_SEEDS": &n} {
		if v := os.Getenv(name); v != "" {
			var err error
			*into, err = strconv.ParseUint(v, 10, 64)
			require.NoError(t, err, name)
		}
	}
	if os.Getenv("LIFEBOAT_SEED") != "" && os.Getenv("LIFEBOAT_SEEDS") == "" {
		n = 1
	}
	begun := time.Now()
	total := newTally()
	workers := uint64(runtime.GOMAXPROCS(0))
	t.Run("worlds", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for seed := first + w; seed < first+n && total.violations() < 3; seed += workers {
					var failure string
					synctest.Test(t, func(t *testing.T) {
						var seen map[string]int
						seen, failure = search(t, seed)
						total.add(seen)
					})
					if failure != "" {
						t.Errorf("replay: LIFEBOAT_SEED=%d go test ./pkg/dr/failover -run TestSearch\n%s", seed, failure)
					}
				}
			})
		}
	})
	t.Logf("%d worlds in %v (%.0f a second)\n%s", n, time.Since(begun).Round(time.Millisecond), float64(n)/time.Since(begun).Seconds(), total)
	if n >= 400 && !t.Failed() {
		total.complete(t)
	}
}

// tally adds up what was visited.
type tally struct {
	mu   sync.Mutex
	seen map[string]int
}

func newTally() *tally { return &tally{seen: make(map[string]int)} }

func (t *tally) add(seen map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, n := range seen {
		t.seen[k] += n
	}
}

func (t *tally) violations() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen["violations"]
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out strings.Builder
	for _, k := range slices.Sorted(maps.Keys(t.seen)) {
		fmt.Fprintf(&out, "  %6d %s\n", t.seen[k], k)
	}
	return out.String()
}

// search runs one world and returns what it visited, and what was violated.
func search(t *testing.T, seed uint64) (map[string]int, string) {
	rng := rand.New(rand.NewPCG(seed, 0x5eed))
	p := dr.Policy{EffectTimeout: 25 * time.Second, Watchdog: rng.IntN(4) == 0, RPOGuard: rng.IntN(5) == 0, MaxFailovers: new(1 + rng.IntN(2))}
	s := newSimIn(t, seed, p, rng.IntN(4) == 0)
	s.Pair.SetBoot(rng.IntN(2) == 0 || s.unbootstrapped)
	s.Spare = []int{0, 0, 0, 1}[rng.IntN(4)]
	a := newAuditor(s)
	got := make(chan func(), 16)
	faults := s.draw(a, got, rng)
	if s.unbootstrapped {
		faults = append(faults, s.drawBootstrap(rng))
	}
	s.note("seed %d, watchdog %v, RPO guard %v, spare instances %d, unbootstrapped %v", seed, p.Watchdog, p.RPOGuard, s.Spare, s.unbootstrapped)

	for _, r := range topology.Vantages() {
		s.start(r)
	}
	w := &walk{s: s, a: a, got: got, rng: rng, patience: between(rng, 3*time.Second, 40*time.Second), rejoin: between(rng, time.Second, 20*time.Second)}
	var switchover time.Duration
	if rng.IntN(6) == 0 {
		switchover = between(rng, 10*time.Second, 40*time.Second)
	}
	healed := w.faults(faults, switchover)
	w.liveness(healed)
	s.end(w.cancels...)
	w.drain()
	a.closing()
	for why, n := range a.excused {
		s.seen["excused: "+why] += n
	}
	if len(a.broken) == 0 {
		return s.seen, ""
	}
	s.seen["violations"]++
	return s.seen, strings.Join(a.broken, "\n") + "\n" + s.story()
}

// walk leads one world through its faults.
type walk struct {
	s        *sim
	a        *auditor
	got      chan func()
	rng      *rand.Rand
	patience time.Duration // of the operator
	rejoin   time.Duration // how long Aurora takes to see that a member can rejoin
	cancels  []context.CancelFunc

	asked   map[string]time.Time
	apart   time.Time
	refused time.Time
	answers int
}

// faults injects and heals everything, and returns when the last was healed.
func (w *walk) faults(faults []fault, switchover time.Duration) time.Time {
	injected, undone := make([]bool, len(faults)), make([]bool, len(faults))
	requested := switchover == 0
	for {
		since, left := time.Since(w.s.begun), 0
		for i, f := range faults {
			if !injected[i] && since >= f.at {
				injected[i] = true
				w.s.note("FAULT %s", f.name)
				f.inject()
			}
			if injected[i] && !undone[i] && since >= f.heal {
				undone[i] = true
				w.s.note("HEAL %s", f.name)
				f.undo()
			}
			if !undone[i] {
				left++
			}
		}
		if !requested && since >= switchover {
			requested = true
			w.switchover()
		}
		if left == 0 && requested {
			break
		}
		w.step()
	}
	// What one fault left behind another may have covered: now all is well.
	for _, r := range topology.Vantages() {
		w.s.CutRegion(r, false)
		w.s.start(r)
	}
	for _, r := range topology.Members {
		w.s.Pair.DB(r).Thaw()
		w.s.Pair.DB(r).Start()
	}
	w.s.note("all is healed")
	return time.Now()
}

// step lets a moment pass.
func (w *walk) step() {
	w.a.tick()
	w.operate()
	w.aurora()
	w.drain()
	w.s.wait(50 * time.Millisecond)
}

func (w *walk) drain() {
	for {
		select {
		case f := <-w.got:
			f()
		default:
			return
		}
	}
}

// switchover is requested by an operator, from the Region that does not write.
func (w *walk) switchover() {
	l, bootstrapped := w.s.Store.Lease()
	if !bootstrapped {
		return // no Region is known to write yet
	}
	to := topology.Peer(l.Holder)
	watch := &failover.Watch{}
	c, err := failover.NewController(w.s.Controller(to, w.s.policy, watch, w.s.trace(to)))
	require.NoError(w.s.t, err)
	ctx, cancel := context.WithCancel(w.s.ctx)
	w.cancels = append(w.cancels, cancel)
	w.s.note("OPERATOR requests a switchover to %s", to)
	w.s.wg.Go(func() { _ = watch.Run(ctx, w.s.policy, w.s.Store.At(to), to, nil) })
	w.s.wg.Go(func() {
		w.s.wait(time.Second)
		x, err := c.Switchover(ctx, failover.Origin{By: "jane", Reason: "planned"})
		w.s.note("switchover returned %s %s %v", x.State, x.Code, err)
	})
}

// operate answers the questions of executions, after a while. Where the question is
// the fence, the operator first makes sure that the old writer is stopped.
func (w *walk) operate() {
	x := w.s.last().Execution
	if x.State != failover.AwaitingApproval {
		w.refused = time.Time{}
		return
	}
	if w.refused.IsZero() {
		w.refused = time.Now()
	}
	if time.Since(w.refused) < w.patience {
		return
	}
	w.refused = time.Time{}
	if x.Code == failover.CodeNoFenceProof || x.Code == failover.CodeFenceFailed {
		db := w.s.Pair.DB(x.From)
		if writer, _ := w.s.Pair.Following(); writer == x.From {
			db.Kill()
			db.Start()
		}
	}
	w.answers++
	w.s.note("OPERATOR acknowledges epoch %d (%s)", x.Epoch, x.Code)
	w.s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(w.s.ctx, 5*time.Second)
		defer cancel()
		_ = w.s.Store.At(witness).Acknowledge(ctx, failover.Acknowledgement{Execution: x.ID, Question: x.Question.ID, By: "operator", Reason: fmt.Sprintf("answer %d", w.answers)})
	})
}

// aurora rebuilds an old writer as a secondary when it can be reached for a while.
func (w *walk) aurora() {
	writer, following := w.s.Pair.Following()
	old := topology.Peer(writer)
	if following || !w.s.Net.Reaches(writer, old) {
		w.apart = time.Now()
		return
	}
	if time.Since(w.apart) < w.rejoin {
		return
	}
	if err := w.s.Pair.Rejoin(old); err == nil {
		w.s.note("%s has rejoined", old)
	}
}

// liveness waits for a writer that clients reach, and then watches a little longer.
func (w *walk) liveness(healed time.Time) {
	const bound = 4 * time.Minute
	var good time.Time
	for time.Since(healed) < bound {
		w.step()
		writer, _ := w.s.Pair.Following()
		x := w.s.last().Execution
		ok := w.s.Pair.DB(writer).Accepts() && w.s.Router.Target() == writer && (x.ID == "" || x.State.Ended())
		if !ok {
			good = time.Time{}
			continue
		}
		if good.IsZero() {
			good = time.Now()
		}
		if time.Since(good) > 15*time.Second {
			w.s.visit("lived")
			return
		}
	}
	writer, following := w.s.Pair.Following()
	l, _ := w.s.Store.Lease()
	w.a.fail("no writer within %v after the last fault: writer %s (following %v, accepts %v), endpoint %s, lease epoch %d of %s, execution %s %s %s",
		bound, writer, following, w.s.Pair.DB(writer).Accepts(), w.s.Router.Target(), l.Epoch, l.Holder, w.s.last().Execution.ID, w.s.last().Execution.State, w.s.last().Execution.Code)
}
