package failover_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// TestAnyPolicyKeepsAWriterOpenWithoutTheStore: whatever paces Validate accepts, the peer's
// grant is renewed before it runs out, so that a lease store that is away closes no writer.
func TestAnyPolicyKeepsAWriterOpenWithoutTheStore(t *testing.T) {
	between := func(rnd *rand.Rand, least, most time.Duration) time.Duration {
		return (least + time.Duration(rnd.Int64N(int64(most-least)))).Round(10 * time.Millisecond)
	}
	accepted, watched := 0, 0
	for seed := range raced.Few[uint64](100, 600) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		p := dr.Policy{
			LeaseTTL: between(rnd, 3*time.Second, 20*time.Second), ProbeInterval: between(rnd, time.Second, 12*time.Second),
			Objectives: dr.Objectives{RTO: 3 * time.Minute, OwnShare: 2 * time.Minute}, MaxLagAge: 20 * time.Second, Watchdog: seed%3 == 0,
		}
		p.LeaseMargin, p.RenewInterval = between(rnd, p.LeaseTTL/10, p.LeaseTTL/2), between(rnd, p.LeaseTTL/40, p.LeaseTTL/4)
		p.ObserveInterval, p.ProbeTimeout = between(rnd, p.LeaseTTL/40, p.LeaseTTL/4), between(rnd, 200*time.Millisecond, p.ProbeInterval)
		p.CallTimeout = between(rnd, 300*time.Millisecond, min(3*time.Second, p.LeaseTTL/2))
		if p.Validate() != nil {
			continue
		}
		if accepted++; p.Watchdog {
			watched++
		}
		bubble(t, "", func(t *testing.T) {
			r := newRig(t, p)
			defer r.end()
			r.agent(east)
			r.wait(between(rnd, time.Millisecond, p.ProbeInterval))
			r.agent(west)
			r.agent(witness)
			r.wait(3*p.ProbeInterval + p.LeaseTTL)
			require.True(t, r.Pair.DB(east).Accepts())
			r.breaks(everywhere(drtest.Fault{Hang: rnd.IntN(2) == 0, Err: errRefused}))
			for range 400 {
				r.wait(p.LeaseTTL / 40)
				require.True(t, r.Pair.DB(east).Accepts(), "seed %d, %+v\n%v", seed, p, r.told())
			}
		})
	}
	t.Logf("%d policies, %d of them with Watchdog", accepted, watched)
	require.Greater(t, accepted, int(raced.Few[uint64](10, 100)))
	require.Positive(t, watched)
}
