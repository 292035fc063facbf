package drills_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/simulation"
)

// parsePast reads a past failure: one line "seed: N" and one "plan: ...", and comments
// that say what it was. Anything else is an error: a key that is misspelt or missing
// would play another world, and that one passes.
func parsePast(text string) (simulation.World, error) {
	fields := make(map[string]string)
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok || name != "seed" && name != "plan" {
			return simulation.World{}, fmt.Errorf("line %d: %q is neither a comment nor seed: N nor plan: FAULTS", n, line)
		}
		if _, again := fields[name]; again {
			return simulation.World{}, fmt.Errorf("line %d: %s is there twice", n, name)
		}
		fields[name] = value
	}
	seed, err := strconv.ParseUint(fields["seed"], 10, 64)
	if err != nil {
		return simulation.World{}, fmt.Errorf("seed: %w", err)
	}
	plan, err := fault.ParsePlan(fields["plan"])
	if err != nil {
		return simulation.World{}, err
	}
	w := simulation.Draw(seed)
	w.Plan = plan
	return w, nil
}

// FuzzPast reads any past failure. It is the world of its seed with its own faults, and
// reads back from its replay, or it is an error; no other line is passed over.
func FuzzPast(f *testing.F) {
	for _, text := range []string{
		"# why\nseed: 126\nplan: freeze-database(us-east-1)@4m2.67s for 1m15.609s\n", "plan: none\nseed: 1", "", "seed: 1", "plan: none", "seed: -1\nplan: none",
		"seed: 1\nseed: 2\nplan: none", "Seed: 1\nplan: none", "seed:1\nplan: none", "seed: 1\nplan: none\nlength: 5m", "seed: 1\r\nplan: none\r\n", "seed: 1\nplan: # none",
		"seed: 18446744073709551616\nplan: none", "seed: 1\nplan: blackout(us-east-1) + link-partition(us-east-1,us-west-2)@5s for 1s",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parsePast(text)
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.NotEmpty(t, got.Plan)
		require.NoError(t, got.Plan.Validate())
		want := simulation.Draw(got.Seed)
		want.Plan = got.Plan
		require.Equal(t, want, got, "the plan alone is the failure's")
		again, err := parsePast(fmt.Sprintf("plan: %s\nseed: %d", got.Plan, got.Seed))
		require.NoError(t, err)
		require.Equal(t, got, again)
		said := 0
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				said++
			}
		}
		require.Equal(t, 2, said)
	})
}
