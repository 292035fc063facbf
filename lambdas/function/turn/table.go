package turn

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// table keeps turns in the lease table.
type table struct{ items *dynamo.Store }

// NewTable returns the Store on the lease table.
func NewTable(items *dynamo.Store) Store { return table{items} }

func (t table) Read(ctx context.Context, r dr.Region) (Turn, error) {
	seen, err := t.items.ReadTurn(ctx, r)
	return Turn(seen), err
}

func (t table) Write(ctx context.Context, old, next Turn) error {
	err := t.items.WriteTurn(ctx, dynamo.Turn(old), dynamo.Turn(next))
	if errors.Is(err, dynamo.ErrTurnMoved) {
		return ErrMoved
	}
	return err
}
