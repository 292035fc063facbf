package lease

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Record is the lease as the store keeps it.
type Record struct {
	Epoch     dr.Epoch
	Holder    dr.Region
	Rev       uint64 // rises with every renewal, with a release and with every change of holder
	Execution string // that took this epoch; empty for the first
	// TakenRev is the revision that this epoch began with. TakenAfter is how long
	// the lease before it had been silent on the clock of the party that took it: it
	// is kept here so that a crash right after the take loses nothing.
	TakenRev   uint64
	TakenAfter time.Duration
	// Released says that the holder has given the lease back: it renews no more, and the
	// next epoch may be taken at once.
	Released bool
	// Served is the revision of the last renewal of this epoch that a committed write of
	// the holder's guard stands behind; 0 when none does. A renewal that raises Rev alone keeps
	// the lease and says nothing of whether the Region serves writes: the holder could not ask
	// its server, or the server is closed.
	Served uint64
	// Blind belongs to what is given to a renewal: it has no committed write behind it.
	// What the store returns never has it.
	Blind bool
}
