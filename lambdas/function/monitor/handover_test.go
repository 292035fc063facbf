package monitor_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// pair is two processes of the writer's Region, of which the second takes over. The
// other Regions have one each.
type pair struct {
	*rig
	table table
	kill  [2]context.CancelFunc // a process that can reach nothing any more dies of it
	left  [2]time.Time          // when its invocation has returned
}

func (r *rig) pair(wrote func(monitorlease.Lease)) *pair {
	p := &pair{rig: r, table: table{all: &monitorleasetest.Memory{}, net: r.Net, region: east, wrote: wrote}}
	for _, region := range []dr.Region{west, witness} {
		r.run(r.ctx, region)
	}
	return p
}

// start starts one of the two, until a deadline.
func (p *pair) start(i int, limit time.Duration) {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	p.kill[i] = cancel
	h, err := monitor.New(p.config(east).WithMonitorLease(p.table, nil))
	require.NoError(p.t, err)
	p.wg.Go(func() {
		_, _ = h.Invoke(ctx, nil)
		p.left[i] = time.Now()
	})
}

// holds checks what a cut must come to, whatever it hits.
func (c course) holds(t *testing.T) {
	t.Helper()
	p := dr.DefaultPolicy()
	require.Zero(t, c.both, "two writers: %+v", c)
	require.NotZero(t, c.closed)
	require.LessOrEqual(t, c.closed, p.LeaseTTL-p.LeaseMargin)
	require.Greater(t, c.opened, c.closed)
	require.Less(t, c.opened, 15*time.Second)
}

// The old process has stopped working and the new one can't begin: the cut comes between
// the two, or the new one dies as it begins.
func TestACutBetweenTwoProcessesLeavesOneWriter(t *testing.T) {
	for name, at := range map[string]struct {
		what     string
		released bool // the cut waits until the monitor lease is
		dies     bool // so does the successor
	}{
		"before it is released":             {what: dr.MonitorLeaseYielded},
		"after it was released":             {what: dr.MonitorLeaseYielded, released: true},
		"when it was taken":                 {what: dr.MonitorLeaseTaken},
		"when the successor dies":           {what: dr.MonitorLeaseYielded, released: true, dies: true},
		"when the successor dies at a step": {what: dr.MonitorLeaseTaken, dies: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				var cut atomic.Bool
				var p *pair
				strike := func() {
					if !cut.Swap(true) {
						r.CutRegion(east, true)
						if at.dies {
							p.kill[1]()
						}
					}
				}
				r.trace = &dr.Trace{MonitorLease: func(c dr.MonitorLeaseChange) {
					second := c.What == dr.MonitorLeaseTaken && c.Number == 2
					if c.Region == east && c.What == at.what && (second || at.what == dr.MonitorLeaseYielded && !at.released) {
						strike()
					}
				}}
				p = r.pair(func(now monitorlease.Lease) {
					if at.released && now.Released {
						strike()
					}
				})
				p.start(0, 15*time.Minute)
				r.wait(20 * time.Second)
				p.start(1, 15*time.Minute)
				for !cut.Load() {
					r.wait(time.Millisecond)
				}
				r.course().holds(t)
			})
		})
	}
}

// A process whose time is over leaves like one that is relieved, but it has no successor.
// Its handover guard stays until the other Region must have seen that.
func TestACutWhenTicksAreMissingLeavesOneWriter(t *testing.T) {
	for _, after := range []time.Duration{-100 * time.Millisecond, 0, 200 * time.Millisecond, 2 * time.Second, 4400 * time.Millisecond, 6500 * time.Millisecond, 12 * time.Second, 20 * time.Second, time.Minute} {
		t.Run(after.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				p := r.pair(nil)
				p.start(0, time.Minute)
				r.wait(time.Minute - failover.BehindTime(dr.Policy{}) + after)
				require.True(t, r.Pair.DB(east).Accepts())
				r.CutRegion(east, true)
				c := r.course()
				require.Zero(t, c.both, "two writers")
				switch {
				case after < time.Second:
					require.NotZero(t, c.opened)
				case after > 4*time.Second:
					require.Zero(t, c.opened, "it was seen that the monitor went first: a person is asked")
				}
			})
		})
	}
}

// Otherwise a handover changes nothing: the writer stays open, the lease is renewed all
// the time, and the process that was relieved leaves.
func TestAHandoverLeavesNoProcessBehind(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var mu sync.Mutex
		var lease []string
		r.trace = &dr.Trace{Lease: func(c dr.LeaseChange) {
			mu.Lock()
			defer mu.Unlock()
			if c.Region == east {
				lease = append(lease, c.What)
			}
		}}
		p := r.pair(nil)
		p.start(0, 15*time.Minute)
		r.wait(20 * time.Second)
		begun := time.Now()
		p.start(1, 15*time.Minute)
		r.wait(20 * time.Second)
		require.WithinRange(t, p.left[0], begun, begun.Add(3*time.Second))
		require.Zero(t, p.left[1])
		mu.Lock()
		defer mu.Unlock()
		require.NotContains(t, lease, dr.LeaseFenced)
		require.True(t, r.Pair.DB(east).Accepts())
	})
}
