package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// stalled is after how long without a new entry an execution's trigger is asked again; a
// process that has just begun to follow asks at once.
// A trigger that lives and waits, for a promotion say, loses nothing by it.
const stalled = 3 * time.Second

// firstLook is the time between two looks whether the lease has been read at last.
const firstLook = 25 * time.Millisecond

// ask has the trigger look. It must not hold the agent up.
func (a *Agent) ask(ctx context.Context, reason string) {
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

// remind is after how long the trigger is asked again about an execution that waits for a
// person. It looks then whether the question still stands, and whether the answer came to
// an invocation that has died.
const remind = 4 * time.Second

// trigger asks the trigger about every verdict that is worth it, at most once per probe
// interval. What is known already is not asked: an execution that waits for a person is
// asked about once per remind, unless the verdict was another one in between.
func (a *Agent) trigger(ctx context.Context) {
	var asked, before time.Time // the last question, and the last verdict that was worth one
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-a.verdicts:
			now := time.Now()
			lasting := now.Sub(before) < 2*a.cfg.Policy.ProbeInterval
			before = now
			// The first question of an outage waits for nothing, not even for the journal.
			if lasting && now.Sub(asked) < remind && a.awaits(ctx) {
				continue
			}
			asked = now
			a.abstain()
			a.ask(ctx, v.Why())
		}
	}
}

// awaits reports whether an execution to this Region waits for a person. A journal that
// doesn't answer says nothing.
func (a *Agent) awaits(ctx context.Context) bool {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := a.cfg.Journal.Latest(call)
	return err == nil && e.Execution.To == a.cfg.Region && e.Execution.State == AwaitingApproval
}

// follow reads in the journal what the trigger does while its execution is open: when
// it has promoted this Region the guard may open the server, and when it stands still
// it is asked again, because it may have died.
func (a *Agent) follow(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.RenewInterval)
	defer tick.Stop()
	var f follower
	// Who starts between a promotion and the first renewal must not lose an interval.
	for _, known := a.watch.Lease(); !known; _, known = a.watch.Lease() {
		if pause(ctx, firstLook) != nil {
			return
		}
	}
	for ok := true; ok; ok = next(ctx, tick) {
		l, known := a.watch.Lease()
		if !known || l.Holder != a.cfg.Region || l.Execution == "" || l.Execution == f.ended {
			continue
		}
		call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
		e, err := a.cfg.Journal.Latest(call)
		cancel()
		switch {
		case errors.Is(err, ErrNoEntry):
			f.ended = l.Execution // the lease was given out by hand
		case err != nil:
			if ctx.Err() == nil {
				a.problem("read journal", err)
			}
		default:
			promoted, again := f.read(l, e.Execution, time.Now())
			if promoted && a.guard != nil {
				a.guard.promoted(l.Epoch)
			}
			if again {
				a.ask(ctx, fmt.Sprintf("execution %s stands at %s", e.Execution.ID, e.Execution.State))
			}
		}
	}
}

// follower remembers what it has read of an execution.
type follower struct {
	ended string // an execution that needs no more reading
	id    string
	seq   int
	since time.Time // when that entry was first seen
}

// read takes the journal's latest entry while l is held by the follower's Region. It
// tells whether the promotion of this term is done, and whether the trigger must be
// asked again. It is pure but for what it remembers.
func (f *follower) read(l Lease, x Execution, now time.Time) (promoted, again bool) {
	if x.To != l.Holder || x.Epoch != l.Epoch {
		if x.Epoch > l.Epoch || x.State.Ended() {
			f.ended = l.Execution // a later one has taken its place
		}
		return false, false
	}
	promoted = x.State.hasPromoted()
	switch {
	case x.State.Ended():
		f.ended = l.Execution
	case x.State == AwaitingApproval && len(x.Owed) == 0: // a person has the word
	case x.ID != f.id || x.Seq != f.seq:
		// Who has just begun to follow can't know for how long it has stood still.
		again = f.id == ""
		f.id, f.seq, f.since = x.ID, x.Seq, now
	case now.Sub(f.since) >= stalled:
		f.since, again = now, true
	}
	return promoted, again
}
