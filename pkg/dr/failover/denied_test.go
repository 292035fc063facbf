package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestASwitchoverIsDeniedByName: what the world does not allow has a stable code, and
// nothing is journalled for it.
func TestASwitchoverIsDeniedByName(t *testing.T) {
	denied := func(t *testing.T, r *rig, c *failover.Controller, code failover.Denial, says string) {
		entries := len(r.Store.Entries())
		_, err := c.Switchover(r.ctx, jane)
		require.Equal(t, code, denial(t, err))
		require.ErrorContains(t, err, says)
		require.Len(t, r.Store.Entries(), entries)
		require.Zero(t, r.Cluster.Moves())
	}
	bubble(t, "the lease is silent", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		denied(t, r, c, failover.DenyPrecondition, "us-east-1 has not renewed its lease")
	})
	bubble(t, "the writer is here", func(t *testing.T) {
		r, _ := acting(t, dr.Policy{})
		denied(t, r, r.controller(east), failover.DenyPrecondition, "us-west-2 does not hold the lease, us-east-1 does")
	})
	bubble(t, "an execution to the other Region is open", func(t *testing.T) {
		r, c := acting(t, dr.Policy{})
		x := whole(failover.LossAccepted)
		x.From, x.To = west, east
		require.NoError(t, r.Store.At(east).Append(r.ctx, failover.Entry{Version: failover.JournalVersion, Execution: x, Event: failover.EvGatePassed, At: time.Now()}))
		denied(t, r, c, failover.DenyUnderWay, "moves the writer to us-east-1: let it end first")
	})
}
