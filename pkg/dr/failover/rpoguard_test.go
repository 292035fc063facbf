package failover_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func TestRPOGuard(t *testing.T) {
	policy := dr.Policy{RPOGuard: true}
	bubble(t, "closes the writer before a cut has cost MaxDataLoss, and opens it after the heal", func(t *testing.T) {
		for after := time.Duration(0); after < 500*time.Millisecond; after += 90 * time.Millisecond {
			r := newRig(t, policy)
			r.guard(east)
			r.wait(5*time.Second + after)
			require.True(t, r.Pair.DB(east).Accepts())
			cut := time.Now()
			r.Cut(east, west, true)
			shut := r.until("the writer is closed", ttl, r.closed(east))
			require.Less(t, shut.Sub(cut), time.Second)
			r.wait(30 * time.Second)
			require.False(t, r.Pair.DB(east).Accepts())
			l, _ := r.Store.Lease()
			r.wait(time.Second)
			later, _ := r.Store.Lease()
			require.Greater(t, later.Rev, l.Rev, "the lease stays alive: a cut link must cause no failover")
			r.Cut(east, west, false)
			r.until("the writer is open", 5*time.Second, r.open(east))
			r.end()
		}
	})
	bubble(t, "closes it when the other database does not answer", func(t *testing.T) {
		r := newRig(t, policy)
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		frozen := time.Now()
		r.Pair.DB(west).Freeze()
		shut := r.until("the writer is closed", ttl, r.closed(east))
		require.Less(t, shut.Sub(frozen), time.Second)
		r.Pair.DB(west).Thaw()
		r.until("the writer is open", 5*time.Second, r.open(east))
	})
	bubble(t, "does not renew the lease of a frozen writer, although all that it committed has arrived", func(t *testing.T) {
		r := newRig(t, policy)
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.Pair.DB(east).Freeze()
		r.wait(time.Second) // what was under way
		l, _ := r.Store.Lease()
		r.wait(30 * time.Second)
		later, _ := r.Store.Lease()
		require.Equal(t, l.Rev, later.Rev)
		r.Pair.DB(east).Thaw()
		r.until("the writer is open", 5*time.Second, r.open(east))
	})
	bubble(t, "does not close it for a lag that is within the limit", func(t *testing.T) {
		r := newRig(t, policy)
		defer r.end()
		r.guard(east)
		for i := range 600 {
			r.wait(50 * time.Millisecond)
			require.NoError(t, r.Pair.DB(east).Write(context.Background(), int64(i)))
		}
	})
	bubble(t, "opens it again although heartbeats overtook each other", func(t *testing.T) {
		r := newRig(t, policy)
		defer r.end()
		slow := true
		r.breaks(func(c drtest.Call) drtest.Fault {
			if c.Op != drtest.OpBeat {
				return drtest.Fault{}
			}
			if slow = !slow; slow {
				return drtest.Fault{Delay: 300 * time.Millisecond}
			}
			return drtest.Fault{}
		})
		r.guard(east)
		for range 8 {
			r.wait(3 * time.Second)
			r.Cut(east, west, true)
			r.until("the writer is closed", ttl, r.closed(east))
			r.wait(5 * time.Second)
			r.Cut(east, west, false)
			r.until("the writer is open", 5*time.Second, r.open(east))
		}
	})
	bubble(t, "no heartbeat that was under way when it was closed opens it", func(t *testing.T) {
		for after := time.Duration(0); after < 500*time.Millisecond; after += 90 * time.Millisecond {
			r := newRig(t, policy)
			r.breaks(calls(east, drtest.Fault{Delay: 300 * time.Millisecond}, drtest.OpBeat))
			r.guard(east)
			r.wait(5*time.Second + after)
			r.Cut(east, west, true)
			r.until("the writer is closed", ttl, r.closed(east))
			for range 200 {
				r.wait(25 * time.Millisecond)
				require.False(t, r.Pair.DB(east).Accepts())
			}
			r.end()
		}
	})
	bubble(t, "a store outage while it is closed leaves it closed", func(t *testing.T) {
		r := newRig(t, policy)
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.CutRegion(east, true)
		r.wait(10 * time.Second)
		r.take(west)
		r.CutRegion(east, false)
		for range 400 {
			r.wait(50 * time.Millisecond)
			require.False(t, r.Pair.DB(east).Accepts())
		}
	})
	bubble(t, "guards nothing when there is no secondary to wait for", func(t *testing.T) {
		r := newRig(t, policy)
		defer r.end()
		r.Cut(east, west, true)
		r.guard(east)
		for range 400 {
			r.wait(50 * time.Millisecond)
			require.True(t, r.Pair.DB(east).Accepts())
		}
	})
}

func TestWatchdog(t *testing.T) {
	bubble(t, "closes the writer of a dead guard before its lease runs out", func(t *testing.T) {
		for after := time.Duration(0); after < 1100*time.Millisecond; after += 70 * time.Millisecond {
			for name, cut := range map[string]func(drtest.Call) drtest.Fault{
				"at once":                          nil,
				"after renewals failed for longer": calls(east, drtest.Fault{Hang: true}, drtest.OpRenewLease),
			} {
				r := newRig(t, dr.Policy{Watchdog: true})
				_, stop := r.guard(east)
				r.wait(5*time.Second + after)
				renewals := r.when(drtest.OpRenewLease, east)
				last := renewals[len(renewals)-1]
				if cut != nil {
					r.breaks(cut)
					r.wait(3 * time.Second)
				}
				require.True(t, r.Pair.DB(east).Accepts(), name)
				stop()
				shut := r.until("the writer is closed", 2*ttl, r.closed(east))
				require.Less(t, shut.Sub(last), ttl, name)
				r.end()
			}
		}
	})
	bubble(t, "leaves a guarded writer alone, also a slow one", func(t *testing.T) {
		r := newRig(t, dr.Policy{Watchdog: true})
		defer r.end()
		r.breaks(calls(east, drtest.Fault{Delay: 600 * time.Millisecond}, drtest.OpBeat, drtest.OpRenewLease))
		r.guard(east)
		for range 600 {
			r.wait(50 * time.Millisecond)
			require.True(t, r.Pair.DB(east).Accepts())
		}
	})
}

func TestRPOGuardStartsAfreshWithEveryTerm(t *testing.T) {
	bubble(t, "of the same guard", func(t *testing.T) {
		r := newRig(t, dr.Policy{RPOGuard: true})
		defer r.end()
		for _, v := range topology.Vantages() {
			r.agent(v)
		}
		r.wait(5 * time.Second)
		for _, to := range []dr.Region{west, east, west} {
			x, err := r.controller(to).Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
			require.NoError(t, err)
			r.until("the writer of "+x.ID+" is open", 5*time.Second, r.open(to))
			for range 100 {
				r.wait(50 * time.Millisecond)
				require.True(t, r.Pair.DB(to).Accepts(), "%v", r.told())
			}
		}
	})
}
