package failover

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Watch remembers since when the lease has not changed, on this process's
// monotonic clock. It is what makes an expired lease a proof: the holder counted
// its TTL from before it sent the renewal, the watch counts from after it saw it.
type Watch struct {
	mu     sync.Mutex
	lease  Lease
	known  bool
	moved  bool                // it has been seen to change
	since  time.Time           // when this revision was first seen
	served time.Time           // when the last renewal with a committed write behind it was first seen
	readAt time.Time           // when the lease was last read
	vacant bool                // the store has said since that there is none
	every  time.Duration       // how often it is read at least, when Run reads it
	hear   map[int]func(Lease) // are told of every lease that is read, in order
	hears  int
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
	l, known := w.lease, w.known
	w.mu.Unlock()
	if known {
		f(l)
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
	if w.known && l.Rev < w.lease.Rev {
		return nil // an older answer that arrived late
	}
	if !w.known || l.Epoch != w.lease.Epoch || l.Served != w.lease.Served {
		w.moved, w.served = w.moved || w.known, now
	}
	if !w.known || l.Rev != w.lease.Rev {
		w.lease, w.known, w.since = l, true, now
	}
	w.readAt, w.vacant = now, false
	for _, id := range slices.Sorted(maps.Keys(w.hear)) {
		hear = append(hear, w.hear[id])
	}
	return hear
}

// observeNone notes that a read which was asked at a time has said that no lease
// exists. One that was overtaken by a lease says nothing.
func (w *Watch) observeNone(asked time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.vacant = w.vacant || asked.After(w.readAt)
}

// observeSome notes that a lease exists which this process has not read yet.
func (w *Watch) observeSome(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		w.readAt, w.vacant = now, false
	}
}

// Vacant reports whether the store has last said that no lease exists. An error of
// any other kind says nothing.
func (w *Watch) Vacant() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.vacant
}

// Adopt takes over the report of another process that a revision had been unchanged
// for a time. A duration needs no clock in common, so it holds from now on.
func (w *Watch) Adopt(rev uint64, unchanged time.Duration, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if since := now.Add(-unchanged); w.known && w.lease.Rev == rev && since.Before(w.since) {
		w.since = since
	}
}

// Lease returns the lease last seen, and whether any was.
func (w *Watch) Lease() (Lease, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lease, w.known
}

// Unchanged returns how long the lease has provably not been renewed, up to the
// last time it was read.
func (w *Watch) Unchanged() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		return 0
	}
	return w.readAt.Sub(w.since)
}

// Unserved returns how long no renewal with a committed write behind it was seen, up to the
// last time the lease was read. It is never less than Unchanged.
func (w *Watch) Unserved() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		return 0
	}
	return w.readAt.Sub(earlier(w.served, w.since))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Moved reports whether the writer's Region has been seen to serve: a renewal with a
// committed write behind it has come, or another epoch. Before that, a short
// silence says nothing: the watch may be younger than the silence.
func (w *Watch) Moved() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moved
}

// ReadAge returns how long ago the lease was last read.
func (w *Watch) ReadAge(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Sub(w.readAt)
}

// Fresh reports whether the lease was read in time to say something about now: within a
// call's deadline, or within two looks where these are rarer.
func (w *Watch) Fresh(now time.Time, p dr.Policy) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Sub(w.readAt) <= max(p.CallTimeout, 2*w.every)
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
		lease, err := l.ReadLease(call)
		cancel()
		switch {
		case err == nil:
			w.Observe(lease, time.Now())
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
