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
	Reports      Reports
	Journal      Journal
	Acknowledger Acknowledger
	Promoter     Promoter
	Preflight    Preflighter
	Beater       Beater // on the database of the controller's own Region
	Router       Router
	Notifier     Notifier

	// Origin is the person for whom Failover moves the writer. What a person asks for is
	// carried out although the automation is paused, or only observes. The zero Origin is
	// the automation's.
	Origin Origin
	// Trigger is the name of the function that takes people's answers, for the messages
	// that ask. Optional.
	Trigger string
	// Verdict returns what is thought now of the Region that is given up, so that an open
	// question says what is at stake now. Optional.
	Verdict func() health.Verdict
	// OnTold is called when the journal holds that people have accepted a message of an
	// execution. It must not block. Optional.
	OnTold func(Execution)
	// Promises says that the Region's monitor promises the other one to leave the lease
	// alone: then an expired lease is no proof of a fence before those promises have run out.
	Promises bool
	Trace    *dr.Trace
}

// Controller moves the writer to its own Region, one journalled step at a time.
type Controller struct {
	cfg      ControllerConfig
	problems problems
	entered  entered
	// onPromoted is called with the epoch of a promotion that is done, for an agent
	// whose guard opens a server that came up read-only.
	onPromoted func(e dr.Epoch, back bool)
}

// parts are what every controller needs besides what the role that runs it brings along.
func (c ControllerConfig) parts(prefix string) []part {
	return []part{
		{prefix + "Journal", c.Journal == nil}, {prefix + "Acknowledger", c.Acknowledger == nil}, {prefix + "Promoter", c.Promoter == nil},
		{prefix + "Preflight", c.Preflight == nil}, {prefix + "Beater", c.Beater == nil}, {prefix + "Router", c.Router == nil},
		{prefix + "Notifier", c.Notifier == nil},
	}
}

// NewController returns a controller, or everything that its configuration lacks.
func NewController(cfg ControllerConfig) (*Controller, error) {
	errs := []error{cfg.Topology.Validate(), cfg.Policy.ValidateFor(cfg.Topology)}
	if cfg.Topology.Peer(cfg.Region) == "" {
		errs = append(errs, fmt.Errorf("failover: controller: Region %q is not a member of the topology", cfg.Region))
	}
	errs = append(errs, required("controller", append(cfg.parts(""),
		part{"Leaser", cfg.Leaser == nil}, part{"Watch", cfg.Watch == nil}, part{"Reports", cfg.Reports == nil})...))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = cfg.Policy.WithDefaults()
	return &Controller{cfg: cfg}, nil
}

// Failover moves the writer here from the Region that the verdict has found
// Impaired, and accepts the loss of what has not arrived, within the policy. It
// returns when the execution has ended, or with ctx's error; calling it again
// continues the same execution. Neither a pause nor Automatic: never stops a person's, the
// config's Origin.
func (c *Controller) Failover(ctx context.Context, v health.Verdict) (Execution, error) {
	if v.State != health.Impaired {
		return Execution{}, fmt.Errorf("failover: %s is %s, not Impaired: nothing may be promoted (%s)", v.Subject, v.State, v.Why())
	}
	recent, err := c.recent(ctx)
	if err != nil {
		return Execution{}, err
	}
	if _, known := c.cfg.Watch.Lease(); known && c.cfg.Watch.Unchanged() < c.cfg.Policy.SilentAfter() && !c.cfg.Watch.blind(c.cfg.Policy) {
		return Execution{}, fmt.Errorf("failover: %s has renewed its lease since the verdict: it lives", v.Subject)
	}
	return c.begin(ctx, Event{Kind: EvConfirmed, Origin: c.cfg.Origin}, v.Subject, c.automatic, func(l Lease) Evidence {
		ev := c.evidence(v, l)
		ev.Recent = recent
		return ev
	})
}

// evidence is what a verdict says of the holder of a lease.
func (c *Controller) evidence(v health.Verdict, l Lease) Evidence {
	ev := Evidence{
		DarkSince: v.DarkSince, Dark: v.Dark, Vantages: v.Vantages, MonitorDiedFirst: v.MonitorDiedFirst,
		LagAge: v.LagAge, LeaseRev: l.Rev, LeaseUnchanged: c.cfg.Watch.Unchanged(), LeaseServed: l.Served, Blind: c.cfg.Watch.blind(c.cfg.Policy), Witness: c.cfg.Topology.Witness != "", Why: v.Why(),
	}
	if v.Lag != nil {
		ev.LagKnown, ev.Lag = true, v.Lag.Value
	}
	return ev
}

// automatic refuses to begin what no person has asked for while the automation is off.
func (c *Controller) automatic(_ context.Context, last Execution) error {
	if c.cfg.Origin.By != "" {
		return nil
	}
	if c.cfg.Policy.Automatic == dr.AutomaticNever {
		return deny(DenyObserveOnly, last, "the policy is to observe only (Automatic: never): a failover would begin now")
	}
	if p := last.Pause; p.Active(time.Now()) {
		return deny(DenyPaused, last, "%s", pausedWhy(p))
	}
	return nil
}

func pausedWhy(p *Pause) string {
	return fmt.Sprintf("%s has paused the automation until %s: %s", p.By, p.Until.UTC().Format(time.RFC3339), p.Reason)
}

// Switchover moves the writer here without loss while both Regions are healthy. It
// is also the way back after a failover, and always a person's decision. It does not
// begin while the writer's lease is not renewed: without a monitor there the fence is not
// confirmed.
func (c *Controller) Switchover(ctx context.Context, o Origin) (Execution, error) {
	why := "requested by a person"
	if o.By != "" {
		why = fmt.Sprintf("requested by %s: %s", o.By, o.Reason)
	}
	return c.begin(ctx, Event{Kind: EvRequested, Origin: o}, c.cfg.Topology.Peer(c.cfg.Region), c.renewed, func(l Lease) Evidence {
		return Evidence{LeaseRev: l.Rev, LeaseServed: l.Served, Witness: c.cfg.Topology.Witness != "", Why: why}
	})
}

// Adopt follows a move of the writer that something else has made: the control plane
// names the controller's own Region the writer, and its own server says that it is. The
// lease, the fence of the old writer and the clients follow as in every execution. It
// begins only when both say so, nothing is moving and no execution is open.
func (c *Controller) Adopt(ctx context.Context) (Execution, error) {
	peer := c.cfg.Topology.Peer(c.cfg.Region)
	return c.begin(ctx, Event{Kind: EvAdopted}, peer, func(ctx context.Context, last Execution) error {
		r, err := c.look(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("failover: adopt: %w", err)
		case !r.ClusterKnown || r.Cluster.Writer != c.cfg.Region || r.Cluster.MovingTo != "":
			return deny(DenyPrecondition, last, "the control plane does not name %s the writer (%s)", c.cfg.Region, r.cluster())
		case r.Role != RoleWriter:
			return deny(DenyPrecondition, last, "the server of %s does not say that it is the writer (%s)", c.cfg.Region, r.server())
		}
		return nil
	}, func(l Lease) Evidence {
		return Evidence{
			LeaseRev: l.Rev, LeaseUnchanged: c.cfg.Watch.Unchanged(), LeaseServed: l.Served, Witness: c.cfg.Topology.Witness != "",
			Why: fmt.Sprintf("the control plane and its own server name %s the writer, and Lifeboat has not moved it: a person or AWS has", c.cfg.Region),
		}
	})
}

// Resume continues the execution that the journal holds open for this Region, tells
// people what is still owed to them, and reports whether there was an open execution.
func (c *Controller) Resume(ctx context.Context) (Execution, bool, error) {
	e, err := c.latest(ctx)
	if errors.Is(err, ErrNoEntry) {
		return Execution{}, false, nil
	}
	if err != nil {
		return Execution{}, false, err
	}
	x := e.Execution
	if x.State.hasPromoted() && x.To == c.cfg.Region && c.onPromoted != nil {
		c.onPromoted(x.Epoch, false) // by a predecessor, or by another process
	}
	if x.State == Returned && x.From == c.cfg.Region && x.Back > 0 && c.onPromoted != nil {
		c.onPromoted(x.Back, true)
	}
	if x.To != c.cfg.Region {
		return Execution{}, false, nil
	}
	c.entered.recall(e)
	if x.State.Ended() {
		_, err := c.ended(ctx, x)
		return Execution{}, false, err
	}
	if x, err = c.endorse(ctx, x, c.cfg.Origin); err != nil {
		return x, true, err
	}
	x, err = c.run(ctx, x)
	return x, true, err
}

// renewed watches the lease until it is renewed, for as long as a renewal may take. One
// that has no committed write behind it doesn't count: that monitor can't ask its server,
// so it can't fence it either.
func (c *Controller) renewed(ctx context.Context, last Execution) error {
	for begun := time.Now(); ; {
		silent := c.cfg.Watch.Unserved()
		switch limit := c.cfg.Policy.SilentAfter(); {
		case c.cfg.Watch.Moved() && silent < limit:
			return nil
		case silent >= limit, time.Since(begun) > 2*limit:
			l, _ := c.cfg.Watch.Lease()
			return deny(DenyPrecondition, last, "switchover to %s: %s has not renewed its lease for %v, and a switchover needs both Regions: start the health monitor there, or leave it to the failover",
				c.cfg.Region, l.Holder, silent.Round(10*time.Millisecond))
		}
		if err := pause(ctx, c.cfg.Policy.ObserveInterval); err != nil {
			return err
		}
	}
}

// staleAfter is after how long an execution that is to begin looks at the journal again: a
// person may have paused the automation, or resumed it, while it waited.
const staleAfter = 100 * time.Millisecond

// begin opens an execution when it may, or joins the one that is open. Its first entry hands
// the pause on, so it rests on a look at the journal right before it.
func (c *Controller) begin(ctx context.Context, e Event, from dr.Region, may func(context.Context, Execution) error, evidence func(Lease) Evidence) (Execution, error) {
	for tried := ""; ; {
		last, err := c.latest(ctx)
		looked := time.Now()
		if err != nil && !errors.Is(err, ErrNoEntry) {
			return Execution{}, err
		}
		if err == nil && !last.Execution.State.Ended() && last.Execution.State != Steady {
			if last.Execution.To != c.cfg.Region {
				return Execution{}, deny(DenyUnderWay, last.Execution, "execution %s moves the writer to %s: let it end first", last.Execution.ID, last.Execution.To)
			}
			if last.Execution.ID == tried { // its own, whose answer was lost, or of a controller that was faster
				c.trace(last.Execution)
			}
			c.entered.recall(last)
			return c.join(ctx, last.Execution, e)
		}
		lease, known := c.cfg.Watch.Lease()
		if !known {
			return Execution{}, fmt.Errorf("failover: %w: nothing is known of the lease, so no fence can be proven", ErrNoLease)
		}
		if lease.Holder != from {
			return Execution{}, deny(DenyPrecondition, last.Execution, "%s does not hold the lease, %s does: there is nothing to move", from, lease.Holder)
		}
		if err := may(ctx, last.Execution); err != nil {
			return Execution{}, err
		}
		if time.Since(looked) > staleAfter {
			now, err := c.latest(ctx)
			if err != nil && !errors.Is(err, ErrNoEntry) {
				return Execution{}, err
			}
			if now.Execution.ID != last.Execution.ID || now.Execution.Seq != last.Execution.Seq {
				continue
			}
		}
		lease, _ = c.cfg.Watch.Lease() // by now
		x := Execution{From: from, To: c.cfg.Region, State: Steady, Epoch: lease.Epoch + 1, Evidence: evidence(lease), Pause: last.Execution.Pause}
		if x.ID, err = executionID(x.Epoch, last.Execution.ID); err != nil {
			return Execution{}, err
		}
		e.Detail = x.Evidence.Why
		next, err := Step(c.cfg.Policy, x, e.seen(time.Now()))
		if err != nil {
			return x, err
		}
		tried = x.ID
		begun, err := c.open(ctx, &next, e.Kind)
		switch {
		case err != nil:
			return x, err
		case begun:
			return c.run(ctx, next)
		}
	}
}

// open tries once to journal the first entry of an execution, and reports whether it has.
// If not, the journal is to be looked at again: the place is taken, or the answer was lost.
func (c *Controller) open(ctx context.Context, next *Execution, k Kind) (bool, error) {
	next.Seq = 1
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	err := c.cfg.Journal.Append(call, Entry{Version: JournalVersion, Execution: *next, Event: k, At: time.Now().UTC()})
	cancel()
	switch {
	case err == nil:
		c.trace(*next)
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, ErrConflict):
		return false, nil
	}
	c.problem("append to journal", err)
	return false, pause(ctx, c.cfg.Policy.PollInterval)
}

// join goes on with an execution that is what an event asks for. A switchover that finds a
// failover was asked for as something else.
func (c *Controller) join(ctx context.Context, x Execution, e Event) (Execution, error) {
	if e.Kind != EvRequested || x.Mode != ModeFailover {
		var err error
		if x, err = c.endorse(ctx, x, e.Origin); err != nil {
			return x, err
		}
	}
	return c.run(ctx, x)
}
