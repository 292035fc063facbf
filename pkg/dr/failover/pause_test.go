package failover_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// watched is a journal that lets something happen right after the nth look at its newest
// entry, and right before the first entry that begins an execution.
type watched struct {
	failover.Journal
	looks  int
	looked map[int]func()
	before func()
}

func (b *watched) Latest(ctx context.Context) (failover.Entry, error) {
	e, err := b.Journal.Latest(ctx)
	b.looks++
	if act := b.looked[b.looks]; act != nil {
		act()
	}
	return e, err
}

func (b *watched) Append(ctx context.Context, e failover.Entry) error {
	if act := b.before; act != nil && e.Execution.State == failover.Confirmed {
		b.before = nil
		act()
	}
	return b.Journal.Append(ctx, e)
}

// TestAPauseBesideAnExecutionThatBegins: a pause, and its end, is in force whatever begins
// in the same moment.
func TestAPauseBesideAnExecutionThatBegins(t *testing.T) {
	world := func(t *testing.T) (*rig, *watched, *failover.Controller, *failover.Controller) {
		j := &watched{looked: make(map[int]func())}
		r := newRig(t, dr.Policy{})
		t.Cleanup(r.end)
		c := r.controller(west, func(cfg *failover.ControllerConfig) { j.Journal, cfg.Journal = cfg.Journal, j })
		other := r.controller(west)
		x := whole(failover.Settled)
		x.ID, x.Epoch = "0000000001-0001", 1
		require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Version: failover.JournalVersion, Execution: x, Event: failover.EvAnnounced, At: time.Now()}))
		return r, j, c, other
	}
	bubble(t, "while a switchover waits for a renewal", func(t *testing.T) {
		r, j, c, other := world(t)
		paused := make(chan time.Time, 1)
		j.looked[1] = func() {
			// The next renewal comes in half a second, and the pause in between.
			time.AfterFunc(500*time.Millisecond, r.renew)
			r.wg.Go(func() {
				r.wait(200 * time.Millisecond)
				until := time.Now().Add(time.Hour)
				_, err := other.Pause(r.ctx, time.Hour, jane)
				require.NoError(t, err)
				paused <- until
			})
		}
		r.wg.Go(func() { _, _ = c.Switchover(r.ctx, failover.Origin{By: "bob", Reason: "planned"}) })
		r.until("begun", 5*time.Second, func() bool { return r.last().Execution.ID == "0000000002-0001" })
		until := <-paused
		for _, e := range r.Store.Entries() {
			if e.Execution.ID == "0000000002-0001" {
				require.NotNil(t, e.Execution.Pause, "the pause is handed on: %s", e.Event)
				require.True(t, until.Equal(e.Execution.Pause.Until))
			}
		}
	})
	bubble(t, "that comes between the look and the automation's first entry", func(t *testing.T) {
		r, j, c, other := world(t)
		r.silence()
		done := make(chan struct{})
		j.before = func() {
			r.wg.Go(func() {
				defer close(done)
				x, err := other.Pause(r.ctx, time.Hour, jane)
				require.NoError(t, err)
				require.Equal(t, "jane", x.Pause.By)
			})
			r.until("paused", time.Second, func() bool { return r.last().Event == failover.EvPaused })
		}
		ended := r.failover(c)
		<-done
		<-ended
		require.Equal(t, "0000000002-0001", r.last().Execution.ID)
		require.NotNil(t, r.last().Execution.Pause, "the newest execution carries it")
		require.Equal(t, jane, r.last().Execution.Last)
	})
	bubble(t, "whose end comes there", func(t *testing.T) {
		r, j, c, other := world(t)
		_, err := other.Pause(r.ctx, time.Hour, jane)
		require.NoError(t, err)
		r.wg.Go(func() {
			for range 20 {
				r.renew()
				r.wait(500 * time.Millisecond)
			}
		})
		r.wait(2 * time.Second)
		done := make(chan struct{})
		j.before = func() {
			r.wg.Go(func() {
				defer close(done)
				_, err := other.Unpause(r.ctx, jane)
				require.NoError(t, err)
			})
			r.until("resumed", time.Second, func() bool { return r.last().Event == failover.EvResumed })
		}
		ctx, cancel := contextFor(r)
		defer cancel()
		r.wg.Go(func() { _, _ = c.Switchover(ctx, failover.Origin{By: "bob", Reason: "planned"}) })
		<-done
		r.until("begun", time.Second, func() bool { return r.last().Execution.ID == "0000000002-0001" })
		require.Nil(t, r.last().Execution.Pause)
	})
	bubble(t, "and what a person has said since stays", func(t *testing.T) {
		r, j, c, other := world(t)
		r.silence()
		joe := failover.Origin{By: "joe", Reason: "until noon"}
		done := make(chan struct{})
		j.before = func() {
			r.wg.Go(func() {
				defer close(done)
				_, err := other.Pause(r.ctx, time.Hour, jane)
				require.NoError(t, err)
			})
			r.until("paused", time.Second, func() bool { return r.last().Event == failover.EvPaused })
		}
		third := r.controller(west)
		r.wg.Go(func() {
			r.until("begun", time.Minute, func() bool { return r.last().Execution.ID == "0000000002-0001" })
			_, err := third.Pause(r.ctx, 2*time.Hour, joe)
			require.NoError(t, err)
		})
		ended := r.failover(c)
		<-done
		<-ended
		require.Equal(t, "joe", r.last().Execution.Pause.By)
	})
}
