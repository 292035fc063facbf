package failover_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Faults that other people's users have reported, played on this package.

// patroni/patroni#3550: with the store away, the check that asks the other members has a fixed
// deadline of two seconds, and a slow link demotes a healthy primary. A promise has as long as
// the guard can use it.
func TestASlowLinkBesideAStoreThatIsAway(t *testing.T) {
	for _, slow := range []time.Duration{100, 500, 900, 1000, 1250, 1500} {
		slow *= time.Millisecond
		bubble(t, slow.String(), func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.regions()
			r.breaks(both(everywhere(drtest.Fault{Hang: true}), func(c drtest.Call) drtest.Fault {
				if c.From == west && c.To == east || c.From == east && c.To == west {
					return drtest.Fault{Delay: slow}
				}
				return drtest.Fault{}
			}))
			for range 600 {
				r.wait(100 * time.Millisecond)
				require.True(t, r.Pair.DB(east).Accepts(), "%v", r.told())
			}
			require.NotContains(t, r.told(), dr.LeaseFenced)
			require.Zero(t, r.Cluster.Moves())
		})
	}
}

// patroni/patroni#1195: the store is killed every half a second, and the primary is demoted
// long before its TTL has run out.
func TestAStoreThatComesAndGoes(t *testing.T) {
	for _, up := range []time.Duration{100, 200, 500} {
		up *= time.Millisecond
		bubble(t, up.String(), func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.guard(east) // without a peer's grant
			r.wait(5 * time.Second)
			r.breaks(func(c drtest.Call) drtest.Fault {
				if c.To == "" && time.Since(r.begun)%(500*time.Millisecond+up) >= up {
					return drtest.Fault{Err: errRefused}
				}
				return drtest.Fault{}
			})
			for range 1200 {
				r.wait(50 * time.Millisecond)
				require.True(t, r.Pair.DB(east).Accepts(), "%v", r.told())
			}
		})
	}
}

// kubernetes/kubernetes#131867: a release meets a renewal that was sent before, is refused for
// its revision, is not repeated, and the next holder waits until the lease has run out.
func TestAReleaseIsRepeatedAfterARenewalOfAnotherProcess(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		met := 0
		r.breaks(func(c drtest.Call) drtest.Fault {
			if c.Op != drtest.OpReleaseLease || met == 3 {
				return drtest.Fault{}
			}
			met++ // an older process of this Region renews a moment earlier, three times
			return drtest.Fault{Err: failover.ErrLeaseMoved}
		})
		require.NoError(t, r.Pair.Move(west, time.Second, true))
		moved := time.Now()
		r.until("released", 10*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Released })
		require.Equal(t, 3, met)
		require.Less(t, time.Since(moved), 5*time.Second, "%v", r.told())
	})
}
