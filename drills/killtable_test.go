package drills_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/killtable"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

// bugsInASample is how many bugs are tried where all would take too long.
const bugsInASample = 4

// TestKillTable builds bugs into the code, one at a time, and requires that the test which
// each names fails. A bug that survives fails.
//
// With -short, and under the race detector, it tries a sample, which DRILL_SEED chooses.
// DRILL_BUGS asks for "all", or for some by their names, separated by semicolons.
func TestKillTable(t *testing.T) {
	neverCached(t)
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	done := func(r killtable.Row) { fmt.Fprintf(t.Output(), "%5.1f s  %s\n", r.Took.Seconds(), r.Name) }
	rows, err := killtable.Run(t.Context(), killtable.Config{Root: root, Bugs: bugs(t), Temp: t.TempDir(), Done: done})
	require.NoError(t, err)
	t.Log("\n" + killtable.Report(rows))
	for _, r := range rows {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
}

// bugs are those that the settings ask for.
func bugs(t *testing.T) []killtable.Bug {
	t.Helper()
	all, wanted := killtable.Bugs(), os.Getenv("DRILL_BUGS")
	switch {
	case wanted == "all", wanted == "" && !testing.Short() && !raced.On():
		return all
	case wanted == "":
		seed := uint64(1)
		if v := os.Getenv("DRILL_SEED"); v != "" {
			var err error
			seed, err = strconv.ParseUint(v, 10, 64)
			require.NoError(t, err, "DRILL_SEED")
		}
		return killtable.Sample(all, bugsInASample, seed)
	}
	var some []killtable.Bug
	for name := range strings.SplitSeq(wanted, ";") {
		i := slices.IndexFunc(all, func(b killtable.Bug) bool { return b.Name == strings.TrimSpace(name) })
		require.NotEqual(t, -1, i, "DRILL_BUGS: no bug is called %q", name)
		some = append(some, all[i])
	}
	return some
}
