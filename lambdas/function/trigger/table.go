package trigger

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// table keeps a Region's mark in the lease table, as a monitor lease of its own.
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
	seen, err := t.items.ReadMonitorLease(ctx, t.key)
	return Mark{Driver: seen.Holder, Number: seen.Number, Beat: seen.Beat, Released: seen.Released}, err
}

// WriteMark implements Marks.
func (t table) WriteMark(ctx context.Context, old, next Mark) error {
	err := t.items.WriteMonitorLease(ctx, t.item(old), t.item(next))
	if errors.Is(err, dynamo.ErrMonitorLeaseMoved) {
		return ErrMarkMoved
	}
	return err
}

func (t table) item(m Mark) dynamo.MonitorLease {
	return dynamo.MonitorLease{Region: t.key, Holder: m.Driver, Number: m.Number, Beat: m.Beat, Released: m.Released}
}
