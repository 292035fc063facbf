package turn

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// ErrMoved is returned by Store.Write when the turn is no longer the one that was seen.
var ErrMoved = errors.New("turn: the turn has moved on")

// Turn says which process of a Region acts. The zero Turn of a Region, with no Number,
// is one that nobody has ever taken.
type Turn struct {
	Region   dr.Region
	Holder   string // the process that acts, or was the last to
	Number   uint64 // rises by one with every take
	Beat     uint64 // renewals of this Number
	Next     string // the process that waits; empty when none has claimed
	Released bool   // the holder has stopped acting
}

// Store keeps one turn per Region, linearizably.
type Store interface {
	// Read returns a Region's turn, and one without a Number when it has none.
	Read(ctx context.Context, region dr.Region) (Turn, error)
	// Write replaces old, exactly as it was seen, by what comes after it; ErrMoved when
	// something else is stored. After any other error it may have been carried out, or
	// be carried out yet.
	Write(ctx context.Context, old, next Turn) error
}

func (t Turn) claimed(by string) Turn { t.Next = by; return t }

func (t Turn) renewed() Turn { t.Beat++; return t }

func (t Turn) released() Turn { t.Released = true; return t }

// taken leaves out Next: whoever takes a turn against a claim has proved that the
// claimant didn't.
func (t Turn) taken(by string) Turn {
	return Turn{Region: t.Region, Holder: by, Number: t.Number + 1}
}

// sameBeat reports whether the holder has said nothing new. A claim is not the
// holder's word.
func (t Turn) sameBeat(u Turn) bool {
	return t.Number == u.Number && t.Beat == u.Beat && t.Released == u.Released
}
