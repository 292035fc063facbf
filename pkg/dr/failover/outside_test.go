package failover_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// orders returns how often the west's API was asked to move the writer.
func (r *rig) orders() int {
	return len(r.when(drtest.OpFailover, west)) + len(r.when(drtest.OpSwitchover, west))
}

// toldOfMove holds that the west's people were told of a move from outside: from where to
// where, and when Lifeboat has seen it, which must lie between two times.
func (r *rig) toldOfMove(from, to time.Time) {
	r.t.Helper()
	all := r.Notifiers[west].Messages()
	said := regexp.MustCompile(`A person or AWS has moved the writer from us-east-1 to us-west-2, as us-west-2 has seen at (\S+) by its clock, and Lifeboat followed`).FindStringSubmatch(all[len(all)-1].Body)
	require.NotNil(r.t, said, "%s", all[len(all)-1].Body)
	at, err := time.Parse(time.RFC3339Nano, said[1])
	require.NoError(r.t, err)
	require.False(r.t, at.Before(from.Truncate(time.Millisecond)) || at.After(to), "%v is not between %v and %v", at, from, to)
}

// TestAdopt: AWS or a person has moved the writer, and the lease and the clients follow.
func TestAdopt(t *testing.T) {
	moved := func(t *testing.T, graceful bool) (*rig, *failover.Controller) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		c := r.controller(west)
		require.NoError(t, r.Pair.Move(west, 2*time.Second, graceful))
		r.wait(3 * time.Second)
		return r, c
	}
	adopted := func(t *testing.T, r *rig, x failover.Execution, proof failover.ProofKind, asked time.Time) {
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Equal(t, failover.ModeAdopt, x.Mode)
		require.Equal(t, proof, x.Proof)
		require.Zero(t, r.orders(), "nothing is moved once more")
		require.Equal(t, west, r.Router.Target())
		l, _ := r.Store.Lease()
		require.Equal(t, west, l.Holder)
		require.Len(t, r.Notifiers[west].Messages(), 1)
		require.Contains(t, r.Notifiers[west].Messages()[0].Subject, "adopt: the writer moved from us-east-1 to us-west-2")
		r.toldOfMove(asked, asked.Add(time.Second))
	}
	bubble(t, "a lease that was released", func(t *testing.T) {
		r, c := moved(t, true)
		l, _ := r.Store.Lease()
		_, err := r.Store.At(east).ReleaseLease(r.ctx, l)
		require.NoError(t, err)
		r.wait(time.Second)
		begun := time.Now()
		x, err := c.Adopt(r.ctx)
		require.NoError(t, err)
		adopted(t, r, x, failover.ProofDemoted, begun)
		require.Less(t, time.Since(begun), 10*time.Second)
	})
	bubble(t, "a lease that is silent", func(t *testing.T) {
		r, c := moved(t, false)
		begun := time.Now()
		x, err := c.Adopt(r.ctx)
		require.NoError(t, err)
		adopted(t, r, x, failover.ProofExpired, begun)
	})
	for name, spoil := range map[string]func(r *rig){
		"nothing was moved":              func(*rig) {},
		"it is under way":                func(r *rig) { require.NoError(r.t, r.Pair.Move(west, time.Hour, true)) },
		"only the control plane says so": func(r *rig) { r.Cluster.SetWriter(west) },
		"only the server says so": func(r *rig) {
			_, err := r.Pair.Promote(west)
			require.NoError(r.t, err)
			r.Cluster.SetWriter(east)
		},
		"a third Region is the writer": func(r *rig) { r.Cluster.SetWriter("eu-central-1") },
		"the control plane is silent":  func(r *rig) { r.breaks(calls(west, drtest.Fault{Hang: true}, drtest.OpPreflight)) },
		"the server is silent":         func(r *rig) { r.Pair.DB(west).Freeze() },
	} {
		bubble(t, "nothing is adopted when "+name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			c := r.controller(west)
			spoil(r)
			_, err := c.Adopt(r.ctx)
			require.Equal(t, failover.DenyPrecondition, denial(t, err))
			require.Empty(t, r.Store.Entries())
		})
	}
	bubble(t, "it moves back before the lease is taken", func(t *testing.T) {
		r, c := moved(t, true)
		r.breaks(func(call drtest.Call) drtest.Fault {
			if call.Op == drtest.OpAppend {
				return drtest.Fault{Delay: 1400 * time.Millisecond}
			}
			return drtest.Fault{}
		})
		r.wg.Go(func() { r.wait(100 * time.Millisecond); _ = r.Pair.Move(east, 0, true) })
		x, err := c.Adopt(r.ctx)
		require.NoError(t, err)
		require.Equal(t, failover.Aborted, x.State, x.Report())
		require.Equal(t, failover.CodeMovedElsewhere, x.Code)
		require.Zero(t, r.orders())
	})
}

// TestMovedFromOutside: something else moves the writer while an execution is under way.
func TestMovedFromOutside(t *testing.T) {
	bubble(t, "here, while a person is asked", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		ended := r.unknownLag(c)
		require.NoError(t, r.Pair.Move(west, 2*time.Second, false))
		begun := time.Now()
		x := <-ended
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Equal(t, failover.ModeAdopt, x.Mode)
		require.Less(t, time.Since(begun), 12*time.Second)
		require.Zero(t, r.orders())
		require.Nil(t, x.Ack)
		r.toldOfMove(begun, begun.Add(8*time.Second))
	})
	bubble(t, "here, before the epoch is taken", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		require.NoError(t, r.Pair.Move(west, 0, false))
		begun := time.Now()
		x := <-r.failover(c)
		require.Equal(t, failover.Settled, x.State)
		require.Equal(t, failover.ModeAdopt, x.Mode)
		require.Zero(t, r.orders())
		r.toldOfMove(begun, begun.Add(3*time.Second))
	})
	bubble(t, "here, once the epoch is taken", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		require.NoError(t, r.Pair.Move(west, 2*time.Second, false))
		require.Equal(t, failover.Settled, (<-ended).State)
	})
	for state, reach := range map[string]func(r *rig, c *failover.Controller){
		"Confirmed": func(r *rig, c *failover.Controller) { r.Cluster.SetWriter("eu-central-1"); r.failover(c) },
		"LossAccepted": func(r *rig, c *failover.Controller) {
			r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
			r.failover(c)
			r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
			r.Cluster.SetWriter("eu-central-1")
			r.breaks(nil)
		},
	} {
		bubble(t, "to a Region that is no member, in "+state, func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			reach(r, c)
			r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
			require.Equal(t, failover.CodeWriterUnknown, r.last().Execution.Code)
			before := r.orders()
			r.wait(time.Minute)
			require.Contains(t, r.Notifiers[west].Messages()[0].Body, "eu-central-1")
			r.answer("go on")
			r.wait(time.Minute)
			require.Equal(t, failover.AwaitingApproval, r.last().Execution.State, "consent does not make it known")
			require.Equal(t, before, r.orders(), "nothing is asked for")
			r.Cluster.SetWriter("")
			r.until("settled", time.Minute, r.in(failover.Settled))
		})
	}
	for _, reach := range []failover.State{failover.Promoted, failover.Verified} {
		bubble(t, "back, in "+string(reach), func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			hold := map[failover.State]drtest.Op{failover.Promoted: drtest.OpBeat, failover.Verified: drtest.OpReach}[reach]
			r.breaks(calls(west, drtest.Fault{Err: errRefused}, hold))
			ended := r.failover(c)
			r.until(string(reach), time.Minute, r.in(reach))
			r.Cluster.SetWriter(east)
			x := <-ended
			require.Equal(t, failover.Returned, x.State)
			require.Equal(t, failover.CodeMovedElsewhere, x.Code)
			require.Equal(t, 1, r.Cluster.Moves(), "nothing is moved once more")
			require.Empty(t, r.last().Execution.Owed)
		})
	}
}

// TestAWriterIsAdoptedWhoseMonitorWasAway: a person moves the writer back to a Region whose
// monitor is not running, so that none has seen its server follow the present epoch. The other
// Region's guard has given the lease back, which says as much.
func TestAWriterIsAdoptedWhoseMonitorWasAway(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		require.Equal(t, failover.Settled, (<-r.failover(c)).State)
		r.agent(west)
		r.agent(witness)
		require.NoError(t, r.Pair.Rejoin(east))
		r.wait(10 * time.Second)
		r.Pair.SetBoot(true)
		require.NoError(t, r.Pair.Move(east, time.Second, true))
		r.until("the lease was given back", 10*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Released })
		r.wait(time.Minute)
		require.False(t, r.Pair.DB(east).Accepts(), "it is adopted by its own monitor only")
		r.agent(east)
		r.until("the writer is open, without a verdict on the other Region", 2500*time.Millisecond, r.open(east))
		require.Equal(t, failover.ModeAdopt, r.last().Execution.Mode)
	})
}
