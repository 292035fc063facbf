package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestTakingTheLeaseDoesNotKeepStepWithItsRenewals: a switchover takes the lease from a
// holder that renews it all the time. Where a look, a take and the pause after a refusal
// last as long as a RenewInterval, every take would find the lease renewed since the look.
func TestTakingTheLeaseDoesNotKeepStepWithItsRenewals(t *testing.T) {
	for phase := time.Duration(0); phase < 500*time.Millisecond; phase += 20 * time.Millisecond {
		bubble(t, phase.String(), func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.breaks(func(c drtest.Call) drtest.Fault {
				if c.To == "" && c.From == west {
					return drtest.Fault{Delay: 125 * time.Millisecond} // twice that and a PollInterval
				}
				return drtest.Fault{}
			})
			r.guard(east)
			r.wait(5*time.Second + phase)
			c := r.controller(west)
			r.wg.Go(func() { _, _ = c.Switchover(r.ctx, failover.Origin{By: "jane", Reason: "planned"}) })
			begun := r.until("confirmed", time.Second, r.in(failover.Confirmed))
			taken := r.until("taken", 20*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Epoch == 2 })
			require.Less(t, taken.Sub(begun), time.Second)
		})
	}
}
