package conformance_test

import (
	"fmt"
	"maps"
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

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// late is how much a call that goes wrong may cost.
const late = 5 * time.Second

// TestCrashPointsOnTheWire is what TestCrashPoints in pkg/dr/failover is, one layer down:
// the n-th HTTP call of the acting Region's processes goes wrong, and the adapters, the
// SDK's clients and the emulated services between them and the journal are the real ones.
//
// LIFEBOAT_POINTS=all tries every point, LIFEBOAT_POINTS=n every n-th, and
// LIFEBOAT_POINT=course:process/service/operation/n/way replays one.
func TestCrashPointsOnTheWire(t *testing.T) {
	stride := defaultStride
	switch v := os.Getenv("LIFEBOAT_POINTS"); v {
	case "":
	case "all":
		stride = 1
	default:
		n, err := strconv.Atoi(v)
		require.NoError(t, err, "LIFEBOAT_POINTS")
		stride = max(n, 1)
	}
	if v := os.Getenv("LIFEBOAT_POINT"); v != "" {
		name, rest, _ := strings.Cut(v, ":")
		at, err := parsePoint(rest)
		require.NoError(t, err)
		i := slices.IndexFunc(courses, func(c course) bool { return c.name == name })
		require.GreaterOrEqual(t, i, 0, "LIFEBOAT_POINT: no course %q", name)
		base := courses[i].run(t, point{})
		got := courses[i].run(t, at)
		t.Logf("undisturbed %v, with %s %v, call reached: %v\n%s", base.took, at, got.took, got.hit, got.story)
		require.Empty(t, got.judge(base))
		return
	}
	for _, c := range courses {
		t.Run(c.name, func(t *testing.T) { c.every(t, stride) })
	}
}

// every tries the points of a course.
func (c course) every(t *testing.T, stride int) {
	base := c.run(t, point{})
	require.Empty(t, base.judge(base), "undisturbed\n%s", base.story)
	var points []point
	all, calls := 0, ""
	for _, p := range slices.Sorted(maps.Keys(base.counts)) {
		calls += fmt.Sprintf("  %-44s %4d\n", p, base.counts[p])
		for n := 1; n <= base.counts[p]; n++ {
			for _, h := range ways {
				// A stride that has no factor in common with the number of ways meets each.
				if all++; all%stride == 0 {
					points = append(points, point{p, n, h})
				}
			}
		}
	}
	begun := time.Now()
	var mu sync.Mutex
	tried, latest, where := map[way]int{}, map[way]time.Duration{}, map[way]point{}
	missed, wrong := 0, 0
	t.Run("points", func(t *testing.T) {
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for i := w; i < len(points); i += workers {
					at := points[i]
					got := c.run(t, at)
					// Which of two calls at the same instant is the n-th is the scheduler's.
					for again := 0; !got.hit && again < 9; again++ {
						got = c.run(t, at)
					}
					bad := got.judge(base)
					mu.Lock()
					tried[at.way]++
					if !got.hit {
						missed++
					}
					if d := got.took - base.took; d > latest[at.way] {
						latest[at.way], where[at.way] = d, at
					}
					if len(bad) > 0 {
						wrong++
					}
					enough := wrong >= 3
					mu.Unlock()
					if len(bad) > 0 {
						t.Errorf("%s: %s\nreplay: LIFEBOAT_POINT=%s:%s go test ./drills/conformance -run TestCrashPointsOnTheWire -v\n%s",
							at, strings.Join(bad, "; "), c.name, at, got.story)
					}
					if enough {
						return
					}
				}
			})
		}
	})
	var b strings.Builder
	for _, h := range ways {
		fmt.Fprintf(&b, "  %-13s %5d points, at most %8v later (%s)\n", h, tried[h], latest[h].Round(time.Millisecond), where[h])
	}
	t.Logf("%s: %d of %d points in %v, undisturbed %v, never reached %d\n%scalls from the fault on\n%s",
		c.name, len(points), all, time.Since(begun).Round(time.Millisecond), base.took, missed, b.String(), calls)
	require.LessOrEqual(t, missed*50, len(points), "too many points were never reached")
}

// run lets a course go wrong at a point, in a bubble of its own.
func (c course) run(t *testing.T, at point) (got outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { got = c.walk(t, at) })
	return got
}

// allowed is how much later than undisturbed an execution may settle.
func (o outcome) allowed() time.Duration {
	switch o.at.way {
	case hangs, lost:
		return late + o.waits
	case throttled:
		return late + throttling
	}
	return late
}

// judge returns what must not be, undisturbed or not.
func (o outcome) judge(base outcome) []string {
	var bad []string
	fail := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if o.took == 0 {
		fail("it did not settle")
	}
	if d := o.took - base.took; d > o.allowed() {
		fail("it settled %v later, allowed are %v", d, o.allowed())
	}
	if len(o.loose) > 0 {
		fail("calls without a deadline, which could hang for ever: %v", o.loose)
	}
	bad = append(bad, o.clients...)
	happened := make(map[failover.Kind]int)
	from := failover.Steady
	var last failover.Execution
	for i, e := range o.entries {
		last = e.Execution
		if last.ID != o.entries[0].Execution.ID || last.Seq != i+1 {
			fail("entry %d is %s/%d: not one execution without a gap", i+1, last.ID, last.Seq)
		}
		if _, ok := failover.Table[from][e.Event]; !ok {
			fail("%s in state %s is not in the table", e.Event, from)
		}
		from = last.State
		happened[e.Event]++
	}
	for _, k := range []failover.Kind{failover.EvEpochTaken, failover.EvFenceProven, failover.EvPromoted, failover.EvVerified, failover.EvRedirected, failover.EvAnnounced} {
		if happened[k] != 1 {
			fail("%s happened %d times", k, happened[k])
		}
	}
	if last.State != failover.Settled || last.Proof == "" || o.course.planned != (last.Mode == failover.ModeSwitchover) {
		fail("it ended in state %s with proof %q, a %s", last.State, last.Proof, last.Mode)
	}
	if !o.course.planned && (len(last.Evidence.Dark) < 2 || len(last.Evidence.Vantages) < 2) {
		fail("promoted on evidence %v from %v", last.Evidence.Dark, last.Evidence.Vantages)
	}
	if o.course.asks != (last.Ack != nil) {
		fail("acknowledged: %+v", last.Ack)
	}
	if len(o.moves) != 1 || o.lease["epoch"] != "2" || o.lease["holder"] != west.String() || o.lease["execution"] != last.ID {
		fail("%d promotions, lease %v", len(o.moves), o.lease)
	}
	if o.lands != west || !o.opened {
		fail("clients land in %s, the new writer is open: %v", o.lands, o.opened)
	}
	// Who can't know whether a message has gone out sends it again.
	more := 1
	if o.course.planned {
		more++ // the operator's process and the Region's own walk the same execution
	}
	if n := len(o.told) - len(base.told); n > more || n < 0 && !strings.Contains(string(o.at.port), "/sns/") {
		fail("%d messages, undisturbed %d", len(o.told), len(base.told))
	}
	return bad
}
