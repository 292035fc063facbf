package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// returning returns a rig whose west has taken the epoch, can't promote, and gives the lease
// back because a person has asked for that.
func returning(t *testing.T, old failover.Report) *rig {
	r, c := acting(t, dr.Policy{})
	r.breaks(calls(west, drtest.Fault{Err: fmt.Errorf("no: %w", failover.ErrRefused)}, drtest.OpFailover))
	r.failover(c)
	r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
	old.Region = east
	r.reporting(old)
	r.wg.Go(func() { _, _ = r.controller(west).Return(r.ctx, r.last().Execution.ID, jane) })
	return r
}

// silent returns a rig whose east has served and whose monitor is gone, and west's controller.
func silent(t *testing.T) (*rig, *failover.Controller) {
	r := newRig(t, dr.Policy{})
	t.Cleanup(r.end)
	stop := r.agent(east)
	r.wait(10 * time.Second)
	stop()
	c := r.controller(west)
	r.silence()
	return r, c
}

// TestTheLeaseGoesBackToAServerThatAnswers: a monitor can't open a server that does not answer
// it, so a person is asked before the lease goes back there.
func TestTheLeaseGoesBackToAServerThatAnswers(t *testing.T) {
	for name, old := range map[string]failover.Report{
		"it answers": {Server: health.Alive},
		"a monitor that says nothing of it, and has confirmed the fence": {FencedEpoch: 1},
	} {
		bubble(t, name, func(t *testing.T) {
			r := returning(t, old)
			r.until("returned", 10*time.Second, r.in(failover.Returned))
		})
	}
	for name, old := range map[string]failover.Report{
		"it does not": {Server: health.Dead},
		"it does not any more, and had confirmed the fence":                               {Server: health.Dead, FencedEpoch: 1},
		"a monitor that says nothing of it":                                               {},
		"a monitor that says nothing of it, and has confirmed the fence of another epoch": {FencedEpoch: 2},
	} {
		bubble(t, name, func(t *testing.T) {
			r := returning(t, old)
			asked := func() bool {
				x := r.last().Execution
				return x.State == failover.AwaitingApproval && x.Code == failover.CodeReturnStuck && len(x.Owed) == 0
			}
			r.until("asked", 20*time.Second, asked)
			require.Contains(t, r.last().Execution.Detail, "the server of us-east-1 has not answered its monitor as a writer lately")
			messages, entries := len(r.Notifiers[west].Messages()), len(r.Store.Entries())
			r.wait(time.Minute)
			require.True(t, asked())
			require.Len(t, r.Notifiers[west].Messages(), messages, "once")
			require.Len(t, r.Store.Entries(), entries, "it is not tried in vain")
			l, _ := r.Store.Lease()
			require.Equal(t, dr.Epoch(2), l.Epoch)
			require.Equal(t, west, l.Holder)
			r.answer("it is mended, or the next failover is from there")
			r.until("returned", 20*time.Second, r.in(failover.Returned))
		})
	}
	bubble(t, "it goes on by itself when the server answers again", func(t *testing.T) {
		r, c := silent(t)
		r.breaks(calls(west, drtest.Fault{Err: fmt.Errorf("no: %w", failover.ErrRefused)}, drtest.OpFailover))
		r.failover(c)
		r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
		r.Pair.DB(east).Freeze()
		r.agent(east)
		r.wait(10 * time.Second)
		r.wg.Go(func() { _, _ = r.controller(west).Return(r.ctx, r.last().Execution.ID, jane) })
		r.until("asked", 30*time.Second, func() bool { return r.last().Execution.Code == failover.CodeReturnStuck })
		r.wait(time.Minute)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
		r.Pair.DB(east).Thaw()
		r.until("returned", 30*time.Second, r.in(failover.Returned))
		r.until("the old writer is open", 10*time.Second, r.open(east))
	})
}

// TestTheWayBackOfAnUnknownWriter: the lease goes back to no Region that the control plane does
// not name the writer.
func TestTheWayBackOfAnUnknownWriter(t *testing.T) {
	for name, writer := range map[string]dr.Region{"a Region that is no member": stranger} {
		bubble(t, name, func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			r.breaks(calls(west, drtest.Fault{Err: fmt.Errorf("no: %w", failover.ErrRefused)}, drtest.OpFailover))
			ended := r.failover(c)
			r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
			r.report(east)
			r.Cluster.SetWriter(writer)
			r.wg.Go(func() { _, _ = r.controller(west).Return(r.ctx, r.last().Execution.ID, jane) })
			asked := func() bool {
				x := r.last().Execution
				return x.State == failover.AwaitingApproval && x.Asked == failover.Returning && x.Code == failover.CodeWriterUnknown && len(x.Owed) == 0
			}
			r.until("asked", 10*time.Second, asked)
			require.Equal(t, "the control plane names the writer eu-central-1, and not us-east-1", r.last().Execution.Detail)
			messages, entries := len(r.Notifiers[west].Messages()), len(r.Store.Entries())
			r.wait(time.Minute)
			require.True(t, asked())
			require.Len(t, r.Notifiers[west].Messages(), messages, "once")
			require.Len(t, r.Store.Entries(), entries, "it is not tried in vain")
			r.answer("go on")
			r.wait(30 * time.Second)
			require.True(t, asked(), "consent does not make it known")
			l, _ := r.Store.Lease()
			require.Equal(t, west, l.Holder)
			r.Cluster.SetWriter("")
			require.Equal(t, failover.Returned, (<-ended).State)
			l, _ = r.Store.Lease()
			require.Equal(t, east, l.Holder)
		})
	}
}

// TestAnOrderThatIsCarriedOutAfterTheWayBack: the control plane has accepted an order whose answer
// was lost, and promotes only after the old Region has its writer back. That is a move by other
// hands: the guard of the old Region closes, and the lease follows. Tried for
// apecloud/kubeblocks-addons#3065, where the old primary is opened again and stays open.
func TestAnOrderThatIsCarriedOutAfterTheWayBack(t *testing.T) {
	type order struct{ after, takes time.Duration } // carried out that long after the return
	all := []order{{300 * time.Millisecond, 2 * time.Second}, {time.Minute, 10 * time.Second}}
	for after := time.Duration(0); after <= 4*time.Second; after += 100 * time.Millisecond {
		all = append(all, order{after: after})
	}
	for _, c := range all {
		bubble(t, fmt.Sprintf("%v later, in %v", c.after, c.takes), func(t *testing.T) {
			r, mover := silent(t)
			r.breaks(calls(west, drtest.Fault{Hang: true}, drtest.OpFailover))
			r.failover(mover)
			r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
			r.agent(east)
			r.agent(west)
			r.agent(witness)
			r.wait(5 * time.Second)
			r.wg.Go(func() { _, _ = r.controller(west).Return(r.ctx, r.last().Execution.ID, jane) })
			r.until("returned", 2*time.Minute, r.in(failover.Returned))
			r.wait(c.after)
			require.NoError(t, r.Pair.Move(west, c.takes, false))
			one := func() bool {
				l, _ := r.Store.Lease()
				return l.Holder == west && r.Pair.DB(west).Accepts() && !r.Pair.DB(east).Accepts()
			}
			r.until("the new writer is open with the lease, and the old one closed", c.takes+15*time.Second, one)
			r.wait(time.Minute)
			require.True(t, one())
		})
	}
}
