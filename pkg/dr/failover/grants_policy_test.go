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

func drawn(rnd *rand.Rand, least, most time.Duration) time.Duration {
	return (least + time.Duration(rnd.Int64N(int64(most-least)))).Round(10 * time.Millisecond)
}

// anyPolicy draws a policy, which Validate may refuse.
func anyPolicy(rnd *rand.Rand) dr.Policy {
	p := dr.Policy{
		LeaseTTL: drawn(rnd, 3*time.Second, 20*time.Second), ProbeInterval: drawn(rnd, time.Second, 12*time.Second),
		Objectives: dr.Objectives{RTO: 3 * time.Minute, OwnShare: 2 * time.Minute}, MaxLagAge: 20 * time.Second,
	}
	p.LeaseMargin, p.RenewInterval = drawn(rnd, p.LeaseTTL/10, p.LeaseTTL/2), drawn(rnd, p.LeaseTTL/40, p.LeaseTTL/4)
	p.ObserveInterval, p.ProbeTimeout = drawn(rnd, p.LeaseTTL/40, p.LeaseTTL/4), drawn(rnd, 200*time.Millisecond, p.ProbeInterval)
	p.CallTimeout = drawn(rnd, 300*time.Millisecond, min(3*time.Second, p.LeaseTTL/2))
	return p
}

// TestAnyPolicyKeepsAWriterOpenWithoutTheStore: whatever paces Validate accepts, the peer's
// grant is renewed before it runs out, so that a lease store that is away closes no writer.
func TestAnyPolicyKeepsAWriterOpenWithoutTheStore(t *testing.T) {
	accepted, watched := 0, 0
	for seed := range raced.Few[uint64](100, 600) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		p := anyPolicy(rnd)
		p.Watchdog = seed%3 == 0
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
			r.wait(drawn(rnd, time.Millisecond, p.ProbeInterval))
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

// TestAnyPolicyHandsOverWithoutRenewals: whatever paces Validate accepts, and with or without
// Watchdog and RPOGuard, the writer's monitor may hand over while the lease store takes no
// writes, and the other one while writes act and are not heard of. (One that can't publish that
// it no longer abstains promises nothing.)
func TestAnyPolicyHandsOverWithoutRenewals(t *testing.T) {
	accepted := 0
	for seed := range raced.Few[uint64](100, 600) {
		rnd := rand.New(rand.NewPCG(seed, 13))
		p := anyPolicy(rnd)
		p.Watchdog, p.RPOGuard = seed%3 == 0, seed%2 == 0
		if p.Validate() != nil {
			continue
		}
		accepted++
		bubble(t, "", func(t *testing.T) {
			r := newRig(t, p)
			defer r.end()
			stops := map[dr.Region]func(){east: r.agent(east)}
			r.wait(drawn(rnd, time.Millisecond, p.ProbeInterval))
			stops[west] = r.agent(west)
			r.agent(witness)
			r.wait(3*p.ProbeInterval + p.LeaseTTL)
			require.True(t, r.Pair.DB(east).Accepts())
			acts := rnd.IntN(2) == 0
			r.breaks(func(c drtest.Call) drtest.Fault {
				if storeWrites[c.Op] {
					return drtest.Fault{Hang: acts, Acts: acts, Err: errRefused}
				}
				return drtest.Fault{}
			})
			still := func(d time.Duration) {
				for range 40 {
					r.wait(d / 40)
					require.True(t, r.Pair.DB(east).Accepts(), "seed %d, %+v\n%v", seed, p, r.told())
				}
			}
			order := []dr.Region{east, east}
			if acts {
				order = [][]dr.Region{{east, west}, {west, east}}[rnd.IntN(2)]
			}
			for _, region := range order {
				still(drawn(rnd, p.LeaseTTL, 3*p.LeaseTTL))
				stops[region]()
				r.wait(drawn(rnd, time.Millisecond, 500*time.Millisecond))
				stops[region] = r.agent(region)
			}
			still(3 * p.LeaseTTL)
		})
	}
	t.Logf("%d policies", accepted)
	require.Greater(t, accepted, int(raced.Few[uint64](10, 100)))
}
