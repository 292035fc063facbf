package failover_test

import (
	"cmp"
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
)

// TestCrashPoints lets, in one world each, the n-th call of every port of the acting Region
// go wrong, for every n from the fault on and in every way: refused, carried out but
// unheard, hanging, throttled, and the process killed before, after and on the answer.
// Whatever it is, the same execution settles with one promotion and one epoch, at most
// five seconds later (and the deadline of a call that hung).
//
// LIFEBOAT_POINTS=all tries every point, LIFEBOAT_POINTS=n every n-th, and
// LIFEBOAT_POINT=course:process/call/n/way replays one. Under the race detector, which
// makes a world ten times as slow, the default is every 23rd, else every fifth.
func TestCrashPoints(t *testing.T) {
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
	all := 0
	for _, p := range slices.Sorted(maps.Keys(base.counts)) {
		for n := 1; n <= base.counts[p]; n++ {
			for _, h := range ways {
				// A stride that has no factor in common with the number of ways meets each.
				if all++; all%stride == 0 {
					points = append(points, point{p, n, h})
				}
			}
		}
	}
	t.Logf("calls from the fault on\n%s", portsOf(base.counts))
	begun := time.Now()
	sum := newTotal()
	t.Run("points", func(t *testing.T) {
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for i := w; i < len(points) && sum.failures() < 3; i += workers {
					got := c.run(t, points[i])
					// Two processes that are at the same entry at the same instant race, and
					// which one makes the n-th call is the scheduler's.
					for again := 0; !got.hit && again < 9; again++ {
						got = c.run(t, points[i])
					}
					bad := got.judge(base)
					sum.add(points[i], got, base, len(bad) > 0)
					for _, b := range bad {
						t.Errorf("%s: %s", points[i], b)
					}
					if len(bad) > 0 {
						t.Errorf("replay: LIFEBOAT_POINT=%s:%s go test ./pkg/dr/failover -run TestCrashPoints -v\n%s", c.name, points[i], got.story)
					}
				}
			})
		}
	})
	t.Logf("%s: %d of %d points in %v, undisturbed %v\n%s", c.name, len(points), all, time.Since(begun).Round(time.Millisecond), base.took, sum)
	require.LessOrEqual(t, sum.missed*50, len(points), "too many points were never reached")
}

// total adds up what became of the points of a course.
type total struct {
	mu     sync.Mutex
	tried  map[how]int
	latest map[how]time.Duration // the most that a way has cost
	where  map[how]point
	missed int
	failed int
}

func newTotal() *total {
	return &total{tried: make(map[how]int), latest: make(map[how]time.Duration), where: make(map[how]point)}
}

func (s *total) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *total) add(at point, got, base outcome, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failed {
		s.failed++
	}
	if !got.hit {
		s.missed++
		return
	}
	s.tried[at.how]++
	if late := got.took - base.took; late > s.latest[at.how] {
		s.latest[at.how], s.where[at.how] = late, at
	}
}

func (s *total) String() string {
	var b strings.Builder
	for _, h := range ways {
		fmt.Fprintf(&b, "  %-13s %5d points, at most %8v later (%s)\n", h, s.tried[h], s.latest[h].Round(time.Millisecond), s.where[h])
	}
	fmt.Fprintf(&b, "  never reached %5d, failed %d", s.missed, s.failed)
	return b.String()
}

// run lets a course go wrong at a point, in a bubble of its own.
func (c course) run(t *testing.T, at point) (got outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { got = c.walk(t, at) })
	return got
}

// allowed is how much later than undisturbed an execution may settle.
func (o outcome) allowed() time.Duration {
	switch o.at.how {
	case hangs, hangsDone:
		return late + o.waits
	case throttled:
		return late + throttling
	}
	return late
}

// portsOf prints what a course calls, for the log.
func portsOf(counts map[port]int) string {
	var b strings.Builder
	for _, p := range slices.SortedFunc(maps.Keys(counts), func(x, y port) int { return cmp.Compare(x, y) }) {
		fmt.Fprintf(&b, "  %-28s %4d\n", p, counts[p])
	}
	return b.String()
}
