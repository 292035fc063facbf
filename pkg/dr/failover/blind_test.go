package failover_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// blindly renews the east's lease twice a second without a committed write, as a guard
// does that can't ask its server, until stop is called.
func (r *rig) blindly() (stop func()) {
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause := time.NewTicker(500 * time.Millisecond); ; {
			l, _ := r.Store.Lease()
			l.Blind = true
			if l.Holder == east {
				_, _ = r.Store.At(east).RenewLease(ctx, l)
			}
			select {
			case <-ctx.Done():
				pause.Stop()
				return
			case <-pause.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// TestABlindMonitor: the writer looks lost, and its Region renews the lease without a
// committed write. Its monitor lives and can't ask its server, so from here a lost writer and
// one that serves behind a cut link look alike: a person is asked, and nothing is touched.
func TestABlindMonitor(t *testing.T) {
	asked := func(t *testing.T) (*rig, func(), <-chan failover.Execution) {
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		c := r.controller(west)
		stop := r.blindly()
		t.Cleanup(stop)
		r.wait(3 * time.Second)
		_, err := c.Failover(r.ctx, verdict())
		require.ErrorContains(t, err, "it lives", "the monitor may be about to fall silent")
		r.wait(7 * time.Second)
		ended := r.failover(c)
		r.until("the question", 5*time.Second, r.in(failover.AwaitingApproval))
		x := r.last().Execution
		require.Equal(t, failover.CodeMonitorBlind, x.Code)
		require.Contains(t, x.Detail, "us-east-1 renews its lease without a committed write")
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch, "nothing is touched")
		return r, stop, ended
	}
	bubble(t, "a person answers", func(t *testing.T) {
		r, _, ended := asked(t)
		r.wait(30 * time.Second)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State)
		r.answer("clients are down")
		x := <-ended
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Equal(t, failover.ProofExpired, x.Proof)
		require.Equal(t, 1, r.Cluster.Moves())
	})
	bubble(t, "the monitor falls silent", func(t *testing.T) {
		r, stop, ended := asked(t)
		stop()
		x := <-ended
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.Nil(t, x.Ack)
		require.Equal(t, 1, r.Cluster.Moves())
	})
	bubble(t, "the writer serves", func(t *testing.T) {
		r, stop, ended := asked(t)
		stop()
		r.wg.Go(func() {
			for r.wait(0); r.ctx.Err() == nil && r.last().Execution.State != failover.Aborted; r.wait(500 * time.Millisecond) {
				l, _ := r.Store.Lease()
				_, _ = r.Store.At(east).RenewLease(r.ctx, l)
			}
		})
		x := <-ended
		require.Equal(t, failover.Aborted, x.State, x.Report())
		require.Zero(t, r.Cluster.Moves())
	})
}
