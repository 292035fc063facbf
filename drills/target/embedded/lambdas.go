package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The functions of a Region.
const (
	monitorName = "health-monitor"
	triggerName = "failover-trigger"
)

// lambda is what runs in one Region: its functions, and the schedule that ticks its
// monitor.
type lambda struct {
	*functions.Service
	works chan struct{} // closed when a monitor has had the monitor lease for the first time
	once  sync.Once
	*effects
	acting atomic.Int32 // processes of the monitor that hold its lease

	// Guarded by world.mu.
	lose, double int            // faults of the schedule that are on
	killSteps    int            // faults that kill the trigger after every step
	killed       string         // the last step after which it was killed
	strikes      []*fault.Fault // faults that found no trigger to kill, and wait for one
}

// deploy starts a Region's functions. They end with the world.
func (w *world) deploy(r dr.Region) error {
	l := &lambda{works: make(chan struct{}), effects: newEffects()}
	observe := func(name string) func(functions.Event) {
		return func(e functions.Event) {
			l.happened(name, w.Clock(), e)
			if name == triggerName && e.What == functions.Began && w.struck(l) {
				w.tasks.Go(func() { w.killAfter(struckAfter, e.Process) })
			}
		}
	}
	// Concurrency, attempts and age are those of terraform/modules/failover.
	deployed := []functions.Function{{
		Name: monitorName, Concurrency: 2, Attempts: 1, MaxAge: time.Minute, Observe: observe(monitorName),
		Start: func(p *functions.Process) (functions.Handler, error) { return w.monitor(l, w.parts(r, p)) },
	}}
	if w.setup.Topology.Peer(r) != "" {
		deployed = append(deployed, functions.Function{
			Name: triggerName, Concurrency: 8, Attempts: 3, MaxAge: time.Hour, Observe: observe(triggerName),
			Start: func(p *functions.Process) (functions.Handler, error) { return w.trigger(l, w.parts(r, p)) },
		})
	}
	l.Service = functions.New(w.life, w.coldStart(r), deployed...)
	w.lambdas[r] = l
	schedule, err := lambdahost.NewScheduler(ticks{w, r}, nil, lambdahost.Schedule{
		Function: monitorName, Every: w.cfg.Tick, Seed: w.seed(r), Payload: func(lambdahost.Tick) []byte { return []byte("{}") },
	})
	if err != nil {
		return err
	}
	w.tasks.Go(func() { schedule.Run(w.life) })
	w.tick(r) // a deployment's first; the schedule's comes some time within its period
	return nil
}

// settle waits until a monitor works in every Region, and the writer's has bootstrapped the
// deployment and opened its database.
func (w *world) settle(ctx context.Context) error {
	late := time.After(bootstrappedWithin)
	for r, l := range w.lambdas {
		select {
		case <-l.works:
		case err := <-w.failed:
			return err
		case <-late:
			return fmt.Errorf("embedded: no monitor has begun to work in %s within %v: marked so far: %v", r, bootstrappedWithin, w.said())
		case <-ctx.Done():
			return fmt.Errorf("embedded: no monitor has begun to work in %s: %w", r, context.Cause(ctx))
		}
	}
	look := time.NewTicker(probeEvery)
	defer look.Stop()
	for {
		if err := w.pair.DB(w.setup.Writer).Probe(ctx); err == nil {
			return nil
		}
		select {
		case <-look.C:
		case err := <-w.failed:
			return err
		case <-late:
			return fmt.Errorf("embedded: %s was not bootstrapped and opened within %v: marked so far: %v", w.setup.Writer, bootstrappedWithin, w.said())
		case <-ctx.Done():
			return fmt.Errorf("embedded: %s was not bootstrapped and opened: %w", w.setup.Writer, context.Cause(ctx))
		}
	}
}

// bootstrappedWithin is for a first look in vain, a bootstrap, and a new guard's first renewal.
const bootstrappedWithin = 20 * time.Second

func (w *world) said() []measure.Mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.marks)
}

// seed is a Region's own.
func (w *world) seed(r dr.Region) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(r)) // never fails
	return w.setup.Seed ^ h.Sum64()
}

// coldStart draws how long each new process of a Region takes.
func (w *world) coldStart(r dr.Region) func() time.Duration {
	rng := rand.New(rand.NewPCG(w.seed(r), 0xc01d))
	var mu sync.Mutex
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return w.cfg.ColdMin + time.Duration(rng.Int64N(int64(w.cfg.ColdMax-w.cfg.ColdMin)+1))
	}
}

// tick is one tick of a Region's schedule, past the schedule.
func (w *world) tick(r dr.Region) {
	_, err := ticks{w, r}.Invoke(w.life, monitorName, []byte("{}"), lambdahost.Async)
	if err != nil && w.life.Err() == nil {
		w.problem(r, fmt.Errorf("tick: %w", err))
	}
}

// ticks carry a Region's schedule to its functions.
type ticks struct {
	w *world
	r dr.Region
}

// Invoke implements lambdahost.Invoker.
func (t ticks) Invoke(ctx context.Context, name string, payload []byte, mode lambdahost.Mode) (result lambdahost.Result, err error) {
	l := t.w.lambdas[t.r]
	t.w.mu.Lock()
	copies, dark := 1, t.w.silent[t.r] > 0
	switch {
	case l.lose > 0 || dark: // in the dark nothing arrives
		copies = 0
	case l.double > 0:
		copies = 2
	}
	t.w.mu.Unlock()
	broken := t.w.depends(t.r, fault.Lambda)
	if _, err := t.w.trouble(ctx, broken, unavailable(broken)); err != nil {
		return lambdahost.Result{}, err
	}
	came := 0
	for range copies {
		if result, err = l.Invoke(ctx, name, payload, mode); err == nil {
			came++
		}
	}
	if err == nil && !dark { // who refuses a tick, or silences it, has not lost it
		l.tick(t.w.Clock(), came)
	}
	return result, err
}

// monitor makes the health monitor of a process, as lambdas/health-monitor does.
func (w *world) monitor(l *lambda, p parts) (functions.Handler, error) {
	h, err := w.newMonitor(l, p)
	if err != nil {
		return nil, w.refuse(p.region, monitorName, err)
	}
	return h, nil
}

func (w *world) newMonitor(l *lambda, p parts) (*monitor.Handler, error) {
	own, err := p.assemble(p.trace(p.region, p.process), l)
	if err != nil {
		return nil, err
	}
	cfg, err := assembly.Monitor(own)
	if err != nil {
		return nil, err
	}
	hold := cfg.Hold
	cfg.Hold = func(ctx context.Context, process string, work func(context.Context) error) error {
		return hold(ctx, process, func(ctx context.Context) error {
			l.once.Do(func() { close(l.works) })
			mark := func(name string) {
				if !p.process.Dead() {
					w.mark(measure.Mark{At: w.Clock(), Source: "monitor lease " + p.region.String(), Name: name, Region: p.region, Detail: process})
				}
			}
			mark("monitorlease.taken")
			defer mark("monitorlease.left")
			l.acting.Add(1)
			defer l.acting.Add(-1)
			return work(ctx)
		})
	}
	return monitor.New(cfg)
}

// trigger makes the failover trigger of a process, as lambdas/failover-trigger does.
func (w *world) trigger(l *lambda, p parts) (functions.Handler, error) {
	h, err := w.newTrigger(l, p)
	if err != nil {
		return nil, w.refuse(p.region, triggerName, err)
	}
	return h, nil
}

func (w *world) newTrigger(l *lambda, p parts) (*trigger.Handler, error) {
	own, err := p.assemble(dr.Join(p.trace(p.region, p.process), &dr.Trace{State: func(c dr.StateChange) {
		l.step(p.process)
		if w.diesOf(l, c) {
			p.process.Kill()
		}
	}}), l)
	if err != nil {
		return nil, err
	}
	cfg, err := assembly.Trigger(own)
	if err != nil {
		return nil, err
	}
	return trigger.New(cfg)
}

// diesOf reports whether a process that has recorded a step is to be killed for it:
// once for every step.
func (w *world) diesOf(l *lambda, c dr.StateChange) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	step := c.Execution + " " + string(c.State)
	if l.killSteps == 0 || l.killed == step {
		return false
	}
	l.killed = step
	return true
}

// struckAfter is how long a trigger has worked when a fault strikes that found none at
// work.
const struckAfter = 500 * time.Millisecond

// struck reports whether a trigger that begins to work is to be killed for it, once for
// every fault that found none.
func (w *world) struck(l *lambda) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(l.strikes) == 0 {
		return false
	}
	l.strikes = l.strikes[1:]
	return true
}

func (w *world) killAfter(d time.Duration, p *functions.Process) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-w.life.Done():
	case <-t.C:
		p.Kill()
	}
}

// refuse tells who waits for the world that a function can't work.
func (w *world) refuse(r dr.Region, name string, err error) error {
	err = fmt.Errorf("embedded: %s of %s: %w", name, r, err)
	w.problem(r, err)
	select {
	case w.failed <- err:
	default:
	}
	return err
}

func (w *world) problem(r dr.Region, err error) {
	w.mark(measure.Mark{At: w.Clock(), Source: "embedded", Name: "problem", Region: r, Detail: err.Error()})
}

// trace marks what a process says, for as long as it lives.
func (w *world) trace(r dr.Region, p *functions.Process) *dr.Trace {
	return dr.Join(w.cfg.Trace, drill.MarkTrace(r, w.Clock, func(m measure.Mark) {
		if !p.Dead() {
			w.mark(m)
		}
	}))
}

// ask is a person who invokes a Region's trigger, and doesn't wait for its response.
func (w *world) ask(ctx context.Context, to dr.Region, q event.Request) error {
	payload, err := json.Marshal(q)
	if err != nil {
		return err
	}
	_, err = w.lambdas[to].Invoke(ctx, triggerName, payload, lambdahost.Async)
	return err
}
