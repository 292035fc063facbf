package monitorlease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// term is the time for which this process holds the lease.
type term struct {
	held  Lease
	tried Lease     // the renewal that was sent last
	since time.Time // before it was sent for the first time
	heard time.Time // before the last renewal was sent that was carried out
}

// hold works and renews until one of them ends, and waits for the work. done means that
// the work has ended by itself. began is from before the lease was taken.
//
// A lease that could not be renewed in time may be another's, and may not: when the table is
// silent, none can take it. The work goes on until another process is seen to have it. See
// the package's comment for why two at once do no harm.
func (r *runner) hold(life context.Context, held Lease, began time.Time) (done bool, err error) {
	valid := r.cfg.TTL - r.cfg.Margin
	ctx, cancel := context.WithCancelCause(life)
	defer cancel(nil)
	w := newLateness(began.Add(valid), r.cfg.Margin, func() { cancel(ErrLapsed) })
	defer w.stop()

	ended := make(chan error, 1)
	go func() { ended <- r.work(ctx) }()
	x := term{held: held, heard: began}
	lapsed := false
	next := time.NewTimer(time.Until(began.Add(r.cfg.Renew)))
	defer next.Stop()
	for {
		select {
		case err := <-ended:
			return r.end(ctx, x.held, err)
		case <-ctx.Done():
			return r.end(ctx, x.held, <-ended)
		case <-w.late:
			if !lapsed {
				r.event(Event{What: Lapsed, Lease: x.held})
			}
			lapsed = true
			continue
		case <-next.C:
		}
		if ctx.Err() != nil { // both are due, after a call that took long
			return r.end(ctx, x.held, <-ended)
		}
		if len(w.late) > 0 { // it is told before the next call
			next.Reset(0)
			continue
		}
		sent := time.Now()
		step, renewed := r.renew(life, &x)
		switch {
		case step == Yield:
			cancel(ErrYielded)
		case step == Leave:
			cancel(ErrUsurped)
		case renewed:
			lapsed = lapsed && time.Since(x.since) >= valid
			w.renewed(x.since.Add(valid))
			next.Reset(time.Until(x.since.Add(r.cfg.Renew)))
		default:
			next.Reset(time.Until(sent.Add(r.cfg.Poll)))
		}
	}
}

// lateness sees when a renewal is late, and whether that is because the process stood still.
type lateness struct {
	late   chan struct{} // has room for one: the renewal is late
	stood  func()
	margin time.Duration

	mu    sync.Mutex
	due   time.Time // when the renewal is late, or the next look at whether the process stood still
	timer *time.Timer
}

// newLateness calls stood when its timer fires more than margin after it is due: a process
// that stood still must not go on with what it knew. It has a timer of its own, because a
// renewal may hang.
func newLateness(due time.Time, margin time.Duration, stood func()) *lateness {
	w := &lateness{late: make(chan struct{}, 1), stood: stood, margin: margin}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.set(due), w.fire)
	return w
}

// set notes when a renewal is late, now when it took too long already, and returns how long
// that is away.
func (w *lateness) set(due time.Time) time.Duration {
	now := time.Now()
	if due.Before(now) {
		due = now
	}
	w.due = due
	return due.Sub(now)
}

func (w *lateness) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	switch {
	case now.Before(w.due): // it was moved meanwhile
	case now.Sub(w.due) > w.margin:
		w.stood()
	default:
		select {
		case w.late <- struct{}{}:
		default:
		}
		w.due = now.Add(w.margin)
		w.timer.Reset(w.margin)
	}
}

// renewed moves the time at which the next renewal is late.
func (w *lateness) renewed(due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Reset(w.set(due))
	select {
	case <-w.late:
	default:
	}
}

func (w *lateness) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
}

// renew tries to renew the lease once. When that was refused, or not answered, it reads the
// lease: it may have changed by a claim, or by this process's own renewal whose answer was
// lost.
func (r *runner) renew(life context.Context, x *term) (step Step, renewed bool) {
	if next := x.held.renewed(); next != x.tried {
		x.tried, x.since = next, time.Now()
	}
	err := r.write(life, x.held, x.tried)
	if err == nil {
		x.held, x.heard = x.tried, x.since
		return Keep, true
	}
	var least time.Duration
	moved := errors.Is(err, ErrMoved)
	if moved {
		// A process that has claimed the lease takes it when TTL has passed: until then it is
		// worth waiting for the answer, also of a store that has been fast so far.
		least = time.Until(x.heard.Add(r.cfg.TTL))
	}
	seen, err := r.readWithin(life, least)
	if err != nil {
		return Keep, false
	}
	if !moved && seen == x.held {
		return Keep, false // it was not carried out, or not yet
	}
	step = Decide(r.view(seen, true), r.cfg)
	if step == Leave || seen.Number != x.held.Number {
		return Leave, false
	}
	// No other process writes this holder's beats.
	if renewed = seen.Beat == x.tried.Beat; renewed {
		x.heard = x.since
		if !moved {
			r.writes.limit = 0 // its answer was lost, which more time would not have brought
		}
	}
	x.held = seen
	return step, renewed
}

// end says why the work has ended, and hands the lease over when another process waits.
func (r *runner) end(ctx context.Context, held Lease, err error) (done bool, _ error) {
	if ctx.Err() == nil {
		if err != nil {
			err = fmt.Errorf("monitorlease: work in %s: %w", r.cfg.Region, err)
		}
		return true, err
	}
	cause := context.Cause(ctx)
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, cause) {
		r.event(Event{What: Failed, Lease: held, Err: fmt.Errorf("monitorlease: work in %s: %w", r.cfg.Region, err)})
	}
	switch {
	case errors.Is(cause, ErrLapsed):
		r.event(Event{What: Lapsed, Lease: held})
	case errors.Is(cause, ErrUsurped):
		r.event(Event{What: Usurped, Lease: held})
	case errors.Is(cause, ErrYielded):
		r.event(Event{What: Yielded, Lease: held})
		_ = r.write(context.WithoutCancel(ctx), held, held.released()) // reported; if it failed, the next look releases
	}
	return false, nil
}
