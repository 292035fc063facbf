package turn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// Why the context of the work has ended, as context.Cause tells. Otherwise it is Run's
// own context that has ended.
var (
	// ErrYielded: another process waits, and works as soon as this work has returned.
	ErrYielded = errors.New("turn: another process waits for the turn")
	// ErrLapsed: no renewal got through in time. Nobody else may be able to act either, so
	// the work must leave nothing open that needs somebody to watch it: a writer's guard
	// fences it. The work is started again when the store answers.
	ErrLapsed = errors.New("turn: no renewal in time")
	// ErrUsurped: another process has the turn, although it was renewed in time. A clock
	// is broken, or somebody has edited the record.
	ErrUsurped = errors.New("turn: another process has taken the turn")
	// ErrDeadline: Spare is left until the deadline of Run's context.
	ErrDeadline = errors.New("turn: the deadline is near")
)

// Run waits for the turn, works, and hands it over. It returns after the work has, and
// leaves no goroutine.
//
// The work's context ends, with one of the causes above, Margin before the turn can be
// another's; the work must stop acting within Margin, and return soon. It is called
// again when the turn comes back to this process, but never twice at once. When the
// work returns by itself, Run releases the turn and returns its error.
//
// Run returns nil when another process has taken the turn and renewed it, when ctx has ended, or Spare
// before the deadline of ctx.
func Run(ctx context.Context, cfg Config, work func(context.Context) error) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg = cfg.WithDefaults()
	life := ctx
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); left <= cfg.Spare {
			return fmt.Errorf("turn: run in %s: %v are left of the invocation, and Spare is %v: raise the function's timeout", cfg.Region, left.Round(time.Millisecond), cfg.Spare)
		}
		var cancel context.CancelFunc
		life, cancel = context.WithDeadlineCause(ctx, deadline.Add(-cfg.Spare), ErrDeadline)
		defer cancel()
	}
	r := runner{cfg: cfg, me: cfg.Process + "/" + rand.Text()[:8], work: work}
	return r.run(life)
}

// runner is one process in its Region. Everything but the work is done by one
// goroutine.
type runner struct {
	cfg    Config
	me     string
	work   func(context.Context) error
	watch  Watch
	behind string
	failed bool // so did the last call

	// A take that was sent, and perhaps carried out without an answer; tookAt is from
	// before it was sent.
	took   Turn
	tookAt time.Time
	silent time.Duration
	heard  time.Time // before the last word of the holder before it
}

func (r *runner) run(life context.Context) error {
	defer r.depart(context.WithoutCancel(life))
	for life.Err() == nil {
		looked := time.Now()
		seen, err := r.read(life)
		if err == nil {
			switch step := Decide(r.view(seen, false), r.cfg); step {
			case Leave:
				r.event(Event{What: Left, Turn: seen})
				return nil
			case Claim:
				if err := r.write(life, seen, seen.claimed(r.me)); err == nil {
					r.event(Event{What: Claimed, Turn: seen.claimed(r.me)})
				}
			case Yield:
				_ = r.write(life, seen, seen.released()) // reported; the next look decides anew
			case Take:
				if done, err := r.take(life, seen); done {
					return err
				}
			}
		}
		r.pause(life, looked)
	}
	return nil
}

// take takes the turn and works.
func (r *runner) take(life context.Context, seen Turn) (done bool, err error) {
	if seen != r.took { // else it has been taken, and the answer was lost
		r.took, r.tookAt, r.silent = seen.taken(r.me), time.Now(), r.watch.Unchanged(time.Now())
		r.heard = r.watch.heard
		if r.write(life, seen, r.took) != nil {
			return false, nil
		}
	}
	held := r.took
	r.took = Turn{}
	r.behind = r.me
	r.event(Event{What: Taken, Turn: held, Silent: r.silent, Gap: time.Since(r.heard)})
	return r.hold(life, held, r.tookAt)
}

// pause waits for the next look: Poll after the last one, or less when a silence will
// have been proven before.
func (r *runner) pause(life context.Context, looked time.Time) {
	d := time.Until(looked.Add(r.cfg.Poll))
	for _, until := range []time.Duration{r.cfg.TTL + r.cfg.Drift, r.cfg.Patience} {
		if left := until - r.watch.Unchanged(time.Now()); left > 0 {
			d = min(d, left)
		}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-life.Done():
	case <-t.C:
	}
}

// depart leaves nothing behind that somebody would wait for.
func (r *runner) depart(ctx context.Context) {
	for range 3 {
		switch seen := r.watch.turn; {
		case seen.Holder == r.me && !seen.Released:
			if r.write(ctx, seen, seen.released()) == nil {
				r.event(Event{What: Released, Turn: seen.released()})
				return
			}
		case seen.Next == r.me:
			if r.write(ctx, seen, seen.claimed("")) == nil {
				return
			}
		default:
			return
		}
		if _, err := r.read(ctx); err != nil {
			return // whoever waits counts TTL
		}
	}
}

func (r *runner) view(t Turn, working bool) View {
	now := time.Now()
	return View{
		Me: r.me, Turn: t, Working: working, Behind: r.behind,
		Alive: r.watch.Alive(now, 2*r.cfg.Renew), Unchanged: r.watch.Unchanged(now),
	}
}

func (r *runner) read(ctx context.Context) (Turn, error) {
	call, cancel := context.WithTimeout(ctx, r.cfg.Call)
	defer cancel()
	sent := time.Now()
	t, err := r.cfg.Store.Read(call, r.cfg.Region)
	if r.failure(ctx, "read", err); err != nil {
		return Turn{}, err
	}
	if !r.watch.known {
		r.behind = t.Holder
	}
	r.watch.Observe(t, sent, time.Now())
	return t, nil
}

func (r *runner) write(ctx context.Context, old, next Turn) error {
	call, cancel := context.WithTimeout(ctx, r.cfg.Call)
	defer cancel()
	sent := time.Now()
	err := r.cfg.Store.Write(call, old, next)
	if r.failure(ctx, "write", err); err != nil {
		return err
	}
	r.watch.Observe(next, sent, time.Now())
	return nil
}

// failure reports the first of several failed calls in a row.
func (r *runner) failure(ctx context.Context, op string, err error) {
	failed := err != nil && !errors.Is(err, ErrMoved)
	if failed && !r.failed && ctx.Err() == nil {
		r.event(Event{What: Failed, Turn: r.watch.turn, Err: fmt.Errorf("turn: %s the turn of %s: %w", op, r.cfg.Region, err)})
	}
	r.failed = failed
}

func (r *runner) event(e Event) {
	if r.cfg.OnEvent != nil {
		e.At = time.Now()
		r.cfg.OnEvent(e)
	}
}
