package crashpoint

import (
	"fmt"
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

// Suite is one layer's crash points.
type Suite struct {
	// Replay is the command that plays one point, after the setting that names it.
	Replay string
	Ways   []Way
	// Stride is which points are tried where LIFEBOAT_POINTS does not say: every n-th.
	Stride int
	// Message tells the port at which people are told.
	Message func(Port) bool
	// Build makes the world of a stage, in the stage's bubble.
	Build func(*Stage) World
}

// Run tries the points that the environment asks for, each in a world of its own.
// LIFEBOAT_POINTS=all tries every point and LIFEBOAT_POINTS=n every n-th;
// LIFEBOAT_POINT=course:point replays one.
func (s Suite) Run(t *testing.T) {
	switch v := os.Getenv("LIFEBOAT_POINTS"); v {
	case "":
	case "all":
		s.Stride = 1
	default:
		n, err := strconv.Atoi(v)
		require.NoError(t, err, "LIFEBOAT_POINTS")
		s.Stride = max(n, 1)
	}
	if v := os.Getenv("LIFEBOAT_POINT"); v != "" {
		s.replay(t, v)
		return
	}
	for _, c := range Courses {
		t.Run(c.Name, func(t *testing.T) { s.every(t, c) })
	}
}

func (s Suite) replay(t *testing.T, point string) {
	name, rest, _ := strings.Cut(point, ":")
	at, err := ParsePoint(rest, s.Ways)
	require.NoError(t, err, "LIFEBOAT_POINT")
	i := slices.IndexFunc(Courses, func(c Course) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, "LIFEBOAT_POINT: no course %q", name)
	base := s.walk(t, Courses[i], Point{})
	got := s.try(t, Courses[i], at)
	t.Logf("undisturbed %v, with %s %v, call reached: %v\n%s", base.Took, at, got.Took, got.Hit, got.Story)
	require.True(t, got.Hit, "the call at %s was never made: nothing went wrong here", at)
	require.Empty(t, got.Judge(base))
}

// every tries the points of a course.
func (s Suite) every(t *testing.T, c Course) {
	base := s.walk(t, c, Point{})
	require.Empty(t, base.Judge(base), "undisturbed\n%s", base.Story)
	points, all := Points(base.Counts, s.Ways, s.Stride)
	t.Logf("calls from the fault on\n%s", portsOf(base.Counts))
	begun := time.Now()
	sum := &total{tried: make(map[Way]int), latest: make(map[Way]time.Duration), where: make(map[Way]Point)}
	t.Run("points", func(t *testing.T) {
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			t.Run(strconv.Itoa(w), func(t *testing.T) {
				t.Parallel()
				for i := w; i < len(points) && sum.failures() < 3; i += workers {
					got := s.try(t, c, points[i])
					bad := got.Judge(base)
					sum.add(got, base, len(bad) > 0)
					if len(bad) > 0 {
						t.Errorf("%s: %s\nreplay: LIFEBOAT_POINT=%s:%s %s\n%s",
							points[i], strings.Join(bad, "; "), c.Name, points[i], s.Replay, got.Story)
					}
				}
			})
		}
	})
	t.Logf("%s: %d of %d points in %v, undisturbed %v\n%s", c.Name, len(points), all, time.Since(begun).Round(time.Millisecond), base.Took, sum.print(s.Ways))
	require.LessOrEqual(t, sum.missed*50, len(points), "too many points were never reached")
}

// try lets a course go wrong at a point. Two processes that are at the same entry at the
// same instant race, and which one makes the n-th call is the scheduler's: it tries again.
func (s Suite) try(t *testing.T, c Course, at Point) Outcome {
	t.Helper()
	got := s.walk(t, c, at)
	for again := 0; !got.Hit && again < 9; again++ {
		got = s.walk(t, c, at)
	}
	return got
}

// walk walks a course, in a bubble of its own.
func (s Suite) walk(t *testing.T, c Course, at Point) (got Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { got = s.stage(t, c, at).walk() })
	got.Tells = s.Message(at.Port)
	return got
}

// total adds up what became of the points of a course.
type total struct {
	mu     sync.Mutex
	tried  map[Way]int
	latest map[Way]time.Duration // the most that a way has cost
	where  map[Way]Point
	missed int
	failed int
}

func (s *total) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *total) add(got, base Outcome, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failed {
		s.failed++
	}
	if !got.Hit {
		s.missed++
		return
	}
	way := got.At.Way
	s.tried[way]++
	if late := got.Took - base.Took; late > s.latest[way] {
		s.latest[way], s.where[way] = late, got.At
	}
}

func (s *total) print(ways []Way) string {
	var b strings.Builder
	for _, w := range ways {
		if s.tried[w] == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %-13s %5d points, at most %8v later (%s)\n", w, s.tried[w], s.latest[w].Round(time.Millisecond), s.where[w])
	}
	fmt.Fprintf(&b, "  never reached %5d, failed %d", s.missed, s.failed)
	return b.String()
}
