package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// abortedIn returns a rig in which an abort was journalled while the epoch was being taken:
// the west has the epoch, and its execution has ended. No trigger is left.
func abortedIn(t *testing.T) (*rig, failover.Execution, failover.Lease, *counted) {
	r := newRig(t, dr.Policy{})
	t.Cleanup(r.end)
	d := &counted{}
	old := r.Monitor(east, r.policy, r.trace())
	old.Mover = r.still(east)
	r.run(failover.NewMonitor(old))
	cfg := r.Monitor(west, r.policy, r.trace())
	cfg.Mover = r.by(d)
	r.run(failover.NewMonitor(cfg))
	r.wait(5 * time.Second)
	x := failover.Execution{ID: "execution", Seq: 1, Mode: failover.ModeSwitchover, From: east, To: west, Epoch: 2, State: failover.Confirmed}
	require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Execution: x, Event: failover.EvRequested, At: time.Now()}))
	x.Seq, x.State, x.Code = 2, failover.Aborted, failover.CodeAbortRequested
	require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Execution: x, Event: failover.EvAbortRequested, At: time.Now()}))
	l := r.take(west)
	r.until("the east closes", 10*time.Second, r.closed(east))
	return r, x, l, d
}

// TestAnEpochThatAnAbortLeavesBehindIsGivenBack: the process that has taken it dies before it
// can give it back, or right after it has.
func TestAnEpochThatAnAbortLeavesBehindIsGivenBack(t *testing.T) {
	bubble(t, "its trigger is asked again", func(t *testing.T) {
		r, _, _, d := abortedIn(t)
		before := d.asked.Load()
		r.until("asked", 15*time.Second, func() bool { return d.asked.Load() > before })
		require.Contains(t, d.why, "stands at Aborted")
	})
	bubble(t, "the old Region opens in the epoch that it was given", func(t *testing.T) {
		r, x, l, _ := abortedIn(t)
		_, err := r.Store.At(west).TakeLease(r.ctx, l, failover.Claim{Holder: east, Execution: x.ID})
		require.NoError(t, err)
		r.until("the east opens", 5*time.Second, r.open(east))
		require.Equal(t, failover.Aborted, r.last().Execution.State, "its process has journalled nothing more")
	})
}
