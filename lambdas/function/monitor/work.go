package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// work runs the Region's agent while this process holds the monitor lease. It returns when ctx
// has ended, and only after everything that acts has stopped.
//
// The process that takes over finds the writer as it is, and has LeaseTTL to renew. In a cut
// no process may renew or see it: left is given the agent, whose handover guard then closes the
// writer, beside what follows.
func (h *Handler) work(ctx context.Context, left func(worker)) error {
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	died := make(chan error, 1)
	trace := dr.Join(h.trace, h.deaths(died))
	a, err := h.cfg.Agent.start(trace)
	if err != nil {
		return err
	}
	if d, ok := h.asks.(caller); ok {
		defer func() {
			if err := d.HangUp(); err != nil {
				trace.OnProblem(dr.Problem{At: time.Now(), Region: h.region, Op: "ask the trigger", Err: err})
			}
		}()
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.Run(run) })
	if h.cfg.Role != nil {
		wg.Go(func() { h.publish(run, trace) })
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-died:
	}
	end()
	wg.Wait()
	left(a)
	return err
}

// caller is an invoker with calls that stay open. work gives them up when the
// agent that asked has stopped; what was asked for goes on.
type caller interface {
	// HangUp returns the error of a call that was not told yet.
	HangUp() error
}

// deaths sees the first problem that is fatal.
func (h *Handler) deaths(died chan<- error) *dr.Trace {
	return &dr.Trace{Problem: func(p dr.Problem) {
		if h.cfg.Fatal == nil || !h.cfg.Fatal(p.Err) {
			return
		}
		select {
		case died <- p.Err:
		default:
		}
	}}
}
