package failover_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// rig is a world in which calls take no time, with a log of calls and of what guards
// and controllers tell. It must be made in a bubble, and ended before it ends.
type rig struct {
	*drtest.World
	t      *testing.T
	policy dr.Policy
	begun  time.Time
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	broken  func(drtest.Call) drtest.Fault
	calls   []call
	lease   []dr.LeaseChange
	states  []dr.StateChange
	trouble []dr.Problem
}

type call struct {
	drtest.Call
	at time.Time
}

func newRig(t *testing.T, p dr.Policy) *rig {
	t.Helper()
	return newRigIn(t, p, drtest.WorldConfig{Topology: topology})
}

func newRigIn(t *testing.T, p dr.Policy, cfg drtest.WorldConfig) *rig {
	t.Helper()
	w, err := drtest.NewWorld(cfg)
	require.NoError(t, err)
	r := &rig{World: w, t: t, policy: p, begun: time.Now()}
	r.ctx, r.cancel = context.WithCancel(t.Context())
	w.Net.SetHook(func(c drtest.Call) drtest.Fault {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls = append(r.calls, call{c, time.Now()})
		if r.broken != nil {
			return r.broken(c)
		}
		return drtest.Fault{}
	})
	return r
}

func (r *rig) end() {
	r.cancel()
	r.wg.Wait()
}

// breaks sets what happens to calls from now on; nil mends everything.
func (r *rig) breaks(f func(drtest.Call) drtest.Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = f
}

func (r *rig) trace() *dr.Trace {
	return &dr.Trace{
		Lease:   func(c dr.LeaseChange) { r.mu.Lock(); defer r.mu.Unlock(); r.lease = append(r.lease, c) },
		State:   func(c dr.StateChange) { r.mu.Lock(); defer r.mu.Unlock(); r.states = append(r.states, c) },
		Problem: func(p dr.Problem) { r.mu.Lock(); defer r.mu.Unlock(); r.trouble = append(r.trouble, p) },
	}
}

// told returns what guards told, in order.
func (r *rig) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, c := range r.lease {
		out = append(out, c.What)
	}
	return out
}

// when returns the times of calls that match.
func (r *rig) when(op drtest.Op, from dr.Region) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []time.Time
	for _, c := range r.calls {
		if c.Op == op && c.From == from {
			out = append(out, c.at)
		}
	}
	return out
}

// guard runs the guard of a Region until the returned function is called.
func (r *rig) guard(region dr.Region) (*failover.Guard, func()) {
	r.t.Helper()
	cfg := r.Monitor(region, r.policy, r.trace()).Guard
	watch := &failover.Watch{}
	cfg.Region, cfg.Policy, cfg.Leaser, cfg.Watch, cfg.Trace = region, r.policy, r.Store.At(region), watch, r.trace()
	g, err := failover.NewGuard(cfg)
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(r.ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = watch.Run(ctx, r.policy, cfg.Leaser, region, cfg.Trace) })
	wg.Go(func() { _ = g.Run(ctx) })
	r.wg.Go(wg.Wait)
	return g, func() { cancel(); wg.Wait() }
}

func (r *rig) wait(d time.Duration) { <-time.After(d) }

// until waits until something holds and returns when it did.
func (r *rig) until(what string, limit time.Duration, ok func() bool) time.Time {
	r.t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); r.wait(time.Millisecond) {
		if ok() {
			return time.Now()
		}
	}
	require.FailNow(r.t, what, "not within %v", limit)
	return time.Time{}
}

func (r *rig) closed(region dr.Region) func() bool {
	return func() bool { return !r.Pair.DB(region).Accepts() }
}

// closedOnce is for a writer that is closed and opened again at the same instant.
func (r *rig) closedOnce(region dr.Region) func() bool {
	return func() bool { return r.closed(region)() || slices.Contains(r.told(), dr.LeaseFenced) }
}

func (r *rig) open(region dr.Region) func() bool {
	return func() bool { return r.Pair.DB(region).Accepts() }
}

// latency makes calls take what they take between real Regions, the same every time.
func latency(c drtest.Call) drtest.Fault {
	switch {
	case c.To == "":
		return drtest.Fault{Delay: 60 * time.Millisecond}
	case c.To != c.From:
		return drtest.Fault{Delay: 60 * time.Millisecond}
	}
	return drtest.Fault{Delay: 2 * time.Millisecond}
}

// agent runs the agent of a Region until the returned function is called.
func (r *rig) agent(region dr.Region) (stop func()) {
	r.t.Helper()
	return r.run(r.Watching(region, r.policy, r.trace()))
}

func (r *rig) run(a drtest.Agent, err error) (stop func()) {
	r.t.Helper()
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan struct{})
	r.wg.Go(func() {
		defer close(done)
		_ = a.Run(ctx)
	})
	return func() { cancel(); <-done }
}

// said reports whether people of a Region were told something.
func (r *rig) said(region dr.Region, text string) bool {
	return slices.ContainsFunc(r.Notifiers[region].Messages(), func(m failover.Message) bool { return strings.Contains(m.Body, text) })
}

// by has a monitor of the west asked trigger move the writer.
func (r *rig) by(t failover.TriggerInvoker) failover.Mover {
	return failover.ByTrigger{Trigger: t, Journal: r.Store.At(west)}
}

// still has a Region's monitor find no trigger that moves the writer.
func (r *rig) still(region dr.Region) failover.Mover {
	return failover.ByTrigger{Trigger: &counted{}, Journal: r.Store.At(region)}
}

// controller returns a controller of a Region, changed if need be, whose watch has looked
// at the lease.
func (r *rig) controller(region dr.Region, change ...func(*failover.ControllerConfig)) *failover.Controller {
	r.t.Helper()
	watch := &failover.Watch{}
	r.wg.Go(func() { _ = watch.Run(r.ctx, r.policy, r.Store.At(region), region, nil) })
	cfg := r.World.Controller(region, r.policy, watch, r.trace())
	for _, f := range change {
		f(&cfg)
	}
	c, err := failover.NewController(cfg)
	require.NoError(r.t, err)
	r.wait(100 * time.Millisecond)
	return c
}

// acting returns a rig in which the east has been silent for long enough to be taken from,
// and the west's controller. It ends with the test.
func acting(t *testing.T, p dr.Policy, change ...func(*failover.ControllerConfig)) (*rig, *failover.Controller) {
	t.Helper()
	r := newRig(t, p)
	t.Cleanup(r.end)
	c := r.controller(west, change...)
	r.silence()
	return r, c
}

// failover has a controller fail over on a verdict of now, and tells how that has ended.
func (r *rig) failover(c *failover.Controller) <-chan failover.Execution {
	ended := make(chan failover.Execution, 1)
	r.wg.Go(func() {
		x, _ := c.Failover(r.ctx, verdict())
		ended <- x
	})
	return ended
}

// last returns the newest entry of the journal.
func (r *rig) last() failover.Entry {
	all := r.Store.Entries()
	if len(all) == 0 {
		return failover.Entry{}
	}
	return all[len(all)-1]
}

func (r *rig) in(s failover.State) func() bool {
	return func() bool { return r.last().Execution.State == s }
}

// settledOnce checks a settled failover to the west: one execution, one promotion,
// one taken epoch, in the order of the table, and a write that was verified.
func (r *rig) settledOnce() {
	r.t.Helper()
	require.Equal(r.t, failover.Settled, r.last().Execution.State)
	events := make([]failover.Kind, 0, 9)
	for _, e := range r.Store.Entries() {
		require.Equal(r.t, r.last().Execution.ID, e.Execution.ID, "one execution")
		events = append(events, e.Event)
	}
	require.Equal(r.t, []failover.Kind{
		failover.EvConfirmed, failover.EvEpochTaken, failover.EvFenceProven, failover.EvGatePassed,
		failover.EvPromoted, failover.EvVerified, failover.EvRedirected, failover.EvAnnounced,
	}, events)
	require.Equal(r.t, 1, r.Cluster.Moves(), "one promotion")
	l, _ := r.Store.Lease()
	require.Equal(r.t, dr.Epoch(2), l.Epoch, "one epoch")
	beat, err := r.Pair.DB(west).Replicated(r.ctx, west+"/verify")
	require.NoError(r.t, err)
	require.Equal(r.t, dr.Epoch(2), beat.Epoch, "a verified write")
	require.Equal(r.t, west, r.Router.Target())
	require.True(r.t, r.Pair.DB(west).Accepts())
}

// answer is a person's consent to the question that is open.
func (r *rig) answer(reason string) {
	r.t.Helper()
	x := r.last().Execution
	require.NoError(r.t, r.Store.At(witness).Acknowledge(r.ctx, failover.Acknowledgement{Execution: x.ID, Question: x.Question.ID, By: "ops", Reason: reason}))
}
