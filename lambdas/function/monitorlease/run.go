package monitorlease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Why the context of the work has ended, as context.Cause tells. Otherwise it is Run's
// own context that has ended.
var (
	// ErrYielded: another process waits, and works as soon as this work has returned.
	ErrYielded = errors.New("monitorlease: another process waits for the monitor lease")
	// ErrLapsed: this process has stood still for so long that another one may have the
	// lease. The work is started again when the lease is still its own.
	ErrLapsed = errors.New("monitorlease: the process stood still")
	// ErrUsurped: another process has taken the lease, because it saw no renewal in time.
	ErrUsurped = errors.New("monitorlease: another process has taken the monitor lease")
	// ErrDeadline: Spare is left until the deadline of Run's context.
	ErrDeadline = errors.New("monitorlease: the deadline is near")
)

// Run waits for the monitor lease, works, and hands it over. It returns after the work has, and
// leaves no goroutine.
//
// The work's context ends with one of the causes above: before the lease is another's when
// it is handed over, and as soon as that is seen when it was taken from a process whose
// renewals did not get through. The work must stop acting within Margin, and return soon.
// It is called again when the lease comes back to this process, but never twice at once.
// When the work returns by itself, Run releases the lease and returns its error.
//
// Run returns nil when another process has taken the lease and renewed it, when ctx has ended, or Spare
// before the deadline of ctx.
func Run(ctx context.Context, cfg Config, work func(context.Context) error) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg = cfg.WithDefaults()
	life := ctx
	if deadline, ok := ctx.Deadline(); ok {
		if left := time.Until(deadline); left <= cfg.Spare {
			return fmt.Errorf("monitorlease: run in %s: %v are left of the invocation, and Spare is %v: raise the function's timeout", cfg.Region, left.Round(time.Millisecond), cfg.Spare)
		}
		var cancel context.CancelFunc
		life, cancel = context.WithDeadlineCause(ctx, deadline.Add(-cfg.Spare), ErrDeadline)
		defer cancel()
	}
	r := runner{cfg: cfg, me: cfg.Process + "/" + rand.Text()[:8], work: work, origin: time.Now()}
	return r.run(life)
}

// runner is one process in its Region. Everything but the work is done by one
// goroutine.
type runner struct {
	cfg    Config
	me     string
	work   func(context.Context) error
	origin time.Time // of the watch's instants
	watch  Watch
	behind string
	failed string // the operation that fails and was reported; empty when none does
	reads  pace
	writes pace

	// A take that was sent, and perhaps carried out without an answer; tookAt is from
	// before it was sent.
	took   Lease
	tookAt time.Time
	silent time.Duration
	gap    time.Duration // how long ago the holder before it can have said its last word, at most
}

// at is the instant of a time on this process's clock.
func (r *runner) at(t time.Time) lease.Instant { return t.Sub(r.origin) }

func (r *runner) run(life context.Context) error {
	defer r.depart(context.WithoutCancel(life))
	for life.Err() == nil {
		looked := time.Now()
		seen, err := r.read(life)
		if err == nil {
			switch step := Decide(r.view(seen, false), r.patient()); step {
			case Leave:
				r.event(Event{What: Left, Lease: seen})
				return nil
			case Claim:
				if r.reads.took >= r.cfg.Renew/2 {
					break // a handover would take too long, and the writer's guard would be away meanwhile
				}
				if err := r.write(life, seen, seen.claimed(r.me)); err == nil {
					r.event(Event{What: Claimed, Lease: seen.claimed(r.me)})
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

// take takes the lease and works.
func (r *runner) take(life context.Context, seen Lease) (done bool, err error) {
	if seen != r.took { // else it has been taken, and the answer was lost
		r.took, r.tookAt = seen.taken(r.me), time.Now()
		r.silent, r.gap = r.watch.Unchanged(r.at(r.tookAt)), r.watch.Gap(r.at(r.tookAt))
		if r.write(life, seen, r.took) != nil {
			return false, nil
		}
	}
	held := r.took
	r.took = Lease{}
	r.behind = r.me
	r.event(Event{What: Taken, Lease: held, Silent: r.silent, Gap: r.gap + time.Since(r.tookAt)})
	return r.hold(life, held, r.tookAt)
}

// pause waits for the next look: Poll after the last one, or less when a silence will
// have been proven before.
func (r *runner) pause(life context.Context, looked time.Time) {
	d := time.Until(looked.Add(r.cfg.Poll))
	for _, until := range []time.Duration{r.cfg.TTL + r.cfg.Drift, r.patient().Patience} {
		if left := until - r.watch.Unchanged(r.at(time.Now())); left > 0 {
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

// depart leaves nothing behind that another process would wait for.
func (r *runner) depart(ctx context.Context) {
	for range 3 {
		switch seen := r.watch.lease; {
		case seen.Holder == r.me && !seen.Released:
			if r.write(ctx, seen, seen.released()) == nil {
				r.event(Event{What: Released, Lease: seen.released()})
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
			return // a process that waits counts TTL
		}
	}
}

func (r *runner) view(t Lease, working bool) View {
	now := r.at(time.Now())
	return View{
		Me: r.me, Lease: t, Working: working, Behind: r.behind,
		// The look that shows a renewal and the one before it are two calls apart.
		Alive: r.watch.Alive(now, 2*(r.cfg.Renew+r.reads.took)), Unchanged: r.watch.Unchanged(now),
	}
}

// patient is the configuration with a Patience that leaves a successor the time that the
// store takes now: for a look and for its take, and as much again.
func (r *runner) patient() Config {
	c := r.cfg
	c.Patience = max(c.Patience, min(c.Patience+2*(r.reads.took+r.writes.took), c.TTL))
	return c
}

func (r *runner) read(ctx context.Context) (Lease, error) { return r.readWithin(ctx, 0) }

// readWithin reads the lease, and gives that at least a time.
func (r *runner) readWithin(ctx context.Context, least time.Duration) (Lease, error) {
	call, cancel := context.WithTimeout(ctx, max(least, r.reads.deadline(r.cfg)))
	defer cancel()
	sent := time.Now()
	t, err := r.cfg.Store.Read(call, r.cfg.Region)
	r.reads.note(r.cfg, time.Since(sent), err)
	if r.failure(ctx, "read", err); err != nil {
		return Lease{}, err
	}
	if !r.watch.word.Known {
		r.behind = t.Holder
	}
	r.watch.Observe(t, r.at(sent), r.at(time.Now()))
	return t, nil
}

func (r *runner) write(ctx context.Context, old, next Lease) error {
	call, cancel := context.WithTimeout(ctx, r.writes.deadline(r.cfg))
	defer cancel()
	sent := time.Now()
	err := r.cfg.Store.Write(call, old, next)
	r.writes.note(r.cfg, time.Since(sent), err)
	if r.failure(ctx, "write", err); err != nil {
		return err
	}
	r.watch.Observe(next, r.at(sent), r.at(time.Now()))
	return nil
}

// pace is what a process knows of how fast the store is, for reads or for writes: one may be
// slow and the other not.
type pace struct {
	limit time.Duration // of the next call
	took  time.Duration // by the last one that was answered
}

// deadline is what the next call gets: Call while the store answers, and more while it is
// slow. A deadline below what the store takes would fail every call for ever.
func (p *pace) deadline(c Config) time.Duration { return max(c.Call, p.limit) }

// note learns from a call how much time the next one needs: twice what this one took, and
// twice what it was given when that was not enough, up to TTL.
func (p *pace) note(c Config, took time.Duration, err error) {
	switch given := p.deadline(c); {
	case err == nil || errors.Is(err, ErrMoved):
		p.limit, p.took = min(2*took, c.TTL), took
	case took >= given:
		p.limit = min(2*given, c.TTL)
	}
}

// failure reports the first of several failed calls in a row. Reads that are answered beside
// writes that are not end no row of failures.
func (r *runner) failure(ctx context.Context, op string, err error) {
	failed := err != nil && !errors.Is(err, ErrMoved)
	if failed && r.failed == "" && ctx.Err() == nil {
		r.event(Event{What: Failed, Lease: r.watch.lease, Err: fmt.Errorf("monitorlease: %s the monitor lease of %s: %w", op, r.cfg.Region, err)})
	}
	switch {
	case failed && r.failed == "":
		r.failed = op
	case !failed && (op == r.failed || op == "write"):
		r.failed = ""
	}
}

func (r *runner) event(e Event) {
	if r.cfg.OnEvent != nil {
		e.At = time.Now()
		r.cfg.OnEvent(e)
	}
}
