package failover_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// counted is a trigger that is asked, and does nothing.
type counted struct {
	asked atomic.Int32
	why   string
}

func (c *counted) Ask(_ context.Context, why string) error { c.why = why; c.asked.Add(1); return nil }

// TestWhatIsKnownIsNotAsked: the east is lost, and its verdict comes every two seconds. The
// trigger is asked each time, but for an execution that waits for a person.
func TestWhatIsKnownIsNotAsked(t *testing.T) {
	own := failover.Execution{ID: "execution-2", Seq: 1, Mode: failover.ModeFailover, From: east, To: west, Epoch: 2, State: failover.AwaitingApproval, Asked: failover.Confirmed}
	change := func(f func(*failover.Execution)) *failover.Execution { x := own; f(&x); return &x }
	for name, c := range map[string]struct {
		x      *failover.Execution
		silent bool // the journal, in this Region
		least  int32
		most   int32
	}{
		"nothing has begun":         {nil, false, 25, 31},
		"it waits for a person":     {&own, false, 4, 9},
		"it is under way":           {change(func(x *failover.Execution) { x.State = failover.Confirmed }), false, 25, 52},
		"the last one has ended":    {change(func(x *failover.Execution) { x.State = failover.Aborted }), false, 25, 31},
		"the other Region's waits":  {change(func(x *failover.Execution) { x.From, x.To = west, east }), false, 25, 31},
		"the journal doesn't say":   {&own, true, 4, 31},
		"it waits, after its epoch": {change(func(x *failover.Execution) { x.Asked = failover.LossAccepted }), false, 4, 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, dr.Policy{})
				defer r.end()
				d := &counted{}
				cfg := r.Monitor(west, r.policy, r.trace())
				cfg.Mover = r.by(d)
				r.agent(east)
				r.agent(witness)
				r.run(failover.NewMonitor(cfg))
				if c.x != nil {
					require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Execution: *c.x, Event: failover.EvConfirmed, At: time.Now()}))
				}
				r.wait(10 * time.Second)
				before := d.asked.Load()
				if c.x == nil || c.x.To != west || c.x.State.Ended() {
					require.Zero(t, before, d.why)
				}
				if c.silent {
					r.breaks(func(call drtest.Call) drtest.Fault {
						return drtest.Fault{Hang: call.Op == drtest.OpLatest}
					})
				}
				r.CutRegion(east, true)
				r.wait(time.Minute)
				require.GreaterOrEqual(t, d.asked.Load()-before, c.least)
				require.LessOrEqual(t, d.asked.Load()-before, c.most)
			})
		})
	}
}

// A question that was put, and became void because the Region came back, holds nothing up
// when the Region is lost again: the trigger is asked at once.
func TestANewOutageIsAskedAboutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		d := &counted{}
		cfg := r.Monitor(west, r.policy, r.trace())
		cfg.Mover = r.by(d)
		r.agent(east)
		r.agent(witness)
		r.run(failover.NewMonitor(cfg))
		x := failover.Execution{ID: "execution-2", Seq: 1, Mode: failover.ModeFailover, From: east, To: west, Epoch: 2, State: failover.AwaitingApproval, Asked: failover.Confirmed}
		require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Execution: x, Event: failover.EvConfirmed, At: time.Now()}))
		r.wait(10 * time.Second)
		first := func() time.Duration {
			before, begun := d.asked.Load(), time.Now()
			r.CutRegion(east, true)
			return r.until("asked", time.Minute, func() bool { return d.asked.Load() > before }).Sub(begun)
		}
		alone := first()
		r.wait(time.Second) // it was asked a moment ago
		r.CutRegion(east, false)
		r.wait(8 * time.Second)
		require.LessOrEqual(t, first(), alone+2*time.Second)
	})
}
