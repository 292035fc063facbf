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
		return c.attemptFor(ctx, x, min(c.cfg.Policy.EffectTimeout, promotionOverdue), CodeVerifyStuck, c.orMovedBack(x, func(call context.Context) (Event, error) { return c.verify(call, x) }))
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
// EffectTimeout a person is asked, and at once when the control plane refuses for good or a
// newer version has written what this one would have to read.
func (c *Controller) attempt(ctx context.Context, x Execution, stuck Code, do func(context.Context) (Event, error)) Event {
	return c.attemptFor(ctx, x, c.cfg.Policy.EffectTimeout, stuck, do)
}

// attemptFor is attempt for an effect about which a person is asked after another time.
func (c *Controller) attemptFor(ctx context.Context, x Execution, within time.Duration, stuck Code, do func(context.Context) (Event, error)) Event {
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
		if IsNewer(err) { // asking again changes nothing
			return Event{Kind: EvStuck, Code: stuck, Detail: fmt.Sprintf("%v: nothing was changed; deploy the newer functions in %s, then answer", err, c.cfg.Region)}
		}
		if refused++; !errors.Is(err, ErrRefused) {
			refused = 0
		}
		if refused >= refusals {
			return Event{Kind: EvStuck, Code: CodePromotionRefused, Detail: err.Error()}
		}
		if time.Since(begun) > within {
			detail := fmt.Sprintf("not done after %v", within)
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

// joined returns what another process has journalled meanwhile, if it has. What a newer version
// has journalled ends the work of this one: nothing may be done by a part of what it says.
func (c *Controller) joined(ctx context.Context, x Execution) (Event, bool) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := c.cfg.Journal.Latest(call)
	if err == nil {
		err = e.Readable()
	}
	if IsNewer(err) {
		return Event{unread: err}, true
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
