package failover

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// takeEpoch is the point of no return: once the store gives us the next epoch, the
// old holder can't renew. A holder that has renewed since the verdict, with a committed
// write behind the renewal, lives; any other renewal says only that a monitor lives, and
// the epoch is taken from the newest revision. Before it the
// target is looked at, while the lease is read.
func (c *Controller) takeEpoch(ctx context.Context, x Execution) Event {
	notReady := 0
	var disagree time.Time // since when the control plane and the target's server disagree
	return c.attempt(ctx, x, CodeLeaseStoreStuck, func(call context.Context) (Event, error) {
		if x.Mode == ModeFailover && x.Origin.By == "" && x.Ack == nil && x.Pause.Active(time.Now()) {
			return Event{Kind: EvAbortRequested, Code: CodePaused, Origin: Origin{x.Pause.By, x.Pause.Reason}, Detail: pausedWhy(x.Pause)}, nil
		}
		looked := make(chan Readiness, 1)
		go func() {
			r, err := c.look(call)
			if err != nil {
				r.Unknown = append(r.Unknown, err.Error())
			}
			looked <- r
		}()
		l, err := c.cfg.Leaser.ReadLease(call)
		r := <-looked
		verdict, stopped := c.judge(x, r)
		if !r.disagree(x.To) || disagree.IsZero() {
			disagree = time.Now()
		}
		if err != nil {
			return Event{}, err
		}
		if e, over := c.settled(x, l); over {
			return e, nil
		}
		if x.Mode == ModeAdopt && !stopped && !l.Released && c.silence(l) < c.cfg.Policy.LeaseTTL+c.cfg.Policy.LeaseDrift {
			// The holder renews: its own control plane has not confirmed the move yet, and either
			// of the two may be the one that is out of date.
			return Event{}, again
		}
		if stopped {
			// One look may have been late; what a person is asked about was seen twice.
			if notReady++; verdict.Kind == EvStuck && notReady < 2 {
				return Event{}, again
			}
			if r.disagree(x.To) && time.Since(disagree) < min(namedWithin, c.cfg.Policy.EffectTimeout/2) {
				return Event{}, again
			}
			return verdict, nil
		}
		followed := r.Role == RoleSecondary
		e, err := c.take(call, x, l, followed)
		if errors.Is(err, ErrLeaseMoved) {
			// It was renewed a moment ago, so a look that follows at once has the time until
			// the next renewal before it. A pause could keep step with the renewals.
			if l, err = c.cfg.Leaser.ReadLease(call); err == nil {
				if e, over := c.settled(x, l); over {
					return e, nil
				}
				e, err = c.take(call, x, l, followed)
			}
		}
		if errors.Is(err, ErrLeaseMoved) {
			err = again
		}
		return e, err
	})
}

// silence is how long a lease that was just read has been known to be unchanged.
func (c *Controller) silence(l Lease) time.Duration {
	c.cfg.Watch.Observe(l, time.Now())
	return c.cfg.Watch.Unchanged()
}

// settled says what a lease means before it is taken.
func (c *Controller) settled(x Execution, l Lease) (Event, bool) {
	switch {
	case l.Execution == x.ID && l.Epoch == x.Epoch:
		return epochTaken(l, x.Released, false), true // by this execution, before a crash or a lost reply
	case l.Epoch >= x.Epoch:
		return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, true
	case x.Mode == ModeFailover && l.Served != x.Evidence.LeaseServed:
		return Event{Kind: EvRecovered, Detail: fmt.Sprintf("%s has renewed its lease since the verdict", l.Holder)}, true
	}
	return Event{}, false
}

// take takes the lease as it was found, or returns ErrLeaseMoved.
// followed says that the target's server was a secondary a moment ago.
func (c *Controller) take(call context.Context, x Execution, l Lease, followed bool) (Event, error) {
	now := time.Now()
	c.cfg.Watch.Observe(l, now)
	// What was known when the execution began holds for a successor, too.
	c.cfg.Watch.Adopt(x.Evidence.LeaseRev, x.Evidence.LeaseUnchanged, now)
	unchanged := c.cfg.Watch.Unchanged()
	taken, err := c.cfg.Leaser.TakeLease(call, l, Claim{Holder: x.To, Execution: x.ID, After: unchanged})
	if err != nil {
		return Event{}, err
	}
	c.cfg.Watch.Observe(taken, time.Now())
	return epochTaken(taken, l.Released, followed), nil
}

func epochTaken(l Lease, released, followed bool) Event {
	return Event{
		Kind: EvEpochTaken, Epoch: l.Epoch, Rev: l.TakenRev, Unchanged: l.TakenAfter, Released: released, Followed: followed,
		Detail: fmt.Sprintf("the old lease had been silent for %v", l.TakenAfter.Round(time.Millisecond)),
	}
}
