package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// lookEvery is how often an open question looks at the target and at the control plane.
const lookEvery = 3 * time.Second

// RecoveryHold is how long the old Region must go on renewing its lease before an
// execution that has touched nothing is dropped: a writer that is opened and fenced in
// turns renews now and then, and its question would be withdrawn and put again each time.
func RecoveryHold(p dr.Policy) time.Duration { return max(5*time.Second, 3*p.SilentAfter()) }

// waiting is what the wait for an answer remembers.
type waiting struct {
	renewed   time.Time // since when the old Region renews without a silence; zero when it does not
	looked    time.Time // at the target and the control plane
	every     time.Duration
	requested time.Time // when the journal was last read
	retry     time.Time // when people are told again
	pause     time.Duration
}

// await tells people the question and waits for the answer, for what makes it void, or for
// another process's step.
func (c *Controller) await(ctx context.Context, x Execution) Event {
	w := waiting{looked: time.Now(), requested: time.Now(), pause: c.cfg.Policy.PollInterval}
	for {
		if e, done := c.awaited(ctx, x, &w); done || ctx.Err() != nil {
			return e
		}
		if pause(ctx, c.cfg.Policy.PollInterval) != nil {
			return Event{}
		}
	}
}

func (c *Controller) awaited(ctx context.Context, x Execution, w *waiting) (Event, bool) {
	now := time.Now()
	if len(x.Owed) > 0 && !now.Before(w.retry) {
		told, err := c.tell(ctx, x, x.Owed[0])
		if err == nil {
			return Event{joined: &told}, true
		}
		w.retry, w.pause = now.Add(w.pause), min(2*w.pause, noticeRetry)
	}
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	a, err := c.cfg.Acknowledger.Acknowledgement(call, x.ID, x.Question.ID)
	cancel()
	if err == nil {
		return Event{Kind: EvAcknowledged, Ack: &a, Detail: fmt.Sprintf("%s: %s", a.By, a.Reason)}, true
	}
	if e, over := c.superseded(x); over {
		return e, true
	}
	if x.Mode == ModeFailover && x.Asked == Confirmed {
		if e, over := c.recovered(x, w, now); over {
			return e, true
		}
	}
	if now.Sub(w.requested) >= requestEvery {
		w.requested = now
		if e, joined := c.joined(ctx, x); joined {
			return e, true
		}
	}
	if now.Sub(w.looked) >= max(lookEvery, w.every) {
		w.looked = now
		switch x.Code {
		case CodePromotionRefused:
			w.every = min(max(lookEvery, 2*w.every), noticeRetry) // each look asks for the promotion again
		case CodePromotionStuck:
			w.every = mostPause // clients wait for it
		}
		if e, over := c.relook(ctx, x); over {
			return e, true
		}
	}
	return Event{}, false
}

// recovered reports whether the old Region's recovery is real: it renews for RecoveryHold
// without a silence, each time with a committed write behind the renewal. One that has fallen silent again is asked about as it is now: the
// question stays, and its evidence names the lease that is silent.
func (c *Controller) recovered(x Execution, w *waiting, now time.Time) (Event, bool) {
	l, known := c.cfg.Watch.Lease()
	if known && l.Epoch < x.Epoch && x.Evidence.Blind && c.cfg.Watch.Unchanged() >= c.cfg.Policy.SilentAfter() {
		ev := x.Evidence
		ev.Blind, ev.LeaseRev, ev.LeaseUnchanged = false, l.Rev, c.cfg.Watch.Unchanged()
		return Event{Kind: EvReassessed, Evidence: &ev, Detail: fmt.Sprintf("%s does not renew its lease any more", l.Holder)}, true
	}
	if !known || l.Epoch >= x.Epoch || l.Served == x.Evidence.LeaseServed {
		w.renewed = time.Time{}
		return Event{}, false
	}
	if c.cfg.Watch.Unserved() < c.cfg.Policy.SilentAfter() {
		if w.renewed.IsZero() {
			w.renewed = now
		}
		if now.Sub(w.renewed) < RecoveryHold(c.cfg.Policy) {
			return Event{}, false
		}
		return Event{Kind: EvRecovered, Detail: fmt.Sprintf("%s has renewed its lease for %v", l.Holder, now.Sub(w.renewed).Round(time.Second))}, true
	}
	w.renewed = time.Time{}
	ev := x.Evidence
	ev.LeaseRev, ev.LeaseUnchanged, ev.LeaseServed = l.Rev, c.cfg.Watch.Unchanged(), l.Served
	if c.cfg.Verdict != nil {
		v := c.cfg.Verdict()
		if v.State != health.Impaired || v.Subject != x.From {
			return Event{}, false // not proven dark again
		}
		recent := ev.Recent
		ev = c.evidence(v, l)
		ev.Recent = recent
	} else {
		// It has served since the lag was seen, and what it has done is not known here.
		ev.LagKnown, ev.Lag, ev.LagAge = false, 0, 0
	}
	return Event{Kind: EvReassessed, Evidence: &ev, Detail: fmt.Sprintf("%s has renewed its lease and is silent again", l.Holder)}, true
}

// relook looks whether what was asked about has passed, or the writer was moved meanwhile.
func (c *Controller) relook(ctx context.Context, x Execution) (Event, bool) {
	switch x.Asked {
	case Confirmed, Fenced, LossAccepted:
	case Promoted, Verified:
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		defer cancel()
		if e, is := c.movedBack(call, x); is || x.Code != CodeVerifyStuck {
			return e, is && e.Kind == EvMovedBack
		}
		e, err := c.verify(call, x)
		return Event{Kind: EvReady, Detail: e.Detail}, err == nil
	case Returning:
		return c.backNow(ctx, x)
	default:
		return Event{}, false
	}
	if x.Code == CodePromotionRefused || x.Code == CodePromotionStuck {
		return c.reorder(ctx, x)
	}
	r, err := c.look(ctx)
	if err != nil || !r.ClusterKnown && x.Code != CodeTargetNotReady {
		return Event{}, false
	}
	e, stopped := c.judge(x, r)
	switch {
	case stopped && e.Kind == EvAdopted:
		return e, true
	case x.Mode == ModeAdopt && x.Asked == LossAccepted && r.ClusterKnown && r.Cluster.MovingTo == "" && r.Cluster.Writer == x.From:
		return Event{Kind: EvMovedBack, Detail: "the control plane names " + x.From.String() + " the writer again"}, true
	case !stopped && x.Code.passes():
		return Event{Kind: EvReady, Detail: fmt.Sprintf("%s has passed", x.Code)}, true
	}
	return Event{}, false
}

// reorder looks after a promotion while the question about it is open, and asks for one
// that was refused once more: what has refused it may be over.
func (c *Controller) reorder(ctx context.Context, x Execution) (Event, bool) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := c.order(call, x, &order{})
	switch {
	case err == nil && e.Kind == EvPromoted:
		return Event{Kind: EvReady, Detail: e.Detail}, true
	case err == nil && e.Kind == EvMovedBack:
		return e, true
	case errors.Is(err, again) && x.Code == CodePromotionRefused:
		return Event{Kind: EvReady, Detail: "the control plane has accepted the promotion"}, true
	}
	return Event{}, false
}

// Recheck looks once whether the question that is open for this Region still stands, and
// goes on with the execution when it does not. It reports whether it did.
func (c *Controller) Recheck(ctx context.Context) (Execution, bool, error) {
	last, err := c.latest(ctx)
	if err != nil {
		return Execution{}, false, err
	}
	x := last.Execution
	if x.State != AwaitingApproval || x.To != c.cfg.Region {
		return x, false, nil
	}
	c.entered.recall(last)
	if x, err = c.endorse(ctx, x, c.cfg.Origin); err != nil || x.State != AwaitingApproval {
		return x, false, err
	}
	e, over := c.awaited(ctx, x, &waiting{pause: c.cfg.Policy.PollInterval})
	if err := ctx.Err(); err != nil || !over {
		return x, false, err
	}
	if e.unread != nil {
		return x, false, e.unread
	}
	if e.joined != nil {
		x = *e.joined
		return x, true, nil
	}
	next, err := Step(c.cfg.Policy, x, e.seen(time.Now()))
	if err != nil {
		return x, false, err
	}
	if x, err = c.append(ctx, x, next, e.Kind); err != nil {
		return x, false, err
	}
	x, err = c.run(ctx, x)
	return x, true, err
}
