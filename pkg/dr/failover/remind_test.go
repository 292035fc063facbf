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

// hearing waits for the end of what it was asked.
type hearing struct{ counted }

func (*hearing) Waits() bool { return true }

// TestWhatIsKnownIsNotAsked: the east is lost, and its verdict comes every two seconds. The
// trigger is asked each time, but for an execution that waits for a person, or that is worked
// on and stands still for no three seconds.
func TestWhatIsKnownIsNotAsked(t *testing.T) {
	own := failover.Execution{ID: "execution-2", Seq: 1, Mode: failover.ModeFailover, From: east, To: west, Epoch: 2, State: failover.AwaitingApproval, Asked: failover.Confirmed}
	change := func(f func(*failover.Execution)) *failover.Execution { x := own; f(&x); return &x }
	confirmed := func(x *failover.Execution) { x.State = failover.Confirmed }
	for name, c := range map[string]struct {
		x      *failover.Execution
		silent bool // the journal, in this Region
		hears  bool // the invoker, whose question is worked on
		moves  bool // an entry a second
		least  int32
		most   int32
	}{
		"nothing has begun":                   {least: 25, most: 31},
		"nothing has begun, and it is heard":  {hears: true, least: 25, most: 31},
		"it waits for a person":               {x: &own, least: 4, most: 9},
		"it waits for a person, and is heard": {x: &own, hears: true, least: 4, most: 9},
		"it is under way":                     {x: change(confirmed), least: 25, most: 52},
		"it stands still, and is heard":       {x: change(confirmed), hears: true, least: 15, most: 22},
		"it moves on, and is heard":           {x: change(confirmed), hears: true, moves: true, least: 1, most: 2},
		"it moves on, driven by another":      {x: change(confirmed), moves: true, least: 25, most: 31},
		"it is heard, the journal is silent":  {x: change(confirmed), hears: true, silent: true, least: 6, most: 31},
		"the last one has ended":              {x: change(func(x *failover.Execution) { x.State = failover.Aborted }), least: 25, most: 31},
		"the last one has ended, and is heard": {x: change(func(x *failover.Execution) { x.State = failover.Aborted }), hears: true,
			least: 25, most: 31},
		"the other Region's waits":  {x: change(func(x *failover.Execution) { x.From, x.To = west, east }), least: 25, most: 31},
		"the journal doesn't say":   {x: &own, silent: true, least: 4, most: 31},
		"it waits, after its epoch": {x: change(func(x *failover.Execution) { x.Asked = failover.LossAccepted }), least: 4, most: 9},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, dr.Policy{})
				defer r.end()
				h := &hearing{}
				d, asks := &h.counted, failover.TriggerInvoker(&h.counted)
				if c.hears {
					asks = h
				}
				cfg := r.Monitor(west, r.policy, r.trace())
				cfg.Mover = r.by(asks)
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
				for x, begun := c.x, time.Now(); time.Since(begun) < time.Minute; r.wait(time.Second) {
					if c.moves {
						next := *x
						next.Seq++
						require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Execution: next, Event: failover.EvReassessed, At: time.Now()}))
						x = &next
					}
				}
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
