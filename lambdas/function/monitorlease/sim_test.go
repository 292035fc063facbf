package monitorlease_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
)

const (
	day   = 24 * time.Hour
	limit = 15 * time.Minute // Lambda's own, BC/lambda
)

// TestDay lets a Region live through days on which everything goes wrong: ticks jittered,
// missed and doubled, processes killed and stopped, a store that is slow, unreachable,
// that loses answers, refuses, or carries a write out after its sender has given up.
//
// LIFEBOAT_SEED replays one day, LIFEBOAT_SEEDS asks for another number of them. A seed
// draws the faults; which of two goroutines runs first at the same instant is the
// scheduler's, so a rare failure may need a few replays.
func TestDay(t *testing.T) {
	first, n := number(t, "LIFEBOAT_SEED", 1), number(t, "LIFEBOAT_SEEDS", 4)
	if os.Getenv("LIFEBOAT_SEED") != "" && os.Getenv("LIFEBOAT_SEEDS") == "" {
		n = 1
	}
	visited := map[string]int{}
	for seed := first; seed < first+n; seed++ {
		synctest.Test(t, func(t *testing.T) {
			w := live(t, seed, day)
			t.Logf("seed %d: %s", seed, w)
			if len(w.wrong) > 0 {
				t.Errorf("replay: LIFEBOAT_SEED=%d go test ./lambdas/function/monitorlease -run TestDay\n%s", seed, strings.Join(w.wrong, "\n\n"))
			}
			for what, n := range w.counts {
				visited[what] += n
			}
		})
	}
	for _, what := range []string{
		"tick", "doubled", "missed", "killed", "paused", "outage", "slow", "lost", "late", "refused",
		"claimed", "taken", "yielded", "lapsed", "usurped", "cut off", "two at once", "released", "left", "taken over from the dead", "taken back", "deadline",
	} {
		require.NotZero(t, visited[what], "no day had %q: the search has rotted", what)
	}
}

// A day of nothing but jittered ticks says what a clean handover costs.
func TestQuietDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t, 0, day)
		t.Logf("%s", w)
		require.Empty(t, w.wrong)
		require.Zero(t, w.counts["lapsed"]+w.counts["two at once"]+w.counts["failed"]+w.counts["taken over from the dead"])
		require.InDelta(t, 24*60, w.counts["taken"], 3, "every tick takes over once")
		slices.Sort(w.gaps)
		require.Less(t, w.gaps[len(w.gaps)/2], 300*time.Millisecond)
		require.Less(t, w.gaps[len(w.gaps)-1], 600*time.Millisecond)
		// What doc.go says it costs.
		require.InDelta(t, 5140+240, w.counts["write"]/24, 150)
		require.InDelta(t, 900, w.counts["read"]/24, 150)
	})
}

func number(t *testing.T, name string, n uint64) uint64 {
	t.Helper()
	if v := os.Getenv(name); v != "" {
		var err error
		n, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err, name)
	}
	return n
}

// world is a Region: its processes, its store, and what is true of them.
type world struct {
	store monitorleasetest.Memory
	wg    sync.WaitGroup

	mu     sync.Mutex
	rng    *rand.Rand
	rough  bool
	procs  map[*process]bool // alive
	counts map[string]int
	wrong  []string
	gaps   []time.Duration // of every handover in which the store was well
	worst  time.Duration   // of those with at most one failed call
	most   time.Duration   // for which one has worked beside its successor that could have heard of it

	sick   string    // the store: "", "outage", "slow"
	well   time.Time // since when the store is
	back   time.Time // when it has last begun to answer again, be it one process
	idle   time.Time // since when no process works; zero while one does
	hurt   int       // calls that failed since
	lately []string  // the last events, printed with a failure

	workers []*process           // those that work, more than one only as in beside
	taker   *process             // of the lease as it is stored
	spoke   time.Time            // when the holder's last word was stored
	mute    map[uint64]time.Time // when a lease was taken from a holder that had said nothing for TTL, by its number
}

// note keeps what has happened last. The lock must be held.
func (w *world) note(format string, args ...any) {
	w.lately = append(w.lately, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	w.lately = w.lately[max(0, len(w.lately)-40):]
}

// fail notes a violation with what led to it. The lock must be held.
func (w *world) fail(format string, args ...any) {
	w.note(format, args...)
	w.wrong = append(w.wrong, strings.Join(w.lately, "\n"))
	w.lately = nil
}

// live runs a Region for a time. Seed 0 has no faults.
func live(t *testing.T, seed uint64, span time.Duration) *world {
	t.Helper()
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 7)), rough: seed != 0, well: time.Now(), idle: time.Now(),
		procs: map[*process]bool{}, mute: map[uint64]time.Time{}, counts: map[string]int{},
	}
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	w.wg.Go(func() { w.tick(ctx) })
	if w.rough {
		w.wg.Go(func() { w.every(ctx, 20*time.Minute, w.kill) })
		w.wg.Go(func() { w.every(ctx, 15*time.Minute, w.freeze) })
		w.wg.Go(func() { w.every(ctx, 15*time.Minute, w.sever) })
		w.wg.Go(func() { w.every(ctx, time.Hour, func(ctx context.Context) { w.ail(ctx, "outage", 2*time.Minute) }) })
		w.wg.Go(func() { w.every(ctx, time.Hour, func(ctx context.Context) { w.ail(ctx, "slow", time.Minute) }) })
	}
	w.wg.Wait()
	return w
}

func (w *world) String() string {
	slices.Sort(w.gaps)
	s := fmt.Sprintf("worst gap %v; two at once for %v; of %d handovers half below %v, 99%% below %v;", w.worst, w.most, len(w.gaps), w.gaps[len(w.gaps)/2], w.gaps[len(w.gaps)*99/100])
	for _, what := range sortedKeys(w.counts) {
		s += fmt.Sprintf(" %s %d", what, w.counts[what])
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	return keys
}

// chance and between draw under the lock.
func (w *world) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Float64() < p
}

func (w *world) between(a, b time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return a + time.Duration(w.rng.Int64N(int64(b-a)))
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// doze waits, and reports false when ctx has ended first.
func doze(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (w *world) every(ctx context.Context, mean time.Duration, do func(context.Context)) {
	for doze(ctx, w.between(0, 2*mean)) {
		do(ctx)
	}
}

// tick starts a process per minute, somewhere within it.
func (w *world) tick(ctx context.Context) {
	begun, missing := time.Now(), 0
	for minute := 0; ; minute++ {
		at := begun.Add(time.Duration(minute)*time.Minute + w.between(0, 59*time.Second))
		if !doze(ctx, time.Until(at)) {
			return
		}
		if end, _ := ctx.Deadline(); time.Until(end) < time.Minute {
			return // one that starts as the day ends has no time to work
		}
		if w.rough && missing == 0 && w.chance(.02) {
			missing = 1 + int(w.between(0, 5))
			if w.chance(.3) {
				missing += 16 // longer than any process may live
			}
		}
		if missing > 0 {
			missing--
			w.count("missed")
			continue
		}
		w.count("tick")
		id := fmt.Sprint(minute)
		w.start(ctx, id, w.between(10*time.Millisecond, time.Second))
		if w.rough && w.chance(.05) {
			w.count("doubled")
			delay := time.Duration(0)
			if w.chance(.7) {
				delay = w.between(0, 5*time.Second)
			}
			w.start(ctx, id, delay) // the same event, so the same request id
		}
	}
}

// settle judges the time that ends now. It comes before every change of what is true.
func (w *world) settle() (gap time.Duration) {
	if w.idle.IsZero() || w.sick != "" || len(w.procs) == 0 {
		return 0
	}
	// The Region is blind from when all of these hold: no process works, the store is well,
	// and the oldest process that still lives has started.
	var oldest time.Time
	for p := range w.procs {
		if oldest.IsZero() || p.since.Before(oldest) {
			oldest = p.since
		}
	}
	since := w.idle
	for _, t := range []time.Time{w.well, oldest} {
		if t.After(since) {
			since = t
		}
	}
	gap = time.Since(since)
	// One lost answer is within the bound, every other costs a call's deadline. A call that was
	// under way when the store came back has been given TTL.
	c := monitorlease.Config{}.WithDefaults()
	allowed := monitorlease.Blind + time.Duration(max(0, w.hurt-1))*470*time.Millisecond
	if since.Sub(w.back) < c.TTL {
		allowed += c.TTL - c.Call
	}
	if gap > allowed {
		w.fail("blind for %v, %d calls failed", gap, w.hurt)
	}
	if w.hurt <= 1 && since.Sub(w.back) >= c.TTL {
		w.worst = max(w.worst, gap)
	}
	return gap
}

func (w *world) working(p *process) {
	for _, o := range w.workers {
		w.beside(p, o)
	}
	if len(w.workers) == 0 {
		if gap := w.settle(); gap > 0 {
			w.gaps = append(w.gaps, gap)
		}
	}
	w.note("%s works", p)
	w.workers, w.idle, w.hurt = append(w.workers, p), time.Time{}, 0
}

func (w *world) resting(p *process) {
	at := slices.Index(w.workers, p)
	if at < 0 {
		return
	}
	w.note("%s rests", p)
	w.late(p)
	if w.workers = slices.Delete(w.workers, at, at+1); len(w.workers) == 0 {
		w.idle = time.Now()
	}
}

// beside judges two that work at once. The later one has taken the lease of the earlier one
// without a release, when that had said nothing for TTL; else it is a violation.
func (w *world) beside(p, o *process) {
	if p.number < o.number {
		p, o = o, p
	}
	w.counts["two at once"]++
	if _, mute := w.mute[o.number+1]; !mute || p.number == o.number {
		w.fail("%s works beside %s", p, o)
	}
}

// late judges one that has worked beside its successor, and stops: it must have stopped
// Margin after it was told, and have been told when it could hear.
func (w *world) late(p *process) {
	c := p.config()
	if !p.told.IsZero() && time.Since(p.told) > c.Margin {
		w.fail("%s has worked for %v since it saw its successor", p, time.Since(p.told))
	}
	since, mute := w.mute[p.number+1]
	if !mute {
		return
	}
	for _, t := range []time.Time{w.well, p.since, p.begun} {
		if t.After(since) {
			since = t
		}
	}
	// The call that was swallowed, a renewal that is refused, a look, and the end.
	if over := time.Since(since); w.sick == "" && !p.cut && over > c.TTL*time.Duration(1+p.failed)+c.Margin+500*time.Millisecond {
		w.fail("%s has worked beside its successor for %v", p, over)
	}
	w.most = max(w.most, time.Since(since))
}

// sever cuts a process off from the store for a while. It can be told nothing, and is not
// missed.
func (w *world) sever(ctx context.Context) {
	p := w.any()
	if p == nil {
		return
	}
	w.mu.Lock()
	if p.dead || !w.procs[p] {
		w.mu.Unlock()
		return
	}
	w.counts["cut off"]++
	w.settle()
	delete(w.procs, p)
	p.cut = true
	w.note("%s is cut off", p)
	w.mu.Unlock()
	doze(ctx, w.between(100*time.Millisecond, 30*time.Second))
	w.mu.Lock()
	defer w.mu.Unlock()
	p.cut = false
	if p.dead {
		return
	}
	w.settle()
	p.since, w.back = time.Now(), time.Now()
	w.note("%s reaches the store", p)
	if !p.done {
		w.procs[p] = true
	}
}

// ail makes the store sick for a while.
func (w *world) ail(ctx context.Context, how string, atMost time.Duration) {
	w.mu.Lock()
	busy := w.sick != ""
	if !busy {
		w.settle()
		w.sick = how
		w.note("the store: %s", how)
		w.counts[how]++
	}
	w.mu.Unlock()
	if busy {
		return
	}
	doze(ctx, w.between(time.Second, atMost))
	w.mu.Lock()
	w.note("the store is well")
	w.back = time.Now()
	w.sick, w.well, w.hurt = "", time.Now(), 1 // what is under way fails yet
	w.mu.Unlock()
}
