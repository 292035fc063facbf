package lease

import (
	"math"
	"time"
)

// Instant is a moment on one party's own monotonic clock, as the time since an origin that
// this party has chosen. It is never compared with an Instant of another party.
type Instant = time.Duration

// Never is so long ago that every time has passed since.
const Never = Instant(math.MinInt64 / 4)

// Still is what one party knows of a value that another party changes to show that it works:
// the value that was read last, and since when it has not changed. The zero Still knows none.
type Still[V comparable] struct {
	Known bool
	Value V
	Since Instant // after the call that first showed Value had returned
}

// Observe returns what is known after a call that has returned at a time showed v.
func (s Still[V]) Observe(v V, at Instant) Still[V] {
	if s.Known && v == s.Value {
		return s
	}
	return Still[V]{true, v, at}
}

// Unchanged returns for how long the value has provably not changed at a time at which it was
// still there: of the last read, or of a compare-and-swap that it proves. It is 0 while none
// is known.
func (s Still[V]) Unchanged(at Instant) time.Duration {
	if !s.Known {
		return 0
	}
	return at - s.Since
}

// Adopt takes over what another party has told now: that it had read v for a time without a
// change. A duration needs no clock in common. It says nothing of another value, and never
// makes the silence shorter.
func (s Still[V]) Adopt(v V, unchanged time.Duration, now Instant) Still[V] {
	if s.Known && v == s.Value && unchanged > 0 {
		s.Since = min(s.Since, max(now-unchanged, Never))
	}
	return s
}
