package turn

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// term is the time for which this process holds the turn.
type term struct {
	held  Turn
	tried Turn      // the renewal that was sent last
	since time.Time // before it was sent for the first time
}

// hold works and renews until one of them ends, and waits for the work. done means that
// the work has ended by itself. began is from before the turn was taken.
func (r *runner) hold(life context.Context, held Turn, began time.Time) (done bool, err error) {
	valid := r.cfg.TTL - r.cfg.Margin
	left := time.Until(began.Add(valid))
	if left <= 0 {
		return false, nil // taking it took too long
	}
	ctx, cancel := context.WithCancelCause(life)
	defer cancel(nil)
	// By a timer of its own: the work must end in time although a renewal hangs.
	lapse := time.AfterFunc(left, func() { cancel(ErrLapsed) })
	defer lapse.Stop()

	ended := make(chan error, 1)
	go func() { ended <- r.work(ctx) }()
	x := term{held: held}
	next := time.NewTimer(time.Until(began.Add(r.cfg.Renew)))
	defer next.Stop()
	for {
		select {
		case err := <-ended:
			return r.end(ctx, x.held, err)
		case <-ctx.Done():
			return r.end(ctx, x.held, <-ended)
		case <-next.C:
		}
		if ctx.Err() != nil { // both are due, after a call that took long
			return r.end(ctx, x.held, <-ended)
		}
		sent := time.Now()
		step, renewed := r.renew(life, &x)
		switch {
		case step == Yield:
			cancel(ErrYielded)
		case step == Leave:
			cancel(ErrUsurped)
		case renewed:
			lapse.Reset(time.Until(x.since.Add(valid)))
			next.Reset(time.Until(x.since.Add(r.cfg.Renew)))
		default:
			next.Reset(time.Until(sent.Add(r.cfg.Poll)))
		}
	}
}

// renew tries to renew the turn once. When the turn has changed it reads it: the change
// may be a claim, or this process's own renewal whose answer was lost.
func (r *runner) renew(life context.Context, x *term) (step Step, renewed bool) {
	if next := x.held.renewed(); next != x.tried {
		x.tried, x.since = next, time.Now()
	}
	err := r.write(life, x.held, x.tried)
	if err == nil {
		x.held = x.tried
		return Keep, true
	}
	if !errors.Is(err, ErrMoved) {
		return Keep, false
	}
	seen, err := r.read(life)
	if err != nil {
		return Keep, false
	}
	step = Decide(r.view(seen, true), r.cfg)
	if step == Leave || seen.Number != x.held.Number {
		return Leave, false
	}
	// Nobody else writes this holder's beats.
	renewed = seen.Beat == x.tried.Beat
	x.held = seen
	return step, renewed
}

// end says why the work has ended, and hands the turn over when somebody waits.
func (r *runner) end(ctx context.Context, held Turn, err error) (done bool, _ error) {
	if ctx.Err() == nil {
		if err != nil {
			err = fmt.Errorf("turn: work in %s: %w", r.cfg.Region, err)
		}
		return true, err
	}
	cause := context.Cause(ctx)
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, cause) {
		r.event(Event{What: Failed, Turn: held, Err: fmt.Errorf("turn: work in %s: %w", r.cfg.Region, err)})
	}
	switch {
	case errors.Is(cause, ErrLapsed):
		r.event(Event{What: Lapsed, Turn: held})
	case errors.Is(cause, ErrUsurped):
		r.event(Event{What: Usurped, Turn: held})
	case errors.Is(cause, ErrYielded):
		r.event(Event{What: Yielded, Turn: held})
		_ = r.write(context.WithoutCancel(ctx), held, held.released()) // reported; if it failed, the next look releases
	}
	return false, nil
}
