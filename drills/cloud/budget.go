package cloud

import (
	"sync"
	"time"
)

// bucket is what a Region's API answers for the account: rate requests a second, and
// burst at once after a rest.
type bucket struct {
	rate, load, burst float64

	mu     sync.Mutex
	tokens float64
	at     time.Time
}

func newBucket(rate, load, burst float64) *bucket {
	return &bucket{rate: rate, load: load, burst: burst, tokens: burst}
}

// take reports whether one more request is answered. What others send is taken first: they
// are refused as often, but not less than this account's own, so nothing is left below
// one request.
func (b *bucket) take(now time.Time) bool {
	if b.rate < 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() {
		b.tokens = min(b.burst, max(0, b.tokens+now.Sub(b.at).Seconds()*(b.rate-b.load)))
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
