package monitorlease

import (
	"context"
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// table keeps leases in the lease table.
type table struct{ items *dynamo.Store }

// NewTable returns the Store on the lease table.
func NewTable(items *dynamo.Store) Store { return table{items} }

func (t table) Read(ctx context.Context, r dr.Region) (Lease, error) {
	seen, err := t.items.ReadMonitorLease(ctx, r)
	return Lease(seen), err
}

func (t table) Write(ctx context.Context, old, next Lease) error {
	err := t.items.WriteMonitorLease(ctx, dynamo.MonitorLease(old), dynamo.MonitorLease(next))
	if errors.Is(err, dynamo.ErrMonitorLeaseMoved) {
		return ErrMoved
	}
	return err
}
