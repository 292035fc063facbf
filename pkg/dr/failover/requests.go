package failover

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Denial says why what a person asks for is not done. Denials are stable: runbooks and
// scripts refer to them.
type Denial string

// The denials.
const (
	DenyNothingBegun   Denial = "nothing-begun"      // no execution has ever begun
	DenyOtherExecution Denial = "other-execution"    // the newest execution is another one
	DenyOtherQuestion  Denial = "other-question"     // the execution asks another question now
	DenyNothingAsked   Denial = "nothing-asked"      // the execution asks nothing
	DenyEnded          Denial = "ended"              // the execution has ended
	DenyAnswered       Denial = "already-answered"   // the question has an answer
	DenyTooLate        Denial = "too-late"           // the execution is past the point where this is possible
	DenyTooEarly       Denial = "too-early"          // the execution has not come to that point
	DenyPaused         Denial = "paused"             // the automation is paused
	DenyNotPaused      Denial = "not-paused"         // there is no pause to end
	DenyUnderWay       Denial = "under-way"          // an execution to the other Region is open
	DenyObserveOnly    Denial = "observe-only"       // the policy lets nothing begin by itself
	DenyPrecondition   Denial = "precondition-fails" // the world is not as it must be for this
)

// Denied is the error of a request that is not carried out. Nothing has changed.
type Denied struct {
	Code      Denial
	Execution string // the journal's newest; empty when there is none
	State     State
	Reason    string
}

func (d *Denied) Error() string { return fmt.Sprintf("failover: %s: %s", d.Code, d.Reason) }

// deny returns the denial of a request while x is the journal's newest execution.
func deny(code Denial, x Execution, format string, args ...any) *Denied {
	return &Denied{Code: code, Execution: x.ID, State: x.State, Reason: fmt.Sprintf(format, args...)}
}

// DenyAnswer returns why an answer is not one to the question that an execution asks now,
// or nil. It is pure.
func DenyAnswer(x Execution, a Acknowledgement) *Denied {
	switch {
	case x.ID == "":
		return deny(DenyNothingBegun, x, "no execution has ever begun: there is nothing to answer")
	case a.Execution != x.ID:
		return deny(DenyOtherExecution, x, "the answer is to another execution, the newest one is %s and %s", x.ID, x.State)
	case x.Ack != nil && x.Ack.Question == a.Question:
		return deny(DenyAnswered, x, "%s has answered question %s of execution %s: %s", x.Ack.By, a.Question, x.ID, x.Ack.Reason)
	case x.State.Ended():
		return deny(DenyEnded, x, "execution %s has ended: %s", x.ID, x.State)
	case x.State != AwaitingApproval:
		return deny(DenyNothingAsked, x, "execution %s asks nothing, it is %s", x.ID, x.State)
	case a.Question != x.Question.ID:
		return deny(DenyOtherQuestion, x, "the answer is to another question, execution %s asks question %s now (%s): %s", x.ID, x.Question.ID, x.Code, x.Detail)
	}
	return nil
}

// Acknowledge keeps a person's consent, if it answers the question that is open now; the
// error is a *[Denied] if not. The execution goes on when a controller of its Region sees
// the consent, so [Controller.Resume] it.
func (c *Controller) Acknowledge(ctx context.Context, a Acknowledgement) (Execution, error) {
	e, err := c.latest(ctx)
	if err != nil && !errors.Is(err, ErrNoEntry) {
		return Execution{}, err
	}
	if denied := DenyAnswer(e.Execution, a); denied != nil {
		return e.Execution, denied
	}
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	err = c.cfg.Acknowledger.Acknowledge(call, a)
	if errors.Is(err, ErrAcknowledged) {
		err = &Denied{Code: DenyAnswered, Execution: a.Execution, State: e.Execution.State, Reason: fmt.Sprintf("question %s of execution %s has another answer", a.Question, a.Execution)}
	}
	return e.Execution, err
}

// Abort ends an execution that has not taken its epoch: nothing was touched.
func (c *Controller) Abort(ctx context.Context, execution string, o Origin) (Execution, error) {
	return c.request(ctx, func(x Execution) (Event, *Denied) {
		denied := addressed(x, execution)
		if denied == nil && x.EpochTakenYet() {
			denied = &Denied{DenyTooLate, x.ID, x.State, fmt.Sprintf("execution %s is %s and has taken the epoch: return it", x.ID, x.State)}
		}
		return Event{Kind: EvAbortRequested, Origin: o, Detail: fmt.Sprintf("%s: %s", o.By, o.Reason)}, denied
	})
}

// Return gives the lease back to the Region that the execution took it from, while nothing
// is promoted, and returns when that Region has it. The Region must be the writer for the
// control plane, its monitor must report, and its server must answer that monitor, which is what
// opens the writer; about a server that does not answer a person is asked once more.
func (c *Controller) Return(ctx context.Context, execution string, o Origin) (Execution, error) {
	x, err := c.request(ctx, func(x Execution) (Event, *Denied) {
		denied := addressed(x, execution)
		if denied == nil && !x.EpochTakenYet() {
			denied = &Denied{DenyTooEarly, x.ID, x.State, fmt.Sprintf("execution %s is %s and has touched nothing: abort it", x.ID, x.State)}
		}
		return Event{Kind: EvReturnRequested, Origin: o, Detail: fmt.Sprintf("%s: %s", o.By, o.Reason)}, denied
	})
	if err != nil {
		return x, err
	}
	return c.run(ctx, x)
}

// Endorse journals that a person, too, asks for the execution that is open to this Region.
// A failover that the automation has begun is that person's from then on. The same person's
// same request changes nothing. It does nothing else: [Controller.Resume] goes on with it.
func (c *Controller) Endorse(ctx context.Context, o Origin) (Execution, error) {
	return c.request(ctx, func(x Execution) (Event, *Denied) {
		switch {
		case x.ID == "":
			return Event{}, deny(DenyNothingBegun, x, "no execution has ever begun")
		case x.To != c.cfg.Region || x.State == Steady:
			return Event{}, deny(DenyOtherExecution, x, "execution %s moves the writer to %s and is %s", x.ID, x.To, x.State)
		case x.State.Ended():
			return Event{}, deny(DenyEnded, x, "execution %s has ended: %s", x.ID, x.State)
		case x.Origin == o || x.Last == o:
			return Event{}, deny(DenyAnswered, x, "%s has asked for execution %s already: %s", o.By, x.ID, o.Reason)
		}
		return Event{Kind: EvEndorsed, Origin: o}, nil
	})
}

// endorse journals that a person asks for an execution which a controller goes on with,
// when one does, and returns the execution as it is now.
func (c *Controller) endorse(ctx context.Context, x Execution, o Origin) (Execution, error) {
	if o.By == "" || x.Origin == o || x.Last == o {
		return x, nil
	}
	now, err := c.Endorse(ctx, o)
	var denied *Denied
	if errors.As(err, &denied) { // it has ended meanwhile, or is on its way back
		err = nil
	}
	if now.ID != x.ID {
		now = x
	}
	return now, err
}

// Pause stops the automation until a time. An automatic execution that has touched nothing
// ends; one that has taken its epoch goes on, because its writer is fenced. So does what a
// person has asked for. It returns when the newest execution carries the pause.
func (c *Controller) Pause(ctx context.Context, d time.Duration, o Origin) (Execution, error) {
	p := Pause{Until: time.Now().Add(d).UTC(), By: o.By, Reason: o.Reason}
	return c.carried(ctx, Event{Kind: EvPaused, Origin: o, Pause: &p}, func(Execution) *Denied { return nil })
}

// Unpause ends a pause before its time.
func (c *Controller) Unpause(ctx context.Context, o Origin) (Execution, error) {
	return c.carried(ctx, Event{Kind: EvResumed, Origin: o}, func(x Execution) *Denied {
		if !x.Pause.Active(time.Now()) {
			return deny(DenyNotPaused, x, "the automation is not paused")
		}
		return nil
	})
}

// An execution that begins looks at the journal, and then writes its first entry, which
// hands on the pause that it has seen. beginsWithin is how long it may take to that: two
// calls and staleAfter. A store that is slower is slower for a pause, too.
const beginsWithin = time.Second

// carried journals a pause or its end, and sees to it that the newest execution carries it:
// one that was about to begin may not have seen it, and is told, too.
func (c *Controller) carried(ctx context.Context, e Event, may func(Execution) *Denied) (Execution, error) {
	var before *Pause
	begun := time.Now()
	x, err := c.request(ctx, func(x Execution) (Event, *Denied) {
		before = x.Pause
		return e, may(x)
	})
	if err != nil {
		return x, err
	}
	if err := pause(ctx, max(beginsWithin, 3*time.Since(begun))); err != nil {
		return x, err
	}
	now, err := c.latest(ctx)
	if err != nil {
		return x, err
	}
	if now.Execution.ID == x.ID || now.Execution.Pause.is(e.Pause) || !now.Execution.Pause.is(before) {
		return x, nil // it is there, or a person has said something else since
	}
	return c.request(ctx, func(Execution) (Event, *Denied) { return e, nil })
}

// is reports whether two pauses are one.
func (p *Pause) is(o *Pause) bool {
	return p == o || p != nil && o != nil && p.Until.Equal(o.Until) && p.By == o.By && p.Reason == o.Reason
}

// addressed denies what is asked of another execution than the newest, or of an ended one.
func addressed(x Execution, execution string) *Denied {
	switch {
	case x.ID == "":
		return &Denied{DenyNothingBegun, "", Steady, "no execution has ever begun"}
	case x.ID != execution:
		return &Denied{DenyOtherExecution, x.ID, x.State, fmt.Sprintf("another execution was named, the newest one is %s and %s", x.ID, x.State)}
	case x.State.Ended():
		return &Denied{DenyEnded, x.ID, x.State, fmt.Sprintf("execution %s has ended: %s", x.ID, x.State)}
	}
	return nil
}

// request journals what a person asks for as the next entry of the newest execution. When
// a controller is faster, the request is judged again by what that one has journalled.
func (c *Controller) request(ctx context.Context, judge func(Execution) (Event, *Denied)) (Execution, error) {
	for {
		last, err := c.latest(ctx)
		if errors.Is(err, ErrNoEntry) {
			last, err = c.first()
		}
		if err != nil {
			return Execution{}, err
		}
		x := last.Execution
		judged := x
		if x.Seq == 0 {
			judged = Execution{} // nothing has begun yet
		}
		e, denied := judge(judged)
		if denied != nil {
			return x, denied
		}
		next, err := Step(c.cfg.Policy, x, e)
		var refused *Refusal
		if errors.As(err, &refused) {
			code := DenyTooLate
			if x.State.beforeEpoch() {
				code = DenyTooEarly
			}
			return x, &Denied{code, x.ID, x.State, refused.Reason}
		}
		next.Seq = x.Seq + 1
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		err = c.cfg.Journal.Append(call, Entry{Version: JournalVersion, Execution: next, Event: e.Kind, At: time.Now().UTC()})
		cancel()
		switch {
		case err == nil:
			if next.State != x.State {
				c.trace(next)
			}
			return next, nil
		case ctx.Err() != nil:
			return x, ctx.Err()
		case !errors.Is(err, ErrConflict):
			c.problem("append to journal", err)
		}
		// The place is taken, perhaps by this very entry, whose answer was lost.
		if now, err := c.latest(ctx); err == nil && now.Event == e.Kind && now.Execution.ID == next.ID && now.Execution.Seq == next.Seq && now.Execution.Last == next.Last && now.Execution.Origin == next.Origin {
			return now.Execution, nil
		}
		if err := pause(ctx, c.cfg.Policy.PollInterval); err != nil {
			return x, err
		}
	}
}

// first is what a request is journalled to when no execution has ever begun.
func (c *Controller) first() (Entry, error) {
	l, known := c.cfg.Watch.Lease()
	if !known {
		return Entry{}, fmt.Errorf("failover: %w: nothing is known of the lease", ErrNoLease)
	}
	id, err := executionID(l.Epoch+1, "")
	return Entry{Execution: Execution{ID: id, State: Steady, From: l.Holder, To: c.cfg.Topology.Peer(l.Holder), Epoch: l.Epoch + 1}}, err
}
