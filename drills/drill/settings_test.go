package drill_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	s, err := drill.FromEnv(env(nil))
	require.NoError(t, err)
	require.Equal(t, "embedded", s.Target)
	require.Len(t, s.Scenarios, len(drill.Scenarios()))
	require.Equal(t, 1, s.Repeat)

	s, err = drill.FromEnv(env(map[string]string{
		"DRILL_TARGET": "docker", "DRILL_SCENARIO": "no-fault, link-partition", "DRILL_SEED": "9", "DRILL_REPEAT": "20", "DRILL_OUT": "x", "DRILL_REQUIRE": "docker,terraform",
	}))
	require.NoError(t, err)
	require.Equal(t, "no-fault", s.Scenarios[0].Name)
	require.Equal(t, "link-partition", s.Scenarios[1].Name)
	require.Equal(t, drill.Settings{Target: "docker", Scenarios: s.Scenarios, Part: 1, Of: 1, Seed: 9, Repeat: 20, Out: "x", Require: []string{"docker", "terraform"}}, s)
}

func TestShardsShareTheCatalogue(t *testing.T) {
	var names []string
	for _, part := range []string{"1/3", "2/3", "3/3"} {
		s, err := drill.FromEnv(env(map[string]string{"DRILL_SHARD": part}))
		require.NoError(t, err)
		require.NotEmpty(t, s.Scenarios)
		for _, sc := range s.Scenarios {
			names = append(names, sc.Name)
		}
	}
	var all []string
	for _, sc := range drill.Scenarios() {
		all = append(all, sc.Name)
	}
	require.ElementsMatch(t, all, names)
	for _, bad := range []string{"0/2", "3/2", "1", "a/b", "1/0"} {
		_, err := drill.FromEnv(env(map[string]string{"DRILL_SHARD": bad}))
		require.ErrorContains(t, err, "DRILL_SHARD")
	}
}

func TestSettingsReportEverythingAtOnce(t *testing.T) {
	_, err := drill.FromEnv(env(map[string]string{
		"DRILL_TARGET": "moon", "DRILL_SCENARIO": "meteor", "DRILL_SEED": "-1", "DRILL_REPEAT": "0", "DRILL_REQUIRE": "sun",
	}))
	for _, want := range []string{`DRILL_TARGET is "moon"`, `unknown scenario "meteor"`, `DRILL_SEED is "-1"`, `DRILL_REPEAT is "0"`, `DRILL_REQUIRE names "sun"`} {
		require.ErrorContains(t, err, want)
	}
}

func TestTheCatalogue(t *testing.T) {
	var stay int
	names := make(map[string]bool)
	for _, s := range drill.Scenarios() {
		require.NoError(t, s.Validate())
		require.False(t, names[s.Name], "%s is there twice", s.Name)
		names[s.Name] = true
		if s.Expect.Behaviour != measure.MustFailOver {
			stay++
		}
		for _, c := range s.Clients {
			require.Equal(t, s.Clients[0].Rate, c.Rate, "%s: the resolution of a run is one write interval", s.Name)
		}
	}
	require.GreaterOrEqual(t, 3*stay, len(names), "a third must stay or refuse")
}
