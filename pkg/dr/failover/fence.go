package failover

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// fenceLoop closes the writer LeaseMargin before its lease can run out. It shares
// no goroutine with the renewals: a call that hangs must not delay it.
func (g *Guard) fenceLoop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		g.mu.Lock()
		due, wait := g.fenceDue(time.Now())
		if due {
			g.fence.closed = true
		}
		g.mu.Unlock()
		if due {
			g.close(ctx)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// fenceDue reports whether the writer must be closed now, or how long to wait.
func (g *Guard) fenceDue(now time.Time) (bool, time.Duration) {
	switch {
	case g.fence.closed && !g.fence.acked:
		return true, 0
	case !g.armed, g.fence.closed:
		return false, time.Hour
	}
	left := g.renewedAt.Add(g.cfg.Policy.LeaseTTL - g.cfg.Policy.LeaseMargin).Sub(now)
	return left <= 0, max(left, time.Millisecond)
}

// close makes the writer read-only and does not return before the server has
// confirmed it or ctx has ended. A server that doesn't answer is cut off at once, and
// that is all that a rear guard waits for.
func (g *Guard) close(ctx context.Context) {
	tick := time.NewTicker(g.cfg.Policy.PollInterval)
	defer tick.Stop()
	for {
		g.mu.Lock()
		epoch, rev, isolated, closed, behind := g.lease.Epoch, g.lease.Rev, g.fence.isolated, g.fence.closed, g.rear
		g.mu.Unlock()
		if !closed {
			return // a new term has begun
		}
		g.admin <- struct{}{}
		call, cancel := context.WithTimeout(ctx, g.cfg.Policy.LeaseMargin/3)
		err := g.cfg.Fencer.Fence(call, epoch)
		cancel()
		<-g.admin
		if err == nil {
			g.mu.Lock()
			g.fence.acked, g.fence.epoch, g.fence.rev = true, epoch, max(rev, g.lease.Rev)
			g.fence.failed, g.fence.isolated = false, false
			g.mu.Unlock()
			if epoch == 0 {
				return // a secondary at its start: there was no term to end
			}
			g.event(dr.LeaseFenced, epoch, fmt.Sprintf("lease revision %d", rev))
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !isolated {
			g.problem("fence writer", err)
			if epoch == 0 && g.beingPromoted() {
				// To cut it off now would be to reboot an instance in the middle of the
				// promotion that it is silent for.
			} else if g.isolate(ctx, epoch) && behind {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// beingPromoted reports whether this Region's own execution holds the lease, and has not
// told yet that its promotion is done. Until then the server is a secondary, which Aurora
// moves by itself: what served here in an earlier term was fenced before this one could
// be promoted.
func (g *Guard) beingPromoted() bool {
	l, known := g.cfg.Watch.Lease()
	return known && l.Holder == g.cfg.Region && !g.serves(l)
}

// isolate cuts the writer off by the control plane of its own Region, and reports
// whether that was done.
func (g *Guard) isolate(ctx context.Context, e dr.Epoch) bool {
	call, cancel := context.WithTimeout(ctx, g.cfg.Policy.CallTimeout)
	defer cancel()
	err := g.cfg.Isolator.Isolate(call, e)
	g.mu.Lock()
	g.fence.epoch, g.fence.isolated = e, err == nil
	if err != nil {
		g.fence.misses++
	} else {
		g.fence.misses = 0
	}
	// One call without an answer may have been accepted all the same.
	g.fence.failed = g.fence.misses >= isolateTries
	g.mu.Unlock()
	if err != nil {
		g.problem("isolate writer", err)
		return false
	}
	g.event(dr.LeaseIsolated, e, "the writer did not answer in time")
	return true
}

// refreshEvery is how often an isolator looks up what it would act on.
const refreshEvery = time.Minute

func (g *Guard) refreshLoop(ctx context.Context, r Refresher) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		call, cancel := context.WithTimeout(ctx, g.cfg.Policy.CallTimeout)
		err := r.Refresh(call)
		cancel()
		if err != nil && ctx.Err() == nil {
			g.problem("look up the writer instance", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// isolateTries is how often a writer must have resisted before its Region reports
// that it can neither fence it nor cut it off.
const isolateTries = 3

func (g *Guard) wakeFence() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
