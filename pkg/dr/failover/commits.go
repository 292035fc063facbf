package failover

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// commits tells for how long the writer that a Region answers for has committed nothing.
// It belongs to the goroutine that reports.
type commits struct {
	holds bool
	since time.Time // the Region has held the lease, as far as this process knows
}

// fill adds it to a report of the Region that holds the lease, whatever keeps its writer
// from writing. A Region that has just taken the lease counts from then: what its server
// did before, as a secondary, is no standstill.
func (c *commits) fill(r *dr.Report, g *Guard) {
	held := g != nil && r.Holder == r.Region
	if held && !c.holds {
		c.since = r.At
	}
	if c.holds = held; !held {
		return
	}
	none, _ := g.sinceCommit()
	r.Commits, r.SinceCommit = true, min(none, r.At.Sub(c.since))
}
