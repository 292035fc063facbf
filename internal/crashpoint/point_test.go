package crashpoint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
)

var ways = []crashpoint.Way{
	crashpoint.Refused, crashpoint.Hangs, crashpoint.Throttled, crashpoint.Killed, crashpoint.KilledDone, crashpoint.KilledHeard,
}

// A failure names its point, and a person pastes the name.
func TestAPointIsReadAsItIsPrinted(t *testing.T) {
	for _, name := range []string{"agent/append/1/killed", "trigger/dynamodb/GetItem/27/killed-heard", "agent.guard/db.open/3/hangs"} {
		p, err := crashpoint.ParsePoint(name, ways)
		require.NoError(t, err)
		require.Equal(t, name, p.String())
	}
	for name, want := range map[string]string{
		"": "write process/call/n/way", "append/1/killed": "write process/call/n/way",
		"agent/append/1/tickled": "the way is one of [refused hangs", "agent/append/0/killed": "the first is 1",
		"agent/append/one/killed": `"one" is not the number of a call`,
	} {
		_, err := crashpoint.ParsePoint(name, ways)
		require.ErrorContains(t, err, want, name)
	}
}

func TestEveryCallIsMetInEveryWay(t *testing.T) {
	counts := map[crashpoint.Port]int{"b/y": 2, "a/x": 3}
	points, all := crashpoint.Points(counts, ways, 1)
	require.Equal(t, 5*len(ways), all)
	require.Len(t, points, all)
	met := map[crashpoint.Point]bool{}
	for _, p := range points {
		require.LessOrEqual(t, p.N, counts[p.Port])
		met[p] = true
	}
	require.Len(t, met, all, "none twice")
	require.Equal(t, crashpoint.Point{Port: "a/x", N: 1, Way: crashpoint.Refused}, points[0], "always in the same order")

	some, again := crashpoint.Points(counts, ways, 7)
	require.Equal(t, all, again)
	require.Len(t, some, all/7)
	for _, p := range some {
		require.True(t, met[p])
	}
}
