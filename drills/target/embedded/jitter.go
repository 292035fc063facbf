package embedded

import (
	"context"
	"hash/fnv"
	"strconv"
	"time"
)

// mostJitter bounds what a call needs beyond the distance. It is no round number, so that
// no sum of delays and periods comes out even.
const mostJitter = 997_331 * time.Nanosecond

// jitter is what a call needs beyond the distance: drawn from the seed, from the moment
// and from what is asked. Calls that begin together thus end one after the other, in an
// order that is the seed's and not the scheduler's, and a seed can be replayed.
func (w *world) jitter(what ...string) time.Duration {
	h := fnv.New64a()
	for _, s := range what {
		_, _ = h.Write([]byte(s)) // never fails
	}
	_, _ = h.Write(strconv.AppendInt(strconv.AppendUint(nil, w.setup.Seed, 36), int64(w.Clock()), 36))
	return time.Duration(h.Sum64() % uint64(mostJitter))
}

// pause waits, or returns why it did not.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
