package lease_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// written is a revision that the store has had, from a time on.
type written struct {
	lease.Record
	at time.Duration
}

// party reads the lease on a clock of its own.
type party struct {
	lease.Observer
	origin time.Duration  // of its instants
	flying []func()       // answers that have not arrived yet
	store  *[]written     // what the store has had
	now    *time.Duration // the time of the world, which no party knows
	rnd    *rand.Rand
}

func (p *party) at() lease.Instant { return *p.now - p.origin }

// read sends a read. The store shows what it has, now or a moment later, and the answer
// arrives at some time, perhaps after a later one.
func (p *party) read() {
	shown := (*p.store)[len(*p.store)-1].Record
	p.flying = append(p.flying, func() {
		before := p.Observer
		p.Observer = p.Observe(shown, p.at())
		if before.Known && shown.Rev < before.Seen.Rev && p.Observer != before {
			panic("an older answer has changed what is known")
		}
	})
}

func (p *party) arrive() {
	if len(p.flying) == 0 {
		return
	}
	i := p.rnd.IntN(len(p.flying))
	f := p.flying[i]
	p.flying = append(p.flying[:i:i], p.flying[i+1:]...)
	f()
}

// adopt hears from another party how long it had known the lease to be unchanged.
func (p *party) adopt(o *party) {
	if !o.Known {
		return
	}
	before := p.Unchanged()
	p.Observer = p.Adopt(o.Seen.Rev, o.Unchanged(), p.at())
	if p.Unchanged() < before {
		panic("another party's word has made the silence shorter")
	}
}

// The silence that a party has counted, itself or by another one's word, is never longer than
// the lease has stood still in the store. That is the proof on which an epoch is taken, so it
// is held against every order of renewals, reads, late answers and reports.
func TestNoSilenceIsLongerThanTheStores(t *testing.T) {
	longest, adopted := time.Duration(0), 0
	for seed := range uint64(600) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		now := time.Duration(rnd.Int64N(int64(time.Hour)))
		store := []written{{rev(1), now}}
		served := now // when the last renewal with a write behind it, or the last epoch, was written
		parties := make([]*party, 3)
		for i := range parties {
			parties[i] = &party{origin: now - time.Duration(rnd.Int64N(int64(time.Hour))) + 30*time.Minute, store: &store, now: &now, rnd: rnd}
		}
		for range 200 {
			now += time.Duration(rnd.Int64N(int64(300 * time.Millisecond)))
			last := store[len(store)-1].Record
			p := parties[rnd.IntN(len(parties))]
			switch n := rnd.IntN(20); {
			case n == 0:
				last.Rev++
				last.Served = last.Rev
				store, served = append(store, written{last, now}), now
			case n == 1:
				last.Rev++
				store = append(store, written{last, now})
			case n == 2 && rnd.IntN(4) == 0:
				store, served = append(store, written{lease.Record{Epoch: last.Epoch + 1, Holder: west, Rev: last.Rev + 1}, now}), now
			case n < 10:
				p.read()
			case n < 17:
				p.arrive()
			default:
				before := p.Unchanged()
				p.adopt(parties[rnd.IntN(len(parties))])
				if p.Unchanged() > before {
					adopted++
				}
			}
			for i, p := range parties {
				if !p.Known {
					require.Zero(t, p.Unchanged())
					continue
				}
				seen := store[p.Seen.Rev-1] // one revision each
				readAt := p.SeenAt + p.origin
				switch latest := p.Seen.Rev == store[len(store)-1].Rev; {
				case p.Unchanged() > readAt-seen.at:
					require.Fail(t, "longer than the revision has stood", "seed %d, party %d, revision %d", seed, i, p.Seen.Rev)
				case p.Unchanged() < 0 || p.Unserved() < p.Unchanged():
					require.Fail(t, "no silence", "seed %d, party %d: %v, unserved %v", seed, i, p.Unchanged(), p.Unserved())
				case latest && p.Unserved() > readAt-served:
					require.Fail(t, "longer than the Region has not served", "seed %d, party %d", seed, i)
				}
				longest = max(longest, p.Unchanged())
			}
		}
	}
	require.Greater(t, longest, 2*time.Second, "no run has seen a silence")
	require.Greater(t, adopted, 100, "no word has ever told more than its own look")
}

// Between two looks the silence grows by what the clock has run at most, and a new revision
// ends it.
func TestSilenceGrowsNoFasterThanTheClock(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var o lease.Observer
		now, n := lease.Instant(rnd.Int64N(int64(time.Hour)))-30*time.Minute, uint64(1)
		o = o.Observe(rev(n), now)
		for range 100 {
			dt := time.Duration(rnd.Int64N(int64(time.Second)))
			now += dt
			before, next := o, n
			if rnd.IntN(4) == 0 {
				next++
			}
			o, n = o.Observe(rev(next), now), next
			if next > before.Seen.Rev {
				require.Zero(t, o.Unchanged(), "seed %d: a silence outlives a new revision", seed)
				continue
			}
			require.Equal(t, before.Unchanged()+dt, o.Unchanged(), "seed %d", seed)
		}
	}
}
