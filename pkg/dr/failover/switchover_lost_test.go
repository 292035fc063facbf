package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestARegionLostInsideASwitchover: Aurora switches over between two healthy Regions
// only. When the old one is lost before it has, a person is asked, and with their consent
// the same execution goes on as a failover. Without that there would be no writer, and
// every consent would ask Aurora for what it refuses.
func TestARegionLostInsideASwitchover(t *testing.T) {
	for record := 1; record <= 4; record++ {
		bubble(t, fmt.Sprintf("after record %d", record), func(t *testing.T) {
			r := newRig(t, dr.Policy{EffectTimeout: 30 * time.Second})
			defer r.end()
			r.breaks(latency)
			for _, v := range topology.Vantages() {
				r.agent(v)
			}
			r.wait(5 * time.Second)
			c := r.controller(west)
			r.wg.Go(func() { _, _ = c.Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"}) })
			r.until("the record", 30*time.Second, func() bool { return len(r.Store.Entries()) >= record })
			r.CutRegion(east, true)
			r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
			x := r.last().Execution
			require.Equal(t, failover.CodePromotionStuck, x.Code)
			require.Equal(t, failover.ModeSwitchover, x.Mode, "no person has consented to a loss")
			require.Zero(t, r.Cluster.Moves())
			r.until("told", time.Second, func() bool {
				return r.said(west, "the switchover becomes a failover: what has not arrived in us-west-2 is lost")
			})
			r.until("the journal has it", time.Second, func() bool { return len(r.last().Execution.Owed) == 0 })

			ack := failover.Acknowledgement{Execution: r.last().Execution.ID, Question: r.last().Execution.Question.ID, By: "oncall", Reason: "us-east-1 is lost"}
			require.NoError(t, r.Store.At(witness).Acknowledge(r.ctx, ack))
			r.until("settled", 20*time.Second, r.in(failover.Settled))
			last := r.last().Execution
			require.Equal(t, failover.ModeFailover, last.Mode)
			require.Equal(t, x.ID, last.ID)
			require.Equal(t, &ack, last.Ack)
			require.Equal(t, 1, r.Cluster.Moves())
			r.until("open", 5*time.Second, r.open(west))
			require.False(t, r.Pair.DB(east).Accepts())
		})
	}
}

func TestOnlyConsentToAStuckPromotionMakesASwitchoverAFailover(t *testing.T) {
	for s, code := range map[failover.State]failover.Code{
		failover.Confirmed: failover.CodeLeaseStoreStuck, failover.EpochTaken: failover.CodeFenceFailed, failover.LossAccepted: failover.CodePromotionStuck,
		failover.Promoted: failover.CodeVerifyStuck, failover.Verified: failover.CodeRedirectStuck,
	} {
		x := whole(s)
		x.Mode = failover.ModeSwitchover
		asked, err := failover.Step(dr.Policy{}, x, failover.Event{Kind: failover.EvStuck, Code: code})
		require.NoError(t, err)
		require.Equal(t, failover.ModeSwitchover, asked.Mode)
		got, err := failover.Step(dr.Policy{}, asked, event(failover.EvAcknowledged))
		require.NoError(t, err)
		require.Equal(t, s == failover.LossAccepted, got.Mode == failover.ModeFailover, "%s", s)
	}
}

// Found by the model: a switchover takes the lease that ran out for a fence, because Aurora
// stops the old writer in it. When the writer's monitor had been dead, and the switchover
// then became a failover, two Regions accepted writes.
func TestASwitchoverNeedsAMonitorBesideTheWriter(t *testing.T) {
	begin := func(t *testing.T) (r *rig, stop func()) {
		r = newRig(t, dr.Policy{EffectTimeout: 30 * time.Second})
		r.breaks(latency)
		for _, v := range topology.Vantages() {
			if end := r.agent(v); v == east {
				stop = end
			}
		}
		r.wait(5 * time.Second)
		return r, stop
	}
	for _, dead := range []time.Duration{3 * time.Second, 20 * time.Second} {
		bubble(t, "it does not begin while no monitor renews, for "+dead.String(), func(t *testing.T) {
			r, stop := begin(t)
			defer r.end()
			stop()
			r.wait(dead)
			_, err := r.controller(west).Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"})
			require.ErrorContains(t, err, "us-east-1 has not renewed its lease for ", "it does not begin")
			require.Empty(t, r.Store.Entries())
			require.True(t, r.Pair.DB(east).Accepts())
		})
	}
	bubble(t, "and a person confirms that a writer is stopped whose monitor dies later", func(t *testing.T) {
		r, stop := begin(t)
		defer r.end()
		c := r.controller(west)
		r.wg.Go(func() { _, _ = c.Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"}) })
		r.until("begun", 5*time.Second, func() bool { return len(r.Store.Entries()) >= 1 })
		stop()
		r.until("fenced, they say", 30*time.Second, func() bool { return len(r.Store.Entries()) >= 3 })
		require.Equal(t, failover.ProofExpired, r.last().Execution.Proof)
		r.CutRegion(east, true)
		r.until("the question", time.Minute, r.in(failover.AwaitingApproval))
		r.until("told", time.Second, func() bool {
			return r.said(west, "us-east-1 never confirmed that its writer is read-only: make sure first that it is stopped")
		})
		r.Pair.DB(east).Kill() // as they were asked to
		r.answer("stopped")
		r.until("settled", 20*time.Second, r.in(failover.Settled))
		require.Equal(t, failover.ProofOperator, r.last().Execution.Proof, "a person has confirmed it")
	})
}
