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
		return c.attempt(ctx, x, CodeVerifyStuck, c.orMovedBack(x, func(call context.Context) (Event, error) { return c.verify(call, x) }))
	case Verified:
		return c.redirect(ctx, x)
	case Redirected:
		return c.announce(ctx, x)
	case Returning:
		return c.giveBack(ctx, x)
	case AwaitingApproval:
		return c.await(ctx, x)
	}
	return Event{Kind: EvStuck, Detail: fmt.Sprintf("state %s has no effect", x.State)}
}

// again is returned by an attempt that has to wait for something.
var again = errors.New("not yet")

// refusals is how often in a row the control plane must refuse for good before a person is
// asked: one may refer to a state that is just ending.
const refusals = 3

// attempt repeats a call, each under CallTimeout, until it brings an event. After
// EffectTimeout, or when the control plane refuses for good, a person is asked.
func (c *Controller) attempt(ctx context.Context, x Execution, stuck Code, do func(context.Context) (Event, error)) Event {
	begun := time.Now()
	looked := begun
	var last error
	refused := 0
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
		if refused++; !errors.Is(err, ErrRefused) {
			refused = 0
		}
		if refused >= refusals {
			return Event{Kind: EvStuck, Code: CodePromotionRefused, Detail: err.Error()}
		}
		if time.Since(begun) > c.cfg.Policy.EffectTimeout {
			detail := fmt.Sprintf("not done after %v", c.cfg.Policy.EffectTimeout)
			if last != nil {
				detail += ": " + last.Error()
			}
			return Event{Kind: EvStuck, Code: stuck, Detail: detail}
		}
		if time.Since(looked) >= requestEvery {
			looked = time.Now()
			if e, joined := c.joined(ctx, x); joined {
				return e
			}
		}
		if pause(ctx, backoff(c.cfg.Policy, time.Since(begun))) != nil {
			return Event{}
		}
	}
}

// requestEvery is how often an effect that takes its time looks for a person's request, and
// for another controller's steps.
const requestEvery = time.Second

// joined returns what another process has journalled meanwhile, if it has.
func (c *Controller) joined(ctx context.Context, x Execution) (Event, bool) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := c.cfg.Journal.Latest(call)
	if err == nil {
		err = readable(e)
	}
	if err != nil || e.Execution.ID != x.ID || e.Execution.Seq <= x.Seq {
		return Event{}, false
	}
	return Event{joined: &e.Execution}, true
}

// mostPause is the longest pause between two looks at a running promotion.
const mostPause = 5 * time.Second

// backoff is the pause between two looks: a twentieth of the time that it has taken so far,
// so that looking rarely costs at most that much.
func backoff(p dr.Policy, elapsed time.Duration) time.Duration {
	return max(p.PollInterval, min(elapsed/20, mostPause))
}

// superseded reports whether another execution has taken the epoch or a later one.
func (c *Controller) superseded(x Execution) (Event, bool) {
	l, known := c.cfg.Watch.Lease()
	if !known || l.Epoch < x.Epoch || l.Epoch == x.Epoch && l.Execution == x.ID {
		return Event{}, false
	}
	if l.Execution == x.ID && l.Holder == x.From {
		return Event{}, false // given back
	}
	return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, true
}

// takeEpoch is the point of no return: once the store gives us the next epoch, the
// old holder can't renew. A holder that has renewed since the verdict lives. Before it the
// target is looked at, while the lease is read.
func (c *Controller) takeEpoch(ctx context.Context, x Execution) Event {
	notReady := 0
	return c.attempt(ctx, x, CodeLeaseStoreStuck, func(call context.Context) (Event, error) {
		if x.Mode == ModeFailover && x.Ack == nil && x.Pause.Active(time.Now()) {
			return Event{Kind: EvAbortRequested, Code: CodePaused, Origin: Origin{x.Pause.By, x.Pause.Reason}, Detail: pausedWhy(x.Pause)}, nil
		}
		looked := make(chan Event, 1)
		stop := make(chan bool, 1)
		go func() {
			r, err := c.look(call)
			if err != nil {
				r.Unknown = append(r.Unknown, err.Error())
			}
			e, s := c.judge(x, r)
			looked <- e
			stop <- s
		}()
		l, err := c.cfg.Leaser.ReadLease(call)
		verdict, stopped := <-looked, <-stop
		if err != nil {
			return Event{}, err
		}
		if e, over := c.settled(x, l); over {
			return e, nil
		}
		if stopped {
			// One look may have been late; what a person is asked about was seen twice.
			if notReady++; verdict.Kind == EvStuck && notReady < 2 {
				return Event{}, again
			}
			return verdict, nil
		}
		e, err := c.take(call, x, l)
		if errors.Is(err, ErrLeaseMoved) {
			// It was renewed a moment ago, so a look that follows at once has the time until
			// the next renewal before it. A pause could keep step with the renewals.
			if l, err = c.cfg.Leaser.ReadLease(call); err == nil {
				if e, over := c.settled(x, l); over {
					return e, nil
				}
				e, err = c.take(call, x, l)
			}
		}
		if errors.Is(err, ErrLeaseMoved) {
			err = again
		}
		return e, err
	})
}

// settled says what a lease means before it is taken.
func (c *Controller) settled(x Execution, l Lease) (Event, bool) {
	switch {
	case l.Execution == x.ID && l.Epoch == x.Epoch:
		return epochTaken(l, x.Released), true // by this execution, before a crash or a lost reply
	case l.Epoch >= x.Epoch:
		return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, true
	case x.Mode == ModeFailover && l.Rev != x.Evidence.LeaseRev:
		return Event{Kind: EvRecovered, Detail: fmt.Sprintf("%s has renewed its lease since the verdict", l.Holder)}, true
	}
	return Event{}, false
}

// take takes the lease as it was found, or returns ErrLeaseMoved.
func (c *Controller) take(call context.Context, x Execution, l Lease) (Event, error) {
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
	return epochTaken(taken, l.Released), nil
}

func epochTaken(l Lease, released bool) Event {
	return Event{
		Kind: EvEpochTaken, Epoch: l.Epoch, Rev: l.TakenRev, Unchanged: l.TakenAfter, Released: released,
		Detail: fmt.Sprintf("the old lease had been silent for %v", l.TakenAfter.Round(time.Millisecond)),
	}
}

// proveFence waits for the old writer's Region to acknowledge its fence, or for
// its lease to run out on this Region's clock.
func (c *Controller) proveFence(ctx context.Context, x Execution) Event {
	if x.Released {
		return Event{Kind: EvFenceProven, Proof: ProofDemoted, Detail: fmt.Sprintf("%s had released the lease: its database is a secondary", x.From)}
	}
	begun, looked := time.Now(), time.Now()
	needed := c.cfg.Policy.LeaseTTL + c.cfg.Policy.LeaseDrift - x.Unchanged
	var said stated
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
		if c.cfg.Promises {
			own, ok := c.heartbeatOf(ctx, c.cfg.Region)
			if ok {
				said.hear(own, time.Now())
			}
			promised, known := said.left(c.cfg.Policy.LeaseTTL+c.cfg.Policy.LeaseDrift, time.Now())
			if !known { // the monitor has not said yet that it abstains
				promised = c.cfg.Policy.PollInterval
				unsaid := time.Since(begun) - max(0, needed)
				if ok && own.Abstains && unsaid > 2*c.cfg.Policy.ProbeInterval || unsaid > unsaidLimit {
					return Event{Kind: EvStuck, Code: CodeNoFenceProof, Detail: fmt.Sprintf("a process of %s's monitor that was lost without its last word may still keep the writer of %s open: make sure that the old writer is stopped", c.cfg.Region, x.From)}
				}
			}
			left = max(left, promised)
		}
		if left <= 0 {
			return Event{Kind: EvFenceProven, Proof: ProofExpired, Detail: fmt.Sprintf("%v and %v drift since the last renewal", c.cfg.Policy.LeaseTTL, c.cfg.Policy.LeaseDrift)}
		}
		if time.Since(looked) >= requestEvery {
			looked = time.Now()
			if e, joined := c.joined(ctx, x); joined {
				return e
			}
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
// asked again only when nothing is under way, and only while the writer is where this
// execution takes it from.
func (c *Controller) promote(ctx context.Context, x Execution) Event {
	var elsewhere time.Time // since when something else moves it
	return c.attempt(ctx, x, CodePromotionStuck, func(call context.Context) (Event, error) {
		now, err := c.cfg.Promoter.Describe(call)
		switch {
		case err != nil:
			return Event{}, err
		case now.Writer == x.To && now.MovingTo == "":
			return Event{Kind: EvPromoted, Detail: "the control plane names " + x.To.String() + " the writer"}, nil
		case now.MovingTo == x.To:
			elsewhere = time.Time{}
			return Event{}, again
		case now.MovingTo != "":
			if elsewhere.IsZero() {
				elsewhere = time.Now()
			}
			if time.Since(elsewhere) >= lookEvery {
				return Event{Kind: EvStuck, Code: CodeMovedElsewhere, Detail: fmt.Sprintf("the writer is being moved to %s by something else than this execution", now.MovingTo)}, nil
			}
			return Event{}, fmt.Errorf("the writer is being moved to %s by something else", now.MovingTo)
		case now.Writer != x.From:
			return Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf("the control plane names the writer %s, and not %s: nothing is asked for", orNone(now.Writer), x.From)}, nil
		case x.Mode == ModeAdopt:
			return Event{Kind: EvMovedBack, Detail: "the control plane names " + x.From.String() + " the writer again"}, nil
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

// orMovedBack asks the control plane when an attempt has failed: what can't be done
// because the writer is elsewhere by now will never be done.
func (c *Controller) orMovedBack(x Execution, do func(context.Context) (Event, error)) func(context.Context) (Event, error) {
	failed := time.Now()
	return func(call context.Context) (Event, error) {
		e, err := do(call)
		if err == nil || time.Since(failed) < requestEvery {
			return e, err
		}
		failed = time.Now()
		now, describeErr := c.cfg.Promoter.Describe(call)
		switch {
		case describeErr != nil || now.MovingTo != "" || now.Writer == x.To:
			return e, err
		case now.Writer == x.From:
			return Event{Kind: EvMovedBack, Detail: "the control plane names " + x.From.String() + " the writer again"}, nil
		}
		return Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf("the control plane names the writer %s", orNone(now.Writer))}, nil
	}
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
	return c.attempt(ctx, x, CodeRedirectStuck, c.orMovedBack(x, func(call context.Context) (Event, error) {
		if !published {
			// Clients are led to a writer that commits now, and not to one that did when a
			// process that has died since had looked.
			if _, err := c.verify(call, x); err != nil {
				return Event{}, err
			}
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
	}))
}

// announce tells people. An execution whose message is not accepted ends all the same and
// owes it: a failover must not have to wait for a topic.
func (c *Controller) announce(ctx context.Context, x Execution) Event {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	n := Notice{What: NoticeMoved}
	err := c.cfg.Notifier.Notify(call, x.message(n, c.cfg.Trigger))
	if err != nil {
		if ctx.Err() == nil {
			c.problem("notify", err)
		}
		return Event{Kind: EvAnnounced, Detail: "people are not told yet: " + err.Error()}
	}
	return Event{Kind: EvAnnounced, Notice: n}
}
