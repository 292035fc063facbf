package failover

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Watch is the [lease.Observer] of a process, shared by what reads the lease in it and by what
// goes by it. It is what makes an expired lease a proof: the holder counted its TTL from
// before it sent the renewal, the watch counts from after it saw it.
type Watch struct {
	mu     sync.Mutex
	origin time.Time // of the observer's instants: the first time that was given
	sees   lease.Observer
	every  time.Duration       // how often it is read at least, when Run reads it
	hear   map[int]func(Lease) // are told of every lease that is read, in order
	hears  int
}

// at is the observer's instant of a time. It is called with the lock held.
func (w *Watch) at(t time.Time) lease.Instant {
	if w.origin.IsZero() {
		w.origin = t
	}
	return t.Sub(w.origin)
}

// look returns what is known now.
func (w *Watch) look() lease.Observer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sees
}

// tell has f called with the lease that is known, and with each one that is read from now
// on, until forget is called.
func (w *Watch) tell(f func(Lease)) (forget func()) {
	w.mu.Lock()
	if w.hear == nil {
		w.hear = make(map[int]func(Lease))
	}
	w.hears++
	id := w.hears
	w.hear[id] = f
	sees := w.sees
	w.mu.Unlock()
	if sees.Known {
		f(sees.Seen)
	}
	return func() {
		w.mu.Lock()
		delete(w.hear, id)
		w.mu.Unlock()
	}
}

// Observe notes that a read which has just returned showed this lease.
func (w *Watch) Observe(l Lease, now time.Time) {
	for _, hear := range w.observe(l, now) {
		hear(l)
	}
}

func (w *Watch) observe(l Lease, now time.Time) (hear []func(Lease)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sees.Overtaken(l) {
		return nil
	}
	w.sees = w.sees.Observe(l, w.at(now))
	for _, id := range slices.Sorted(maps.Keys(w.hear)) {
		hear = append(hear, w.hear[id])
	}
	return hear
}

// observeNone notes that a read which was sent at a time has said that no lease exists.
func (w *Watch) observeNone(asked time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sees = w.sees.ObserveNone(w.at(asked))
}

// observeSome notes that a lease exists which this process has not read yet.
func (w *Watch) observeSome(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sees = w.sees.ObserveSome(w.at(now))
}

// Adopt takes over what another process has told: that a revision had been unchanged for a
// time. It holds from now on.
func (w *Watch) Adopt(rev uint64, unchanged time.Duration, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sees = w.sees.Adopt(rev, unchanged, w.at(now))
}

// Vacant reports whether the store has last said that no lease exists. An error of
// any other kind says nothing.
func (w *Watch) Vacant() bool { return w.look().Vacant() }

// Lease returns the lease last seen, and whether any was.
func (w *Watch) Lease() (Lease, bool) {
	sees := w.look()
	return sees.Seen, sees.Known
}

// Unchanged returns how long the lease has provably not been renewed, up to the
// last time it was read.
func (w *Watch) Unchanged() time.Duration { return w.look().Unchanged() }

// Unserved returns how long no renewal with a committed write behind it was seen, up to the
// last time the lease was read. It is never less than Unchanged.
func (w *Watch) Unserved() time.Duration { return w.look().Unserved() }

// Blind reports whether a lease that has been silent and unserved for these times is renewed
// by a monitor that has not seen its server commit for long: it lives, and whether its server
// does is not known there.
func Blind(p dr.Policy, unchanged, unserved time.Duration) bool {
	return unchanged < p.SilentAfter() && unserved >= RecoveryHold(p)
}

func (w *Watch) blind(p dr.Policy) bool { return Blind(p, w.Unchanged(), w.Unserved()) }

// Moved reports whether the writer's Region has been seen to serve. See [lease.Observer.Moved].
func (w *Watch) Moved() bool { return w.look().Moved() }

// ReadAge returns how long ago the lease was last read.
func (w *Watch) ReadAge(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sees.Age(w.at(now))
}

// Fresh reports whether the lease was read in time to say something about now: within a
// call's deadline, or within two looks where these are rarer.
func (w *Watch) Fresh(now time.Time, p dr.Policy) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sees.Fresh(w.at(now), max(p.CallTimeout, 2*w.every))
}

// Run reads the lease every ObserveInterval until ctx ends. The holder itself learns
// more from its renewals, and looks only once per two of them.
func (w *Watch) Run(ctx context.Context, p dr.Policy, l Leaser, region dr.Region, t *dr.Trace) error {
	p = p.WithDefaults()
	w.mu.Lock()
	w.every = max(p.ObserveInterval, p.RenewInterval)
	w.mu.Unlock()
	var problems problems
	tick := time.NewTicker(p.ObserveInterval)
	defer tick.Stop()
	var read time.Time
	for {
		if held, known := w.Lease(); known && held.Holder == region && time.Since(read) < 2*p.RenewInterval {
			if !next(ctx, tick) {
				return nil
			}
			continue
		}
		read = time.Now()
		call, cancel := context.WithTimeout(ctx, p.CallTimeout)
		got, err := l.ReadLease(call)
		cancel()
		switch {
		case err == nil:
			w.Observe(got, time.Now())
		case errors.Is(err, ErrNoLease):
			w.observeNone(read)
		case ctx.Err() == nil:
			problems.report(t, region, "read lease", err)
		}
		if !next(ctx, tick) {
			return nil
		}
	}
}

// next waits for a tick, and reports false when ctx has ended first.
func next(ctx context.Context, tick *time.Ticker) bool {
	select {
	case <-ctx.Done():
		return false
	case <-tick.C:
		return true
	}
}
