package crashpoint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
)

// FuzzParsePoint reads any name of a point. It is printed as it was written, so that no
// two names replay one point, or it is an error that quotes it.
func FuzzParsePoint(f *testing.F) {
	for _, name := range []string{
		"agent/append/1/killed", "trigger/dynamodb/GetItem/27/killed-heard", "agent.guard/db.open/3/hangs", "", "append/1/killed", "agent/append/1/tickled", "agent/append/1/",
		"agent/append/0/killed", "agent/append/-1/killed", "agent/append/+1/killed", "agent/append/01/killed", "agent/append/99999999999999999999/killed", "//1/killed", "agent//1/killed", "agent/append/1/killed/",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, err := crashpoint.ParsePoint(name, ways)
		if err != nil {
			require.Zero(t, p)
			require.ErrorContains(t, err, "point ")
			return
		}
		require.Equal(t, name, p.String())
		require.Contains(t, ways, p.Way)
		require.GreaterOrEqual(t, p.N, 1)
		require.Regexp(t, `(?s)^[^/]+/.*[^/]$`, string(p.Port), "a process and what it calls")
	})
}
