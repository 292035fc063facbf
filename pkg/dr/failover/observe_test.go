package failover_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestPeopleHearOfALostRegionThatIsOnlyObserved: nothing begins by itself, so no execution
// tells people; the monitor does, once for each outage.
func TestPeopleHearOfALostRegionThatIsOnlyObserved(t *testing.T) {
	told := func(r *rig, region dr.Region) (all []failover.Message) {
		for _, m := range r.Notifiers[region].Messages() {
			require.NotContains(r.t, m.Body, "observe-only", "no failure of the monitor's")
			if strings.Contains(m.Subject, "is lost, and nothing is done by itself") {
				all = append(all, m)
			}
		}
		return all
	}
	begin := func(t *testing.T, p dr.Policy) (*rig, func() (stop func())) {
		r := newRig(t, p)
		t.Cleanup(r.end)
		r.breaks(latency)
		r.agent(east)
		r.agent(witness)
		return r, func() func() { return r.agent(west) }
	}
	never := dr.Policy{Automatic: dr.AutomaticNever}
	bubble(t, "once for each outage", func(t *testing.T) {
		r, monitor := begin(t, never)
		monitor()
		r.wait(10 * time.Second)
		r.CutRegion(east, true)
		r.until("told", time.Minute, func() bool { return len(told(r, west)) == 1 })
		m := told(r, west)[0]
		require.Equal(t, "us-east-1 is lost, and nothing is done by itself", m.Subject)
		require.Contains(t, m.Body, "The policy is to observe only (Automatic: never)")
		require.Contains(t, m.Body, `{"mode":"failover","target_region":"us-west-2","by":"YOUR NAME","reason":"WHY"}`)
		r.wait(5 * time.Minute)
		require.Len(t, told(r, west), 1)
		require.Empty(t, told(r, east))
		require.Empty(t, told(r, witness))
		require.Empty(t, r.Store.Entries())

		r.CutRegion(east, false)
		r.wait(3 * time.Minute)
		r.CutRegion(east, true)
		r.wait(3 * time.Minute)
		require.Len(t, told(r, west), 2, "the next outage")
	})
	bubble(t, "by a monitor that has a trigger", func(t *testing.T) {
		r, _ := begin(t, never)
		cfg := r.Monitor(west, r.policy, r.trace())
		cfg.Mover = r.still(west)
		r.run(failover.NewMonitor(cfg))
		r.wait(10 * time.Second)
		r.CutRegion(east, true)
		r.wait(3 * time.Minute)
		require.Len(t, told(r, west), 1)
	})
	bubble(t, "and not again by a successor", func(t *testing.T) {
		r, monitor := begin(t, never)
		stop := monitor()
		r.wait(10 * time.Second)
		r.CutRegion(east, true)
		r.until("told", time.Minute, func() bool { return len(told(r, west)) == 1 })
		for range 3 {
			r.wait(20 * time.Second)
			stop()
			stop = monitor()
		}
		r.wait(2 * time.Minute)
		require.Len(t, told(r, west), 1)
	})
	bubble(t, "and not of a Region that serves", func(t *testing.T) {
		r, monitor := begin(t, never)
		monitor()
		r.wait(3 * time.Minute)
		require.Empty(t, told(r, west))
	})
	bubble(t, "nor under a policy that acts", func(t *testing.T) {
		r, monitor := begin(t, dr.Policy{})
		monitor()
		r.wait(10 * time.Second)
		r.CutRegion(east, true)
		r.until("settled", time.Minute, r.in(failover.Settled))
		require.Empty(t, told(r, west))
	})
}

// TestABudgetOfNoFailover: with MaxFailovers 0 already the first loss asks, and the answer
// moves the writer.
func TestABudgetOfNoFailover(t *testing.T) {
	none := dr.Policy{MaxFailovers: new(0)}
	bubble(t, "the controller", func(t *testing.T) {
		r, c := acting(t, none)
		ended := r.failover(c)
		r.until("asked", 5*time.Second, r.in(failover.AwaitingApproval))
		x := r.last().Execution
		require.Equal(t, []failover.Code{failover.CodeFailoverBudget}, x.Question.Codes)
		require.Contains(t, x.Detail, "0 automatic failovers in 1h0m0s, the budget is 0")
		r.wait(time.Minute)
		require.Zero(t, r.Cluster.Moves())
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch, "nothing is touched")
		r.answer("go")
		require.Equal(t, failover.Settled, (<-ended).State)
		require.Equal(t, 1, r.Cluster.Moves())
	})
	bubble(t, "whole Regions", func(t *testing.T) {
		r := newRig(t, none)
		t.Cleanup(r.end)
		r.breaks(latency)
		r.regions()
		r.CutRegion(east, true)
		r.until("asked", time.Minute, r.in(failover.AwaitingApproval))
		r.until("told", 10*time.Second, func() bool { return r.said(west, "failover-budget") })
		r.wait(time.Minute)
		require.Zero(t, r.Cluster.Moves())
		r.answer("go")
		r.until("settled", time.Minute, r.in(failover.Settled))
		require.Equal(t, 1, r.Cluster.Moves())
		r.until("open", 10*time.Second, r.open(west))
	})
}
