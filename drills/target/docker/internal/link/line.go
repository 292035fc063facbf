package link

import (
	"context"
	"sync"
	"time"
)

// Line holds items back. Each leaves the delay after it entered, and always in
// the order of entry: when the delay shrinks, items wait for those before them.
type Line[T any] struct {
	limit int
	wake  chan struct{} // has room for one: an item came, or one may be due

	mu    sync.Mutex
	queue []held[T]
	bytes int
	last  time.Time // when the newest item is due
	delay ramp
}

type held[T any] struct {
	item T
	size int
	due  time.Time
}

// ramp is a delay that moves from one value to another in a straight line.
type ramp struct {
	from, to time.Duration
	start    time.Time
	over     time.Duration
}

func (r ramp) at(now time.Time) time.Duration {
	passed := now.Sub(r.start)
	if passed >= r.over {
		return r.to
	}
	return r.from + time.Duration(float64(r.to-r.from)*float64(passed)/float64(r.over))
}

// NewLine returns a Line that delays by delay and holds at most limit bytes.
func NewLine[T any](limit int, delay time.Duration) *Line[T] {
	return &Line[T]{limit: limit, wake: make(chan struct{}, 1), delay: ramp{to: delay}}
}

// SetDelay moves the delay of items yet to enter to delay, in a straight line
// that takes over; zero is a step. Negative delays count as zero.
func (l *Line[T]) SetDelay(delay, over time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.delay = ramp{from: l.delay.at(now), to: max(delay, 0), start: now, over: over}
}

// Delay returns what an item entering now would wait.
func (l *Line[T]) Delay() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delay.at(time.Now())
}

// Push enters an item of size bytes and reports whether there was room for it.
func (l *Line[T]) Push(item T, size int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes+size > l.limit {
		return false
	}
	now := time.Now()
	due := now.Add(l.delay.at(now))
	if due.Before(l.last) {
		due = l.last
	}
	l.last = due
	l.bytes += size
	l.queue = append(l.queue, held[T]{item, size, due})
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// Run hands each item to deliver when it is due, one at a time, until ctx ends.
// Items still held then are gone.
func (l *Line[T]) Run(ctx context.Context, deliver func(T)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		item, wait, ok := l.pop()
		if ok {
			deliver(item)
			continue
		}
		var due <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-due:
		}
	}
}

// pop returns the first item if it is due, else how long until it is; zero
// when nothing is held.
func (l *Line[T]) pop() (item T, wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return item, 0, false
	}
	first := l.queue[0]
	if wait = time.Until(first.due); wait > 0 {
		return item, wait, false
	}
	l.queue[0] = held[T]{}
	l.queue = l.queue[1:]
	l.bytes -= first.size
	return first.item, 0, true
}
