package monitor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// storage is the lease table of a world: the monitor leases and everything else of it fail together.
type storage struct {
	mu    sync.Mutex
	table monitorleasetest.Memory
	bad   map[dr.Region]drtest.Fault
	told  []dr.MonitorLeaseChange
	moved map[string]int // changes of the lease that were told
}

// break breaks the table as some Regions reach it; nil heals it.
func (s *storage) breaks(bad map[dr.Region]drtest.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = bad
}

func (s *storage) fault(r dr.Region) drtest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad[r]
}

// tableOf is the table as a Region reaches it.
type tableOf struct {
	*storage
	region dr.Region
	cut    func() bool // so is this one process, whatever its Region; nil for never
}

func (s tableOf) reach(ctx context.Context) error {
	f := s.fault(s.region)
	if s.cut != nil && s.cut() {
		f = drtest.Fault{Hang: true}
	}
	if f.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(nearby + f.Delay):
	}
	return f.Err
}

func (s tableOf) Read(ctx context.Context, r dr.Region) (monitorlease.Lease, error) {
	if err := s.reach(ctx); err != nil {
		return monitorlease.Lease{}, err
	}
	return s.table.Read(ctx, r)
}

func (s tableOf) Write(ctx context.Context, old, next monitorlease.Lease) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	return s.table.Write(ctx, old, next)
}

// storage has a world's lease table fail on demand, and hears what is told.
func (r *rig) storage() *storage {
	s := &storage{moved: map[string]int{}}
	r.Net.SetHook(func(c drtest.Call) drtest.Fault {
		if c.To != "" {
			return drtest.Fault{}
		}
		return s.fault(c.From)
	})
	r.trace = &dr.Trace{
		MonitorLease: func(c dr.MonitorLeaseChange) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, c)
		},
		Lease: func(c dr.LeaseChange) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.moved[c.What]++
		},
	}
	return s
}

// ticks starts a process a minute in every Region.
func (r *rig) ticks(s *storage) {
	for _, region := range r.Topology.Vantages() {
		cfg := r.config(region).WithMonitorLease(tableOf{storage: s, region: region}, nil)
		h, err := monitor.New(cfg)
		require.NoError(r.t, err)
		r.wg.Go(func() {
			for r.ctx.Err() == nil {
				life, cancel := context.WithTimeout(r.ctx, 15*time.Minute)
				r.wg.Go(func() {
					defer cancel()
					_, _ = h.Invoke(life, nil)
				})
				select {
				case <-r.ctx.Done():
				case <-time.After(time.Minute):
				}
			}
		})
	}
}

// count counts what was told of a Region's processes since a time.
func (s *storage) count(region dr.Region, what string, since time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.told {
		if c.Region == region && c.What == what && !c.At.Before(since) {
			n++
		}
	}
	return n
}

// The lease table fails for five minutes, and ticks come: the writer serves all the while,
// nothing is fenced or moved, and then the monitor leases are handed over again.
func TestTheStoreFailsForFiveMinutes(t *testing.T) {
	refuse, hang := drtest.Fault{Err: errors.New("refused")}, drtest.Fault{Hang: true}
	everywhere := func(f drtest.Fault) map[dr.Region]drtest.Fault {
		return map[dr.Region]drtest.Fault{east: f, west: f, witness: f}
	}
	for name, bad := range map[string]map[dr.Region]drtest.Fault{
		"it refuses everywhere":                   everywhere(refuse),
		"it hangs everywhere":                     everywhere(hang),
		"it is 250 ms slower everywhere":          everywhere(drtest.Fault{Delay: 250 * time.Millisecond}),
		"it is 270 ms slower everywhere":          everywhere(drtest.Fault{Delay: 270 * time.Millisecond}),
		"it is 500 ms slower everywhere":          everywhere(drtest.Fault{Delay: 500 * time.Millisecond}),
		"it is 1 s slower everywhere":             everywhere(drtest.Fault{Delay: time.Second}),
		"it is 2.75 s slower everywhere":          everywhere(drtest.Fault{Delay: 2750 * time.Millisecond}),
		"it refuses in the writer's Region":       {east: refuse},
		"it hangs in the writer's Region":         {east: hang},
		"it refuses in the other member":          {west: refuse},
		"it hangs in the other member":            {west: hang},
		"it hangs in the witness Region":          {witness: hang},
		"it hangs in both members":                {east: hang, west: hang},
		"it is 500 ms slower in the writer's":     {east: {Delay: 500 * time.Millisecond}},
		"it is 2.75 s slower in the other member": {west: {Delay: 2750 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			raced.Sample(t, 4)
			bubble(t, func(t *testing.T, r *rig) {
				s := r.storage()
				r.ticks(s)
				r.wait(70 * time.Second)
				require.True(t, r.Pair.DB(east).Accepts())
				s.breaks(bad)
				began := time.Now()
				for time.Since(began) < 5*time.Minute {
					r.wait(50 * time.Millisecond)
					require.True(t, r.Pair.DB(east).Accepts(), "closed after %v: %v", time.Since(began), s.moved)
				}
				s.breaks(nil)
				healed := time.Now()
				r.wait(2 * time.Minute)
				require.Zero(t, r.Cluster.Moves())
				require.True(t, r.Pair.DB(east).Accepts())
				require.Zero(t, s.moved[dr.LeaseFenced])
				for _, region := range r.Topology.Vantages() {
					require.Zero(t, s.count(region, dr.MonitorLeaseUsurped, began), "%s", region)
					require.NotZero(t, s.count(region, dr.MonitorLeaseTaken, healed), "%s: handed over again", region)
				}
			})
		})
	}
}

// A process that can't renew its monitor lease, and is replaced, works on beside the next one until it
// hears of it: in the writer's Region, in the other member and in the witness Region. Both
// guards keep the lease, both report; the writer serves, and nothing is moved.
func TestTwoProcessesOfARegionAtOnceDoNoHarm(t *testing.T) {
	for _, region := range []dr.Region{east, west, witness} {
		t.Run(region.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				s := r.storage()
				for _, other := range r.Topology.Vantages() {
					if other != region {
						r.run(r.ctx, other)
					}
				}
				var mu sync.Mutex
				cut, ends := false, [2]time.Time{}
				start := func(i int, c func() bool) {
					h, err := monitor.New(r.config(region).WithMonitorLease(tableOf{s, region, c}, nil))
					require.NoError(t, err)
					r.wg.Go(func() {
						_, _ = h.Invoke(r.ctx, nil)
						ends[i] = time.Now()
					})
				}
				start(0, func() bool { mu.Lock(); defer mu.Unlock(); return cut })
				r.wait(20 * time.Second)
				mu.Lock()
				cut = true
				mu.Unlock()
				severed := time.Now()
				start(1, nil)
				for time.Since(severed) < time.Minute {
					r.wait(50 * time.Millisecond)
					require.True(t, r.Pair.DB(east).Accepts(), "closed after %v: %v", time.Since(severed), s.moved)
				}
				require.Equal(t, 2, s.count(region, dr.MonitorLeaseTaken, time.Time{}), "both work")
				require.Zero(t, s.count(region, dr.MonitorLeaseUsurped, severed))
				mu.Lock()
				cut = false
				mu.Unlock()
				healed := time.Now()
				r.wait(30 * time.Second)
				require.Equal(t, 1, s.count(region, dr.MonitorLeaseUsurped, healed), "the older one ends")
				require.WithinRange(t, ends[0], healed, healed.Add(20*time.Second))
				require.Zero(t, ends[1])
				require.True(t, r.Pair.DB(east).Accepts())
				require.Zero(t, s.moved[dr.LeaseFenced])
				require.Zero(t, r.Cluster.Moves())
				require.Zero(t, r.asked[west])
			})
		})
	}
}

// The writer's Region is cut off while two processes of a Region work at once: the old writer
// is closed before the new one is opened, and in time.
func TestACutWhileTwoProcessesWorkLeavesOneWriter(t *testing.T) {
	for _, region := range []dr.Region{east, west, witness} {
		t.Run(region.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				s := r.storage()
				for _, other := range r.Topology.Vantages() {
					if other != region {
						r.run(r.ctx, other)
					}
				}
				begun := time.Now()
				for _, cut := range []func() bool{func() bool { return time.Since(begun) > 10*time.Second }, nil} {
					h, err := monitor.New(r.config(region).WithMonitorLease(tableOf{s, region, cut}, nil))
					require.NoError(t, err)
					r.wg.Go(func() { _, _ = h.Invoke(r.ctx, nil) })
					r.wait(10*time.Second + 500*time.Millisecond)
				}
				r.wait(10 * time.Second)
				require.Equal(t, 2, s.count(region, dr.MonitorLeaseTaken, time.Time{}), "both work")
				require.Zero(t, s.count(region, dr.MonitorLeaseYielded, time.Time{}))
				r.CutRegion(east, true)
				r.course().holds(t)
			})
		})
	}
}
