package monitorlease

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// ErrMoved is returned by Store.Write when another lease is stored than the one that was seen.
var ErrMoved = errors.New("monitorlease: the lease has moved on")

// Lease says which process of a Region acts. The zero Lease of a Region, with no Number,
// is one that was never taken.
type Lease struct {
	Region   dr.Region
	Holder   string // the process that acts, or was the last to
	Number   uint64 // rises by one with every take
	Beat     uint64 // renewals of this Number
	Next     string // the process that waits; empty when none has claimed
	Released bool   // the holder has stopped acting
}

// Store keeps one lease per Region, linearizably.
type Store interface {
	// Read returns a Region's lease, and one without a Number when it has none.
	Read(ctx context.Context, region dr.Region) (Lease, error)
	// Write replaces old, exactly as it was seen, by what comes after it; ErrMoved when
	// something else is stored. After any other error it may have been carried out, or
	// be carried out yet.
	Write(ctx context.Context, old, next Lease) error
}

func (l Lease) claimed(by string) Lease { l.Next = by; return l }

func (l Lease) renewed() Lease { l.Beat++; return l }

func (l Lease) released() Lease { l.Released = true; return l }

// taken leaves out Next: a process that takes a lease against a claim has proved that the
// claimant didn't.
func (l Lease) taken(by string) Lease {
	return Lease{Region: l.Region, Holder: by, Number: l.Number + 1}
}
