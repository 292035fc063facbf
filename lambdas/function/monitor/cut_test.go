package monitor_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn/turntest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// turns is the table as a Region reaches it: without a majority it is silent.
type turns struct {
	all    *turntest.Memory
	net    *drtest.Network
	region dr.Region
}

const nearby = 20 * time.Millisecond // there and back

func (s turns) reach(ctx context.Context) error {
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

func (s turns) Read(ctx context.Context, r dr.Region) (turn.Turn, error) {
	if err := s.reach(ctx); err != nil {
		return turn.Turn{}, err
	}
	return s.all.Read(ctx, r)
}

func (s turns) Write(ctx context.Context, old, next turn.Turn) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	return s.all.Write(ctx, old, next)
}

// course is what became of the writers in a cut, from its beginning.
type course struct {
	closed, opened time.Duration // of the old writer, of the new one; 0 for never
	both           time.Duration
}

// cut runs the monitors of all Regions with real turns, a process a minute in each, and
// cuts the writer's Region off after a time, for 40 s.
func (r *rig) cut(after time.Duration, alone bool) course {
	table := &turntest.Memory{}
	for _, region := range r.Topology.Vantages() {
		cfg := r.config(region).InTurns(turns{table, r.Net, region}, nil)
		if !alone {
			cfg.Alone = nil
		}
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
	r.wait(after)
	require.True(r.t, r.Pair.DB(east).Accepts())
	var c course
	const look = 10 * time.Millisecond
	r.CutRegion(east, true)
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
	require.True(r.t, r.Pair.DB(west).Accepts(), "somebody serves: %+v", c)
	return c
}

// The turn is lost 2.3 s after its last renewal, long before the guard fences: the guard
// must be left at work without it. The phases are those of a renewal of the turn; in the
// last one a handover has just begun.
func TestATurnLostInACutLeavesOneWriter(t *testing.T) {
	phases := []time.Duration{59*time.Second + 950*time.Millisecond, 60*time.Second + 30*time.Millisecond, 60*time.Second + 90*time.Millisecond}
	for d := time.Duration(0); d < 700*time.Millisecond; d += 100 * time.Millisecond {
		phases = append(phases, 20*time.Second+d)
	}
	for _, after := range phases {
		t.Run(after.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				c := r.cut(after, true)
				p := dr.DefaultPolicy()
				require.Zero(t, c.both)
				require.NotZero(t, c.closed)
				require.LessOrEqual(t, c.closed, p.LeaseTTL-p.LeaseMargin)
				require.Greater(t, c.opened, c.closed)
				require.Less(t, c.opened, 15*time.Second)
			})
		})
	}
}

// The test above sees what it is for: a guard that goes with its turn leaves two writers.
func TestAGuardThatGoesWithItsTurnLeavesTwoWriters(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		require.NotZero(t, r.cut(20*time.Second, false).both)
	})
}
