package trigger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// outcome is what a controller has come to.
type outcome struct {
	x   failover.Execution
	err error
}

// signals carry what a controller reports while it works.
type signals struct {
	fatal    func(error) bool
	outcomes chan outcome
	asked    chan struct{} // a person was told a question
	died     chan error    // an error that is fatal
	waits    atomic.Bool   // the execution has come to a question
}

func (h *Handler) signals() *signals {
	return &signals{fatal: h.fatal, outcomes: make(chan outcome, 1), asked: make(chan struct{}, 1), died: make(chan error, 1)}
}

// put keeps the newest value of a channel with room for one. One goroutine puts.
func put[T any](c chan T, v T) {
	select {
	case <-c:
	default:
	}
	select {
	case c <- v:
	default:
	}
}

func (e *signals) heard(x failover.Execution, err error) { put(e.outcomes, outcome{x, err}) }

// trace returns the trace that hears.
func (e *signals) trace() *dr.Trace {
	return &dr.Trace{
		State: func(c dr.StateChange) { e.waits.Store(failover.State(c.State) == failover.AwaitingApproval) },
		Problem: func(p dr.Problem) {
			if e.fatal(p.Err) {
				select {
				case e.died <- p.Err:
				default:
				}
			}
		},
	}
}

// notifier hears when people can't be told: the invocation then ends, and the next one
// tries again. Otherwise it ends when the journal holds that they were told.
type notifier struct {
	failover.Notifier
	signals *signals
}

func (n notifier) Notify(ctx context.Context, m failover.Message) error {
	err := n.Notifier.Notify(ctx, m)
	if err != nil && n.signals.waits.Load() {
		// People are told by the next invocation, which is asked for soon.
		put(n.signals.asked, struct{}{})
	}
	return err
}

// askedBy returns a handler that works for who asks: what begins is that person's, and is
// not stopped by what stops the automation.
func (h *Handler) askedBy(w event.Request) *Handler {
	by := *h
	by.cfg.Agent.Controller.Origin = failover.Origin{}
	if w.Person() {
		by.cfg.Agent.Controller.Origin = failover.Origin{By: w.By, Reason: w.Reason}
	}
	return &by
}

// agent returns the configuration of the function's agent, with callbacks added.
func (h *Handler) agent(e *signals) failover.TriggerConfig {
	cfg := h.cfg.Agent
	c := &cfg.Controller
	cfg.Trace = dr.Join(h.cfg.Agent.Trace, e.trace())
	c.Notifier = notifier{c.Notifier, e}
	c.OnTold = func(x failover.Execution) {
		if x.State == failover.AwaitingApproval {
			put(e.asked, struct{}{})
		}
	}
	cfg.OnOutcome = e.heard
	return cfg
}

// failover looks for evidence and acts on it. before is how things stood.
func (h *Handler) failover(ctx context.Context, before scene, began time.Time) (event.Response, error) {
	for {
		a, walked, err := h.round(ctx, before, began)
		if err != nil || walked {
			return a, err
		}
		// It may have begun at the last moment.
		s, err := h.look(ctx)
		if err != nil || !s.open(h.cfg.Agent.Region) {
			return a, err
		}
	}
}

// round runs an agent until its controller has come to something, or nothing comes of
// it. It reports whether an execution was walked.
func (h *Handler) round(ctx context.Context, before scene, began time.Time) (event.Response, bool, error) {
	signals := h.signals()
	agent, err := failover.NewTrigger(h.agent(signals))
	if err != nil {
		return event.Response{}, false, err
	}
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = agent.Run(run) })
	var last error
	tick := time.NewTicker(h.cfg.Agent.Policy.PollInterval)
	defer tick.Stop()
	for begun := time.Now(); ; {
		select {
		case <-ctx.Done():
			return event.Response{}, false, h.late(ctx)
		case err := <-signals.died:
			return event.Response{}, false, err
		case o := <-signals.outcomes:
			switch {
			case o.err != nil:
				last = o.err
			case !(scene{last: o.x}).moot(before):
				return event.Of(o.x, time.Since(began)), true, nil
			}
		case <-signals.asked:
			x, err := h.question(ctx)
			return event.Of(x, time.Since(began)), true, err
		case <-tick.C:
			if s, is := h.waits(ctx, signals); is {
				return event.Of(s.last, time.Since(began)), true, nil
			}
			if !idle(h.cfg.Agent.Policy, time.Since(begun), agent.Explain().Verdict) {
				continue
			}
			s, err := h.read(ctx)
			if err != nil {
				last = err
			}
			if err != nil || s.open(h.cfg.Agent.Region) {
				continue // unknown, or the controller is at work
			}
			if s.ended(before, h.cfg.Agent.Region) {
				return event.Of(s.last, time.Since(began)), true, nil // a moment ago, or by another process
			}
			a, err := conclude(agent.Explain(), last, time.Since(began))
			return a, false, err
		}
	}
}

// recheck looks once whether the question that is open still stands, or tells people what
// they are owed of an execution that has ended.
func (h *Handler) recheck(ctx context.Context, began time.Time) (event.Response, error) {
	x, err := h.walk(ctx, func() {}, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
		x, on, err := c.Recheck(ctx)
		if err != nil || on || !x.State.Ended() {
			return x, err
		}
		_, _, err = c.Resume(ctx)
		return x, err
	})
	if err != nil {
		return event.Response{}, err
	}
	return event.Of(x, time.Since(began)), nil
}

// walk has a controller do something, without looking for evidence.
// began is called when the execution has made a step.
func (h *Handler) walk(ctx context.Context, began func(), do func(*failover.Controller, context.Context) (failover.Execution, error)) (failover.Execution, error) {
	signals := h.signals()
	cfg, watch := h.agent(signals), &failover.Watch{}
	cfg.Trace = dr.Join(cfg.Trace, &dr.Trace{State: func(dr.StateChange) { began() }})
	cc := cfg.Controller
	cc.Region, cc.Topology, cc.Policy, cc.Trace = cfg.Region, cfg.Topology, cfg.Policy, cfg.Trace
	cc.Leaser, cc.Reports, cc.Watch, cc.Promises = cfg.Leaser, cfg.Reports, watch, true
	c, err := failover.NewController(cc)
	if err != nil {
		return failover.Execution{}, err
	}
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = watch.Run(run, cfg.Policy, cfg.Leaser, cfg.Region, cfg.Trace) })
	wg.Go(func() {
		for known := false; !known; _, known = watch.Lease() {
			if pause(run, cfg.Policy.PollInterval) != nil {
				return
			}
		}
		x, err := do(c, run)
		if run.Err() == nil {
			signals.heard(x, err)
		}
	})
	tick := time.NewTicker(cfg.Policy.PollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return failover.Execution{}, h.late(ctx)
		case err := <-signals.died:
			return failover.Execution{}, err
		case <-signals.asked:
			return h.question(ctx)
		case o := <-signals.outcomes:
			return o.x, o.err
		case <-tick.C:
			if s, is := h.waits(ctx, signals); is {
				return s.last, nil
			}
		}
	}
}

// waits reports whether the execution waits for a person who was told the question before.
func (h *Handler) waits(ctx context.Context, signals *signals) (scene, bool) {
	if !signals.waits.Load() {
		return scene{}, false
	}
	s, err := h.read(ctx)
	return s, err == nil && s.open(h.cfg.Agent.Region) && s.asks()
}

// question reads the execution that has just asked.
func (h *Handler) question(ctx context.Context) (failover.Execution, error) {
	s, err := h.look(ctx)
	return s.last, err
}

// late says why an invocation ended before its execution. The journal keeps what was
// done; Lambda asks again, and so does the monitor.
func (h *Handler) late(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errDriven) {
		return errDriven
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(h.cfg.Agent.Policy.CallTimeout, h.cfg.Spare/2))
	defer cancel()
	s, err := h.read(call)
	switch {
	case err != nil:
		return fmt.Errorf("trigger: time is up, and the journal does not say how far it came: %w", errors.Join(context.Cause(ctx), err))
	case s.open(h.cfg.Agent.Region):
		return fmt.Errorf("trigger: time is up while execution %s is %s: it goes on when the function is asked again: %w", s.last.ID, s.last.State, context.Cause(ctx))
	}
	return fmt.Errorf("trigger: time is up before anything began: %w", context.Cause(ctx))
}
