package simulation_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/simulation"
)

// A failure that needs two faults, one of them for two seconds, is found in any storm.
func TestShrinkFindsWhatMatters(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(50) {
		p := simulation.Draw(seed).Plan
		for _, need := range []fault.Kind{fault.Isolate, fault.KillMonitor} {
			p = slices.Insert(p, rng.IntN(len(p)+1), fault.Step{Fault: fault.Fault{Kind: need, Region: "us-east-1"}, At: time.Minute, For: 40 * time.Second})
		}
		long := func(s fault.Step) bool { return s.Fault.Kind == fault.Isolate && s.For >= 2*time.Second }
		kill := func(s fault.Step) bool { return s.Fault.Kind == fault.KillMonitor }
		got := simulation.Shrink(p, 1000, func(p fault.Plan) bool {
			return slices.ContainsFunc(p, long) && slices.ContainsFunc(p, kill)
		})
		require.Len(t, got, 2, "%s", got)
		for _, s := range got {
			require.Less(t, s.For, 4*time.Second, "%s", got)
		}
	}
}

func TestShrinkStopsAsking(t *testing.T) {
	asked := 0
	p := simulation.Draw(3).Plan
	require.Equal(t, p, simulation.Shrink(p, 2, func(fault.Plan) bool { asked++; return false }))
	require.LessOrEqual(t, asked, 2)
}

// What a seed draws is what it drew, is valid, and prints back: else no seed could be
// replayed by its plan.
func TestADrawnPlanPrintsBack(t *testing.T) {
	kinds := make(map[fault.Kind]bool)
	due, harmless := 0, 0
	for seed := range uint64(2000) {
		w := simulation.Draw(seed)
		require.Equal(t, w, simulation.Draw(seed))
		require.NoError(t, w.Policy.Validate())
		require.NoError(t, w.Plan.Validate())
		back, err := fault.ParsePlan(w.Plan.String())
		require.NoError(t, err)
		require.Equal(t, w.Plan, back)
		for _, s := range w.Plan {
			kinds[s.Fault.Kind] = true
			require.Less(t, s.At+s.For+simulation.Bound, simulation.Length, "%s: its heal leaves too little time", s)
		}
		if simulation.Due(w.Plan) {
			due++
		}
		if simulation.Harmless(w.Plan) {
			harmless++
		}
	}
	require.Len(t, kinds, 16, "every kind but none and the half-failures is drawn")
	require.Greater(t, due, 150)
	require.Greater(t, harmless, 150)
}

// A world with half-failures is as valid, and prints back.
func TestAWorldOfHalfFailuresPrintsBack(t *testing.T) {
	kinds, unharmed := make(map[fault.Kind]bool), 0
	for seed := range uint64(1000) {
		w := simulation.DrawHarm(seed)
		require.Equal(t, w, simulation.DrawHarm(seed))
		again, err := simulation.Parse(w.String())
		require.NoError(t, err)
		require.Equal(t, w, again)
		for _, s := range w.Plan {
			kinds[s.Fault.Kind] = true
			require.Less(t, s.At+s.For+simulation.Bound, simulation.Length, "%s", s)
		}
		if simulation.Unharmed(w.Plan) {
			unharmed++
		}
	}
	require.Len(t, kinds, 20)
	require.Greater(t, unharmed, 400)
}

func TestHarmless(t *testing.T) {
	for plan, want := range map[string]bool{
		"none":                          true,
		"cut-link(us-east-1,us-west-2)": true,
		"cut-link(us-east-1,us-west-2) + cut-link(us-east-2,us-east-1)": false,
		"cut-link(us-west-2,us-east-2) + isolate(us-east-2)":            true,
		"isolate(us-west-2) + isolate(us-east-2)":                       false,
		"isolate(us-east-1)":                           false,
		"kill(us-west-2) + throttle-rds(us-east-1,5s)": true,
		"kill-monitor(us-east-1)":                      false,
		"lambda-down(us-east-2)":                       true,
	} {
		p, err := fault.ParsePlan(plan)
		require.NoError(t, err)
		require.Equal(t, want, simulation.Harmless(p), plan)
	}
}
