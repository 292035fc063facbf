package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"
)

// always holds the monitor lease for every caller.
func always(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) }

// role keeps what was published, as CloudWatch would.
type role struct {
	mu  sync.Mutex
	at  []time.Time
	to  []dr.Region
	err error
}

func (r *role) Redirect(_ context.Context, to dr.Region, _ dr.Epoch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.at, r.to = append(r.at, time.Now()), append(r.to, to)
	}
	return r.err
}

func (r *role) last() (dr.Region, time.Time, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.to) == 0 {
		return "", time.Time{}, 0
	}
	return r.to[len(r.to)-1], r.at[len(r.at)-1], len(r.to)
}

// rig is a world in which the functions of every Region run as Lambda would run them.
type rig struct {
	*drtest.World
	t     *testing.T
	roles map[dr.Region]*role
	ctx   context.Context
	wg    sync.WaitGroup
	mu    sync.Mutex
	asked map[dr.Region]int
	trace *dr.Trace
}

func bubble(t *testing.T, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, err := drtest.NewWorld(drtest.WorldConfig{Topology: dr.Topology{GlobalCluster: "lifeboat", Members: []dr.Region{east, west}, Witness: witness}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		r := &rig{World: w, t: t, ctx: ctx, roles: map[dr.Region]*role{east: {}, west: {}}, asked: map[dr.Region]int{}}
		defer r.wg.Wait()
		defer cancel()
		f(t, r)
	})
}

// invoker invokes a Region's trigger, one at a time, as its reserved concurrency says.
type invoker struct {
	r      *rig
	region dr.Region
	busy   chan struct{}
}

func (d invoker) Ask(_ context.Context, reason string) error {
	d.r.mu.Lock()
	d.r.asked[d.region]++
	d.r.mu.Unlock()
	select {
	case d.busy <- struct{}{}:
	default:
		return nil // Lambda would queue it
	}
	h, err := trigger.New(trigger.Config{Agent: d.r.Trigger(d.region, dr.Policy{}, d.r.trace), Name: "lifeboat-test-failover-trigger"})
	if err != nil {
		return err
	}
	d.r.wg.Go(func() {
		_, _ = h.Do(d.r.ctx, event.Request{Mode: event.Failover, Target: d.region, Reason: event.Plain(reason)})
		<-d.busy
	})
	return nil
}

func (r *rig) config(region dr.Region) monitor.Config {
	if region == witness {
		return monitor.Config{Agent: monitor.Witness(r.Witness(dr.Policy{}, r.trace)), Hold: always}
	}
	return monitor.Config{Agent: r.member(region, r.trace, invoker{r, region, make(chan struct{}, 1)}), Hold: always, Role: r.roles[region]}
}

// member is a member's monitor, which has a trigger move the writer.
func (r *rig) member(region dr.Region, trace *dr.Trace, t failover.TriggerInvoker) monitor.Member {
	cfg := r.Monitor(region, dr.Policy{}, trace)
	cfg.Mover = failover.ByTrigger{Trigger: t, Journal: r.Store.At(region)}
	return monitor.Member(cfg)
}

// run invokes a Region's monitor until ctx ends.
func (r *rig) run(ctx context.Context, region dr.Region) {
	h, err := monitor.New(r.config(region))
	require.NoError(r.t, err)
	r.wg.Go(func() { _, _ = h.Invoke(ctx, nil) })
}

func (r *rig) wait(d time.Duration) { <-time.After(d); synctest.Wait() }

func TestBothFunctionsTogetherSurviveTheLossOfARegion(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for _, region := range r.Topology.Vantages() {
			r.run(r.ctx, region)
		}
		r.wait(65 * time.Second)
		require.Zero(t, r.asked[west], "nothing is wrong yet")
		require.True(t, r.Pair.DB(east).Accepts())
		for _, region := range r.Topology.Members {
			to, _, n := r.roles[region].last()
			require.Equal(t, east, to)
			require.Equal(t, 3, n, "at once, after 30 s and after 60 s")
		}
		cut := time.Now()
		r.CutRegion(east, true)
		for !r.Pair.DB(west).Accepts() && time.Since(cut) < time.Minute {
			r.wait(100 * time.Millisecond)
		}
		require.True(t, r.Pair.DB(west).Accepts())
		require.False(t, r.Pair.DB(east).Accepts(), "the guard has closed it")
		require.Less(t, time.Since(cut), 20*time.Second+3*time.Second, "own share and promotion")
		r.wait(time.Minute)
		require.Equal(t, 1, r.Cluster.Moves())
		to, at, _ := r.roles[west].last()
		require.Equal(t, west, to)
		require.LessOrEqual(t, time.Since(at), 30*time.Second)
		_, at, _ = r.roles[east].last()
		require.LessOrEqual(t, at.Sub(cut), time.Duration(0), "a Region that can't read the lease is silent")
		require.GreaterOrEqual(t, time.Since(cut), time.Minute)
	})
}

func TestAMonitorLeaseThatEndsLeavesTheWriterOpenForTheNext(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.run(r.ctx, west)
		r.run(r.ctx, witness)
		for range 5 {
			holding, cancel := context.WithTimeout(r.ctx, time.Minute)
			h, err := monitor.New(r.config(east))
			require.NoError(t, err)
			out, err := h.Invoke(holding, []byte(`"whatever"`))
			cancel()
			require.NoError(t, err)
			var a monitor.Answer
			require.NoError(t, json.Unmarshal(out, &a))
			require.Equal(t, east, a.Region)
			require.Equal(t, 1, a.Held)
			require.InDelta(t, 60_000, a.Worked, 10)
			require.True(t, r.Pair.DB(east).Accepts())
			r.wait(300 * time.Millisecond) // of a handover
		}
		require.Zero(t, r.Cluster.Moves())
		require.True(t, r.Pair.DB(east).Accepts())
	})
}

// lapsing is a monitor lease that is lost after a time, because the store does not answer.
func lapsing(after time.Duration, cause error) monitor.Hold {
	return func(ctx context.Context, _ string, work func(context.Context) error) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer time.AfterFunc(after, func() { cancel(cause) }).Stop()
		return work(ctx)
	}
}

func TestAMonitorLeaseThatEndsDoesNotTakeTheFenceAway(t *testing.T) {
	lapsed := errors.New("lapsed")
	for name, c := range map[string]struct {
		region dr.Region
		cut    bool
		open   bool          // so the writer stays
		least  time.Duration // that the invocation takes
		most   time.Duration
	}{
		"in a cut":                 {east, true, false, 14 * time.Second, 10*time.Second + dr.DefaultPolicy().LeaseTTL},
		"while the store answers":  {east, false, true, 20 * time.Second, 12500*time.Millisecond + failover.BehindTime(dr.Policy{})},
		"of another Region":        {west, true, true, 0, 12900 * time.Millisecond}, // its last report can't be published
		"where there is no writer": {witness, true, true, 0, 12600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				if c.region != east {
					r.run(r.ctx, east)
				}
				cfg := r.config(c.region)
				cfg.Hold = lapsing(12500*time.Millisecond, lapsed)
				h, err := monitor.New(cfg)
				require.NoError(t, err)
				if c.cut {
					time.AfterFunc(10*time.Second, func() { r.CutRegion(c.region, true) })
				}
				began := time.Now()
				_, err = h.Invoke(r.ctx, nil)
				require.NoError(t, err)
				require.Equal(t, c.open, r.Pair.DB(east).Accepts(), "the old writer of a cut must be closed when its lease has run out")
				require.GreaterOrEqual(t, time.Since(began), c.least)
				require.LessOrEqual(t, time.Since(began), c.most)
			})
		})
	}
}

func TestATickThatCameTwiceDoesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		cfg := r.config(east)
		cfg.Hold = func(context.Context, string, func(context.Context) error) error { return nil }
		h, err := monitor.New(cfg)
		require.NoError(t, err)
		out, err := h.Invoke(r.ctx, nil)
		require.NoError(t, err)
		require.JSONEq(t, `{"region":"us-east-1","held":0,"worked_ms":0}`, string(out))
		_, _, n := r.roles[east].last()
		require.Zero(t, n)
	})
}

func TestWhatEndsAnInvocationIsAnError(t *testing.T) {
	expired, lost := errors.New("expired"), errors.New("the table is gone")
	bubble(t, func(t *testing.T, r *rig) {
		cfg := r.config(east)
		cfg.Fatal = func(err error) bool { return errors.Is(err, expired) }
		h, err := monitor.New(cfg)
		require.NoError(t, err)
		begun := time.Now()
		r.Net.SetHook(func(c drtest.Call) drtest.Fault {
			if time.Since(begun) > 10*time.Second && (c.Op == drtest.OpReadLease || c.Op == drtest.OpRenewLease) {
				return drtest.Fault{Err: expired}
			}
			return drtest.Fault{Delay: 10 * time.Millisecond}
		})
		_, err = h.Invoke(r.ctx, nil)
		require.ErrorIs(t, err, expired, "the process must end: Lambda gives credentials to a new one")
		require.ErrorContains(t, err, "after holding the monitor lease 1 times")
		require.False(t, r.Pair.DB(east).Accepts(), "a writer without a guard must not be left open")
		require.Less(t, time.Since(begun), 10*time.Second+dr.DefaultPolicy().LeaseTTL)
		r.Net.SetHook(nil)

		cfg = r.config(east)
		cfg.Hold = func(context.Context, string, func(context.Context) error) error { return lost }
		h, err = monitor.New(cfg)
		require.NoError(t, err)
		_, err = h.Invoke(r.ctx, nil)
		require.ErrorIs(t, err, lost)
	})
}

func TestARoleThatCannotBePublishedIsReportedAndTriedAgain(t *testing.T) {
	var mu sync.Mutex
	var problems []string
	bubble(t, func(t *testing.T, r *rig) {
		r.trace = &dr.Trace{Problem: func(p dr.Problem) {
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, p.Op)
		}}
		r.roles[east].err = errors.New("throttled")
		r.run(r.ctx, east)
		r.wait(time.Second)
		mu.Lock()
		require.Contains(t, problems, "publish where the writer is")
		mu.Unlock()
		r.roles[east].mu.Lock()
		r.roles[east].err = nil
		r.roles[east].mu.Unlock()
		r.wait(30 * time.Second)
		to, _, n := r.roles[east].last()
		require.Equal(t, east, to)
		require.Equal(t, 1, n)
		require.True(t, r.Pair.DB(east).Accepts(), "it is no reason to stop")
	})
}

func TestConfigurationsReportEverythingAtOnce(t *testing.T) {
	_, err := monitor.New(monitor.Config{Every: time.Minute, Agent: monitor.Member{
		Region: east, Topology: dr.Topology{Members: []dr.Region{east, west}}, Mover: failover.ByController{},
	}})
	for _, want := range []string{"Hold is nil", "give ByTrigger", "Guard.Beater", "Role is required", "Every 1m0s", "GlobalCluster is empty"} {
		require.ErrorContains(t, err, want)
	}
	_, err = monitor.New(monitor.Config{Hold: always})
	require.ErrorContains(t, err, "give a Member or a Witness")
	_, err = monitor.New(monitor.Config{Hold: always, Agent: monitor.Witness{Region: east, Topology: dr.Topology{GlobalCluster: "lifeboat", Members: []dr.Region{east, west}}}})
	require.ErrorContains(t, err, "is a member")
}
