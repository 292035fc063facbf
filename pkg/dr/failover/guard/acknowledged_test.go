package guard_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Found by the model: a renewal that was to open the writer is carried out and its answer is
// late; meanwhile the grants run out, the guard reads that revision, has the server confirm
// that it is closed, and publishes so. Another Region may go by that. The late answer must
// not open the writer.
func TestALateAnswerOpensNothingThatWasAcknowledgedClosed(t *testing.T) {
	for name, late := range map[string]uint64{"the revision that the acknowledgement names": 2, "an older one": 1} {
		t.Run(name, func(t *testing.T) {
			r := guard.NewRules("us-east-1", dr.Policy{})
			s, all := guard.New(r, 0), []guard.Effect(nil)
			step := func(in guard.Input) { s, all = guard.Step(r, s, in) }
			only := func(k guard.Does) guard.Effect {
				t.Helper()
				for _, e := range all {
					if e.Kind == k {
						return e
					}
				}
				require.FailNow(t, "not asked", "effect %d", k)
				return guard.Effect{}
			}
			at := func(rev uint64) lease.Record { return lease.Record{Epoch: 1, Holder: "us-east-1", Rev: rev} }
			step(guard.Input{Kind: guard.LeaseSeen, Lease: at(1)})
			beat := only(guard.Beat)
			step(guard.Input{Kind: guard.Answered, ID: beat.ID, Seq: beat.Seq, Result: guard.ReadOnly})
			renewal := only(guard.Renew)
			now := r.Valid / 2
			step(guard.Input{Kind: guard.LeaseSeen, Now: now, Lease: at(2)})
			fence := only(guard.Fence)
			step(guard.Input{Kind: guard.Answered, Now: now, ID: fence.ID, Result: guard.Done})
			require.True(t, s.Closing.Acked)
			require.Equal(t, uint64(2), s.Closing.Rev)
			now += time.Millisecond
			step(guard.Input{Kind: guard.Answered, Now: now, ID: renewal.ID, Result: guard.Done, Lease: at(late)})
			for _, e := range all {
				require.NotEqual(t, guard.Open, e.Kind)
			}
			require.True(t, s.Closing.Acked)
			// One that was sent after the confirmation does open it.
			now += r.Resend + r.Renew
			step(guard.Input{Kind: guard.LeaseSeen, Now: now, Lease: at(2)})
			renewal = only(guard.Renew)
			step(guard.Input{Kind: guard.Answered, Now: now, ID: renewal.ID, Result: guard.Done, Lease: at(3)})
			only(guard.Open)
		})
	}
}
