package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// monitorDies returns a rig whose Regions were well for a while, and in which the writer's own
// monitor has just died, with no process behind it.
func monitorDies(t *testing.T, p dr.Policy, phase time.Duration) *rig {
	r := newRig(t, p)
	t.Cleanup(r.end)
	r.breaks(latency)
	stops := make(map[dr.Region]func())
	for _, v := range topology.Vantages() {
		stops[v] = r.agent(v)
	}
	r.wait(10*time.Second + phase)
	stops[east]()
	return r
}

// TestTheWritersOwnMonitorIsDead is a row of "What keeps a writer open" in ARCHITECTURE.md: both
// grants run out and no process closes the writer. It stays open, and as long as the other
// Regions see it serve nothing fails over. Once they don't, the lease that ran out proves no
// fence, and a person is asked.
func TestTheWritersOwnMonitorIsDead(t *testing.T) {
	for phase := time.Duration(0); phase < 2*time.Second; phase += 400 * time.Millisecond {
		bubble(t, fmt.Sprint(phase), func(t *testing.T) {
			r := monitorDies(t, dr.Policy{}, phase)
			for range 600 {
				r.wait(100 * time.Millisecond)
				require.True(t, r.Pair.DB(east).Accepts())
				require.False(t, r.Pair.DB(west).Accepts())
			}
			require.Empty(t, r.Store.Entries(), "nothing is begun")
			l, _ := r.Store.Lease()
			require.Equal(t, dr.Epoch(1), l.Epoch)
			r.Pair.DB(east).Kill()
			r.until("a person is asked", 20*time.Second, r.in(failover.AwaitingApproval))
			require.Equal(t, failover.CodeNoFenceProof, r.last().Execution.Code)
			r.wait(time.Minute)
			require.Zero(t, r.Cluster.Moves())
			require.Empty(t, r.when(drtest.OpIsolate, east))
		})
	}
}

// TestTheWritersOwnMonitorIsDeadUnderWatchdog: the server closes itself. Whether the other
// Region then fails over or asks a person depends on whether one of its samples has seen the
// lease silent and the writer still serving.
func TestTheWritersOwnMonitorIsDeadUnderWatchdog(t *testing.T) {
	seen := make(map[failover.State]int)
	for phase := time.Duration(0); phase < 2*time.Second; phase += 200 * time.Millisecond {
		bubble(t, fmt.Sprint(phase), func(t *testing.T) {
			p := dr.Policy{Watchdog: true}
			r := monitorDies(t, p, phase)
			r.until("the server closes itself", p.WatchdogAfter()+time.Second, r.closed(east))
			both := false
			for range 600 {
				r.wait(100 * time.Millisecond)
				both = both || r.Pair.DB(east).Accepts() && r.Pair.DB(west).Accepts()
			}
			require.False(t, both)
			x := r.last().Execution
			seen[x.State]++
			switch x.State {
			case failover.Settled:
				require.True(t, r.Pair.DB(west).Accepts())
			case failover.AwaitingApproval:
				require.Equal(t, failover.CodeNoFenceProof, x.Code)
				require.False(t, r.Pair.DB(east).Accepts(), "writes stay stopped until the answer, or until the monitor is back")
				require.Zero(t, r.Cluster.Moves())
				r.agent(east)
				r.until("its monitor is back", 20*time.Second, r.open(east))
				r.until("the question is withdrawn", 20*time.Second, r.in(failover.Aborted))
			default:
				require.Fail(t, "neither", x.Report())
			}
		})
	}
	require.Positive(t, seen[failover.Settled])
	require.Positive(t, seen[failover.AwaitingApproval])
}
