package failover_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// unbootstrapped returns a new deployment, with no agent running yet.
func unbootstrapped(t *testing.T, p dr.Policy) *rig {
	t.Helper()
	return newRigIn(t, p, drtest.WorldConfig{Topology: topology, Unbootstrapped: true})
}

// problems returns what was reported of an operation.
func (r *rig) problems(op string) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []error
	for _, p := range r.trouble {
		if p.Op == op {
			out = append(out, p.Err)
		}
	}
	return out
}

func TestANewDeploymentIsFoundedByTheWritersRegion(t *testing.T) {
	for name, order := range map[string][]dr.Region{
		"all at once": {east, west, witness}, "the secondary first": {west, witness, east}, "the writer's Region alone": {east},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := unbootstrapped(t, dr.Policy{})
				defer r.end()
				for i, region := range order {
					if i > 0 && name != "all at once" {
						r.wait(5 * time.Second)
					}
					_, none := r.Store.Lease()
					require.False(t, none && region == east, "only the writer's Region bootstraps")
					r.agent(region)
				}
				r.until("the writer accepts", 5*time.Second, r.open(east))
				r.wait(20 * time.Second)
				l, _ := r.Store.Lease()
				require.Equal(t, dr.Epoch(1), l.Epoch)
				require.Equal(t, east, l.Holder)
				require.Empty(t, l.Execution)
				require.False(t, r.Pair.DB(west).Accepts())
				require.True(t, r.Pair.DB(west).Installed(), "the installation replicates")
				require.Len(t, r.when(drtest.OpInstall, east), 1, "it is bootstrapped once")
				require.Empty(t, r.when(drtest.OpInstall, west))
				require.Empty(t, r.problems("bootstrap"))
			})
		})
	}
}

// A bootstrap costs nothing where a lease exists.
func TestAFoundedDeploymentIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.agent(east)
		r.agent(west)
		r.wait(30 * time.Second)
		require.Empty(t, r.when(drtest.OpNewest, east))
		require.Empty(t, r.when(drtest.OpNewest, west))
		require.Empty(t, r.when(drtest.OpInstall, east))
	})
}

// An error is no answer: no Region bootstraps because a read failed.
func TestNoRegionBootstrapsOnAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := unbootstrapped(t, dr.Policy{})
		defer r.end()
		r.breaks(func(c drtest.Call) drtest.Fault {
			if c.Op == drtest.OpReadLease {
				return drtest.Fault{Err: errors.New("throttled")}
			}
			return drtest.Fault{}
		})
		r.agent(east)
		r.wait(20 * time.Second)
		_, any := r.Store.Lease()
		require.False(t, any)
		require.Empty(t, r.when(drtest.OpTakeLease, east))
		r.breaks(nil)
		r.until("the writer accepts", 5*time.Second, r.open(east))
	})
}

func TestARegionWithoutAMajorityDoesNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := unbootstrapped(t, dr.Policy{})
		defer r.end()
		r.CutRegion(east, true)
		r.agent(east)
		r.agent(west)
		r.agent(witness)
		r.wait(20 * time.Second)
		_, any := r.Store.Lease()
		require.False(t, any)
		require.False(t, r.Pair.DB(east).Accepts())
		r.CutRegion(east, false)
		r.until("the writer accepts", 5*time.Second, r.open(east))
	})
}

// believer takes its own Region for the writer, as a control plane with an old view
// does. It installs nothing, and is done when two have been asked.
type believer struct {
	asked atomic.Int32
	both  chan struct{}
}

func (*believer) Bootstraps(context.Context) (bool, error) { return true, nil }

func (b *believer) Install(context.Context) error {
	if b.asked.Add(1) == 2 {
		close(b.both)
	}
	<-b.both
	return nil
}

// Whatever both Regions believe and whichever takes the first epoch: the writer ends up
// with the lease, and a secondary is not opened.
func TestBothRegionsFoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := unbootstrapped(t, dr.Policy{})
		defer r.end()
		b := &believer{both: make(chan struct{})}
		for _, region := range topology.Members {
			cfg := r.Monitor(region, r.policy, r.trace())
			cfg.Bootstrapper = b
			r.run(failover.NewMonitor(cfg))
		}
		r.until("the writer accepts", 10*time.Second, r.open(east))
		r.wait(10 * time.Second)
		require.Len(t, r.when(drtest.OpTakeLease, west), 1)
		l, _ := r.Store.Lease()
		require.Equal(t, east, l.Holder)
		if l.Execution == "" { // east was the first
			require.Equal(t, dr.Epoch(1), l.Epoch)
			require.Len(t, r.when(drtest.OpTakeLease, east), 1)
		} else { // west was: its server is no writer, it gives the lease back, and east adopts
			require.Equal(t, dr.Epoch(2), l.Epoch)
			require.Len(t, r.when(drtest.OpTakeLease, east), 2)
		}
		require.Empty(t, r.problems("bootstrap"), "to be second is no problem")
		require.False(t, r.Pair.DB(west).Accepts())
	})
}

// slow is a bootstrapper whose installation takes longer than the other Region's bootstrap.
type slow struct {
	failover.Bootstrapper
	takes time.Duration
}

func (s slow) Install(context.Context) error { <-time.After(s.takes); return nil }

// Its next look is due when the installation returns, and its reads say nothing newer.
func TestWhoIsSecondToFoundDoesNotTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := unbootstrapped(t, dr.Policy{})
		defer r.end()
		cfg := r.Monitor(west, r.policy, r.trace())
		cfg.Bootstrapper = slow{stale{cfg.Bootstrapper}, 5 * time.Second}
		r.run(failover.NewMonitor(cfg))
		r.until("the west installs", 5*time.Second, func() bool { return len(r.when(drtest.OpReadLease, west)) > 4 })
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReadLease))
		r.agent(east)
		r.wait(15 * time.Second)
		require.Len(t, r.when(drtest.OpTakeLease, west), 1)
		require.Empty(t, r.problems("bootstrap"))
		l, _ := r.Store.Lease()
		require.Equal(t, dr.Epoch(1), l.Epoch)
		require.Equal(t, east, l.Holder)
	})
}

// A control plane with an old view, in front of a server that knows better.
func TestASecondaryIsNotFounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := unbootstrapped(t, dr.Policy{})
		defer r.end()
		cfg := r.Monitor(west, r.policy, r.trace())
		cfg.Bootstrapper = stale{cfg.Bootstrapper}
		r.run(failover.NewMonitor(cfg))
		r.wait(20 * time.Second)
		_, any := r.Store.Lease()
		require.False(t, any)
		require.NotEmpty(t, r.problems("bootstrap"))
		require.ErrorIs(t, r.problems("bootstrap")[0], failover.ErrNotWriter)
	})
}

type stale struct{ failover.Bootstrapper }

func (stale) Bootstraps(context.Context) (bool, error) { return true, nil }

// The lease table is deleted by mistake and made again, empty.
func TestAVanishedLeaseIsNotFoundedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		stop := r.agent(east)
		r.agent(west)
		r.until("the lease is renewed", 5*time.Second, func() bool { l, _ := r.Store.Lease(); return l.Rev > 3 })
		r.Store.Forget()
		r.until("the writer is closed", 5*time.Second, r.closed(east))
		r.wait(10 * time.Second)
		require.NotEmpty(t, r.problems("bootstrap"))
		require.ErrorContains(t, r.problems("bootstrap")[0], "the lease has vanished from its table, epoch 1 of us-east-1: restore the table")

		// Who starts now knows of no lease; the database does.
		stop()
		r.agent(east)
		r.wait(20 * time.Second)
		_, any := r.Store.Lease()
		require.False(t, any)
		require.False(t, r.Pair.DB(east).Accepts())
		told := r.problems("bootstrap")
		require.ErrorIs(t, told[len(told)-1], failover.ErrBootstrapped)
	})
}

// What fails is tried again at the probe interval, and said.
func TestAFoundingIsTriedAgain(t *testing.T) {
	for _, op := range []drtest.Op{drtest.OpDescribe, drtest.OpNewest, drtest.OpInstall, drtest.OpTakeLease} {
		for name, bad := range map[string]drtest.Fault{
			"refused": {Err: errors.New("refused")}, "hangs": {Hang: true}, "answer lost": {Hang: true, Acts: true},
		} {
			t.Run(string(op)+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := unbootstrapped(t, dr.Policy{})
					defer r.end()
					r.breaks(func(c drtest.Call) drtest.Fault {
						if c.Op == op {
							return bad
						}
						return drtest.Fault{}
					})
					r.agent(east)
					r.agent(west)
					r.wait(20 * time.Second)
					require.NotEmpty(t, r.problems("bootstrap"))
					r.breaks(nil)
					r.until("the writer accepts", 20*time.Second, r.open(east))
					l, _ := r.Store.Lease()
					require.Equal(t, dr.Epoch(1), l.Epoch)
				})
			})
		}
	}
}
