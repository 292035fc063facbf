package drills_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/model"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// How long a search of the model takes, on a quiet core without the race detector.
const (
	instant = iota // below half a second: always
	seconds        // some at most: without the race detector and -short
	minutes        // when LIFEBOAT_MODEL is "full"
)

// bounds are the searches of TestModel: what may break in one run, in every order and at
// every moment.
var bounds = []struct {
	name  string
	takes int
	model.Config
}{
	{"nothing breaks", instant, model.Config{}},
	{"a database is killed", instant, model.Config{Kills: 1}},
	{"a database freezes", seconds, model.Config{Freezes: 1}},
	{"a person is asked, or wants a switchover", instant, model.Config{Asks: 1}},
	{"a monitor crashes", instant, model.Config{Crashes: 1}},
	{"a message is lost, late or doubled", seconds, model.Config{Lost: 1}},
	{"two links are cut", seconds, model.Config{Cuts: 2}},
	{"there and back again, as a person wants it", seconds, model.Config{Asks: 2, Epochs: 3}},
	{"a monitor can't ask its own database", instant, model.Config{Deaf: 1}},
	{"the store is out of reach, for one Region or for all", seconds, model.Config{Outs: 1}},
	{"members promise", instant, model.Config{Promises: true}},
	{"members promise, and a monitor crashes", seconds, model.Config{Promises: true, Crashes: 1}},
	{"members promise, and the store is out of reach", seconds, model.Config{Promises: true, Outs: 1}},
	{"the writer is moved from outside", seconds, model.Config{Moves: 1}},
	{"a person answers late, and an execution begins anew", seconds, model.Config{Kills: 2, Asks: 2, Attempts: 2, Kept: true}},
	{"a person answers late, and an effect gives up", seconds, model.Config{Kills: 1, Asks: 1, Stuck: 1, Kept: true}},
	{"the target can't be promoted", seconds, model.Config{Kills: 1, Unready: 1}},
	{"the target can't be promoted, and a person is asked or wants a switchover", seconds, model.Config{Asks: 1, Unready: 1}},
	{"the writer freezes, and the lease is given back", minutes, model.Config{Freezes: 1, Returns: 1}},
	{"a monitor or a trigger crashes in a switchover, and the lease is given back", minutes, model.Config{Asks: 1, Crashes: 1, Returns: 1}},
	{"the target can't be promoted, and the writer freezes", minutes, model.Config{Freezes: 1, Unready: 1}},
	{"the lease is given back", seconds, model.Config{Kills: 1, Returns: 1}},
	{"the lease is given back, and taken again", seconds, model.Config{Kills: 1, Returns: 1, Epochs: 4}},
	{"the lease is given back after a switchover has begun", seconds, model.Config{Asks: 1, Returns: 1}},
	{"an execution is called off", seconds, model.Config{Kills: 1, Aborts: 1}},
	// The switchover that a person wants counts as the first of the faults.
	{"a switchover is called off, and its trigger crashes", seconds, model.Config{Asks: 1, Crashes: 1, Aborts: 1, Faults: []string{"", "b: the trigger crashes"}}},
	{"the target can't be promoted, and the lease is given back", seconds, model.Config{Kills: 1, Unready: 1, Returns: 1}},
	{"a database freezes, and an effect gives up", minutes, model.Config{Freezes: 1, Stuck: 1}},
	{"a Region is lost, with all that it has", minutes, model.Config{Losses: 1}},
	{"a database freezes, watched", seconds, model.Config{Freezes: 1, Watchdog: true}},
	{"a monitor or a trigger crashes, watched", seconds, model.Config{Crashes: 1, Watchdog: true}},
	{"a message is lost, late or doubled, watched", instant, model.Config{Lost: 1, Watchdog: true}},
	{"a Region is cut off, watched", seconds, model.Config{Partitions: 1, Watchdog: true}},
	{"the store is out of reach, watched", seconds, model.Config{Outs: 1, Watchdog: true}},
	{"the writer is moved from outside, watched", seconds, model.Config{Moves: 1, Watchdog: true}},
	{"members promise, and the store is out of reach, watched", minutes, model.Config{Promises: true, Outs: 1, Watchdog: true}},
	{"a Region is cut off, and the writer's monitor crashes in it, watched", minutes, model.Config{Partitions: 1, Guards: 1, Watchdog: true}},
}

// TestModel searches every state of the protocol within its bounds, see package model,
// and prints the table of ARCHITECTURE.md.
func TestModel(t *testing.T) {
	full := os.Getenv("LIFEBOAT_MODEL") == "full"
	if full {
		// Two of the largest searches at a time take 8 GB otherwise, half of it garbage.
		limit := debug.SetMemoryLimit(5 << 30)
		t.Cleanup(func() { debug.SetMemoryLimit(limit) })
	}
	results := make([]*model.Result, len(bounds))
	t.Cleanup(func() { compare(t, results) })
	for i, b := range bounds {
		t.Run(b.name, func(t *testing.T) {
			patient(t, b.takes)
			if full {
				t.Parallel()
			}
			r := b.Explore(0)
			t.Log(r)
			require.NoError(t, r.Err)
			results[i] = &r
		})
	}
}

const (
	modelFile   = "../ARCHITECTURE.md"
	modelBegins = "<!-- model -->\n"
	modelEnds   = "<!-- end of model -->"
)

// compare holds the rows that were played to those that are documented, and prints them.
func compare(t *testing.T, results []*model.Result) {
	if t.Failed() {
		return
	}
	var table strings.Builder
	table.WriteString("| what may happen in one run | states | transitions | longest shortest way |\n|---|---:|---:|---:|\n")
	var sum model.Result
	var rows []string
	whole := true
	for i, r := range results {
		if r == nil {
			whole = false
			continue
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %d |\n", bounds[i].name, grouped(r.States), grouped(r.Steps), r.Depth))
		sum.States, sum.Steps, sum.Depth = sum.States+r.States, sum.Steps+r.Steps, max(sum.Depth, r.Depth)
	}
	if whole {
		rows = append(rows, fmt.Sprintf("| **together** | **%s** | **%s** | **%d** |\n", grouped(sum.States), grouped(sum.Steps), sum.Depth))
	}
	table.WriteString(strings.Join(rows, ""))
	t.Logf("what was searched to the end:\n%s", table.String())

	text, err := os.ReadFile(modelFile)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), modelBegins)
	require.True(t, ok, "%s has lost its table of the model", modelFile)
	documented, after, ok := strings.Cut(rest, modelEnds)
	require.True(t, ok, "%s has lost its table of the model", modelFile)
	if *update && whole {
		require.NoError(t, os.WriteFile(modelFile, []byte(before+modelBegins+table.String()+modelEnds+after), 0o644))
		return
	}
	for _, row := range rows {
		require.Contains(t, documented, row, "LIFEBOAT_MODEL=full go test ./drills -run 'TestModel$' -update writes it anew")
	}
	if whole {
		require.Equal(t, table.String(), documented, "a row too many")
	}
}

// grouped writes a number as people read it.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// TestModelFinds drops every assumption and builds every bug in, one at a time: a search
// that finds nothing then would prove nothing.
func TestModelFinds(t *testing.T) {
	for _, w := range []struct {
		without model.Without
		takes   int
		model.Config
		err error
	}{
		{model.CutOff, seconds, model.Config{Freezes: 1}, model.ErrDual},
		{model.Drift, seconds, model.Config{Cuts: 2}, model.ErrDual},
		{model.Fence, seconds, model.Config{Cuts: 2}, model.ErrDual},
		{model.RenewalFirst, seconds, model.Config{Cuts: 2}, model.ErrDual},
		{model.PromotedFirst, instant, model.Config{Moves: 1}, model.ErrDual},
		{model.Evidence, seconds, model.Config{Crashes: 1}, model.ErrDual},
		{model.CompareAndSwap, minutes, model.Config{Cuts: 2, Lost: 1}, model.ErrDual},
		{model.MonitorSurvivesCut, seconds, model.Config{Partitions: 1, Guards: 1}, model.ErrDual},
		{model.Inheritance, seconds, model.Config{Partitions: 1, Guards: 1}, model.ErrDual},
		{model.FenceRevision, minutes, model.Config{Cuts: 2, Lost: 1}, model.ErrDual},
		{model.MonitorSeen, seconds, model.Config{Partitions: 1, Guards: 1}, model.ErrDual},
		{model.Consent, seconds, model.Config{Kills: 1, Asks: 1}, model.ErrUnasked},
		{model.ConsentByEpoch, seconds, model.Config{Kills: 2, Asks: 2, Attempts: 2, Kept: true}, model.ErrUnasked},
		{model.ConsentByEpoch, minutes, model.Config{Freezes: 1, Asks: 1, Stuck: 1, Kept: true}, model.ErrDual},
		{model.Verification, instant, model.Config{Kills: 1}, model.ErrUnverified},
		// The promises of the other member.
		{model.Statement, seconds, model.Config{Freezes: 1, Outs: 1, Promises: true}, model.ErrUnfenced},
		{model.Statement, minutes, model.Config{Freezes: 1, Outs: 1, Promises: true, Faults: []string{
			"a: its Region loses the store's quorum", "a: the database freezes",
		}}, model.ErrDual},
		// Two writers are further away than a search within 12 GB: 45,000,000 states reach
		// depth 19. A fence that is none is what they begin with.
		{model.PromiseForgotten, minutes, model.Config{Freezes: 1, Outs: 1, Peers: 1, Promises: true, Faults: []string{
			"a: its Region loses the store's quorum", "a: the database freezes", "b: the monitor crashes",
		}}, model.ErrUnfenced},
		{model.PeerGrant, instant, model.Config{Outs: 1, Promises: true}, model.ErrHarm},
		// What never ends. An end stays within reach of the last one all the time: only who
		// looks for runs that go round and round finds it.
		{model.Resumption, minutes, model.Config{Kills: 1, Crashes: 1}, model.ErrEndless},
		{model.Learning, instant, model.Config{Kills: 1}, model.ErrEndless},
		{model.ServerAnswer, instant, model.Config{Kills: 1}, model.ErrEndless},
		{model.OpeningBeat, seconds, model.Config{Partitions: 1, Watchdog: true}, model.ErrEndless},
		{model.Leftover, instant, model.Config{Kills: 1, Aborts: 1}, model.ErrEndless},
		{model.LearningBack, instant, model.Config{Kills: 1, Returns: 1}, model.ErrEndless},
		{model.Adoption, seconds, model.Config{Moves: 1}, model.ErrEndless},
	} {
		t.Run(w.without.String(), func(t *testing.T) {
			patient(t, w.takes)
			w.Config.Without, w.Until = w.without, w.err
			r := w.Explore(12_000_000)
			require.ErrorIs(t, r.Err, w.err, "without %s: %v", w.without, r)
			require.NotEmpty(t, r.Trace)
			t.Log(r)
		})
	}
}

// TestModelForgetsNothingThatMatters plays guards that forget nothing beside the ones that
// the searches remember, through the first states of a search and through drawn walks: both
// must do the same. A search that forgot something by which guard.Step goes would leave
// states out.
func TestModelForgetsNothingThatMatters(t *testing.T) {
	for _, w := range remembered {
		t.Run(w.name, func(t *testing.T) {
			patient(t, seconds)
			r := w.Forgets(8_000, 50, 200, 1)
			t.Log(r)
			require.NoError(t, r.Err)
		})
	}
}

var remembered = []struct {
	name string
	model.Config
}{
	{"a database freezes", model.Config{Freezes: 1}},
	{"monitors and triggers crash", model.Config{Crashes: 2}},
	{"links are cut", model.Config{Cuts: 2}},
	{"members promise", model.Config{Promises: true, Outs: 1, Freezes: 1}},
	{"the writer is moved from outside", model.Config{Moves: 1, Crashes: 1, Deaf: 1}},
	{"there and back again", model.Config{Asks: 2, Epochs: 3}},
	{"a person answers late", model.Config{Kills: 1, Asks: 2, Attempts: 2, Stuck: 1, Kept: true}},
	{"the target can't be promoted", model.Config{Kills: 1, Asks: 1, Unready: 1, Kept: true}},
	{"the lease is given back", model.Config{Kills: 1, Asks: 1, Unready: 1, Returns: 1}},
	{"an execution is called off", model.Config{Kills: 1, Asks: 1, Aborts: 1, Crashes: 1}},
	{"watched", model.Config{Watchdog: true, Freezes: 1, Cuts: 2, Crashes: 1}},
}

// TestModelNoticesWhatIsForgotten has the searches forget one more field of a guard's state:
// the comparison must find a step that goes by it. A field that is not named here is one of the
// last tick, or a call that is only made once more when it is forgotten, or is not met in so few
// states (Told).
func TestModelNoticesWhatIsForgotten(t *testing.T) {
	for _, field := range []string{
		"Term", "TermCurrent", "Armed", "Inherited", "Store", "Peer", "Closing", "Trials", "Tried", "Demoted", "Displaced",
		"Fencing", "Opening", "Failed",
	} {
		t.Run(field, func(t *testing.T) {
			patient(t, seconds)
			var err error
			for _, w := range remembered {
				w.Drop = field
				if err = w.Forgets(2_000, 20, 200, 1).Err; err != nil {
					break
				}
			}
			require.ErrorIs(t, err, model.ErrForgets)
		})
	}
}

// patient skips what takes longer than this run has time for.
func patient(t *testing.T, takes int) {
	t.Helper()
	full := os.Getenv("LIFEBOAT_MODEL") == "full"
	switch {
	case takes == minutes && !full:
		t.Skip("takes minutes: LIFEBOAT_MODEL=full runs it")
	case takes == seconds && !full && (raced.On() || testing.Short()):
		t.Skip("takes seconds: run without -short and -race")
	}
}
