package trigger

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// table keeps a Region's mark in the lease table, in a turn of its own.
type table struct {
	items *dynamo.Store
	key   dr.Region
}

// NewTable returns the Marks of a Region in the lease table.
func NewTable(items *dynamo.Store, region dr.Region) Marks {
	return table{items, region + "/trigger"}
}

// ReadMark implements Marks.
func (t table) ReadMark(ctx context.Context) (Mark, error) {
	seen, err := t.items.ReadTurn(ctx, t.key)
	return Mark{Driver: seen.Holder, Number: seen.Number, Beat: seen.Beat, Released: seen.Released}, err
}

// WriteMark implements Marks.
func (t table) WriteMark(ctx context.Context, old, next Mark) error {
	err := t.items.WriteTurn(ctx, t.turn(old), t.turn(next))
	if errors.Is(err, dynamo.ErrTurnMoved) {
		return ErrMarkMoved
	}
	return err
}

func (t table) turn(m Mark) dynamo.Turn {
	return dynamo.Turn{Region: t.key, Holder: m.Driver, Number: m.Number, Beat: m.Beat, Released: m.Released}
}
