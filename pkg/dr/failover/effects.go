package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// perform carries out the effect of the execution's state and returns what came of
// it. Every effect looks before it acts, so performing it again is harmless.
func (c *Controller) perform(ctx context.Context, x Execution) Event {
	switch x.State {
	case Confirmed:
		return c.takeEpoch(ctx, x)
	case EpochTaken:
		return c.proveFence(ctx, x)
	case Fenced:
		return Event{Kind: EvGatePassed} // Step asks the question
	case LossAccepted:
		return c.promote(ctx, x)
	case Promoted:
		return c.attempt(ctx, x, CodeVerifyStuck, func(call context.Context) (Event, error) { return c.verify(call, x) })
	case Verified:
		return c.redirect(ctx, x)
	case Redirected:
		return c.announce(ctx, x)
	case AwaitingApproval:
		return c.awaitOperator(ctx, x)
	}
	return Event{Kind: EvStuck, Detail: fmt.Sprintf("state %s has no effect", x.State)}
}

// again is returned by an attempt that has to wait for something.
var again = errors.New("not yet")

// attempt repeats a call, each under CallTimeout, until it brings an event. After
// EffectTimeout an operator is asked.
func (c *Controller) attempt(ctx context.Context, x Execution, stuck Code, do func(context.Context) (Event, error)) Event {
	begun := time.Now()
	var last error
	for {
		if e, over := c.superseded(x); over {
			return e
		}
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		e, err := do(call)
		cancel()
		switch {
		case err == nil:
			return e
		case ctx.Err() != nil:
			return Event{}
		case !errors.Is(err, again):
			c.problem("after "+string(x.State), err)
			last = err
		}
		if time.Since(begun) > c.cfg.Policy.EffectTimeout {
			return Event{Kind: EvStuck, Code: stuck, Detail: fmt.Sprintf("no success in %v, last: %v", c.cfg.Policy.EffectTimeout, last)}
		}
		if pause(ctx, c.cfg.Policy.PollInterval) != nil {
			return Event{}
		}
	}
}

// superseded reports whether the lease, as last seen, belongs to another claim of
// this epoch or to a newer one: then nothing that this execution does counts.
func (c *Controller) superseded(x Execution) (Event, bool) {
	l, known := c.cfg.Watch.Lease()
	if !known || l.Epoch < x.Epoch || l.Epoch == x.Epoch && l.Execution == x.ID {
		return Event{}, false
	}
	return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, true
}

// takeEpoch is the point of no return: once the store gives us the next epoch, the
// old holder can't renew. A holder that has renewed since the verdict lives.
func (c *Controller) takeEpoch(ctx context.Context, x Execution) Event {
	return c.attempt(ctx, x, CodeLeaseStoreStuck, func(call context.Context) (Event, error) {
		e, err := c.lookAndTake(call, x)
		if errors.Is(err, ErrLeaseMoved) {
			// It was renewed a moment ago, so a look that follows at once has the time until
			// the next renewal before it. A pause could keep step with the renewals.
			e, err = c.lookAndTake(call, x)
		}
		if errors.Is(err, ErrLeaseMoved) {
			err = again
		}
		return e, err
	})
}

// lookAndTake takes the lease as it finds it, or returns ErrLeaseMoved.
func (c *Controller) lookAndTake(call context.Context, x Execution) (Event, error) {
	l, err := c.cfg.Leaser.ReadLease(call)
	if err != nil {
		return Event{}, err
	}
	switch {
	case l.Execution == x.ID && l.Epoch == x.Epoch:
		return epochTaken(l), nil // by this execution, before a crash or a lost reply
	case l.Epoch >= x.Epoch:
		return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, nil
	case x.Mode == ModeFailover && l.Rev != x.Evidence.LeaseRev:
		return Event{Kind: EvRecovered, Detail: fmt.Sprintf("%s has renewed its lease since the verdict", l.Holder)}, nil
	}
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
	return epochTaken(taken), nil
}

func epochTaken(l Lease) Event {
	return Event{
		Kind: EvEpochTaken, Epoch: l.Epoch, Rev: l.TakenRev, Unchanged: l.TakenAfter,
		Detail: fmt.Sprintf("the old lease had been silent for %v", l.TakenAfter.Round(time.Millisecond)),
	}
}

// proveFence waits for the old writer's Region to acknowledge its fence, or for
// its lease to run out on this Region's clock.
func (c *Controller) proveFence(ctx context.Context, x Execution) Event {
	begun := time.Now()
	needed := c.cfg.Policy.LeaseTTL + c.cfg.Policy.LeaseDrift - x.Unchanged
	for {
		if e, over := c.superseded(x); over {
			return e
		}
		h, ok := c.heartbeatOf(ctx, x.From)
		switch {
		case ok && x.TakenRev > 0 && h.FencedEpoch+1 == x.Epoch && h.FencedRev+1 == x.TakenRev:
			return Event{Kind: EvFenceProven, Proof: ProofAcknowledged, Detail: fmt.Sprintf("%s confirmed that its writer is read-only", x.From)}
		case ok && h.FenceFailed+1 == x.Epoch:
			return Event{Kind: EvStuck, Code: CodeFenceFailed, Detail: fmt.Sprintf("%s could neither fence nor cut off its writer: stop it by hand", x.From)}
		}
		left := needed - time.Since(begun)
		if left <= 0 {
			return Event{Kind: EvFenceProven, Proof: ProofExpired, Detail: fmt.Sprintf("%v and %v drift since the last renewal", c.cfg.Policy.LeaseTTL, c.cfg.Policy.LeaseDrift)}
		}
		if pause(ctx, min(left, c.cfg.Policy.PollInterval)) != nil {
			return Event{}
		}
	}
}

func (c *Controller) heartbeatOf(ctx context.Context, r dr.Region) (Heartbeat, bool) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	all, err := c.cfg.Heartbeats.Heartbeats(call)
	if err != nil {
		if ctx.Err() == nil {
			c.problem("read heartbeats", err)
		}
		return Heartbeat{}, false
	}
	for _, h := range all {
		if h.Region == r {
			return h, true
		}
	}
	return Heartbeat{}, false
}

// promote asks AWS once and then looks. The API has no idempotency token, so it is
// asked again only when nothing is under way.
func (c *Controller) promote(ctx context.Context, x Execution) Event {
	return c.attempt(ctx, x, CodePromotionStuck, func(call context.Context) (Event, error) {
		now, err := c.cfg.Promoter.Describe(call)
		switch {
		case err != nil:
			return Event{}, err
		case now.Writer == x.To && now.MovingTo == "":
			return Event{Kind: EvPromoted, Detail: "the control plane names " + x.To.String() + " the writer"}, nil
		case now.MovingTo == x.To:
			return Event{}, again
		case now.MovingTo != "":
			return Event{}, fmt.Errorf("the writer is being moved to %s by somebody else", now.MovingTo)
		}
		l, err := c.cfg.Leaser.ReadLease(call)
		if err != nil {
			return Event{}, err
		}
		if l.Epoch != x.Epoch || l.Holder != x.To {
			return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, nil
		}
		ask := c.cfg.Promoter.Failover
		if x.Mode == ModeSwitchover {
			ask = c.cfg.Promoter.Switchover
		}
		if err := ask(call, x.To); err != nil {
			return Event{}, err
		}
		return Event{}, again
	})
}

// verify commits a write on the promoted member itself, in a row of its own: the
// guard's row is what the RPO guard and the watchdog judge the guard by.
func (c *Controller) verify(ctx context.Context, x Execution) (Event, error) {
	err := c.cfg.Beater.Beat(ctx, Beat{Region: x.To + "/verify", Epoch: x.Epoch, Seq: uint64(time.Now().UnixMicro())})
	if err != nil {
		return Event{}, err
	}
	return Event{Kind: EvVerified, Detail: "a write committed on " + x.To.String()}, nil
}

// redirect publishes the new Region and does not believe it before a write through
// the clients' endpoint has landed there.
func (c *Controller) redirect(ctx context.Context, x Execution) Event {
	published := false
	return c.attempt(ctx, x, CodeRedirectStuck, func(call context.Context) (Event, error) {
		if !published {
			if err := c.cfg.Router.Redirect(call, x.To, x.Epoch); err != nil {
				return Event{}, err
			}
			published = true
		}
		at, err := c.cfg.Router.Reach(call, x.Epoch)
		if err != nil {
			return Event{}, err
		}
		if at != x.To {
			return Event{}, again
		}
		return Event{Kind: EvRedirected, Detail: "a write through the endpoint landed in " + x.To.String()}, nil
	})
}

// announce tells people. That nobody could be told must not keep an execution open
// for ever, so the attempt is bounded and its failure is in the detail.
func (c *Controller) announce(ctx context.Context, x Execution) Event {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	err := c.cfg.Notifier.Notify(call, Message{
		Subject: fmt.Sprintf("%s: the writer moved from %s to %s", x.Mode, x.From, x.To),
		Body:    x.Report(),
	})
	if err != nil && ctx.Err() == nil {
		c.problem("notify", err)
		return Event{Kind: EvAnnounced, Detail: "nobody could be told: " + err.Error()}
	}
	return Event{Kind: EvAnnounced}
}

// awaitOperator asks a person once and waits for the answer, or for the old
// Region to come back if nothing was touched yet.
func (c *Controller) awaitOperator(ctx context.Context, x Execution) Event {
	c.ask(ctx, x)
	for {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		a, err := c.cfg.Acknowledger.Acknowledgement(call, x.Epoch)
		cancel()
		if err == nil && (x.Ack == nil || *x.Ack != a) {
			return Event{Kind: EvAcknowledged, Ack: &a, Detail: fmt.Sprintf("%s: %s", a.By, a.Reason)}
		}
		if e, over := c.superseded(x); over {
			return e
		}
		if l, known := c.cfg.Watch.Lease(); known && x.Mode == ModeFailover && x.Asked == Confirmed && l.Epoch < x.Epoch && l.Rev != x.Evidence.LeaseRev {
			return Event{Kind: EvRecovered, Detail: fmt.Sprintf("%s has renewed its lease", l.Holder)}
		}
		if pause(ctx, c.cfg.Policy.PollInterval) != nil {
			return Event{}
		}
	}
}

func (c *Controller) ask(ctx context.Context, x Execution) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	price := ""
	if x.Mode == ModeSwitchover && x.Code == CodePromotionStuck {
		price = " The switchover then becomes a failover: what has not arrived in " + x.To.String() + " is lost."
		if x.Proof == ProofExpired {
			price += " " + x.From.String() + " never confirmed that its writer is read-only: make sure first that it is stopped."
		}
	}
	err := c.cfg.Notifier.Notify(call, Message{
		Subject: fmt.Sprintf("%s to %s waits for an answer: %s", x.Mode, x.To, x.Code),
		Body:    x.Report() + fmt.Sprintf("\nAcknowledge epoch %d to go on.%s\n", x.Epoch, price),
	})
	if err != nil && ctx.Err() == nil {
		c.problem("notify", err)
	}
}
