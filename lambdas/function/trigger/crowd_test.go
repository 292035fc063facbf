package trigger_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

var errCrowded = errors.New("TooManyRequestsException: Rate Exceeded")

// crowd is the west's trigger behind its reserved concurrency, at which more callers of the
// automation ask than there are places, each again as soon as it has its answer or its
// refusal.
type crowd struct {
	r      *rig
	places chan struct{}
	stop   chan struct{}
	wg     sync.WaitGroup
}

const (
	places    = 8
	roundTrip = 20 * time.Millisecond // between a caller and Lambda
)

func (r *rig) crowd(callers int) *crowd {
	c := &crowd{r: r, places: make(chan struct{}, places), stop: make(chan struct{})}
	for n := range callers {
		jitter := rand.New(rand.NewPCG(uint64(n), 7))
		c.wg.Go(func() {
			for {
				select {
				case <-c.stop:
					return
				case <-time.After(roundTrip + time.Duration(jitter.Int64N(int64(roundTrip)))):
				}
				_, _ = c.ask(request(event.Failover, west))
			}
		})
	}
	return c
}

func (c *crowd) end() { close(c.stop); c.r.end(); c.wg.Wait() }

// ask invokes the trigger if a place is free.
func (c *crowd) ask(payload string) (event.Response, error) {
	select {
	case c.places <- struct{}{}:
	default:
		return event.Response{}, errCrowded
	}
	defer func() { <-c.places }()
	return c.r.invoke(west, lambdaLimit, payload)
}

// person asks again and again until the request is taken, which must not take long, and is
// answered at once then.
func (c *crowd) person(payload string, within time.Duration) event.Response {
	c.r.t.Helper()
	for begun := time.Now(); ; c.r.wait(100 * time.Millisecond) {
		require.Less(c.r.t, time.Since(begun), time.Minute, "no place for %s", payload)
		a, err := c.ask(payload)
		if errors.Is(err, errCrowded) {
			continue
		}
		require.NoError(c.r.t, err)
		require.LessOrEqual(c.r.t, time.Duration(a.Took), within, payload)
		return a
	}
}

// While an execution takes minutes, the automation asks from nine places for eight. A person
// who asks again until there is a place is answered as if alone.
func TestAPersonGetsThroughBesideACrowd(t *testing.T) {
	bubble(t, slow, dr.Policy{}, func(t *testing.T, r *rig) {
		wait := driving(t, r)
		x := r.last()
		c := r.crowd(places + 1)
		defer c.end()
		r.wait(5 * time.Second)
		s := c.person(`{"mode":"status"}`, 3*time.Second)
		require.Equal(t, x.ID, s.Status.Execution.ID)
		require.True(t, s.Status.Execution.Driven)
		require.Equal(t, event.TooLate, c.person(about(event.Abort, west, x.ID, "r"), 2*time.Second).Refused)
		require.Empty(t, c.person(pause, 5*time.Second).Refused)
		require.NotNil(t, c.person(`{"mode":"status"}`, 3*time.Second).Status.Pause)
		require.Empty(t, c.person(resume, 5*time.Second).Refused)
		require.Nil(t, c.person(`{"mode":"status"}`, 3*time.Second).Status.Pause)
		a, err := wait()
		require.NoError(t, err)
		require.Equal(t, x.ID, a.Execution)
		for begun := time.Now(); r.last().State != failover.Settled; r.wait(time.Second) {
			require.Less(t, time.Since(begun), 3*time.Minute)
		}
		require.Equal(t, 1, r.executions())
		require.Equal(t, 1, r.Cluster.Moves())
	})
}

// A question is open, and the crowd asks on. A person pauses the automation and ends the
// execution: it stays ended, until the automation is on again.
func TestAPersonEndsAnExecutionBesideACrowd(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		c := r.crowd(places + 1)
		defer c.end()
		for begun := time.Now(); r.executions() == 0 || r.last().State != failover.AwaitingApproval; r.wait(100 * time.Millisecond) {
			require.Less(t, time.Since(begun), time.Minute)
		}
		first := r.last().ID
		require.Empty(t, c.person(pause, 5*time.Second).Refused)
		a := c.person(about(event.Abort, west, first, "it heals"), 5*time.Second)
		require.Empty(t, a.Refused, a.Detail)
		require.Equal(t, failover.Aborted, a.State)
		r.wait(30 * time.Second)
		require.Equal(t, 1, r.executions(), "nothing begins in a pause")
		s := c.person(`{"mode":"status"}`, 3*time.Second)
		require.False(t, s.Status.Verdict.Would)
		require.Contains(t, strings.Join(s.Status.Verdict.Missing, "\n"), "an end of the pause")
		require.Empty(t, c.person(resume, 5*time.Second).Refused)
		r.wait(30 * time.Second)
		require.Equal(t, 2, r.executions(), "and after it one more")
		require.Zero(t, r.Cluster.Moves(), "it waits for a person")
	})
}
