package failover_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

var seenTimes = regexp.MustCompile(`seen away: (\S+)\nseen back: (\S+), by the clock of us-east-1\n`)

// TestPeopleAreToldOfAMoveThatEndsWhereItBegan: no execution follows it, so no execution
// tells people.
func TestPeopleAreToldOfAMoveThatEndsWhereItBegan(t *testing.T) {
	// The west's monitor is stopped: nothing adopts the writer there.
	begin := func(t *testing.T) (r *rig, stop func()) {
		r = newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		stop = r.agent(east)
		r.agent(witness)
		r.wait(10 * time.Second)
		return r, stop
	}
	there := func(r *rig) (at time.Time) {
		require.NoError(r.t, r.Pair.Move(west, 0, true))
		return time.Now()
	}
	back := func(r *rig) (at time.Time) {
		require.NoError(r.t, r.Pair.Move(east, 0, true))
		return time.Now()
	}
	told := func(r *rig) []failover.Message {
		return slices.DeleteFunc(r.Notifiers[east].Messages(), func(m failover.Message) bool { return !strings.Contains(m.Body, "seen back") })
	}
	times := func(r *rig, m failover.Message, moved, returned time.Time) {
		at := seenTimes.FindStringSubmatch(m.Body)
		require.NotNil(r.t, at, "%s", m.Body)
		for i, from := range []time.Time{moved, returned} {
			seen, err := time.Parse(time.RFC3339Nano, at[i+1])
			require.NoError(r.t, err)
			require.False(r.t, seen.Before(from.Truncate(time.Millisecond)), m.Body)
			require.LessOrEqual(r.t, seen.Sub(from), 8*time.Second, m.Body)
		}
	}
	moved := func(r *rig, m failover.Message) {
		require.Equal(r.t, "us-east-1: the writer is back from us-west-2", m.Subject)
		require.Contains(r.t, m.Body, "A person or AWS has moved the writer of ledger from us-east-1 to us-west-2 and back again")
	}
	bubble(t, "after the lease was given back", func(t *testing.T) {
		r, _ := begin(t)
		away := there(r)
		r.until("released", 10*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Released })
		r.wait(10 * time.Second)
		home := back(r)
		r.wait(30 * time.Second)
		require.True(t, r.Pair.DB(east).Accepts())
		require.Len(t, told(r), 1)
		moved(r, told(r)[0])
		times(r, told(r)[0], away, home)
		require.Contains(t, told(r)[0].Body, "us-east-1 had given it back, and has taken it again as epoch 2; no other Region had it")
		require.Empty(t, r.Store.Entries())
	})
	bubble(t, "while the lease could not be given back", func(t *testing.T) {
		r, _ := begin(t)
		r.breaks(calls(east, drtest.Fault{Err: errRefused}, drtest.OpReleaseLease))
		away := there(r)
		r.wait(5 * time.Second)
		home := back(r)
		r.wait(30 * time.Second)
		require.Len(t, told(r), 1)
		moved(r, told(r)[0])
		times(r, told(r)[0], away, home)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		require.Contains(t, told(r)[0].Body, "us-east-1 has held it all the time, epoch 1")
	})
	bubble(t, "a reader had answered in the writer's place", func(t *testing.T) {
		r, _ := begin(t)
		there(r)
		r.until("released", 10*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Released })
		back(r) // before the control plane was asked
		r.wait(30 * time.Second)
		require.Len(t, told(r), 1)
		require.Contains(t, told(r)[0].Body, "or a reader had answered in its place")
	})
	bubble(t, "by its successor, when the process that saw it could not", func(t *testing.T) {
		r, stop := begin(t)
		there(r)
		r.wait(15 * time.Second)
		r.breaks(calls(east, drtest.Fault{Err: errRefused}, drtest.OpNotify))
		home := back(r)
		r.wait(20 * time.Second)
		require.Empty(t, told(r))
		stop()
		r.breaks(nil)
		r.agent(east)
		r.wait(30 * time.Second)
		require.Len(t, told(r), 1, "once")
		moved(r, told(r)[0])
		times(r, told(r)[0], home.Add(-15*time.Second), home)
	})
	bubble(t, "and not when the other Region has followed", func(t *testing.T) {
		r, _ := begin(t)
		r.agent(west)
		r.wait(10 * time.Second)
		there(r)
		r.until("adopted", 20*time.Second, r.in(failover.Settled))
		r.wait(10 * time.Second)
		back(r)
		r.until("adopted here", 20*time.Second, func() bool { return r.in(failover.Settled)() && r.last().Execution.To == east })
		r.wait(10 * time.Second)
		require.Empty(t, told(r), "the executions tell it")
	})
}

// TestAMoveOfLifeboatsOwnIsNoMoveFromOutside: while an execution has taken the epoch and has
// not promoted, the holder of the lease is no writer yet.
func TestAMoveOfLifeboatsOwnIsNoMoveFromOutside(t *testing.T) {
	for name, move := range map[string]func(r *rig){
		"a failover":   func(r *rig) { r.CutRegion(east, true) },
		"a switchover": func(r *rig) { _, _ = r.controller(west).Switchover(r.ctx, jane) },
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRigIn(t, dr.Policy{}, drtest.WorldConfig{Topology: topology, Promotion: func() time.Duration { return 20 * time.Second }})
			t.Cleanup(r.end)
			r.breaks(latency)
			r.regions()
			r.wg.Go(func() { move(r) })
			r.until("settled", 2*time.Minute, r.in(failover.Settled))
			r.wait(time.Minute)
			for _, region := range []dr.Region{east, west} {
				require.False(t, r.said(region, "seen back"), "%s: %v", region, r.Notifiers[region].Messages())
			}
		})
	}
}

// TestPeopleAreToldOfALeaseThatNoRegionTakesOver: other hands have moved the writer to a Region
// whose monitor is away. It may serve there, and no monitor watches it.
func TestPeopleAreToldOfALeaseThatNoRegionTakesOver(t *testing.T) {
	const handOver = "hand the lease over"
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		stop := r.agent(west)
		r.agent(east)
		r.agent(witness)
		r.wait(10 * time.Second)
		stop()
		require.NoError(t, r.Pair.Move(west, 0, true))
		r.until("people are told", time.Minute, func() bool { return r.said(east, handOver) })
		require.True(t, r.said(east, "the writer was moved to us-west-2, this Region has given the lease of epoch 1 back, and the monitor and trigger of us-west-2 have not taken it"))
	})
	bubble(t, "and not where that takes a moment", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.agent(west)
		r.agent(east)
		r.agent(witness)
		r.wait(10 * time.Second)
		require.NoError(t, r.Pair.Move(west, 0, true))
		r.until("it is adopted", 15*time.Second, r.open(west))
		r.wait(time.Minute)
		require.False(t, r.said(east, handOver))
	})
}
