package failover

import (
	"context"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The RPO guard's pace: the lag is sampled four times a second, against beats that
// are fine enough to tell a lag of a second from one of half a second.
const (
	rpoSample = 250 * time.Millisecond
	rpoBeat   = 125 * time.Millisecond
)

// rpoLoop closes the writer when the other Region can't be seen to have received
// what was acknowledged up to three quarters of MaxDataLoss ago; the last quarter
// is the time to close. A term that never confirmed a lag, as after a failover
// with the other Region gone, is not guarded: there is nobody to wait for.
func (g *Guard) rpoLoop(ctx context.Context) {
	limit := g.cfg.Policy.MaxDataLoss * 3 / 4
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { g.rpoSampler(ctx) })
	beat := time.NewTicker(rpoBeat)
	defer beat.Stop()
	for {
		g.mu.Lock()
		epoch, serving := g.lease.Epoch, g.armed && !g.fence.closed
		var left time.Duration
		if guarded := serving && !g.safeAt.IsZero(); guarded {
			left = limit - time.Since(g.safeAt)
		} else {
			left = limit
		}
		g.mu.Unlock()
		if left <= 0 {
			g.rpoClose(ctx, epoch)
			continue
		}
		late := time.NewTimer(left)
		select {
		case <-ctx.Done():
		case <-late.C:
		case <-beat.C:
			if serving {
				// Not awaited: a beat that hangs must not hold the deadline up.
				wg.Go(func() {
					call, cancel := context.WithTimeout(ctx, g.callTimeout())
					defer cancel()
					_ = g.commit(call, epoch) // the sampler sees whether it arrived
				})
			}
		}
		late.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// rpoSampler asks the other Region what has arrived, and opens the writer again
// when everything has.
func (g *Guard) rpoSampler(ctx context.Context) {
	tick := time.NewTicker(rpoSample)
	defer tick.Stop()
	var term dr.Epoch
	row := g.cfg.Region // at first of a rear guard, too: what it sent before is under way
	for ; ; next(ctx, tick) {
		if ctx.Err() != nil {
			return
		}
		g.mu.Lock()
		epoch, armed, behind := g.lease.Epoch, g.armed, g.rear
		if epoch != term {
			if term != 0 {
				g.safeAt = time.Time{}
			}
			term = epoch
		}
		g.adopt()
		g.mu.Unlock()
		if !armed {
			continue
		}
		call, cancel := context.WithTimeout(ctx, g.cfg.Policy.MaxDataLoss/2)
		got, err := g.cfg.Replica.Replicated(call, row)
		cancel()
		if behind {
			row = g.cfg.Region + behindRow
		}
		if err != nil || got.Epoch != epoch {
			continue
		}
		g.rpoConfirm(ctx, got)
	}
}

// rpoConfirm notes that a beat has arrived: so has all that was acknowledged
// before it was sent. A closed writer commits no more beats, so when the last one
// that did has arrived, everything has. Closed is one that has confirmed it: a frozen
// writer must not have its lease renewed for as long as it is silent.
func (g *Guard) rpoConfirm(ctx context.Context, got Beat) {
	g.mu.Lock()
	at, known := g.sent[got.Seq]
	// The first confirmation arms the guard, so it must be a good one: a secondary
	// that is still catching up after it has rejoined would stop writes at once.
	good := time.Since(at) < g.cfg.Policy.MaxDataLoss/2
	if known && at.After(g.safeAt) && (good || !g.safeAt.IsZero()) {
		g.safeAt = at
	}
	drained := g.fence.byRPO && g.fence.acked && (got.Seq >= g.committed || known && g.overtaken(got.Seq))
	held, behind := g.lease, g.rear
	g.mu.Unlock()
	if !drained || behind {
		return
	}
	start := time.Now()
	g.mu.Lock()
	g.safeAt = start // nothing was acknowledged since
	g.mu.Unlock()
	g.reopen(ctx, held, start, true)
}

// overtaken reports whether a beat is the last one of a closed writer, although a later
// one has committed: two that were under way together may commit in either order, and
// the row keeps the last. A beat that was answered before the later one was sent can't
// be: the later one has not arrived yet. The lock must be held.
func (g *Guard) overtaken(seq uint64) bool {
	at, last, answered := g.sent[seq], g.sent[g.committed], g.answered[seq]
	together := last.Sub(at) < g.callTimeout() && (answered.IsZero() || answered.After(last))
	return together && time.Since(last) > 2*g.callTimeout()
}

// recall has the guard go on with what a predecessor has begun, as told by its last
// heartbeat. A cut that comes right after a handover would else find nobody guarding.
func (g *Guard) recall(h Heartbeat, now time.Time) {
	if now.Sub(h.At) > 3*g.cfg.Policy.ProbeInterval {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.guarded = h.Guarded
}

// adopt arms the guard in the term in which its predecessor was armed, and counts from
// now: what was before, the predecessor has seen to. The lock must be held.
func (g *Guard) adopt() {
	if g.armed && g.guarded != 0 && g.guarded == g.lease.Epoch && g.safeAt.IsZero() {
		g.safeAt = time.Now()
	}
}

func (g *Guard) rpoClose(ctx context.Context, e dr.Epoch) {
	g.mu.Lock()
	g.fence.closed, g.fence.byRPO, g.fence.epoch = true, true, e
	g.mu.Unlock()
	g.close(ctx)
}
