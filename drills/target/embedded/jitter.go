package embedded

import (
	"context"
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
	h := uint64(fnvOffset)
	for _, s := range what {
		h = mix(h, s)
	}
	var text [40]byte
	h = mix(h, strconv.AppendInt(strconv.AppendUint(text[:0], w.setup.Seed, 36), int64(w.Clock()), 36))
	return time.Duration(h % uint64(mostJitter))
}

// mix goes on with a hash as fnv.New64a of hash/fnv does, which would copy each text and
// allocate for each call.
func mix[T string | []byte](h uint64, text T) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * fnvPrime
	}
	return h
}

const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

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
