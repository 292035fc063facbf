package failover_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// What is told of an execution adds up: each state tells which one it follows and when
// that one began, back to the first dark sample.
func TestStatesTellHowLongTheLastOneTook(t *testing.T) {
	bubble(t, "by one process", func(t *testing.T) {
		r, _, cut := outage(t, nil)
		defer r.end()
		r.until("settled", time.Minute, r.in(failover.Settled))
		r.wait(100 * time.Millisecond) // until the journal's answer is heard
		r.mu.Lock()
		defer r.mu.Unlock()
		require.Len(t, r.states, 8)
		for i, c := range r.states {
			require.WithinDuration(t, cut, c.DarkSince, 4*time.Second, "when the evidence went dark")
			if i == 0 {
				require.Empty(t, c.Before)
				require.Zero(t, c.Since)
				continue
			}
			require.Equal(t, r.states[i-1].State, c.Before)
			require.Equal(t, r.states[i-1].At, c.Since)
		}
	})
	bubble(t, "by two processes", func(t *testing.T) {
		r, stop, _ := outage(t, nil)
		defer r.end()
		r.until("promoted", time.Minute, r.in(failover.Promoted))
		stop()
		r.agent(west)
		r.until("settled", time.Minute, r.in(failover.Settled))
		r.wait(100 * time.Millisecond) // until the journal's answer is heard
		r.mu.Lock()
		defer r.mu.Unlock()
		at := map[dr.State]time.Time{}
		for _, e := range r.Store.Entries() {
			at[dr.State(e.Execution.State)] = e.At
		}
		var n int
		for _, c := range r.states[1:] {
			if c.State == dr.State(failover.Verified) {
				n++
				require.Equal(t, dr.State(failover.Promoted), c.Before)
				require.WithinDuration(t, at[c.Before], c.Since, 100*time.Millisecond, "the journal says when")
			}
		}
		require.Equal(t, 1, n)
	})
	bubble(t, "nothing of a switchover's darkness", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		for _, region := range []dr.Region{east, witness} {
			r.agent(region)
		}
		r.wait(5 * time.Second)
		c := r.controller(west)
		_, err := c.Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
		require.NoError(t, err)
		r.mu.Lock()
		defer r.mu.Unlock()
		require.Equal(t, dr.State(failover.Settled), r.states[len(r.states)-1].State)
		for _, s := range r.states {
			require.Zero(t, s.DarkSince)
		}
	})
}

// Every Region's agent tells each of its reports, and how old the lease is.
func TestReportsAreTold(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.breaks(latency)
		var mu sync.Mutex
		told := map[dr.Region][]dr.Report{}
		for _, region := range topology.Vantages() {
			a, err := r.Watching(region, r.policy, &dr.Trace{Report: func(x dr.Report) {
				mu.Lock()
				defer mu.Unlock()
				told[x.Region] = append(told[x.Region], x)
			}})
			require.NoError(t, err)
			r.wg.Go(func() { _ = a.Run(r.ctx) })
		}
		take := func() map[dr.Region][]dr.Report {
			mu.Lock()
			defer mu.Unlock()
			out := told
			told = map[dr.Region][]dr.Report{}
			return out
		}
		r.wait(5 * time.Second)
		take()
		r.wait(10 * time.Second)
		for region, reports := range take() {
			require.Len(t, reports, 10, "twice per probe interval from %s", region)
			for _, x := range reports {
				require.True(t, x.Delivered)
				require.Equal(t, east, x.Holder)
				require.Equal(t, dr.Epoch(1), x.Epoch)
				require.Less(t, x.LeaseAge, 2*time.Second, "as seen from %s", region)
			}
		}

		r.breaks(func(c drtest.Call) drtest.Fault {
			if c.Op == drtest.OpPublish && c.From == west || c.Op == drtest.OpRenewLease {
				return drtest.Fault{Err: errRefused}
			}
			return latency(c)
		})
		r.wait(5*time.Second + 500*time.Millisecond)
		after := take()
		last := after[west][len(after[west])-1]
		require.False(t, last.Delivered, "the loop works, and its report is not delivered")
		require.Greater(t, last.LeaseAge, 4*time.Second)
		require.True(t, after[witness][len(after[witness])-1].Delivered)
	})
}
