package trigger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
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

// rig is a world in which every Region's monitor runs, and only the function under test
// moves the writer.
type rig struct {
	*drtest.World
	t      *testing.T
	policy dr.Policy
	ctx    context.Context
	end    func()
	marks  map[dr.Region]*marks
}

// deaf is an invoker that the tests ask themselves.
type deaf struct{}

func (deaf) Ask(context.Context, string) error { return nil }

// newRig returns a world that has been well for ten seconds. It must be called in a
// bubble.
func newRig(t *testing.T, cfg drtest.WorldConfig, p dr.Policy) *rig {
	cfg.Topology = dr.Topology{GlobalCluster: "lifeboat", Members: []dr.Region{east, west}, Witness: witness}
	w, err := drtest.NewWorld(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	r := &rig{World: w, t: t, policy: p, ctx: ctx, end: func() { cancel(); wg.Wait() }, marks: make(map[dr.Region]*marks)}
	for _, m := range w.Topology.Members {
		r.marks[m] = &marks{}
	}
	for _, region := range w.Topology.Vantages() {
		a, err := watching(w, region, p)
		require.NoError(t, err)
		wg.Go(func() { _ = a.Run(ctx) })
	}
	r.wait(10*time.Second + 300*time.Millisecond)
	return r
}

func (r *rig) wait(d time.Duration) { <-time.After(d); synctest.Wait() }

// watching is a Region's monitor, which follows the trigger that is the function.
func watching(w *drtest.World, region dr.Region, p dr.Policy) (drtest.Agent, error) {
	if region == witness {
		return w.Watching(region, p, nil)
	}
	cfg := w.Monitor(region, p, nil)
	cfg.Mover = failover.ByTrigger{Trigger: deaf{}, Journal: w.Store.At(region)}
	return failover.NewMonitor(cfg)
}

// config is the function's in a Region.
func (r *rig) config(region dr.Region) trigger.Config {
	return trigger.Config{Agent: r.Trigger(region, r.policy, nil), Name: "lifeboat-test-failover-trigger", Marks: r.marks[region]}
}

// invoke calls the function of a Region with a deadline, as Lambda does.
func (r *rig) invoke(region dr.Region, limit time.Duration, payload string) (event.Response, error) {
	return r.call(r.config(region), limit, payload)
}

func (r *rig) call(cfg trigger.Config, limit time.Duration, payload string) (event.Response, error) {
	h, err := trigger.New(cfg)
	require.NoError(r.t, err)
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	began := time.Now()
	out, err := h.Invoke(ctx, []byte(payload))
	require.LessOrEqual(r.t, time.Since(began), limit, "an answer must come before Lambda's limit")
	if err != nil {
		require.Nil(r.t, out, "an error is no answer")
		return event.Response{}, err
	}
	var a event.Response
	require.NoError(r.t, json.Unmarshal(out, &a))
	require.Equal(r.t, time.Since(began).Round(time.Millisecond), time.Duration(a.Took))
	return a, nil
}

// request is a monitor's payload, or a person's where one must ask.
func request(mode event.Mode, target dr.Region) string {
	by := ""
	if mode != event.Failover {
		by = `"by":"jane",`
	}
	return fmt.Sprintf(`{"mode":%q,"target_region":%q,%s"reason":"a test"}`, mode, target, by)
}

// consent answers question of the execution that a response is about.
func consent(a event.Response, target dr.Region, question, reason string) string {
	return fmt.Sprintf(`{"mode":"acknowledge","target_region":%q,"execution":%q,"question":%q,"by":"jane","reason":%q}`, target, a.Execution, question, reason)
}

// question is the open one's name.
func (r *rig) question() string {
	all := r.Store.Entries()
	require.NotEmpty(r.t, all)
	return event.QuestionOf(all[len(all)-1].Execution)
}

// executions counts how many have begun.
func (r *rig) executions() int {
	seen := make(map[string]bool)
	for _, e := range r.Store.Entries() {
		seen[e.Execution.ID] = true
	}
	return len(seen)
}

// bubble runs a test on virtual time and waits for every goroutine of it.
func bubble(t *testing.T, cfg drtest.WorldConfig, p dr.Policy, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, cfg, p)
		defer r.end()
		f(t, r)
	})
}

// last is the newest entry's execution.
func (r *rig) last() failover.Execution {
	all := r.Store.Entries()
	require.NotEmpty(r.t, all)
	return all[len(all)-1].Execution
}

// marks keeps a Region's mark in memory.
type marks struct {
	mu     sync.Mutex
	mark   trigger.Mark
	silent bool // calls get no answer
	writes int
}

func (m *marks) do(ctx context.Context, act func() error) error {
	m.mu.Lock()
	silent := m.silent
	m.mu.Unlock()
	if silent {
		<-ctx.Done()
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return act()
}

// seen returns the mark.
func (m *marks) seen() trigger.Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark
}

// ReadMark implements trigger.Marks.
func (m *marks) ReadMark(ctx context.Context) (got trigger.Mark, err error) {
	err = m.do(ctx, func() error { got = m.mark; return nil })
	return got, err
}

// WriteMark implements trigger.Marks.
func (m *marks) WriteMark(ctx context.Context, old, next trigger.Mark) error {
	return m.do(ctx, func() error {
		if m.mark != old {
			return trigger.ErrMarkMoved
		}
		m.mark, m.writes = next, m.writes+1
		return nil
	})
}

var errRefused = errors.New("refused by a test")
