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

// looked is an isolator that must know its instance before it is needed.
type looked struct {
	failover.Isolator
	refreshed atomic.Int32
	fails     atomic.Bool
	loose     atomic.Bool // it was called without a deadline
}

func (l *looked) Refresh(ctx context.Context) error {
	l.refreshed.Add(1)
	if _, ok := ctx.Deadline(); !ok {
		l.loose.Store(true)
	}
	if l.fails.Load() {
		return errRefused
	}
	return nil
}

// TestAGuardKnowsItsInstanceBeforeItNeedsIt: what an isolator acts on is looked up while
// the control plane answers, and a look-up that fails stops nothing and is tried again.
func TestAGuardKnowsItsInstanceBeforeItNeedsIt(t *testing.T) {
	bubble(t, "at its start and every minute", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		cfg := r.Monitor(east, r.policy, r.trace())
		l := &looked{Isolator: cfg.Guard.Isolator}
		cfg.Guard.Isolator = l
		l.fails.Store(true)
		r.run(failover.NewMonitor(cfg))
		r.wait(time.Second)
		require.EqualValues(t, 1, l.refreshed.Load())
		require.Len(t, r.problems("look up the writer instance"), 1)
		l.fails.Store(false)
		r.wait(2 * time.Minute)
		require.EqualValues(t, 3, l.refreshed.Load())
		require.Len(t, r.problems("look up the writer instance"), 1)
		require.False(t, l.loose.Load(), "it could hang for ever")
		require.True(t, r.Pair.DB(east).Accepts())
	})
}

// TestOneExecutionAtATime: while the journal holds an execution to the other Region open,
// none to this one begins, and Resume leaves it alone.
func TestOneExecutionAtATime(t *testing.T) {
	bubble(t, "whatever its Region", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		theirs := failover.Execution{ID: "0000000002-0001", Seq: 1, Mode: failover.ModeSwitchover, From: west, To: east, State: failover.LossAccepted, Epoch: 2}
		require.NoError(t, r.Store.At(east).Append(r.ctx, failover.Entry{Execution: theirs, Event: failover.EvRequested}))
		_, err := c.Failover(r.ctx, verdict())
		require.ErrorContains(t, err, "execution 0000000002-0001 moves the writer to us-east-1: let it end first")
		_, err = c.Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
		require.ErrorContains(t, err, "let it end first")
		_, open, err := c.Resume(r.ctx)
		require.NoError(t, err)
		require.False(t, open)
		require.Len(t, r.Store.Entries(), 1)
		require.Zero(t, r.Cluster.Moves())
	})
}

// TestAControllerThatWasOvertakenStops: its entry's place is taken, and the journal has
// gone on to another execution since. What it would do next is void.
func TestAControllerThatWasOvertakenStops(t *testing.T) {
	bubble(t, "in the middle of an execution", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(func(call drtest.Call) drtest.Fault { return drtest.Fault{Hang: call.Op == drtest.OpTakeLease} })
		ended := make(chan error, 1)
		r.wg.Go(func() { _, err := c.Failover(r.ctx, verdict()); ended <- err })
		r.until("confirmed", 5*time.Second, r.in(failover.Confirmed))
		x := r.last().Execution
		x.Seq, x.State, x.Code = 2, failover.Aborted, failover.CodeRecovered
		require.NoError(t, r.Store.At(witness).Append(r.ctx, failover.Entry{Execution: x, Event: failover.EvRecovered}))
		next := failover.Execution{ID: "0000000002-0002", Seq: 1, Mode: failover.ModeSwitchover, From: east, To: west, State: failover.Confirmed, Epoch: 2}
		require.NoError(t, r.Store.At(witness).Append(r.ctx, failover.Entry{Execution: next, Event: failover.EvRequested}))
		r.breaks(nil)
		require.ErrorContains(t, <-ended, "execution 0000000002-0001 has ended, and 0000000002-0002 has begun since")
		require.Zero(t, r.Cluster.Moves())
	})
}

// TestAMoveFromOutsideIsWaitedFor: the writer is on its way to another Region. The
// controller asks AWS for no second move meanwhile.
func TestAMoveFromOutsideIsWaitedFor(t *testing.T) {
	bubble(t, "and never crossed", func(t *testing.T) {
		p := &elsewhere{}
		r, c := acting(t, dr.Policy{}, func(cfg *failover.ControllerConfig) {
			p.Promoter, cfg.Promoter = cfg.Promoter, p
			p.Preflighter, cfg.Preflight = cfg.Preflight, p
		})
		r.breaks(calls(west, drtest.Fault{Hang: true}, drtest.OpDescribe))
		r.failover(c)
		r.until("gated", 5*time.Second, r.in(failover.LossAccepted))
		p.moving.Store(true)
		r.breaks(nil)
		r.wait(10 * time.Second)
		require.Equal(t, failover.AwaitingApproval, r.last().Execution.State, "people are told")
		require.Equal(t, failover.CodeMovedElsewhere, r.last().Execution.Code)
		require.Empty(t, r.when(drtest.OpFailover, west))
		require.NotEmpty(t, r.problems("after LossAccepted"))
		problems := r.problems("after LossAccepted")
		require.ErrorContains(t, problems[len(problems)-1], "is being moved to us-east-2 by something else")
		p.moving.Store(false)
		r.until("settled", 30*time.Second, r.in(failover.Settled))
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

// elsewhere is a control plane that says that the writer is on its way to a third Region.
type elsewhere struct {
	failover.Promoter
	failover.Preflighter
	moving atomic.Bool
}

func (e *elsewhere) Preflight(ctx context.Context) (failover.Readiness, error) {
	r, err := e.Preflighter.Preflight(ctx)
	if e.moving.Load() && r.Cluster.Writer != "" {
		r.Cluster.MovingTo = witness
	}
	return r, err
}

func (e *elsewhere) Describe(ctx context.Context) (failover.Cluster, error) {
	now, err := e.Promoter.Describe(ctx)
	if e.moving.Load() {
		now.MovingTo = witness
	}
	return now, err
}

// dumb is a trigger that can't be asked.
type dumb struct{ asked atomic.Int32 }

func (d *dumb) Ask(context.Context, string) error { d.asked.Add(1); return errRefused }

// TestFollowingATrigger: the monitor asks again only for an execution of its own Region
// that is under way, and reminds it now and then of one that waits for a person.
func TestFollowingATrigger(t *testing.T) {
	follow := func(t *testing.T, x *failover.Execution) (*rig, *dumb) {
		r := newRig(t, dr.Policy{})
		d := &dumb{}
		cfg := r.Monitor(west, r.policy, r.trace())
		cfg.Mover = r.by(d)
		if x != nil {
			require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Execution: *x, Event: failover.EvConfirmed, At: time.Now()}))
		}
		r.take(west)
		r.run(failover.NewMonitor(cfg))
		r.wait(20 * time.Second)
		return r, d
	}
	own := failover.Execution{ID: "execution-2", Seq: 1, Mode: failover.ModeFailover, From: east, To: west, Epoch: 2}
	for name, c := range map[string]struct {
		state  failover.State
		change func(*failover.Execution)
		asks   bool
	}{
		"it stands still":                 {failover.LossAccepted, nil, true},
		"a person has the word":           {failover.AwaitingApproval, nil, true}, // now and then
		"it has ended":                    {failover.Settled, nil, false},
		"it is another Region's":          {failover.LossAccepted, func(x *failover.Execution) { x.From, x.To = west, east }, false},
		"a later one has taken its place": {failover.LossAccepted, func(x *failover.Execution) { x.Epoch = 3 }, true},
	} {
		bubble(t, name, func(t *testing.T) {
			x := own
			x.State = c.state
			if c.change != nil {
				c.change(&x)
			}
			r, d := follow(t, &x)
			defer r.end()
			require.Equal(t, c.asks, d.asked.Load() > 1, "asked %d times", d.asked.Load())
			if c.asks {
				require.NotEmpty(t, r.problems("ask the trigger"), "that it can't be asked is told")
			}
		})
	}
	bubble(t, "the lease was given out by hand", func(t *testing.T) {
		r, d := follow(t, nil)
		defer r.end()
		require.Zero(t, d.asked.Load())
		reads := len(r.when(drtest.OpLatest, west))
		require.Equal(t, 1, reads, "there is nothing to read again")
	})
}

// TestAServerThatIsNotTheWriterIsNotOpened: its Region holds the lease, but the server is
// a secondary. It is closed as it is, nothing is cut off, and the lease is given back.
func TestAServerThatIsNotTheWriterIsNotOpened(t *testing.T) {
	bubble(t, "though the lease says so", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		l, _ := r.Store.Lease()
		_, err := r.Store.At(west).TakeLease(r.ctx, l, failover.Claim{Holder: west}) // by hand, without an execution
		require.NoError(t, err)
		_, stop := r.guard(west)
		r.wait(30 * time.Second)
		require.False(t, r.Pair.DB(west).Accepts())
		now, _ := r.Store.Lease()
		require.True(t, now.Released)
		require.Contains(t, r.told(), dr.LeaseReleased)
		require.NotContains(t, r.told(), dr.LeaseOpened)
		require.Empty(t, r.when(drtest.OpIsolate, west), "there is nothing to cut off")
		stop()
	})
}

// TestNothingIsKnownBeforeTheLeaseIsRead: a watch that has seen no lease proves nothing.
func TestNothingIsKnownBeforeTheLeaseIsRead(t *testing.T) {
	w := &failover.Watch{}
	require.Zero(t, w.Unchanged())
	require.False(t, w.Moved())
	w.Adopt(1, time.Hour, time.Now())
	require.Zero(t, w.Unchanged(), "another's word on a revision that was never seen")
	b := failover.NewLeaseProber(west, dr.DefaultPolicy(), nil, w)
	require.ErrorIs(t, b.SelfCheck(t.Context()), failover.ErrNoLease)
}

// TestCalledOffBeforeItBegan: a caller that gives up while the journal does not answer gets
// the cause of its own context back, and no execution has begun.
func TestCalledOffBeforeItBegan(t *testing.T) {
	for _, op := range []drtest.Op{drtest.OpLatest, drtest.OpSettled, drtest.OpAppend} {
		bubble(t, string(op), func(t *testing.T) {
			r, c := acting(t, dr.Policy{})
			r.breaks(func(call drtest.Call) drtest.Fault {
				if call.Op == op {
					return drtest.Fault{Err: errRefused}
				}
				return drtest.Fault{}
			})
			ctx, cancel := context.WithTimeout(r.ctx, 3*time.Second)
			defer cancel()
			begun := time.Now()
			_, err := c.Failover(ctx, verdict())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 3*time.Second, time.Since(begun))
			require.Empty(t, r.Store.Entries())
			l, _ := r.Store.Lease()
			require.Equal(t, dr.Epoch(1), l.Epoch)
		})
	}
}
