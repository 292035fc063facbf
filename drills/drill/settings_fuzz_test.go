package drill_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
)

// FuzzSettings reads any environment, lines of NAME=VALUE. What is accepted can be run
// and reads back from what it says; what is not is an error that names a variable or a
// scenario; and two shards of whatever was asked for are all of it, once.
func FuzzSettings(f *testing.F) {
	for _, lines := range []string{
		"", "DRILL_TARGET=docker\nDRILL_SCENARIO=no-fault, link-partition\nDRILL_SEED=9\nDRILL_REPEAT=20\nDRILL_OUT=x\nDRILL_REQUIRE=docker,terraform",
		"DRILL_SHARD=1/2", "DRILL_SHARD=2/1", "DRILL_SHARD=1/0", "DRILL_SHARD=-1/-1", "DRILL_SHARD=+1/+2", "DRILL_SHARD=1/2/3", "DRILL_SHARD=1/99999999999999999999", "DRILL_SHARD= 1/2",
		"DRILL_TARGET=moon", "DRILL_SCENARIO=,", "DRILL_SCENARIO=no-fault,no-fault", "DRILL_SCENARIO=meteor", "DRILL_SEED=18446744073709551615", "DRILL_SEED=-1", "DRILL_SEED=+1",
		"DRILL_SEED=0x10", "DRILL_SEED=1_0", "DRILL_REPEAT=0", "DRILL_REPEAT=-1", "DRILL_REPEAT=1e3", "DRILL_REQUIRE=sun", "DRILL_REQUIRE=,docker,",
	} {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		values := map[string]string{}
		for line := range strings.SplitSeq(lines, "\n") {
			if name, value, ok := strings.Cut(line, "="); ok {
				values[name] = value
			}
		}
		got, err := drill.FromEnv(env(values))
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				require.Regexp(t, `^drill: (DRILL_[A-Z]+ (is|names) |unknown scenario )"`, line)
			}
			return
		}
		require.Contains(t, drill.Targets, got.Target)
		require.GreaterOrEqual(t, got.Repeat, 1)
		require.NotEmpty(t, got.Out)
		for _, name := range got.Require {
			require.Contains(t, drill.Requirable, name)
		}

		written := map[string]string{
			"DRILL_TARGET": got.Target, "DRILL_SEED": fmt.Sprint(got.Seed), "DRILL_REPEAT": fmt.Sprint(got.Repeat), "DRILL_OUT": got.Out,
			"DRILL_REQUIRE": strings.Join(got.Require, ","), "DRILL_SCENARIO": strings.Join(names(got.Scenarios), ","),
		}
		again, err := drill.FromEnv(env(written))
		require.NoError(t, err)
		if len(got.Scenarios) > 0 { // a shard may have none, and no names mean all
			require.Equal(t, names(got.Scenarios), names(again.Scenarios))
		}
		require.LessOrEqual(t, got.Part, got.Of)
		again.Part, again.Of = got.Part, got.Of   // the scenarios are the shard's already
		again.Scenarios, got.Scenarios = nil, nil // they hold functions
		require.Equal(t, got, again)

		delete(values, "DRILL_SHARD")
		whole, err := drill.FromEnv(env(values))
		require.NoError(t, err)
		var parts []string
		for _, shard := range []string{"1/2", "2/2"} {
			values["DRILL_SHARD"] = shard
			part, err := drill.FromEnv(env(values))
			require.NoError(t, err)
			parts = append(parts, names(part.Scenarios)...)
		}
		slices.Sort(parts)
		require.Equal(t, slices.Sorted(slices.Values(names(whole.Scenarios))), parts)
	})
}

func names(scenarios []drill.Scenario) []string {
	out := []string{}
	for _, s := range scenarios {
		out = append(out, s.Name)
	}
	return out
}
