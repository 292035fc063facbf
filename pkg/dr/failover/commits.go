package failover

import (
	"context"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// commits tells for how long the writer that a Region answers for has committed nothing.
// It belongs to the goroutine that reports.
type commits struct {
	holds bool
	since time.Time // the Region has held the lease, as far as this process knows
}

// writes asks the local server for its role while no lease is known: a process that starts
// while the store is away can't know from the lease whose writer it answers for. What the
// server has last said holds when it does not answer.
func (a *agent) writes(ctx context.Context) {
	if a.cfg.Guard.Roles == nil {
		return
	}
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.GuardTimeout())
	defer cancel()
	role, err := a.cfg.Guard.Roles.Role(call)
	if err != nil {
		return // the guard tells what fails between it and its server
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writer = role == RoleWriter
}

// fill adds it to a report of the Region that holds the lease, or whose server says that it is
// the writer while no lease is known, whatever keeps that writer from writing. A Region that
// has just taken the lease counts from then: what its server did before, as a secondary, is no
// standstill.
func (c *commits) fill(r *dr.Report, g *Guard, writer bool) {
	held := g != nil && (r.Holder == r.Region || r.Holder == "" && writer)
	if held && !c.holds {
		c.since = r.At
	}
	if c.holds = held; !held {
		return
	}
	none, _ := g.sinceCommit()
	r.Commits, r.SinceCommit = true, min(none, r.At.Sub(c.since))
}
