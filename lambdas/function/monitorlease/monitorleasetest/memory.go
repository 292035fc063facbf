// Package monitorleasetest provides a monitorlease.Store in memory, and the suite that it and the
// table's pass.
package monitorleasetest

import (
	"context"
	"sync"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Memory keeps leases. Its zero value is empty, and it is safe for concurrent use.
type Memory struct {
	mu     sync.Mutex
	leases map[dr.Region]monitorlease.Lease
}

var _ monitorlease.Store = (*Memory)(nil)

// Read implements monitorlease.Store.
func (m *Memory) Read(ctx context.Context, region dr.Region) (monitorlease.Lease, error) {
	if err := ctx.Err(); err != nil {
		return monitorlease.Lease{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok := m.leases[region]; ok {
		return t, nil
	}
	return monitorlease.Lease{Region: region}, nil
}

// Write implements monitorlease.Store.
func (m *Memory) Write(ctx context.Context, old, next monitorlease.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.leases[next.Region]
	if !ok {
		now = monitorlease.Lease{Region: next.Region}
	}
	if now != old {
		return monitorlease.ErrMoved
	}
	if m.leases == nil {
		m.leases = make(map[dr.Region]monitorlease.Lease)
	}
	m.leases[next.Region] = next
	return nil
}
