package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// work is one turn. It returns when ctx has ended, and only after everything has stopped.
//
// Whoever takes over finds the writer as it is, and has LeaseTTL to renew. When nobody
// can take over, because the turn was lost to a silent store and not to a successor, the
// guard is left at work until it has closed the writer: a context that ends would
// otherwise take the fence away in the very cut that it is for.
func (h *Handler) work(ctx context.Context) error {
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	w := &observer{fatal: h.cfg.Fatal, died: make(chan error, 1), closed: make(chan struct{}, 1), renewed: make(chan struct{}, 1)}
	cfg := h.cfg.Agent
	cfg.Trace, cfg.Leaser = dr.Join(cfg.Trace, w.trace()), leaser{cfg.Leaser, w}
	a, err := failover.NewAgent(cfg)
	if err != nil {
		end()
		return err
	}
	if d, ok := cfg.Deputy.(caller); ok {
		defer func() {
			if err := d.HangUp(); err != nil {
				cfg.Trace.OnProblem(dr.Problem{At: time.Now(), Region: cfg.Region, Op: "ask the deputy", Err: err})
			}
		}()
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer end()
	wg.Go(func() { _ = a.Run(run) })
	if h.cfg.Role != nil {
		wg.Go(func() { h.publish(run, cfg.Trace) })
	}
	var died error
	select {
	case <-ctx.Done():
		if h.cfg.Alone == nil || !h.cfg.Alone(context.Cause(ctx)) {
			return nil
		}
	case died = <-w.died:
	}
	h.leaveClosed(w)
	return died
}

// caller is a deputy with calls that stay open. The turn that asked gives them up when
// its agent has stopped; what was asked for goes on.
type caller interface {
	// HangUp returns the error of a call that was not told yet.
	HangUp() error
}

// leaveClosed waits until the guard has closed the writer, if the writer may be here. A
// renewal that succeeds shows that the store answers again: then the turn can be had
// again, and whoever has it guards.
func (h *Handler) leaveClosed(w *observer) {
	if h.cfg.Agent.Guard == nil || !w.mayHold(h.cfg.Agent.Region) {
		return
	}
	for len(w.renewed) > 0 {
		<-w.renewed // one from before
	}
	p := h.cfg.Agent.Policy
	// The guard fences before the lease runs out, and cuts off who doesn't answer.
	limit := time.NewTimer(p.LeaseTTL + 2*p.CallTimeout)
	defer limit.Stop()
	select {
	case <-w.closed:
	case <-w.renewed:
	case <-limit.C:
	}
}

// observer sees what an agent does.
type observer struct {
	fatal   func(error) bool
	died    chan error    // an error that is fatal
	closed  chan struct{} // has an element while the writer is closed by the guard
	renewed chan struct{} // has an element when the lease was renewed

	mu    sync.Mutex
	lease failover.Lease // as last seen
}

func (w *observer) trace() *dr.Trace {
	return &dr.Trace{
		Lease: func(c dr.LeaseChange) {
			switch c.What {
			case dr.LeaseFenced, dr.LeaseIsolated:
				signal(w.closed)
			case dr.LeaseOpened:
				select {
				case <-w.closed:
				default:
				}
			}
		},
		Problem: func(p dr.Problem) {
			if w.fatal == nil || !w.fatal(p.Err) {
				return
			}
			select {
			case w.died <- p.Err:
			default:
			}
		},
	}
}

// mayHold reports whether a Region may hold the lease: it does, or nobody has been seen to.
func (w *observer) mayHold(r dr.Region) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lease.Holder == "" || w.lease.Holder == r
}

// leaser lets an observer see the lease.
type leaser struct {
	failover.Leaser
	observer *observer
}

func (l leaser) ReadLease(ctx context.Context) (failover.Lease, error) {
	return l.observer.saw(l.Leaser.ReadLease(ctx))
}

func (l leaser) RenewLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	got, err := l.observer.saw(l.Leaser.RenewLease(ctx, held))
	if err == nil {
		signal(l.observer.renewed)
	}
	return got, err
}

func (w *observer) saw(l failover.Lease, err error) (failover.Lease, error) {
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if l.Rev >= w.lease.Rev {
			w.lease = l
		}
	}
	return l, err
}

// signal puts an element into a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
