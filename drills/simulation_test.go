package drills_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/simulation"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// TestSimulation plays drawn worlds and holds every invariant of the design in each.
//
// DRILL_REPEAT is the number of worlds, DRILL_SEED the first one's seed, DRILL_SHARD a
// process's share of them.
// Half-failures and people at the console are drawn, too, and invariants 7 and 8 are held;
// DRILL_HARM=none leaves both out.
// DRILL_WORLD plays the one world that a failure has printed.
func TestSimulation(t *testing.T) {
	neverCached(t)
	settings, err := drill.FromEnv(os.Getenv)
	require.NoError(t, err)
	n := settings.Repeat
	if os.Getenv("DRILL_REPEAT") == "" {
		n = simulation.Worlds
	}
	if text := os.Getenv("DRILL_WORLD"); text != "" {
		w, err := simulation.Parse(text)
		require.NoError(t, err)
		simulate(t, w)
		return
	}
	// A world is mostly short-lived requests: collect when half a GiB of them is there.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	for _, past := range corpus(t) {
		t.Run("corpus/"+past.name, func(t *testing.T) {
			raced.Sample(t, 8)
			simulate(t, past.world)
		})
	}
	begun := time.Now()
	all := &sum{seen: make(map[string]int)}
	workers := runtime.GOMAXPROCS(0)
	t.Run("worlds", func(t *testing.T) {
		for k := range workers {
			t.Run(fmt.Sprint(k), func(t *testing.T) {
				t.Parallel()
				for i := settings.Part - 1 + k*settings.Of; i < n && all.failed() < 3; i += workers * settings.Of {
					seed := settings.Seed + uint64(i)
					t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
						draw := simulation.DrawHarm
						if os.Getenv("DRILL_HARM") == "none" {
							draw = simulation.Draw
						}
						all.add(simulate(t, draw(seed)))
					})
				}
			})
		}
	})
	took := time.Since(begun)
	t.Logf("%d worlds of %v in %v (%.1f a second)\n%s", all.worlds, simulation.Length, took.Round(time.Millisecond), float64(all.worlds)/took.Seconds(), all)
}

// play runs one world in a bubble of its own.
func play(t *testing.T, w simulation.World) (out simulation.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		out, err = w.Run(t.Context())
		require.NoError(t, err)
	})
	return out
}

// A seed is played again to the last byte: what was said, when, and in which order.
func TestAWorldIsReplayed(t *testing.T) {
	if runtime.GOMAXPROCS(0) > 1 {
		t.Skip("goroutines run side by side: with -cpu 1 the order is the seed's")
	}
	if raced.On() {
		t.Skip("the race detector finds nothing here that TestSimulation doesn't show it")
	}
	for _, seed := range []uint64{2, 9, 11, 14} {
		w := simulation.Draw(seed)
		once := play(t, w)
		require.Greater(t, strings.Count(once.Story, "\n"), 100)
		again := play(t, w).Story
		require.True(t, once.Story == again, "seed %d: %s", seed, firstDifference(once.Story, again))
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "\n" + x[i] + "\n" + y[i]
		}
	}
	return fmt.Sprintf("%d lines and %d", len(x), len(y))
}

// simulate plays a world, and makes one that fails smaller.
func simulate(t *testing.T, w simulation.World) simulation.Outcome {
	t.Helper()
	out := play(t, w)
	if len(out.Violations) == 0 {
		return out
	}
	t.Errorf("seed %d: %s\nreplay: %s\n%s", w.Seed, strings.Join(out.Violations, "\n"), replay(w), out.Story)
	small := w
	small.Plan = simulation.Shrink(w.Plan, 60, func(p fault.Plan) bool {
		smaller := w
		smaller.Plan = p
		return simulation.Same(out, play(t, smaller))
	})
	if len(small.Plan) < len(w.Plan) || small.Plan.String() != w.Plan.String() {
		t.Errorf("smaller: %s", replay(small))
	}
	return out
}

// past is a failure that was found and fixed.
type past struct {
	name  string
	world simulation.World
}

// corpus reads past failures.
func corpus(t *testing.T) []past {
	t.Helper()
	files, err := filepath.Glob("testdata/simulation/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var out []past
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		p := past{name: strings.TrimSuffix(filepath.Base(file), ".json")}
		p.world, err = simulation.Parse(string(body))
		require.NoError(t, err, file)
		out = append(out, p)
	}
	return out
}

// replay is the command that plays a world again.
func replay(w simulation.World) string {
	return fmt.Sprintf("DRILL_WORLD='%s' go test ./drills -run '^TestSimulation$' -cpu 1 -count=1 -v", w)
}

// sum adds up what the worlds visited.
type sum struct {
	mu              sync.Mutex
	worlds, badOnes int
	seen            map[string]int
}

func (s *sum) add(out simulation.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds++
	if len(out.Violations) > 0 {
		s.badOnes++
	}
	for k, n := range out.Seen {
		s.seen[k] += n
	}
	for k, n := range out.Excused {
		s.seen["excused: "+k] += n
	}
}

func (s *sum) failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.badOnes
}

func (s *sum) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s.seen)) {
		fmt.Fprintf(&out, "  %6d %s\n", s.seen[k], k)
	}
	return out.String()
}
