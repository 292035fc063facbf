package drills_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/model"
)

// How long a search of the model takes, on a quiet core without the race detector.
const (
	instant = iota // below a second: always
	seconds        // without the race detector and -short
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
	{"a database freezes", instant, model.Config{Freezes: 1}},
	{"a person is asked, or wants a switchover", instant, model.Config{Asks: 1}},
	{"a Region is cut off", seconds, model.Config{Cuts: 2}},
	{"a monitor or a trigger crashes", seconds, model.Config{Crashes: 1}},
	{"messages are lost or late", seconds, model.Config{Lost: 1}},
	{"a promoted server comes up open", seconds, model.Config{Cuts: 2, Without: model.ReadOnlyPromotion}},
	{"a Region is cut off, and a database is killed", minutes, model.Config{Cuts: 2, Kills: 1}},
	{"a Region is cut off, and a message is lost or late", minutes, model.Config{Cuts: 2, Lost: 1}},
	{"a Region is cut off, and a monitor or a trigger crashes", minutes, model.Config{Cuts: 2, Crashes: 1}},
	{"the same inside the cut, watched", minutes, model.Config{Cuts: 2, Crashes: 1, Watchdog: true}},
	{"a Region is cut off, and an effect gives up", minutes, model.Config{Cuts: 2, Stuck: 1}},
	{"a database freezes under two triggers", minutes, model.Config{Freezes: 1, Triggers: 2}},
	{"there and back again", minutes, model.Config{Freezes: 1, Epochs: 3}},
}

// TestModel searches every state of the protocol within its bounds, see package model.
func TestModel(t *testing.T) {
	states := 0
	for _, b := range bounds {
		t.Run(b.name, func(t *testing.T) {
			patient(t, b.takes)
			r := b.Explore(0)
			t.Log(r)
			require.NoError(t, r.Err)
			states += r.States
		})
	}
	t.Logf("%d states in all", states)
}

// TestModelFinds drops every assumption and builds every bug in, one at a time: a search
// that finds nothing then would prove nothing.
func TestModelFinds(t *testing.T) {
	for _, w := range []struct {
		without model.Without
		takes   int
		model.Config
	}{
		{model.CutOff, instant, model.Config{Freezes: 1}},
		{model.Drift, instant, model.Config{Cuts: 2}},
		{model.Fence, instant, model.Config{Cuts: 2}},
		{model.RenewalFirst, instant, model.Config{Cuts: 2}},
		{model.PromotedFirst, instant, model.Config{Cuts: 2}},
		{model.Evidence, instant, model.Config{Crashes: 1}},
		{model.CompareAndSwap, seconds, model.Config{Cuts: 2, Lost: 1}},
		{model.MonitorSurvivesCut, seconds, model.Config{Cuts: 2, Crashes: 1}},
		{model.Inheritance, seconds, model.Config{Cuts: 2, Crashes: 1}},
		{model.FenceRevision, seconds, model.Config{Cuts: 2, Lost: 1}},
		{model.MonitorSeen, seconds, model.Config{Cuts: 2, Crashes: 1}},
		// A limit of the watchdog: it looks once a second, also after a thaw.
		{model.Nothing, minutes, model.Config{Freezes: 1, Crashes: 1, Watchdog: true}},
	} {
		t.Run(w.without.String(), func(t *testing.T) {
			patient(t, w.takes)
			w.Config.Without = w.without
			r := w.Explore(5_000_000)
			require.ErrorIs(t, r.Err, model.ErrDual, "without %s: %v", w.without, r)
			t.Log(r)
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
	case takes == seconds && !full && (raced || testing.Short()):
		t.Skip("takes seconds: run without -short and -race")
	}
}
