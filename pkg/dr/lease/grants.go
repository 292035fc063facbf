package lease

import "time"

// Grants are the two things that let the holder's writer be open, each for a time on the
// holder's own clock. Either is enough.
type Grants struct {
	// StoreAt is from before the last renewal was sent that the store has confirmed.
	StoreAt Instant
	// PeerAt is from before the heartbeat write was sent by naming which the other member has
	// promised not to take the lease.
	PeerAt Instant
}

// End returns when the later of them has run out. valid is how long one lasts.
func (g Grants) End(valid time.Duration) Instant { return g.Youngest() + valid }

// Youngest returns what the later of them counts from.
func (g Grants) Youngest() Instant { return max(g.StoreAt, g.PeerAt) }
