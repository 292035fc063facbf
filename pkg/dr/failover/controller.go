package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// ControllerConfig says what a controller acts on. Everything in it belongs to the
// controller's own Region or to the lease store: nothing on the path of a failover
// needs the failed Region.
type ControllerConfig struct {
	Region   dr.Region // the one that would be promoted
	Topology dr.Topology
	Policy   dr.Policy

	Leaser       Leaser
	Watch        *Watch
	Heartbeats   Heartbeats
	Journal      Journal
	Acknowledger Acknowledger
	Promoter     Promoter
	Beater       Beater // on the database of the controller's own Region
	Router       Router
	Notifier     Notifier
	Trace        *dr.Trace
}

// Controller moves the writer to its own Region, one journalled step at a time.
type Controller struct {
	cfg      ControllerConfig
	problems problems
	entered  entered
	// onPromoted is called with the epoch of a promotion that is done, for an agent
	// whose guard opens a server that came up read-only.
	onPromoted func(dr.Epoch)
}

// NewController returns a controller, or everything that its configuration lacks.
func NewController(cfg ControllerConfig) (*Controller, error) {
	errs := []error{cfg.Topology.Validate(), cfg.Policy.ValidateFor(cfg.Topology)}
	if cfg.Topology.Peer(cfg.Region) == "" {
		errs = append(errs, fmt.Errorf("failover: controller: Region %q is not a member of the topology", cfg.Region))
	}
	for name, missing := range map[string]bool{
		"Leaser": cfg.Leaser == nil, "Watch": cfg.Watch == nil, "Heartbeats": cfg.Heartbeats == nil,
		"Journal": cfg.Journal == nil, "Acknowledger": cfg.Acknowledger == nil, "Promoter": cfg.Promoter == nil,
		"Beater": cfg.Beater == nil, "Router": cfg.Router == nil, "Notifier": cfg.Notifier == nil,
	} {
		if missing {
			errs = append(errs, fmt.Errorf("failover: controller: %s is required", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = cfg.Policy.WithDefaults()
	return &Controller{cfg: cfg}, nil
}

// Failover moves the writer here from the Region that the verdict has found
// Impaired, and accepts the loss of what has not arrived, within the policy. It
// returns when the execution has ended, or with ctx's error; calling it again
// continues the same execution.
func (c *Controller) Failover(ctx context.Context, v health.Verdict) (Execution, error) {
	if v.State != health.Impaired {
		return Execution{}, fmt.Errorf("failover: %s is %s, not Impaired: nothing may be promoted (%s)", v.Subject, v.State, v.Why())
	}
	recent, err := c.recent(ctx)
	if err != nil {
		return Execution{}, err
	}
	if _, known := c.cfg.Watch.Lease(); known && c.cfg.Watch.Unchanged() < c.cfg.Policy.SilentAfter() {
		return Execution{}, fmt.Errorf("failover: %s has renewed its lease since the verdict: it lives", v.Subject)
	}
	return c.begin(ctx, EvConfirmed, v.Subject, nil, func(l Lease) Evidence {
		ev := Evidence{
			DarkSince: v.DarkSince, Dark: v.Dark, Vantages: v.Vantages, MonitorDiedFirst: v.MonitorDiedFirst,
			LagAge: v.LagAge, LeaseRev: l.Rev, LeaseUnchanged: c.cfg.Watch.Unchanged(), Recent: recent, Witness: c.cfg.Topology.Witness != "", Why: v.Why(),
		}
		if v.Lag != nil {
			ev.LagKnown, ev.Lag = true, v.Lag.Value
		}
		return ev
	})
}

// Switchover moves the writer here without loss while both Regions are healthy. It
// is also the way back after a failover, and always a person's decision. It does not
// begin while nobody renews the writer's lease: without a monitor there nobody confirms
// the fence.
func (c *Controller) Switchover(ctx context.Context) (Execution, error) {
	return c.begin(ctx, EvRequested, c.cfg.Topology.Peer(c.cfg.Region), c.renewed, func(l Lease) Evidence {
		return Evidence{LeaseRev: l.Rev, Witness: c.cfg.Topology.Witness != "", Why: "requested by an operator"}
	})
}

// Resume continues the execution that the journal holds open for this Region, and
// reports whether there was one.
func (c *Controller) Resume(ctx context.Context) (Execution, bool, error) {
	e, err := c.latest(ctx)
	if err == nil && e.Execution.State.hasPromoted() && e.Execution.To == c.cfg.Region && c.onPromoted != nil {
		c.onPromoted(e.Execution.Epoch) // by a predecessor, or by somebody else's hands
	}
	if errors.Is(err, ErrNoEntry) || err == nil && (e.Execution.State.Ended() || e.Execution.To != c.cfg.Region) {
		return Execution{}, false, nil
	}
	if err != nil {
		return Execution{}, false, err
	}
	c.entered.recall(e)
	x, err := c.run(ctx, e.Execution)
	return x, true, err
}

// renewed watches the lease until it is renewed, for as long as a renewal may take.
func (c *Controller) renewed(ctx context.Context) error {
	for begun := time.Now(); ; {
		silent := c.cfg.Watch.Unchanged()
		switch limit := c.cfg.Policy.SilentAfter(); {
		case c.cfg.Watch.Moved() && silent < limit:
			return nil
		case silent >= limit, time.Since(begun) > 2*limit:
			l, _ := c.cfg.Watch.Lease()
			return fmt.Errorf("failover: switchover to %s: %s has not renewed its lease for %v, and a switchover needs both Regions: start the health monitor there, or leave it to the failover",
				c.cfg.Region, l.Holder, silent.Round(10*time.Millisecond))
		}
		if err := pause(ctx, c.cfg.Policy.ObserveInterval); err != nil {
			return err
		}
	}
}

// begin opens an execution when it may, or joins the one that is open.
func (c *Controller) begin(ctx context.Context, k Kind, from dr.Region, may func(context.Context) error, evidence func(Lease) Evidence) (Execution, error) {
	last, err := c.latest(ctx)
	if err != nil && !errors.Is(err, ErrNoEntry) {
		return Execution{}, err
	}
	if err == nil && !last.Execution.State.Ended() {
		if last.Execution.To != c.cfg.Region {
			return Execution{}, fmt.Errorf("failover: execution %s moves the writer to %s: let it end first", last.Execution.ID, last.Execution.To)
		}
		c.entered.recall(last)
		return c.run(ctx, last.Execution)
	}
	lease, known := c.cfg.Watch.Lease()
	if !known {
		return Execution{}, fmt.Errorf("failover: %w: nothing is known of the lease, so no fence can be proven", ErrNoLease)
	}
	if lease.Holder != from {
		return Execution{}, fmt.Errorf("failover: %s does not hold the lease, %s does: nothing to move", from, lease.Holder)
	}
	if may != nil {
		if err := may(ctx); err != nil {
			return Execution{}, err
		}
		lease, _ = c.cfg.Watch.Lease() // by now
	}
	x := Execution{From: from, To: c.cfg.Region, State: Steady, Epoch: lease.Epoch + 1, Evidence: evidence(lease)}
	if x.ID, err = executionID(x.Epoch, last.Execution.ID); err != nil {
		return Execution{}, err
	}
	next, err := Step(c.cfg.Policy, x, Event{Kind: k, Detail: x.Evidence.Why})
	if err != nil {
		return x, err
	}
	next, err = c.append(ctx, x, next, k)
	if err != nil {
		return x, err
	}
	return c.run(ctx, next)
}

// run performs the effect of each state and journals its outcome, until the
// execution has ended.
func (c *Controller) run(ctx context.Context, x Execution) (Execution, error) {
	for !x.State.Ended() {
		if x.State.hasPromoted() && c.onPromoted != nil {
			// Perhaps not by this controller: it may have joined an execution that another
			// one has carried past the promotion, and its guard must learn of it all the same.
			c.onPromoted(x.Epoch)
		}
		e := c.perform(ctx, x)
		if err := ctx.Err(); err != nil {
			return x, err
		}
		next, err := Step(c.cfg.Policy, x, e)
		var refused *Refusal
		if errors.As(err, &refused) {
			return x, err
		}
		if next, err = c.append(ctx, x, next, e.Kind); err != nil {
			return x, err
		}
		x = next
	}
	return x, nil
}

// append journals next as what followed x. When another controller was faster, it
// returns that controller's outcome instead: there is one history.
func (c *Controller) append(ctx context.Context, x, next Execution, k Kind) (Execution, error) {
	next.Seq = x.Seq + 1
	entry := Entry{Execution: next, Event: k, At: time.Now().UTC()}
	for {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		err := c.cfg.Journal.Append(call, entry)
		cancel()
		switch {
		case err == nil:
			c.trace(next)
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
			c.trace(last.Execution)
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
		if err == nil || errors.Is(err, ErrNoEntry) {
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
		State: string(x.State), Code: string(x.Code), Detail: x.Detail,
		Before: string(before), Since: since, DarkSince: x.Evidence.DarkSince,
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
