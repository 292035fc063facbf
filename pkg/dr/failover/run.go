package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// run performs the effect of each state and journals its outcome, until the
// execution has ended.
func (c *Controller) run(ctx context.Context, x Execution) (Execution, error) {
	for !x.State.Ended() {
		if x.State.hasPromoted() && c.onPromoted != nil {
			// Perhaps not by this controller: it may have joined an execution that another
			// one has carried past the promotion, and its guard must learn of it all the same.
			c.onPromoted(x.Epoch, false)
		}
		e := c.perform(ctx, x)
		if err := ctx.Err(); err != nil {
			return x, err
		}
		if e.unread != nil {
			return x, e.unread
		}
		if e.joined != nil {
			c.trace(*e.joined)
			x = *e.joined
			continue
		}
		next, err := Step(c.cfg.Policy, x, e.seen(time.Now()))
		var refused *Refusal
		if errors.As(err, &refused) {
			return x, err
		}
		if next, err = c.append(ctx, x, next, e.Kind); err != nil {
			return x, err
		}
		x = next
	}
	return c.ended(ctx, x)
}

// ended does what is left when an execution has come to its end: an epoch that was taken
// while the abort was journalled goes back, and people are told what they are owed. What
// can't be told now stays owed.
func (c *Controller) ended(ctx context.Context, x Execution) (Execution, error) {
	if l, known := c.cfg.Watch.Lease(); x.State == Aborted && known && (x.tookFor(l) || x.gaveBack(l)) {
		e := c.giveBack(ctx, x)
		if err := ctx.Err(); err != nil {
			return x, err
		}
		if e.Kind == EvReturned {
			next, err := Step(c.cfg.Policy, x, e)
			if err == nil {
				next, err = c.append(ctx, x, next, e.Kind)
			}
			if err != nil {
				return x, err
			}
			x = next
		}
	}
	for len(x.Owed) > 0 && x.Owed[0] != (Notice{}) {
		told, err := c.tell(ctx, x, x.Owed[0])
		if err != nil || !x.State.Ended() {
			return x, nil //nolint:nilerr // it stays owed, and was reported
		}
		x = told
	}
	return x, nil
}

// append journals next as what followed x. When another controller was faster, it
// returns that controller's outcome instead: there is one history.
func (c *Controller) append(ctx context.Context, x, next Execution, k Kind) (Execution, error) {
	next.Seq = x.Seq + 1
	entry := Entry{Version: JournalVersion, Execution: next, Event: k, At: time.Now().UTC()}
	for {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		err := c.cfg.Journal.Append(call, entry)
		cancel()
		switch {
		case err == nil:
			if next.State != x.State || next.Question.ID != x.Question.ID || x.Seq == 0 {
				c.trace(next)
			}
			c.entered.pass(next)
			return next, nil
		case errors.Is(err, ErrConflict):
			// Perhaps our own entry, whose acknowledgement was lost.
			last, err := c.latest(ctx)
			if err != nil {
				return x, err
			}
			if last.Execution.ID != x.ID {
				return x, fmt.Errorf("failover: execution %s has ended, and %s has begun since", x.ID, last.Execution.ID)
			}
			if last.Execution.State != x.State {
				c.trace(last.Execution)
			}
			c.entered.pass(last.Execution)
			return last.Execution, nil
		case ctx.Err() != nil:
			return x, ctx.Err()
		}
		c.problem("append to journal", err)
		if err := pause(ctx, c.cfg.Policy.PollInterval); err != nil {
			return x, err
		}
	}
}

// latest reads the newest entry, and retries until it is told or ctx has ended.
func (c *Controller) latest(ctx context.Context) (Entry, error) {
	for {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		e, err := c.cfg.Journal.Latest(call)
		cancel()
		if err == nil {
			err = e.Readable()
		}
		if err == nil || errors.Is(err, ErrNoEntry) || errors.Is(err, ErrNewerEntry) {
			return e, err
		}
		if ctx.Err() == nil { // else it is called off, and nothing is wrong
			c.problem("read journal", err)
		}
		if err := pause(ctx, c.cfg.Policy.PollInterval); err != nil {
			return Entry{}, err
		}
	}
}

// Readable refuses an entry that says what this program doesn't know, with ErrNewerEntry.
func (e Entry) Readable() error {
	x := e.Execution
	if e.Version > JournalVersion {
		return fmt.Errorf("%w: entry %d of %s has version %d, this program knows %d", ErrNewerEntry, x.Seq, x.ID, e.Version, JournalVersion)
	}
	if _, known := table[x.State]; !known {
		return fmt.Errorf("%w: entry %d of %s is in state %q", ErrNewerEntry, x.Seq, x.ID, x.State)
	}
	if x.Mode != "" && x.Mode != ModeFailover && x.Mode != ModeSwitchover && x.Mode != ModeAdopt {
		return fmt.Errorf("%w: entry %d of %s has mode %q", ErrNewerEntry, x.Seq, x.ID, x.Mode)
	}
	return nil
}

func (c *Controller) recent(ctx context.Context) (int, error) {
	for {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		n, err := c.cfg.Journal.Settled(call, time.Now().Add(-c.cfg.Policy.FailoverWindow))
		cancel()
		if err == nil {
			return n, nil
		}
		if ctx.Err() == nil {
			c.problem("count recent failovers", err)
		}
		if err := pause(ctx, c.cfg.Policy.PollInterval); err != nil {
			return 0, err
		}
	}
}

func (c *Controller) trace(x Execution) {
	now := time.Now()
	before, since := c.entered.next(x, now)
	c.cfg.Trace.OnState(dr.StateChange{
		At: now, Region: c.cfg.Region, Execution: x.ID, From: x.From, To: x.To, Epoch: x.Epoch,
		State: dr.State(x.State), Code: string(x.Code), Detail: x.Detail,
		Before: dr.State(before), Since: since, DarkSince: x.Evidence.DarkSince,
	})
}

func (c *Controller) problem(op string, err error) {
	c.problems.report(c.cfg.Trace, c.cfg.Region, op, err)
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
