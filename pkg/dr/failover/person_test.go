package failover_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// forPerson has a controller work for a person.
func forPerson(o failover.Origin) func(*failover.ControllerConfig) {
	return func(cfg *failover.ControllerConfig) { cfg.Origin = o }
}

// TestAPersonsFailover: who asks and why is in the journal and in what people are told, and
// what stops the automation does not stop a person.
func TestAPersonsFailover(t *testing.T) {
	settled := func(t *testing.T, r *rig, x failover.Execution) {
		require.Equal(t, failover.Settled, x.State, x.Report())
		for _, e := range r.Store.Entries() {
			if e.Execution.State != failover.Steady { // which carries a pause
				require.Equal(t, jane, e.Execution.Origin, "%s", e.Event)
			}
		}
		require.Equal(t, 1, r.Cluster.Moves())
		all := r.Notifiers[west].Messages()
		require.Contains(t, all[len(all)-1].Body, "asked for by jane: not today")
	}
	bubble(t, "is journalled", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, forPerson(jane))
		settled(t, r, <-r.failover(c))
	})
	bubble(t, "although the policy observes only", func(t *testing.T) {
		r, c := acting(t, dr.Policy{Automatic: dr.AutomaticNever}, forPerson(jane))
		automation := r.controller(west)
		r.silence()
		_, err := automation.Failover(r.ctx, verdict())
		require.Equal(t, failover.DenyObserveOnly, denial(t, err), "the automation's")
		require.Empty(t, r.Store.Entries())
		settled(t, r, <-r.failover(c))
	})
	bubble(t, "in a pause", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, forPerson(jane))
		_, err := c.Pause(r.ctx, time.Hour, failover.Origin{By: "bob", Reason: "an upgrade"})
		require.NoError(t, err)
		automation := r.controller(west)
		r.silence()
		_, err = automation.Failover(r.ctx, verdict())
		require.Equal(t, failover.DenyPaused, denial(t, err), "the automation's")
		settled(t, r, <-r.failover(c))
		require.Equal(t, "bob", r.last().Execution.Pause.By, "which stays in force")
	})
	bubble(t, "that a later pause does not end", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, forPerson(jane))
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReadLease))
		ended := r.failover(c)
		r.until("begun", time.Second, r.in(failover.Confirmed))
		_, err := r.controller(west).Pause(r.ctx, time.Hour, failover.Origin{By: "bob", Reason: "an upgrade"})
		require.NoError(t, err)
		r.wait(3 * time.Second)
		r.breaks(nil)
		require.Equal(t, failover.Settled, (<-ended).State)
	})
	bubble(t, "is asked what the automation would be asked", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, forPerson(jane))
		ended := r.unknownLag(c)
		r.until("told", time.Second, func() bool { return len(r.Notifiers[west].Messages()) == 1 })
		require.Contains(t, r.Notifiers[west].Messages()[0].Body, "asked for by jane: not today")
		require.Equal(t, failover.CodeLagUnknown, r.last().Execution.Code)
		require.Zero(t, r.Cluster.Moves())
		r.answer("go")
		settled(t, r, <-ended)
	})
	bubble(t, "to a target that is not ready", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, forPerson(jane))
		r.Cluster.SetMissing(west, "an upgrade")
		ended := r.failover(c)
		r.until("asked", 10*time.Second, r.in(failover.AwaitingApproval))
		require.Equal(t, failover.CodeTargetNotReady, r.last().Execution.Code)
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		r.Cluster.SetMissing(west)
		settled(t, r, <-ended)
	})
	bubble(t, "of a Region that lives", func(t *testing.T) {
		r, c := acting(t, dr.Policy{}, forPerson(jane))
		r.renew()
		r.wait(500 * time.Millisecond)
		_, err := c.Failover(r.ctx, verdict())
		require.ErrorContains(t, err, "it lives")
		require.Empty(t, r.Store.Entries())
	})
}

// TestAPersonAsksForWhatIsOpen: the automation's execution is a person's, too, once that
// person has asked for it.
func TestAPersonAsksForWhatIsOpen(t *testing.T) {
	bubble(t, "while it is under way", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpFailover))
		ended := r.failover(c)
		r.until("to be promoted", time.Minute, r.in(failover.LossAccepted))
		detail := r.last().Execution.Detail
		for range 2 {
			_, err := r.controller(west).Endorse(r.ctx, jane)
			if err != nil {
				require.Equal(t, failover.DenyAnswered, denial(t, err), "the same again changes nothing")
			}
		}
		x := r.last().Execution
		require.Equal(t, failover.EvEndorsed, r.last().Event)
		require.Equal(t, jane, x.Origin)
		require.Zero(t, x.Last)
		require.Equal(t, detail, x.Detail)
		joe := failover.Origin{By: "joe", Reason: "I, too"}
		_, err := r.controller(west).Endorse(r.ctx, joe)
		require.NoError(t, err)
		require.Equal(t, jane, r.last().Execution.Origin, "the first person stays")
		require.Equal(t, joe, r.last().Execution.Last)
		r.breaks(nil)
		require.Equal(t, failover.Settled, (<-ended).State)
		require.Equal(t, 1, r.Cluster.Moves())
		_, err = r.controller(west).Endorse(r.ctx, jane)
		require.Equal(t, failover.DenyEnded, denial(t, err))
	})
	bubble(t, "before a pause", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReadLease))
		ended := r.failover(c)
		r.until("begun", time.Second, r.in(failover.Confirmed))
		persons := r.controller(west, forPerson(jane))
		r.wg.Go(func() { _, _, _ = persons.Resume(r.ctx) })
		r.until("endorsed", time.Second, func() bool { return r.last().Execution.Origin == jane })
		_, err := persons.Pause(r.ctx, time.Hour, failover.Origin{By: "bob", Reason: "an upgrade"})
		require.NoError(t, err)
		r.wait(3 * time.Second)
		r.breaks(nil)
		require.Equal(t, failover.Settled, (<-ended).State)
	})
	bubble(t, "while it asks", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		r.unknownLag(c)
		persons := r.controller(west, forPerson(jane))
		x, on, err := persons.Recheck(r.ctx)
		require.NoError(t, err)
		require.False(t, on, "to ask for it is no answer to its question")
		require.Equal(t, failover.AwaitingApproval, x.State)
		require.Equal(t, jane, r.last().Execution.Origin)
		require.Zero(t, r.Cluster.Moves())
	})
	bubble(t, "that has begun at the same moment", func(t *testing.T) {
		first := &interjected{}
		r, persons := acting(t, dr.Policy{}, forPerson(jane), func(cfg *failover.ControllerConfig) { first.Journal, cfg.Journal = cfg.Journal, first })
		other := r.controller(west)
		r.silence()
		var ended <-chan failover.Execution
		first.before = func() {
			ended = r.failover(other)
			r.until("begun", time.Second, func() bool { return len(r.Store.Entries()) > 0 })
		}
		require.Equal(t, failover.Settled, (<-r.failover(persons)).State)
		require.Equal(t, failover.Settled, (<-ended).State)
		x := r.last().Execution
		require.Equal(t, jane, x.Origin)
		require.Equal(t, 1, r.Cluster.Moves())
	})
	bubble(t, "that gives the writer back", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		x := whole(failover.Returning)
		require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Version: failover.JournalVersion, Execution: x, Event: failover.EvReturnRequested, At: time.Now()}))
		_, err := c.Endorse(r.ctx, jane)
		require.ErrorContains(t, err, "it is given back")
	})
}

// interjected is a journal before whose first entry something happens, once.
type interjected struct {
	failover.Journal
	before func()
	once   sync.Once
}

func (i *interjected) Append(ctx context.Context, e failover.Entry) error {
	i.once.Do(i.before)
	return i.Journal.Append(ctx, e)
}
