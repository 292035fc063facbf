package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// TestAutomaticNever: everything is evaluated, explained and reported, and nothing begins by
// itself. What a person asks for is carried out.
func TestAutomaticNever(t *testing.T) {
	never := dr.Policy{Automatic: dr.AutomaticNever}
	bubble(t, "the loss of a Region", func(t *testing.T) {
		r := newRig(t, never)
		defer r.end()
		r.breaks(latency)
		stop := r.agent(east)
		defer stop()
		r.agent(witness)
		a, err := failover.NewMonitor(r.Monitor(west, r.policy, r.trace()))
		require.NoError(t, err)
		r.wg.Go(func() { _ = a.Run(r.ctx) })
		r.wait(10 * time.Second)
		r.CutRegion(east, true)
		r.until("the verdict", 30*time.Second, func() bool { return a.Explain().Verdict.State == health.Impaired })
		e := a.Explain()
		require.False(t, e.Would)
		require.Contains(t, e.Missing, "a policy that acts: it observes only (Automatic: never)")
		r.wait(2 * time.Minute)
		require.Empty(t, r.Store.Entries(), "no execution begins")
		require.Zero(t, r.Cluster.Moves())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		problems := r.problems("failover")
		require.NotEmpty(t, problems, "it is reported")
		require.Equal(t, failover.DenyObserveOnly, denial(t, problems[0]))
		require.ErrorContains(t, problems[0], "a failover would begin now")
		require.True(t, r.closed(east)(), "the guard works as always: the writer was cut off from the store and the other member")
	})
	bubble(t, "a person's switchover", func(t *testing.T) {
		r := newRig(t, never)
		defer r.end()
		r.breaks(latency)
		r.regions()
		x, err := r.controller(west).Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
		require.NoError(t, err)
		require.Equal(t, failover.Settled, x.State)
	})
	bubble(t, "an execution that is open goes on", func(t *testing.T) {
		r := newRig(t, never)
		t.Cleanup(r.end)
		acts := r.controller(west, func(cfg *failover.ControllerConfig) { cfg.Policy.Automatic = "" })
		r.silence()
		r.unknownLag(acts)
		c := r.controller(west)
		r.answer("go")
		x, open, err := c.Resume(r.ctx)
		require.NoError(t, err)
		require.True(t, open)
		require.Equal(t, failover.Settled, x.State)
	})
}

// TestRecheck: one look at an open question, which the trigger takes when it is reminded.
func TestRecheck(t *testing.T) {
	blocked := func(t *testing.T) (*rig, *failover.Controller) {
		r, c := acting(t, dr.Policy{})
		r.Cluster.SetMissing(west, "an upgrade")
		ctx, cancel := contextFor(r)
		r.wg.Go(func() { _, _ = c.Failover(ctx, verdict()) })
		r.until("told", 10*time.Second, func() bool { return len(r.Notifiers[west].Messages()) == 1 && len(r.last().Execution.Owed) == 0 })
		cancel()
		r.wait(time.Second)
		return r, r.controller(west)
	}
	bubble(t, "that still stands", func(t *testing.T) {
		r, c := blocked(t)
		entries, begun := len(r.Store.Entries()), time.Now()
		for range 5 {
			x, on, err := c.Recheck(r.ctx)
			require.NoError(t, err)
			require.False(t, on)
			require.Equal(t, failover.CodeTargetNotReady, x.Code)
		}
		require.Len(t, r.Store.Entries(), entries, "a look writes nothing")
		require.Less(t, time.Since(begun), time.Second, "and waits for nothing")
		require.Len(t, r.Notifiers[west].Messages(), 1)
	})
	bubble(t, "whose cause has passed", func(t *testing.T) {
		r, c := blocked(t)
		r.Cluster.SetMissing(west)
		x, on, err := c.Recheck(r.ctx)
		require.NoError(t, err)
		require.True(t, on)
		require.Equal(t, failover.Settled, x.State)
		require.Equal(t, 1, r.Cluster.Moves())
	})
	bubble(t, "that was answered", func(t *testing.T) {
		r, c := blocked(t)
		r.answer("go on")
		x, on, err := c.Recheck(r.ctx)
		require.NoError(t, err)
		require.True(t, on)
		require.Equal(t, failover.Settled, x.State)
	})
	bubble(t, "that people have not been told", func(t *testing.T) {
		r, other := askedUntold(t)
		x, on, err := other.Recheck(r.ctx)
		require.NoError(t, err)
		require.True(t, on)
		require.Equal(t, failover.AwaitingApproval, x.State)
		require.Len(t, r.Notifiers[west].Messages(), 1)
		require.Empty(t, r.last().Execution.Owed)
	})
	bubble(t, "of another Region, or of none", func(t *testing.T) {
		r, _ := blocked(t)
		_, on, err := r.controller(east).Recheck(r.ctx)
		require.NoError(t, err)
		require.False(t, on)
		empty := newRig(t, dr.Policy{})
		t.Cleanup(empty.end)
		_, on, err = empty.controller(west).Recheck(empty.ctx)
		require.ErrorIs(t, err, failover.ErrNoEntry)
		require.False(t, on)
	})
}

// TestTheWayOut: what a message offers to end an execution is what Step takes, in every
// state and for every mode, and nothing else is.
func TestTheWayOut(t *testing.T) {
	offered := map[string]int{}
	check := func(x failover.Execution) {
		a, is := x.WayOut()
		for mode, k := range map[string]failover.Kind{"abort": failover.EvAbortRequested, "return": failover.EvReturnRequested} {
			got, err := failover.Step(dr.Policy{}, x, failover.Event{Kind: k, Origin: jane})
			what := string(x.State) + "/" + string(x.Asked) + "/" + string(x.Mode) + " " + mode
			if x.State == failover.Steady || x.State == failover.Suspect {
				require.Error(t, err, "%s: there is nothing to end", what)
				continue
			}
			if mode == "return" && x.State == failover.AwaitingApproval && x.Asked == failover.Returning && x.Mode != failover.ModeAdopt {
				require.NoError(t, err, "to ask for it once more is to try again")
				require.False(t, is)
				continue
			}
			require.Equal(t, is && a.Mode == mode, err == nil, "%s: %v", what, err)
			if err != nil {
				require.Equal(t, x, got)
				continue
			}
			offered[mode]++
			require.Equal(t, jane, got.Last, what)
			require.Equal(t, map[string]failover.State{"abort": failover.Aborted, "return": failover.Returning}[mode], got.State, what)
			require.Equal(t, west, a.Target)
			require.Equal(t, x.ID, a.Execution)
		}
	}
	for _, mode := range []failover.Mode{failover.ModeFailover, failover.ModeSwitchover, failover.ModeAdopt} {
		for _, s := range failover.States() {
			x := whole(s)
			x.Mode = mode
			if s != failover.AwaitingApproval {
				check(x)
				continue
			}
			for _, asked := range failover.States() {
				if asked != failover.Steady && asked != failover.Suspect && !asked.Ended() && asked != failover.AwaitingApproval {
					x.Asked = asked
					check(x)
				}
			}
		}
	}
	require.Equal(t, map[string]int{"abort": 6, "return": 12}, offered, "each while nothing is promoted, and before and after the epoch was taken")
}

// TestReturnFromEachState: the lease goes back from wherever an execution stands after it
// took the epoch and before it has promoted.
func TestReturnFromEachState(t *testing.T) {
	back := func(t *testing.T, r *rig, ended <-chan failover.Execution) {
		r.report(east)
		x, err := r.controller(west).Return(r.ctx, r.last().Execution.ID, jane)
		require.NoError(t, err)
		require.Equal(t, failover.Returned, x.State, x.Report())
		require.Equal(t, failover.Returned, (<-ended).State, "who drove it joins")
		l, _ := r.Store.Lease()
		require.Equal(t, east, l.Holder)
		require.Equal(t, dr.Epoch(3), l.Epoch)
		require.Zero(t, r.Cluster.Moves())
	}
	bubble(t, "while the fence is proven", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		c := r.controller(west)
		r.wait(3 * time.Second)
		ended := r.failover(c)
		r.until("taken", 10*time.Second, r.in(failover.EpochTaken))
		back(t, r, ended)
	})
	bubble(t, "while the fence is asked about", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		c := r.controller(west)
		r.wait(3 * time.Second)
		l, _ := r.Store.Lease()
		require.NoError(t, r.Store.At(east).Publish(r.ctx, failover.Report{Region: east, Seq: 1, FenceFailed: l.Epoch}))
		ended := r.failover(c)
		r.until("asked", 10*time.Second, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodeFenceFailed, r.last().Execution.Code)
		back(t, r, ended)
	})
	bubble(t, "while the promotion is asked for", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errThrottled}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		back(t, r, ended)
	})
}
