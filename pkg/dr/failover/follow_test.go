package failover_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// trigger runs a silent agent with a controller, as a function that is invoked does:
// one at a time, until an execution has ended or nothing was found for a while.
type trigger struct {
	r     *rig
	idle  time.Duration
	mu    sync.Mutex
	kill  context.CancelFunc // of the one that runs
	asked int
}

func (d *trigger) Ask(context.Context, string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.kill != nil {
		return nil // it is being looked at already
	}
	ctx, cancel := context.WithTimeout(d.r.ctx, d.idle)
	d.kill = cancel
	cfg := d.r.Trigger(west, d.r.policy, d.r.trace())
	cfg.OnOutcome = func(failover.Execution, error) { cancel() }
	a, err := failover.NewTrigger(cfg)
	if err != nil {
		return err
	}
	d.r.wg.Go(func() {
		_ = a.Run(ctx)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.kill = nil
		cancel()
	})
	return nil
}

// crash ends the trigger that runs, in the middle of what it does.
func (d *trigger) crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kill != nil {
		d.kill()
	}
}

// triggered is outage with the west's work shared by two processes.
func triggered(t *testing.T, extra func(drtest.Call) drtest.Fault) (*rig, *trigger, time.Time) {
	r := newRig(t, dr.Policy{})
	r.breaks(func(c drtest.Call) drtest.Fault {
		if extra != nil {
			if bad := extra(c); bad != (drtest.Fault{}) {
				return bad
			}
		}
		return latency(c)
	})
	d := &trigger{r: r, idle: time.Minute}
	r.agent(east)
	r.agent(witness)
	cfg := r.Monitor(west, r.policy, r.trace())
	cfg.Mover = r.by(d)
	a, err := failover.NewMonitor(cfg)
	require.NoError(t, err)
	r.wg.Go(func() { _ = a.Run(r.ctx) })
	r.wait(10*time.Second + 300*time.Millisecond)
	require.Zero(t, d.asked, "nothing is wrong yet")
	cut := time.Now()
	r.CutRegion(east, true)
	return r, d, cut
}

func TestATriggerMovesTheWriterAsAControllerDoes(t *testing.T) {
	base := undisturbed(t)
	synctest.Test(t, func(t *testing.T) {
		r, d, cut := triggered(t, nil)
		defer r.end()
		settled := r.until("settled", time.Minute, r.in(failover.Settled))
		// The trigger reads the monitor's statement that it promises nothing once per PollInterval:
		// when the two come at the same time, either order is right, and one costs a poll more.
		poll := r.policy.WithDefaults().PollInterval
		require.LessOrEqual(t, settled.Sub(cut), base+500*time.Millisecond+poll, "two processes cost no more than one, but a poll")
		r.until("open", 5*time.Second, r.open(west))
		r.settledOnce()
		r.wait(time.Minute)
		require.Equal(t, 1, r.Cluster.Moves())
		before := d.asked
		r.wait(time.Minute)
		require.Equal(t, before, d.asked, "the trigger is not asked about an execution that has ended")
	})
}

func TestATriggerThatDiesIsAskedAgain(t *testing.T) {
	base := undisturbed(t)
	for record := 1; record <= 8; record++ {
		for name, bad := range map[string]drtest.Fault{
			"before it was written":          {Hang: true},
			"after it was written, unheard":  {Hang: true, Acts: true},
			"after it was written and heard": {},
		} {
			bubble(t, fmt.Sprintf("record %d, %s", record, name), func(t *testing.T) {
				raced.Sample(t, 4)
				crash := make(chan struct{})
				var once sync.Once
				n := 0
				r, d, cut := triggered(t, func(c drtest.Call) drtest.Fault {
					if c.Op != drtest.OpAppend {
						return drtest.Fault{}
					}
					if n++; n != record {
						return drtest.Fault{}
					}
					once.Do(func() { close(crash) })
					return bad
				})
				defer r.end()
				<-crash
				r.wait(61 * time.Millisecond)
				d.crash()
				settled := r.until("settled", 2*time.Minute, r.in(failover.Settled))
				require.LessOrEqual(t, settled.Sub(cut), base+late)
				r.settledOnce()
			})
		}
	}
}

// A monitor's process that takes over right after the promotion opens the writer as soon
// as it has read so, and closes none that its predecessor has just opened.
func TestAHandoverRightAfterThePromotionCostsNoRenewal(t *testing.T) {
	for i := range 22 {
		after, closed := time.Duration(i/2)*60*time.Millisecond, i%2 == 0
		bubble(t, fmt.Sprintf("%v later, read-only %v", after, closed), func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.Pair.SetBoot(closed)
			r.breaks(latency)
			d := &trigger{r: r, idle: time.Minute}
			r.agent(east)
			r.agent(witness)
			monitor := func() func() {
				cfg := r.Monitor(west, r.policy, r.trace())
				cfg.Mover = r.by(d)
				return r.run(failover.NewMonitor(cfg))
			}
			stop := monitor()
			r.wait(10*time.Second + 300*time.Millisecond)
			r.CutRegion(east, true)
			r.until("promoted", time.Minute, r.in(failover.Promoted))
			r.wait(after)
			stop()
			monitor()
			// The lease, the journal, the heartbeat, the renewal and the opening: 60 ms, 60 ms,
			// 2 ms, 60 ms and 2 ms.
			r.until("the new writer accepts", 300*time.Millisecond, r.open(west))
			for range 100 {
				r.wait(50 * time.Millisecond)
				require.True(t, r.Pair.DB(west).Accepts())
			}
		})
	}
}
