package embedded_test

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
)

// virtual runs one drill in virtual time.
func virtual(t *testing.T, s drill.Scenario, seed uint64) (out drill.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		out, err = drill.Run(t.Context(), embedded.New(embedded.Config{}), s, drill.Options{Seed: seed})
		require.NoError(t, err)
	})
	return out
}

func TestVirtualDrill(t *testing.T) {
	s, err := drill.Find("region-blackout")
	require.NoError(t, err)
	out := virtual(t, s, 1)
	require.Equal(t, measure.Passed, out.Verdict.Outcome, out.Summary)
}

// BenchmarkVirtualDrill runs TestVirtualDrill b.N times in a process of its own,
// because a synctest bubble needs a test.
func BenchmarkVirtualDrill(b *testing.B) {
	self, err := os.Executable()
	require.NoError(b, err)
	cmd := exec.CommandContext(b.Context(), self, "-test.run=^TestVirtualDrill$", "-test.count="+strconv.Itoa(b.N))
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
}
