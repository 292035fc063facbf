package failover_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// outage runs three agents, cuts the writer's Region off, and returns the rig, the
// stopper of the agent that will act, and when the cut began.
func outage(t *testing.T, extra func(drtest.Call) drtest.Fault) (*rig, func(), time.Time) {
	r := newRig(t, dr.Policy{})
	r.breaks(func(c drtest.Call) drtest.Fault {
		f := latency(c)
		if extra != nil {
			if bad := extra(c); bad != (drtest.Fault{}) {
				bad.Delay = max(bad.Delay, f.Delay)
				return bad
			}
		}
		return f
	})
	r.agent(east)
	r.agent(witness)
	stop := r.agent(west)
	r.wait(10*time.Second + 300*time.Millisecond)
	cut := time.Now()
	r.CutRegion(east, true)
	return r, stop, cut
}

// undisturbed is how long a failover takes when nothing else happens.
func undisturbed(t *testing.T) time.Duration {
	var took time.Duration
	synctest.Test(t, func(t *testing.T) {
		r, _, cut := outage(t, nil)
		defer r.end()
		took = r.until("settled", time.Minute, r.in(failover.Settled)).Sub(cut)
		r.settledOnce()
	})
	return took
}

// late is how much a crash may cost.
const late = crashpoint.Late

func TestACrashAtAnyTimeOnlyCostsTime(t *testing.T) {
	base := undisturbed(t)
	require.Less(t, base, 25*time.Second)
	for after := 100 * time.Millisecond; after < base+time.Second; after += 210 * time.Millisecond {
		bubble(t, after.String(), func(t *testing.T) {
			raced.Sample(t, 4)
			r, stop, cut := outage(t, nil)
			defer r.end()
			r.wait(after)
			stop()
			r.agent(west)
			settled := r.until("settled", time.Minute, r.in(failover.Settled))
			require.LessOrEqual(t, settled.Sub(cut), base+late)
			r.settledOnce()
		})
	}
}

func TestACrashAfterAnyRecordOnlyCostsTime(t *testing.T) {
	base := undisturbed(t)
	for record := 1; record <= 8; record++ {
		for name, bad := range map[string]drtest.Fault{
			"before it was written":          {Hang: true},
			"after it was written, unheard":  {Hang: true, Acts: true},
			"after it was written and heard": {},
		} {
			bubble(t, fmt.Sprintf("record %d, %s", record, name), func(t *testing.T) {
				crash := make(chan struct{})
				var once sync.Once
				n := 0
				r, stop, cut := outage(t, func(c drtest.Call) drtest.Fault {
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
				r.wait(61 * time.Millisecond) // there and back
				stop()
				r.agent(west)
				settled := r.until("settled", time.Minute, r.in(failover.Settled))
				require.LessOrEqual(t, settled.Sub(cut), base+late)
				r.settledOnce()
			})
		}
	}
}

// The monitor's process and a trigger drive the same failover at once. Two monitors of one
// Region at once are kept apart by the monitor lease.
func TestTwoControllersAtOnceAreOne(t *testing.T) {
	base := undisturbed(t)
	for apart := time.Duration(0); apart < 2*time.Second; apart += 170 * time.Millisecond {
		bubble(t, apart.String(), func(t *testing.T) {
			r, _, cut := outage(t, nil)
			defer r.end()
			r.wait(apart)
			second, err := failover.NewTrigger(r.Trigger(west, r.policy, r.trace()))
			r.run(second, err)
			settled := r.until("settled", time.Minute, r.in(failover.Settled))
			require.LessOrEqual(t, settled.Sub(cut), base+late)
			r.wait(10 * time.Second)
			r.settledOnce()
		})
	}
}

// TestEveryEffectMayFail lets the first calls of every operation on the path fail in
// every way that a call can.
func TestEveryEffectMayFail(t *testing.T) {
	ops := []drtest.Op{
		drtest.OpReadLease, drtest.OpTakeLease, drtest.OpReports, drtest.OpAppend, drtest.OpLatest, drtest.OpSettled,
		drtest.OpDescribe, drtest.OpFailover, drtest.OpBeat, drtest.OpRedirect, drtest.OpReach,
	}
	for _, op := range ops {
		for name, bad := range map[string]drtest.Fault{
			"refused":                        {Err: errRefused},
			"no answer":                      {Hang: true},
			"took effect, answer lost":       {Hang: true, Acts: true},
			"took effect, answered by error": {Err: errRefused, Acts: true},
		} {
			bubble(t, fmt.Sprintf("%s %s", op, name), func(t *testing.T) {
				raced.Sample(t, 4)
				n, times := 0, 3
				var cutAt time.Time
				r, _, cut := outage(t, func(c drtest.Call) drtest.Fault {
					if c.Op != op || c.From != west || cutAt.IsZero() {
						return drtest.Fault{}
					}
					if n++; n > times {
						return drtest.Fault{}
					}
					return bad
				})
				defer r.end()
				r.mu.Lock()
				cutAt = cut
				r.mu.Unlock()
				r.until("settled", 2*time.Minute, r.in(failover.Settled))
				r.settledOnce()
				r.mu.Lock()
				defer r.mu.Unlock()
				require.Positive(t, n, "the operation is on the path")
			})
		}
	}
}

func TestARefusedMessageDoesNotKeepAnExecutionOpen(t *testing.T) {
	bubble(t, "the topic refuses", func(t *testing.T) {
		r, _, _ := outage(t, func(c drtest.Call) drtest.Fault {
			if c.Op == drtest.OpNotify {
				return drtest.Fault{Err: errRefused}
			}
			return drtest.Fault{}
		})
		defer r.end()
		r.until("settled", time.Minute, r.in(failover.Settled))
		r.settledOnce()
		require.Contains(t, r.last().Execution.Detail, "people are not told yet")
	})
}

// TestTheOperatorsProcessMayDie: an execution that a person began is continued by the
// agent of its Region.
func TestTheOperatorsProcessMayDie(t *testing.T) {
	for record := 1; record <= 7; record++ {
		bubble(t, fmt.Sprintf("after record %d", record), func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.breaks(latency)
			for _, v := range topology.Vantages() {
				r.agent(v)
			}
			r.wait(5 * time.Second)
			ctx, cancel := contextFor(r)
			c := r.controller(west)
			r.wg.Go(func() { _, _ = c.Switchover(ctx, failover.Origin{By: "jane", Reason: "planned"}) })
			r.until("the record", 30*time.Second, func() bool { return len(r.Store.Entries()) >= record })
			cancel()
			r.until("settled", 30*time.Second, r.in(failover.Settled))
			require.Equal(t, failover.ModeSwitchover, r.last().Execution.Mode)
			require.Zero(t, r.Pair.Lost())
			r.until("open", 5*time.Second, r.open(west))
			require.False(t, r.Pair.DB(east).Accepts())
		})
	}
}
