package failover_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// heard gathers the reports of the agents that it runs.
type heard struct {
	mu  sync.Mutex
	all []dr.Report
}

// every returns all reports that were not taken yet.
func (h *heard) every() []dr.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

func (h *heard) run(r *rig, regions ...dr.Region) (stop func()) {
	var stops []func()
	for _, region := range regions {
		trace := &dr.Trace{Report: func(x dr.Report) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.all = append(h.all, x)
		}}
		if region == witness {
			stops = append(stops, r.run(r.Watching(region, r.policy, trace)))
			continue
		}
		cfg := r.Monitor(region, r.policy, trace)
		cfg.Mover = r.still(region)
		stops = append(stops, r.run(failover.NewMonitor(cfg)))
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// take returns the reports of a Region since the last time, and forgets them all.
func (h *heard) take(from dr.Region) (out []dr.Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.all {
		if x.Region == from {
			out = append(out, x)
		}
	}
	h.all = nil
	return out
}

// TestAStandstillOfTheWriterIsReported holds that no state of the writer in which nothing
// commits is silent, whatever the lease says and whatever the reason.
func TestAStandstillOfTheWriterIsReported(t *testing.T) {
	refused, hang := drtest.Fault{Err: errRefused}, drtest.Fault{Hang: true}
	for name, fault := range map[string]func(r *rig){
		"closed, and can't be opened": func(r *rig) {
			r.breaks(calls(east, refused, drtest.OpOpen))
			require.NoError(r.t, r.Pair.DB(east).Fence(r.ctx, 1))
		},
		"frozen":            func(r *rig) { r.Pair.DB(east).Freeze() },
		"dead":              func(r *rig) { r.Pair.DB(east).Kill() },
		"heartbeats refuse": func(r *rig) { r.breaks(calls(east, refused, drtest.OpBeat)) },
		"heartbeats hang":   func(r *rig) { r.breaks(calls(east, hang, drtest.OpBeat)) },
		"renewals refuse and no peer promises": func(r *rig) {
			r.breaks(func(c drtest.Call) drtest.Fault {
				if c.Op == drtest.OpRenewLease || c.From == west && c.Op == drtest.OpBeat {
					return refused
				}
				return drtest.Fault{}
			})
		},
		"the store refuses and no peer promises": func(r *rig) {
			r.breaks(func(c drtest.Call) drtest.Fault {
				if c.To == "" || c.To == west || c.From == west {
					return refused
				}
				return drtest.Fault{}
			})
		},
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			var h heard
			h.run(r, east, west, witness)
			r.wait(10 * time.Second)
			h.take(east)
			fault(r)
			r.wait(40 * time.Second)
			reports := h.take(east)
			require.NotEmpty(t, reports)
			last := reports[len(reports)-1]
			require.True(t, last.Commits, "it still answers for the writer: %+v", last)
			require.Greater(t, last.SinceCommit, 30*time.Second)
			require.LessOrEqual(t, last.SinceCommit, 41*time.Second)
			var before time.Duration // until the lease runs out, the writer may commit
			for _, x := range reports[len(reports)/2:] {
				require.Greater(t, x.SinceCommit, before, "it grows")
				before = x.SinceCommit
			}
		})
	}
}

// A successor knows of no write before its start, and must not begin to count only when it
// has seen one.
func TestAStandstillOutlivesTheProcess(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		var h heard
		stop := h.run(r, east)
		r.wait(10 * time.Second)
		r.Pair.DB(east).Freeze()
		r.wait(5 * time.Second)
		stop()
		h.take(east)
		h.run(r, east)
		r.wait(20 * time.Second)
		reports := h.take(east)
		last := reports[len(reports)-1]
		require.True(t, last.Commits)
		require.InDelta(t, 20*time.Second, last.SinceCommit, float64(2*time.Second))
	})
}

// TestAStandstillBeginsWithoutALease: a monitor that starts while the store is away knows no
// lease, and its own server tells it that it is the writer.
func TestAStandstillBeginsWithoutALease(t *testing.T) {
	for name, bad := range map[string]drtest.Fault{"hangs": {Hang: true}, "refuses": {Err: errRefused}} {
		for what, then := range map[string]func(r *rig){
			"closed":            func(*rig) {},
			"frozen after that": func(r *rig) { r.wait(10 * time.Second); r.Pair.DB(east).Freeze() },
		} {
			bubble(t, "the store "+name+", and the writer is "+what, func(t *testing.T) {
				r := newRig(t, dr.Policy{})
				defer r.end()
				var h heard
				stop := h.run(r, east, west, witness)
				r.wait(10 * time.Second)
				stop()
				r.breaks(everywhere(bad))
				h.take(east)
				begun := time.Now()
				h.run(r, east, west, witness)
				then(r)
				r.wait(40*time.Second - time.Since(begun))
				all := h.every()
				reports := h.take(east)
				last := reports[len(reports)-1]
				require.Empty(t, last.Holder)
				require.True(t, last.Commits, "%+v", last)
				require.InDelta(t, 40*time.Second, last.SinceCommit, float64(5*time.Second))
				for _, x := range all {
					require.False(t, x.Commits && x.Region != east, "a secondary answers for no writer: %+v", x)
				}
				r.Pair.DB(east).Thaw()
				r.breaks(nil)
				r.wait(30 * time.Second)
				reports = h.take(east)
				last = reports[len(reports)-1]
				require.True(t, last.Commits)
				require.Less(t, last.SinceCommit, time.Second, "it commits again")
			})
		}
	}
}

func TestAWriterThatCommitsIsReported(t *testing.T) {
	healthy := func(t *testing.T, reports []dr.Report) {
		require.NotEmpty(t, reports)
		for _, x := range reports {
			require.True(t, x.Commits)
			require.Less(t, x.SinceCommit, time.Second)
		}
	}
	bubble(t, "where the lease is, and nowhere else", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.breaks(latency)
		var h heard
		h.run(r, east, west, witness)
		r.wait(30 * time.Second)
		healthy(t, h.take(east)[2:])
		r.wait(10 * time.Second)
		for _, other := range []dr.Region{west, witness} {
			for _, x := range h.take(other) {
				require.False(t, x.Commits, "%+v", x)
				require.Zero(t, x.SinceCommit)
			}
		}
	})
	// What the server did before, as a secondary, is no standstill: a switchover raises no
	// alarm in its first seconds.
	bubble(t, "a Region that has just taken the lease counts from then", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		var h heard
		h.run(r, east, west)
		r.wait(60 * time.Second)
		l, err := r.Store.At(west).ReadLease(r.ctx)
		require.NoError(t, err)
		h.take(west)
		_, err = r.Store.At(west).TakeLease(r.ctx, l, failover.Claim{Holder: west, Execution: "x"})
		require.NoError(t, err)
		r.wait(3 * time.Second)
		held := 0
		for _, x := range h.take(west) {
			if x.Commits {
				held++
				require.LessOrEqual(t, x.SinceCommit, 3*time.Second)
			}
		}
		require.Positive(t, held)
	})
}
