package monitor_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// table is the lease table as a Region reaches it: without a majority it is silent.
type table struct {
	all    *monitorleasetest.Memory
	net    *drtest.Network
	region dr.Region
	wrote  func(monitorlease.Lease) // is told of every write; may be nil
}

const nearby = 20 * time.Millisecond // there and back

func (s table) reach(ctx context.Context) error {
	after := time.NewTimer(nearby)
	defer after.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-after.C:
	}
	if !s.net.Majority(s.region) {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (s table) Read(ctx context.Context, r dr.Region) (monitorlease.Lease, error) {
	if err := s.reach(ctx); err != nil {
		return monitorlease.Lease{}, err
	}
	return s.all.Read(ctx, r)
}

func (s table) Write(ctx context.Context, old, next monitorlease.Lease) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	err := s.all.Write(ctx, old, next)
	if err == nil && s.wrote != nil {
		s.wrote(next)
	}
	return err
}

// course is what became of the writers in a cut, from its beginning.
type course struct {
	closed, opened time.Duration // of the old writer, of the new one; 0 for never
	both           time.Duration
}

// cut runs the monitors of all Regions and cuts the writer's Region off after a time.
func (r *rig) cut(after time.Duration) course {
	r.monitors()
	r.wait(after)
	require.True(r.t, r.Pair.DB(east).Accepts())
	r.CutRegion(east, true)
	return r.course()
}

// monitors runs the monitors of all Regions with real monitor leases, a process a minute in each.
func (r *rig) monitors() {
	all := &monitorleasetest.Memory{}
	for _, region := range r.Topology.Vantages() {
		cfg := r.config(region).WithMonitorLease(table{all: all, net: r.Net, region: region}, nil)
		r.wg.Go(func() {
			for r.ctx.Err() == nil {
				h, err := monitor.New(cfg)
				require.NoError(r.t, err)
				r.wg.Go(func() { _, _ = h.Invoke(r.ctx, nil) })
				select {
				case <-r.ctx.Done():
				case <-time.After(time.Minute):
				}
			}
		})
	}
}

// course watches the writers for 80 s from a cut on, which heals after 40 s.
func (r *rig) course() course {
	var c course
	const look = 10 * time.Millisecond
	for at := time.Duration(0); at < 80*time.Second; at += look {
		if at == 40*time.Second {
			r.CutRegion(east, false)
		}
		old, new := r.Pair.DB(east).Accepts(), r.Pair.DB(west).Accepts()
		if !old && c.closed == 0 {
			c.closed = at
		}
		if new && c.opened == 0 {
			c.opened = at
		}
		if old && new {
			c.both += look
		}
		r.wait(look)
	}
	return c
}

// In a cut the monitor lease can't be renewed, and the guard fences all the same. The phases are those
// of its renewal; in the last one a handover has just begun.
func TestAMonitorLeaseLostInACutLeavesOneWriter(t *testing.T) {
	phases := []time.Duration{59*time.Second + 950*time.Millisecond, 60*time.Second + 30*time.Millisecond, 60*time.Second + 90*time.Millisecond}
	for d := time.Duration(0); d < 700*time.Millisecond; d += 100 * time.Millisecond {
		phases = append(phases, 20*time.Second+d)
	}
	for _, after := range phases {
		t.Run(after.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.cut(after).holds(t)
			})
		})
	}
}

// The tests of cuts see what they are for: without a handover guard there are two writers.
// A process that is killed has none; that is what Policy.Watchdog is for.
func TestAProcessThatIsKilledInACutLeavesTwoWriters(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		p := r.pair(nil)
		p.start(0, 15*time.Minute)
		r.wait(20*time.Second + 30*time.Millisecond)
		r.CutRegion(east, true)
		time.AfterFunc(2300*time.Millisecond, func() { p.kill[0]() }) // before its guard closes the writer
		c := r.course()
		require.NotZero(t, c.both, "%+v, %+v", c, r.Store.Entries())
	})
}
