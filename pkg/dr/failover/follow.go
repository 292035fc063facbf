package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// TriggerInvoker has the trigger move the writer in another process of the same Region, for an agent without
// a Controller of its own.
type TriggerInvoker interface {
	// Ask has the trigger look at the evidence and at the journal, and act on it. It
	// returns when the trigger has been asked and does not wait for what it does.
	// Asking twice is asking once.
	Ask(ctx context.Context, reason string) error
}

// Hearing is a TriggerInvoker that hears what becomes of its questions. While it waits for the
// end of one, an open execution is not asked about with every verdict. Optional.
type Hearing interface {
	// Waits reports whether a question is being worked on, so that the Hearing will hear
	// when the process that works on it dies, and has that asked again by itself. One that
	// another process's question has set to work is not heard of.
	Waits() bool
}

// stalled is after how long without a new entry an execution's trigger is asked again; a
// process that has just begun to follow asks at once.
// A trigger that lives and waits, for a promotion say, loses nothing by it.
const stalled = 3 * time.Second

// firstLook is the time between two looks whether the lease has been read at last.
const firstLook = 25 * time.Millisecond

// ask has the trigger look. It must not hold the agent up.
func (a *agent) ask(ctx context.Context, reason string) {
	a.mu.Lock()
	a.asked = time.Now()
	a.mu.Unlock()
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	if err := a.cfg.Trigger.Ask(call, reason); err != nil && ctx.Err() == nil {
		a.problem("ask the trigger", err)
	}
}

// worthAsking reports whether the trigger should look. It is asked as soon as two
// families are silent and nothing proves that the Region serves: it starts and asks
// its own questions while the evidence is still being confirmed here, and so costs
// no time. What it may do is decided by its own verdict.
func worthAsking(v health.Verdict) bool {
	return v.State == health.Impaired || !v.Serving && len(v.Dark)+len(v.Suspect) >= 2
}

// trigger asks the trigger about every verdict that is worth it, at most once per probe
// interval. What an open execution knows already is not asked: follow asks again when that
// stands still or waits for a person, unless the verdict was another one in between.
func (a *agent) trigger(ctx context.Context) {
	var before time.Time // the last verdict that was worth a question
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-a.verdicts:
			now := time.Now()
			lasting := now.Sub(before) < 2*a.cfg.Policy.ProbeInterval
			before = now
			// The first question of an outage waits for nothing, not even for the journal.
			known := Steady
			if lasting {
				known = a.underWay(ctx)
			}
			if known != AwaitingApproval { // which takes no lease before it is answered
				a.abstain()
			}
			if h, hears := a.cfg.Trigger.(Hearing); known == Steady || known != AwaitingApproval && !(hears && h.Waits()) {
				a.ask(ctx, v.Why())
			}
		}
	}
}

// underWay returns the state of an execution to this Region that is open, and Steady when none
// is, or the journal doesn't answer.
func (a *agent) underWay(ctx context.Context) State {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := a.cfg.Journal.Latest(call)
	if x := e.Execution; err == nil && x.To == a.cfg.Region && !x.State.Ended() {
		return x.State
	}
	return Steady
}

// follow reads in the journal what the trigger does. When it has promoted this Region, or
// has given the lease back to it, the guard may open the server. When it stands still, waits
// for a person, or could not tell people what it owes them, it is asked again: it may have
// died, and what it waits for may have happened.
func (a *agent) follow(ctx context.Context) {
	tick := time.NewTicker(min(a.cfg.Policy.PollInterval, a.cfg.Policy.RenewInterval))
	defer tick.Stop()
	f := follower{own: a.cfg.Region, pace: a.cfg.Policy.RenewInterval}
	// Who starts between a promotion and the first renewal must not lose an interval.
	for _, known := a.watch.Lease(); !known; _, known = a.watch.Lease() {
		if pause(ctx, firstLook) != nil {
			return
		}
	}
	for ok := true; ok; ok = next(ctx, tick) {
		l, _ := a.watch.Lease()
		if !f.due(l, a.lately(), time.Now()) {
			continue
		}
		call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
		e, err := a.cfg.Journal.Latest(call)
		cancel()
		switch {
		case errors.Is(err, ErrNoEntry):
			f.none(l, time.Now()) // the lease was given out by hand
		case err != nil:
			if ctx.Err() == nil {
				a.problem("read journal", err)
			}
		default:
			promoted, again := f.read(l, e, time.Now())
			if promoted && a.guard != nil {
				a.guard.promoted(l.Epoch, e.Execution.gaveBack(l))
			}
			if again {
				a.ask(ctx, fmt.Sprintf("execution %s stands at %s", e.Execution.ID, e.Execution.State))
			}
		}
	}
}

// lately reports whether the trigger was asked a moment ago, and may have begun something.
func (a *agent) lately() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.asked.IsZero() && time.Since(a.asked) < 5*stalled
}

const (
	// seldom is how often the journal is read while nothing is known to be open: a person
	// can have the trigger begin an execution past the monitor.
	seldom = 30 * time.Second
	// An execution that waits is looked at after firstReminder, after twice that and so on,
	// and then every mostReminder; one that only owes a message, every mostOwed in the end.
	firstReminder = 4 * time.Second
	mostReminder  = 10 * time.Second
	mostOwed      = time.Minute
)

// reminders returns how many reminders are due of an entry of a certain age. It needs no
// memory, so a monitor's process that takes over goes on where its predecessor was.
func reminders(age, most time.Duration) (n int) {
	for gap := firstReminder; age >= gap; gap = min(2*gap, most) {
		if gap == most {
			return n + int(age/most)
		}
		age, n = age-gap, n+1
	}
	return n
}

// follower remembers what it has read of an execution.
type follower struct {
	own    dr.Region
	ended  string    // an execution that took this Region's epoch and needs no more reading
	open   bool      // the newest execution is this Region's trigger's, and not done with
	looked time.Time // when the journal was last read
	moving bool      // a promotion is under way, and clients wait for this Region's writer to be opened
	pace   time.Duration

	id       string
	seq      int
	since    time.Time // when that entry was first seen
	reminded int
}

// due reports whether the journal is to be read. asked says that the trigger was asked a
// moment ago.
func (f *follower) due(l Lease, asked bool, now time.Time) bool {
	mine := l.Holder == f.own && l.Execution != "" && l.Execution != f.ended
	switch {
	case f.looked.IsZero(), mine && f.moving:
		return true
	case mine || f.open || asked:
		return now.Sub(f.looked) >= f.pace
	}
	return now.Sub(f.looked) >= seldom
}

// none notes that the journal is empty.
func (f *follower) none(l Lease, now time.Time) { f.ended, f.open, f.looked = l.Execution, false, now }

// read takes the journal's latest entry while l is the lease. It tells whether the guard of
// the follower's Region may open its server in the lease's epoch, and whether the trigger
// must be asked again. It is pure but for what it remembers.
func (f *follower) read(l Lease, e Entry, now time.Time) (promoted, again bool) {
	x := e.Execution
	// An abort may be journalled while its epoch is being taken: then the epoch is owed.
	owes := len(x.Owed) > 0 || x.State == Aborted && x.tookFor(l)
	f.looked, f.open = now, x.To == f.own && x.State != Steady && (!x.State.Ended() || owes)
	if l.Holder == f.own {
		switch {
		case x.To == f.own && x.Epoch == l.Epoch:
			promoted = x.State.hasPromoted()
		case x.From == f.own && x.gaveBack(l):
			promoted = x.State == Returning || x.State == Returned || x.State == Aborted
		}
		if x.State.Ended() || x.Epoch > l.Epoch {
			f.ended = l.Execution // or a later one has taken its place
		}
	}
	if f.moving = false; !f.open {
		return promoted, false
	}
	f.moving = x.State == EpochTaken || x.State == Fenced || x.State == LossAccepted
	first := f.id == ""
	changed := x.ID != f.id || x.Seq != f.seq
	if changed {
		f.id, f.seq, f.since = x.ID, x.Seq, now
	}
	if x.State.Ended() || x.State == AwaitingApproval {
		most := mostReminder
		if x.State.Ended() {
			most = mostOwed
		}
		n := reminders(now.Sub(e.At), most)
		again = n > f.reminded && !changed
		f.reminded = n
		// A message that is owed for a question is not left to the next reminder.
		return promoted, again || first && !x.State.Ended() && len(x.Owed) > 0
	}
	switch {
	case changed:
		// A process that has just begun to follow can't know for how long the execution has
		// stood still.
		again = first
	case now.Sub(f.since) >= stalled:
		f.since, again = now, true
	}
	return promoted, again
}
