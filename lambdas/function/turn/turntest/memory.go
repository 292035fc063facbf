// Package turntest provides a turn.Store in memory, and the suite that it and the
// table's pass.
package turntest

import (
	"context"
	"sync"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Memory keeps turns. Its zero value is empty, and it is safe for concurrent use.
type Memory struct {
	mu    sync.Mutex
	turns map[dr.Region]turn.Turn
}

var _ turn.Store = (*Memory)(nil)

// Read implements turn.Store.
func (m *Memory) Read(ctx context.Context, region dr.Region) (turn.Turn, error) {
	if err := ctx.Err(); err != nil {
		return turn.Turn{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok := m.turns[region]; ok {
		return t, nil
	}
	return turn.Turn{Region: region}, nil
}

// Write implements turn.Store.
func (m *Memory) Write(ctx context.Context, old, next turn.Turn) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.turns[next.Region]
	if !ok {
		now = turn.Turn{Region: next.Region}
	}
	if now != old {
		return turn.ErrMoved
	}
	if m.turns == nil {
		m.turns = make(map[dr.Region]turn.Turn)
	}
	m.turns[next.Region] = next
	return nil
}
