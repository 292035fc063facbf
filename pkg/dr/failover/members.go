package failover

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// members are the reports of the Regions that the topology names. What another Region
// reports counts for nothing: it would be one more vantage, and its word on how long the
// lease has been silent would pass for a proof.
type members struct {
	all      Reports
	topology dr.Topology
	refused  func(error)

	mu   sync.Mutex
	last map[dr.Region]uint64 // of those that don't count: one that reports no more is only left over
}

// Publish implements Reports.
func (m *members) Publish(ctx context.Context, h Report) error { return m.all.Publish(ctx, h) }

// Reports implements Reports.
func (m *members) Reports(ctx context.Context) ([]Report, error) {
	all, err := m.all.Reports(ctx)
	known := m.topology.Vantages()
	return slices.DeleteFunc(slices.Clone(all), func(h Report) bool {
		if slices.Contains(known, h.Region) {
			return false
		}
		if m.reportsStill(h) {
			m.refused(fmt.Errorf("failover: %q reports and is none of %v: its report does not count; stop its monitor, or name it in the topology", h.Region, known))
		}
		return true
	}), err
}

func (m *members) reportsStill(h Report) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.last == nil {
		m.last = make(map[dr.Region]uint64)
	}
	before, seen := m.last[h.Region]
	m.last[h.Region] = h.Seq
	return seen && before != h.Seq
}
