package failover

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	// rearLook is the time between two looks of a rear guard at the lease.
	rearLook = 200 * time.Millisecond
	// lateRenewals is how often one renewal that got no answer may be carried out yet: a
	// store's client may have sent it several times.
	lateRenewals = 5
)

var errNobody = errors.New("nobody has renewed the lease since: the writer is open and unguarded, and no automatic failover can prove a fence: start this Region's monitor")

// Rear stays behind after Run has returned, for a writer that may be open, until
// somebody else guards it. It renews nothing and opens nothing, so it may run beside the
// agent that takes over. It returns at once when nothing can be open here, and when ctx
// ends it leaves the writer as it is.
//
// It is relieved when the lease was renewed by another guard than its own. Until then it
// closes the writer when another Region has taken a newer epoch, and LeaseMargin before
// the lease runs out if the store doesn't answer: then nobody may know of a cut but this
// process.
//
// Under RPOGuard, in a term that is guarded, it goes on to watch the lag, too, and closes
// the writer at the same limit: a cut must not cost more for falling into a handover.
//
// As long as the store answers there is no cut, and nobody has taken an epoch. Then the
// writer is left open, because a Region whose monitor isn't started serves all the same.
// Rear looks for RearTime, and reports that nobody has come. A deadline of ctx that
// doesn't leave it that much is met by closing the writer.
func (a *Agent) Rear(ctx context.Context) {
	if a.guard != nil {
		a.guard.Rear(ctx)
	}
}

// RearTime is how long Rear takes at most when the store answers, and so how long before
// its deadline an agent must stop. A Region that was lost in part before Rear began is
// confirmed and its epoch taken within this time, which Rear still sees. Of one that is
// lost later it is known that its monitor went first: health.Verdict.MonitorDiedFirst.
func RearTime(p dr.Policy) time.Duration {
	p = p.WithDefaults()
	return p.LeaseTTL + p.LeaseDrift + time.Duration(p.Confirm+1)*p.ProbeInterval + p.LeaseMargin
}

// Rear is Agent.Rear for a guard without an agent.
func (g *Guard) Rear(ctx context.Context) {
	g.mu.Lock()
	p := g.cfg.Policy
	r := rear{policy: p, renewed: g.renewedAt, end: time.Now().Add(RearTime(p) - p.LeaseMargin)}
	open, closing := g.armed && !(g.fence.closed && g.fence.acked), g.fence.closed
	guarded := open && p.RPOGuard && !g.safeAt.IsZero()
	g.rear = true
	g.mu.Unlock()
	if guarded {
		defer g.rearRPO(ctx)()
	}
	if deadline, ok := ctx.Deadline(); ok {
		r.end = earlier(r.end, deadline.Add(-p.LeaseMargin)) // which closing may take
	}
	for open {
		if !closing && pause(ctx, min(rearLook, max(0, time.Until(r.due())))) != nil {
			return
		}
		now := time.Now()
		switch r.next(now, closing) {
		case rearClose:
			g.closeBehind(ctx)
			return
		case rearLeave:
			g.problem("hand the guard over", errNobody)
			return
		}
		look, cancel := context.WithDeadline(ctx, earlier(now.Add(g.callTimeout()), r.due()))
		lease, err := g.cfg.Leaser.ReadLease(look)
		cancel()
		if err == nil {
			r.answered = now
			if g.relieved(lease) {
				return
			}
			closing = g.dethroned(lease)
		}
	}
}

// rearRPO goes on with the RPO guard's loop until stop is called.
func (g *Guard) rearRPO(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { g.rpoLoop(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// rear is what a rear guard goes by.
type rear struct {
	policy   dr.Policy
	renewed  time.Time // before the last renewal was sent
	answered time.Time // before the last look was sent that got an answer
	end      time.Time // no more looks after this one
}

type rearStep int

const (
	rearLookOn rearStep = iota
	rearClose
	rearLeave
)

// fence returns when the writer must be closed, if the store says nothing until then.
func (r rear) fence() time.Time {
	lapse := r.renewed.Add(r.policy.LeaseTTL - r.policy.LeaseMargin)
	if silent := r.answered.Add(r.policy.GuardTimeout()); silent.After(lapse) {
		return silent
	}
	return lapse
}

// due returns when a rear guard must decide.
func (r rear) due() time.Time { return earlier(r.fence(), r.end) }

func (r rear) next(now time.Time, closing bool) rearStep {
	switch {
	case closing, !now.Before(r.fence()):
		return rearClose
	case now.Before(r.end):
		return rearLookOn
	case now.Sub(r.renewed) > r.policy.LeaseTTL+r.policy.LeaseDrift && now.Sub(r.answered) < r.policy.GuardTimeout():
		return rearLeave
	}
	return rearClose
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// relieved reports whether another guard than this one has renewed the lease. What this
// one has sent may be carried out yet, and must not be taken for somebody else's.
func (g *Guard) relieved(l Lease) bool {
	if !g.serves(l) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.Epoch != g.lease.Epoch {
		g.lease = l // the next renewal tells
		return false
	}
	return l.Rev > g.lease.Rev+lateRenewals*g.unanswered
}

// ask sends a renewal, and counts those that may be carried out without an answer.
func (g *Guard) ask(ctx context.Context, held Lease) (Lease, error) {
	g.mu.Lock()
	g.unanswered++
	g.mu.Unlock()
	l, err := g.cfg.Leaser.RenewLease(ctx, held)
	if err == nil || errors.Is(err, ErrLeaseMoved) {
		g.mu.Lock()
		g.unanswered = 0
		g.mu.Unlock()
	}
	return l, err
}

// closeBehind closes the writer, or has it cut off. Whoever takes over sees to the rest,
// so it is not tried for ever.
func (g *Guard) closeBehind(ctx context.Context) {
	p := g.cfg.Policy
	ctx, cancel := context.WithTimeout(ctx, p.LeaseTTL+2*p.CallTimeout)
	defer cancel()
	g.mu.Lock()
	g.fence.closed = true
	g.mu.Unlock()
	g.close(ctx)
}
