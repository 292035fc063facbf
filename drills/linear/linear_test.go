// Package linear_test checks the lease table for linearizability.
package linear_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// subject is something in the table that the processes share.
type subject struct {
	name  string
	model porcupine.Model
	use   func(*process) func()
	// mark names what a write leaves behind, empty when nothing tells it from others;
	// marks names what an operation has met.
	mark  func(input any) string
	marks func(input, output any) []string
}

var subjects = []subject{
	{"lease", leases, useLease, leaseMark, leaseMarks},
	{"monitor lease", monitorLeases, useMonitorLease, monitorLeaseMark, monitorLeaseMarks},
	{"journal", journals, useJournal, pageMark, pageMarks},
	{"register", registers, useRegister, registerMark, registerMarks},
}

// patience bounds the check of one history, which takes milliseconds. The few that
// take longer are named and don't count as passed: at most one in fifty.
const patience = 10 * time.Second

// verdict records one history and judges it.
func verdict(t *testing.T, s subject, b bug, seed uint64, count *tally, limit time.Duration) (porcupine.CheckResult, *history) {
	var h *history
	synctest.Test(t, func(t *testing.T) { h = record(t, s, b, seed, count) })
	return judge(s, h, limit), h
}

// judge checks a history, first without the open writes that no read has returned, or that
// can't be told from others. They are most of what makes a check long, and may always
// be put after everything else: when the rest is linearizable, so is the whole.
func judge(s subject, h *history, limit time.Duration) porcupine.CheckResult {
	met := make(map[string]bool)
	for _, op := range h.ops {
		for _, m := range s.marks(op.Input, op.Output) {
			met[m] = true
		}
	}
	without := func(unmarked bool) []porcupine.Operation {
		return slices.DeleteFunc(slices.Clone(h.ops), func(op porcupine.Operation) bool {
			m := s.mark(op.Input)
			return op.Return == math.MaxInt64 && (m == "" && unmarked || m != "" && !met[m])
		})
	}
	for _, rest := range [][]porcupine.Operation{without(true), without(false)} {
		if porcupine.CheckOperationsTimeout(s.model, rest, limit) == porcupine.Ok {
			return porcupine.Ok
		}
	}
	return porcupine.CheckOperationsTimeout(s.model, h.ops, limit)
}

func TestLinearizable(t *testing.T) {
	first, histories := setting(t, "DRILL_SEED", 1), setting(t, "DRILL_REPEAT", 60)
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			var count tally
			operations, unjudged := 0, uint64(0)
			for seed := first; seed < first+histories; seed++ {
				result, h := verdict(t, s, noBug, seed, &count, patience)
				operations += len(h.ops)
				if result == porcupine.Unknown {
					unjudged++
					t.Logf("seed %d: not judged within %v", seed, patience)
				} else if result != porcupine.Ok {
					t.Fatalf("%s: %s is not linearizable: see %s, and repeat with DRILL_SEED=%d DRILL_REPEAT=1 go test ./drills/linear -run 'TestLinearizable/%s'",
						result, s.name, picture(t, s, h, seed), seed, s.name)
				}
			}
			t.Logf("%d histories, %d operations; calls: %v", histories, operations, count.n)
			require.LessOrEqual(t, unjudged, histories/50, "too many histories were not judged")
			if histories < 20 {
				return // too few to have seen everything
			}
			for _, what := range []string{"done", "refused", "conflict", "throttled", "unknown", "late"} {
				require.Positive(t, count.n[what], "no call of any history was %s", what)
			}
			if s.name == "lease" {
				require.Greater(t, count.n["released"], int(histories)/10, "too few leases were released")
			}
		})
	}
}

// A check that finds no seeded bug proves nothing.
func TestSeededBugsAreFound(t *testing.T) {
	for _, b := range bugs {
		for _, s := range subjects {
			t.Run(b.name+"/"+s.name, func(t *testing.T) {
				var count tally
				for seed := uint64(1); seed <= 60; seed++ {
					if result, _ := verdict(t, s, b, seed, &count, time.Second); result == porcupine.Illegal {
						t.Logf("found by seed %d", seed)
						return
					}
				}
				t.Fatal("60 histories of a broken store pass for linearizable")
			})
		}
	}
}

// picture writes porcupine's page and returns its path.
func picture(t *testing.T, s subject, h *history, seed uint64) string {
	dir := os.Getenv("DRILL_OUT")
	if dir == "" {
		dir = os.TempDir() // not the test's own folder: it must outlive the test
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	path := filepath.Join(dir, fmt.Sprintf("linear-%s-%d.html", s.name, seed))
	_, info := porcupine.CheckOperationsVerbose(s.model, h.ops, patience)
	require.NoError(t, porcupine.VisualizePath(s.model, info, path))
	return path
}

func setting(t *testing.T, name string, otherwise uint64) uint64 {
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 32)
	require.NoError(t, err, "%s", name)
	return n
}
