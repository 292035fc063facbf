package failover

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// promote asks AWS once and then looks. The API has no idempotency token, so it is
// asked again only when nothing is under way, and only while the writer is where this
// execution takes it from.
func (c *Controller) promote(ctx context.Context, x Execution) Event {
	var o order
	within := min(c.cfg.Policy.EffectTimeout, promotionOverdue)
	return c.attemptFor(ctx, x, within, CodePromotionStuck, func(call context.Context) (Event, error) {
		return c.order(call, x, &o)
	})
}

// promotionOverdue is after how long people are told of a promotion that AWS has accepted, or
// of a promoted server that commits nothing. AWS promotes on meanwhile, and an open question
// goes on by itself once it has.
const promotionOverdue = 90 * time.Second

// order is what is remembered of a promotion between two looks.
type order struct {
	sent      bool      // it was asked for, and perhaps accepted
	role      time.Time // when this Region's server was last asked for its role
	elsewhere time.Time // since when something else moves the writer
}

// order looks where the writer is, and asks for its move when nothing is under way. It
// returns again while the move is under way.
func (c *Controller) order(call context.Context, x Execution, o *order) (Event, error) {
	now, err := c.cfg.Promoter.Describe(call)
	switch {
	case err != nil:
		return Event{}, err
	case now.Writer == x.To && now.MovingTo == "":
		return Event{Kind: EvPromoted, Detail: "the control plane names " + x.To.String() + " the writer"}, nil
	case now.MovingTo == x.To:
		o.elsewhere = time.Time{}
		return Event{}, again
	case now.MovingTo != "":
		if o.elsewhere.IsZero() {
			o.elsewhere = time.Now()
		}
		if time.Since(o.elsewhere) >= lookEvery {
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
	if o.sent && c.tookOver(call, x, o) {
		return tookOver(x), nil
	}
	ask := c.cfg.Promoter.Failover
	if x.Mode == ModeSwitchover {
		ask = c.cfg.Promoter.Switchover
	}
	err = ask(call, x.To)
	if o.sent = true; err == nil {
		return Event{}, again
	}
	if errors.Is(err, ErrRefused) && c.tookOver(call, x, o) {
		return tookOver(x), nil // a promotion that an earlier process has asked for
	}
	return Event{}, err
}

// tookOver reports whether the control plane has promoted this Region's server although its
// description still names the old writer: the server was a secondary when the epoch was
// taken, and only a promotion makes a writer of one. The word of a server that was not seen
// to be a secondary proves nothing: an old writer that was never told takes itself for one.
func (c *Controller) tookOver(ctx context.Context, x Execution, o *order) bool {
	if !x.Followed || time.Since(o.role) < requestEvery {
		return false
	}
	o.role = time.Now()
	r, err := c.look(ctx)
	return err == nil && r.Role == RoleWriter
}

func tookOver(x Execution) Event {
	return Event{Kind: EvPromoted, Unnamed: true, Detail: "the server of " + x.To.String() + " was a secondary and is the writer; the control plane's description is out of date"}
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
		if back, is := c.movedBack(call, x); is {
			return back, nil
		}
		return e, err
	}
}

// movedBack says where the writer is when it is not in the Region that was promoted. A
// description that has never named that Region is no move while its server is the writer.
func (c *Controller) movedBack(call context.Context, x Execution) (Event, bool) {
	now, err := c.cfg.Promoter.Describe(call)
	switch {
	case err != nil || now.MovingTo != "" || now.Writer == x.To:
		return Event{}, false
	case now.Writer != x.From:
		return Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf("the control plane names the writer %s", orNone(now.Writer))}, true
	}
	return Event{Kind: EvMovedBack, Detail: "the control plane names " + x.From.String() + " the writer again"}, !x.Unnamed || !c.tookOver(call, x, &order{})
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
	// Until the name has followed, a write through it goes to a Region that may not answer: the
	// first tries are short, and a slow endpoint gets more time with each.
	patience := 2 * c.cfg.Policy.PollInterval
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
		try, cancel := context.WithTimeout(call, patience)
		defer cancel()
		patience *= 2
		at, err := c.cfg.Router.Reach(try, x.Epoch)
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
