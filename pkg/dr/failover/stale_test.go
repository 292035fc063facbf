package failover_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// outdated is a control plane whose description stays as it was, and whose orders act.
type outdated struct {
	failover.Promoter
	failover.Preflighter
	is atomic.Bool
}

func (o *outdated) Describe(ctx context.Context) (failover.Cluster, error) {
	if o.is.Load() {
		return failover.Cluster{Writer: east}, nil
	}
	return o.Promoter.Describe(ctx)
}

func (o *outdated) Preflight(ctx context.Context) (failover.Readiness, error) {
	r, err := o.Preflighter.Preflight(ctx)
	if o.is.Load() && err == nil {
		r.Cluster = failover.Cluster{Writer: east}
	}
	return r, err
}

func outdatedAt(r *rig) (*outdated, *failover.Controller) {
	o := &outdated{}
	o.is.Store(true)
	c := r.controller(west, func(cfg *failover.ControllerConfig) {
		o.Promoter, o.Preflighter = cfg.Promoter, cfg.Preflight
		cfg.Promoter, cfg.Preflight = o, o
	})
	return o, c
}

// TestStaleDescription: RDS promotes, and describes the old writer for a while. A server
// that was a secondary before the epoch was taken and is the writer now was promoted. The
// word of any other server proves nothing.
func TestStaleDescription(t *testing.T) {
	bubble(t, "a secondary that is the writer now was promoted", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		_, c := outdatedAt(r)
		r.silence()
		x, err := c.Failover(r.ctx, verdict())
		require.NoError(t, err)
		require.Equal(t, failover.Settled, x.State, x.Report())
		require.True(t, x.Followed && x.Unnamed)
		require.Equal(t, west, r.Router.Target())
		require.Less(t, r.orders(), 20)
	})
	bubble(t, "a server of which nothing was known is not believed", func(t *testing.T) {
		r := newRig(t, dr.Policy{EffectTimeout: 30 * time.Second})
		defer r.end()
		o, c := outdatedAt(r)
		r.silence()
		r.breaks(calls(west, drtest.Fault{Err: context.DeadlineExceeded}, drtest.OpRole))
		v := verdict()
		ended := make(chan failover.Execution, 1)
		r.wg.Go(func() { x, _ := c.Failover(r.ctx, v); ended <- x })
		r.until("asked about the target", 20*time.Second, r.in(failover.AwaitingApproval))
		x := r.last().Execution
		require.Equal(t, failover.CodeTargetNotReady, x.Code)
		_, err := c.Acknowledge(r.ctx, failover.Acknowledgement{Execution: x.ID, Question: x.Question.ID, By: "ops", Reason: "go"})
		require.NoError(t, err)
		r.until("ordered", 20*time.Second, func() bool { return r.orders() > 0 })
		r.breaks(nil)
		r.wait(10 * time.Second)
		require.Equal(t, failover.LossAccepted, r.last().Execution.State)
		o.is.Store(false)
		require.Equal(t, failover.Settled, (<-ended).State)
	})
}

// slowly is a control plane whose failover takes as long as move does.
type slowly struct {
	failover.Promoter
	move func() error
}

func (s *slowly) Failover(context.Context, dr.Region) error { return s.move() }

// TestAPromotionIsOverdue: a promotion that AWS has accepted and does not finish is told to
// people long before EffectTimeout, and goes on by itself once it is done.
func TestAPromotionIsOverdue(t *testing.T) {
	bubble(t, "after a minute and a half", func(t *testing.T) {
		late := &slowly{}
		r, c := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) { late.Promoter, cfg.Promoter = cfg.Promoter, late })
		late.move = func() error { return r.Pair.Move(west, 3*time.Minute, false) }
		ended := make(chan failover.Execution, 1)
		r.wg.Go(func() { x, _ := c.Failover(r.ctx, verdict()); ended <- x })
		r.until("the question", 100*time.Second, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodePromotionStuck, r.last().Execution.Code)
		require.Len(t, r.Notifiers[west].Messages(), 1)
		begun := time.Now()
		require.Equal(t, failover.Settled, (<-ended).State)
		require.Less(t, time.Since(begun), 100*time.Second)
	})
}
