package failover_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// TestThePeersGrantKeepsAWatchedWriterOpen: with the lease store away, a writer that watches
// over itself is open for as long as its heartbeat row is written on the strength of a grant
// that is younger than three renewals. A grant of the peer is as old as its way is long: a
// heartbeat write, the peer's look at it, the promise, and the guard's look at that. Whether
// it is young enough must not hang on how the periods of two monitors happen to lie.
// Found by the simulation, seed 5011.
func TestThePeersGrantKeepsAWatchedWriterOpen(t *testing.T) {
	for name, bad := range map[string]drtest.Fault{"hangs": {Hang: true}, "refuses": {Err: errRefused}, "loses answers": {Hang: true, Acts: true}} {
		for _, way := range []time.Duration{0, 30 * time.Millisecond, 600 * time.Millisecond} { // between the members, one way and back
			for phase := 50 * time.Millisecond; phase < time.Second; phase += 150 * time.Millisecond {
				bubble(t, fmt.Sprintf("the store %s, a way of %v, %v after", name, way, phase), func(t *testing.T) {
					raced.Sample(t, 8)
					r := newRig(t, dr.Policy{Watchdog: true})
					defer r.end()
					down := false
					r.breaks(func(c drtest.Call) drtest.Fault {
						switch {
						case c.To == "" && down:
							return bad
						case c.To != "" && c.From != c.To:
							return drtest.Fault{Delay: way}
						}
						return drtest.Fault{}
					})
					r.agent(east)
					r.wait(phase)
					r.agent(west)
					r.agent(witness)
					r.wait(10*time.Second + phase/2)
					r.mu.Lock()
					down = true
					r.mu.Unlock()
					for range 600 {
						r.wait(100 * time.Millisecond)
						require.True(t, r.Pair.DB(east).Accepts(), "%v", r.told())
					}
				})
			}
		}
	}
}

// storeWrites are the operations that write to the lease store.
var storeWrites = map[drtest.Op]bool{
	drtest.OpPublish: true, drtest.OpRenewLease: true, drtest.OpTakeLease: true, drtest.OpReleaseLease: true, drtest.OpAppend: true, drtest.OpAcknowledge: true,
}

// TestAWatchedWriterOutlivesAHandoverWithoutRenewals: while the lease store takes no writes, the
// next process of the writer's monitor can't renew, and knows of no grant that would let it write
// the heartbeat row. Its writes go to another row, where the peer's monitor has to find them: else
// it closed the writer once the half of a lease was over (found by the simulation, seed 5144).
// And the guard of the lag has to look for them there: else it closed the writer after RPOLimit
// (seed 7319).
func TestAWatchedWriterOutlivesAHandoverWithoutRenewals(t *testing.T) {
	for _, p := range []dr.Policy{{Watchdog: true}, {
		// Promises come rarely.
		Watchdog: true, RPOGuard: true, Objectives: dr.Objectives{RTO: 2 * time.Minute, OwnShare: time.Minute}, ProbeInterval: 5500 * time.Millisecond, ProbeTimeout: 4100 * time.Millisecond,
		LeaseTTL: 12500 * time.Millisecond, LeaseMargin: 3100 * time.Millisecond, RenewInterval: 1080 * time.Millisecond, ObserveInterval: 2300 * time.Millisecond, MaxLagAge: 14 * time.Second,
	}} {
		for name, bad := range map[string]drtest.Fault{"hangs": {Hang: true}, "refuses": {Err: errRefused}, "loses answers": {Hang: true, Acts: true}} {
			for _, gap := range []time.Duration{0, 150 * time.Millisecond, 500 * time.Millisecond, time.Second} {
				for _, phase := range []time.Duration{0, 330 * time.Millisecond, 660 * time.Millisecond} {
					bubble(t, fmt.Sprintf("the store %s, the next process %v after, %v later, RPO guard %v", name, gap, phase, p.RPOGuard), func(t *testing.T) {
						raced.Sample(t, 8)
						r := newRig(t, p)
						defer r.end()
						down := false
						r.breaks(func(c drtest.Call) drtest.Fault {
							if down && storeWrites[c.Op] {
								return bad
							}
							return drtest.Fault{}
						})
						stop := r.agent(east)
						r.agent(west)
						r.agent(witness)
						r.wait(10*time.Second + phase)
						r.mu.Lock()
						down = true
						r.mu.Unlock()
						r.wait(5 * time.Second)
						stop()
						r.wait(gap)
						r.agent(east)
						for range 300 {
							r.wait(100 * time.Millisecond)
							require.True(t, r.Pair.DB(east).Accepts(), "%v", r.told())
						}
					})
				}
			}
		}
	}
}
