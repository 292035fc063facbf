package drills_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// A drill that did not run proves nothing, and go test remembers what has passed.
func TestNoDrillIsAnsweredFromTheCache(t *testing.T) {
	if testing.Short() || raced.On() {
		t.Skip("compiles this package once more; run it without -short and -race")
	}
	out := t.TempDir()
	for range 2 {
		cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-short", "-run", "^TestGameDay$", ".")
		cmd.Env = append(os.Environ(), "DRILL_TARGET=embedded", "DRILL_SCENARIO=no-fault", "DRILL_SEED=1", "DRILL_REPEAT=1", "DRILL_OUT="+out)
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", text)
		require.NotContains(t, string(text), "(cached)", "the drill did not run")
	}
	runs, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, runs, 3, "two runs and the link to the latest")
}
