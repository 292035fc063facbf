package drtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

const (
	east    dr.Region = "us-east-1"
	west    dr.Region = "us-west-2"
	witness dr.Region = "us-east-2"
)

func network() *drtest.Network { return drtest.NewNetwork(east, west, witness) }

func pair() *drtest.Pair {
	return drtest.NewPair(east, west, func() time.Duration { return time.Millisecond })
}

func store() *drtest.StoreView { return drtest.NewStore(network()).At(west) }

func TestStoreConforms(t *testing.T) {
	t.Run("leaser", func(t *testing.T) {
		drtest.TestLeaser(t, func(*testing.T) failover.Leaser { return store() })
	})
	t.Run("releaser", func(t *testing.T) {
		drtest.TestReleaser(t, func(*testing.T) drtest.Lease { return store() })
	})
	t.Run("heartbeats", func(t *testing.T) {
		drtest.TestReports(t, func(*testing.T) failover.Reports { return store() })
	})
	t.Run("journal", func(t *testing.T) {
		drtest.TestJournal(t, func(*testing.T) failover.Journal { return store() })
	})
	t.Run("acknowledger", func(t *testing.T) {
		drtest.TestAcknowledger(t, func(*testing.T) failover.Acknowledger { return store() })
	})
}

func TestDatabaseConforms(t *testing.T) {
	dial := func(r dr.Region) drtest.Fenceable { return network().Dial(r, pair().DB(r)) }
	t.Run("fencer", func(t *testing.T) {
		drtest.TestFencer(t, func(*testing.T) drtest.Fenceable { return dial(east) })
	})
	t.Run("watchdog", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			drtest.TestWatchdog(t, func(*testing.T) drtest.Fenceable { return dial(east) })
		})
	})
	t.Run("secondary", func(t *testing.T) {
		drtest.TestSecondary(t, func(*testing.T) drtest.Fenceable { return dial(west) })
	})
	t.Run("silent server", func(t *testing.T) {
		for name, silence := range map[string]func(*drtest.Database){"frozen": (*drtest.Database).Freeze, "killed": (*drtest.Database).Kill} {
			t.Run(name, func(t *testing.T) {
				drtest.TestSilentServer(t, func(*testing.T) drtest.Fenceable {
					p := pair()
					silence(p.DB(east))
					return network().Dial(east, p.DB(east))
				})
			})
		}
	})
	t.Run("replica reader", func(t *testing.T) {
		drtest.TestReplicaReader(t, func(*testing.T) (failover.Beater, failover.ReplicaReader) {
			n, p := network(), pair()
			return n.Dial(east, p.DB(east)), n.Dial(east, p.DB(west))
		})
	})
}

func TestGlobalClusterConforms(t *testing.T) {
	cluster := func() (*drtest.GlobalCluster, *drtest.Network, *drtest.Pair) {
		n, p := network(), pair()
		return drtest.NewGlobalCluster(n, p, func() time.Duration { return 50 * time.Millisecond }), n, p
	}
	t.Run("promoter", func(t *testing.T) {
		drtest.TestPromoter(t, func(*testing.T) drtest.Moves {
			g, _, _ := cluster()
			return drtest.Moves{Promoter: g.At(west), Writer: east, Secondary: west}
		})
	})
	t.Run("preflighter", func(t *testing.T) {
		drtest.TestPreflighter(t, func(*testing.T) failover.Preflighter { g, _, _ := cluster(); return g.At(west) })
	})
	t.Run("isolator", func(t *testing.T) {
		drtest.TestIsolator(t, func(*testing.T) (failover.Isolator, failover.Beater) {
			g, n, p := cluster()
			return g.At(east), n.Dial(east, p.DB(east))
		})
	})
	t.Run("isolator of a dead server", func(t *testing.T) {
		drtest.TestIsolatorOfADeadServer(t, func(*testing.T) failover.Isolator {
			g, _, p := cluster()
			p.DB(east).Kill()
			return g.At(east)
		})
	})
}

func TestPlaneConforms(t *testing.T) {
	drtest.TestPlane(t, func(t *testing.T) drtest.Planes {
		n, p := network(), pair()
		g := drtest.NewGlobalCluster(n, p, func() time.Duration { return 20 * time.Millisecond })
		return drtest.Planes{
			Plane: g.At(east), Writer: east, Secondary: west,
			Move:    func(t *testing.T) { require.NoError(t, g.At(east).Switchover(t.Context(), west)) },
			Silence: func() { n.SetHook(func(drtest.Call) drtest.Fault { return drtest.Fault{Hang: true} }) },
		}
	})
}

func TestRoleReaderConforms(t *testing.T) {
	drtest.TestRoleReader(t, func(t *testing.T) drtest.Roles {
		n, p, frozen := network(), pair(), pair()
		frozen.DB(east).Freeze()
		return drtest.Roles{
			Writer: n.Dial(east, p.DB(east)), Secondary: n.Dial(west, p.DB(west)), Silent: n.Dial(east, frozen.DB(east)),
			Fence: func(t *testing.T) {
				require.NoError(t, p.DB(east).Fence(t.Context(), 1))
				require.NoError(t, p.DB(west).Fence(t.Context(), 1))
			},
		}
	})
}

func TestPeerDatabaseConforms(t *testing.T) {
	drtest.TestPeerDatabase(t, func(*testing.T) drtest.Peers {
		n, p, frozen := network(), pair(), pair()
		frozen.DB(east).Freeze()
		return drtest.Peers{
			Writer: n.Dial(west, p.DB(east)).Writer(), Secondary: n.Dial(east, p.DB(west)).Writer(), Silent: n.Dial(west, frozen.DB(east)).Writer(),
			Guard: n.Dial(east, p.DB(east)), Replica: n.Dial(west, p.DB(west)),
		}
	})
}

func TestBootstrapperConforms(t *testing.T) {
	drtest.TestBootstrapper(t, func(t *testing.T) drtest.Bootstrap {
		w, err := drtest.NewWorld(drtest.WorldConfig{Topology: dr.Topology{GlobalCluster: "orders", Members: []dr.Region{east, west}, Witness: witness}, Unbootstrapped: true})
		require.NoError(t, err)
		at := func(r dr.Region) *drtest.Conn { return w.Net.Dial(r, w.Pair.DB(r)) }
		return drtest.Bootstrap{
			Writer: drtest.NewBootstrapper(w.Cluster.At(east), at(east)), Secondary: drtest.NewBootstrapper(w.Cluster.At(west), at(west)),
			Database: at(east), Region: east,
		}
	})
}

func TestRouterConforms(t *testing.T) {
	drtest.TestRouter(t, func(t *testing.T) (failover.Router, dr.Region) {
		n, p := network(), pair()
		if _, err := p.Promote(west); err != nil {
			t.Fatal(err)
		}
		return drtest.NewRouter(n, p, east, 20*time.Millisecond).At(west), west
	})
}

func TestNotifierConforms(t *testing.T) {
	drtest.TestNotifier(t, func(*testing.T) failover.Notifier { return drtest.NewNotifier(network(), west) })
}

func TestProberConforms(t *testing.T) {
	for _, from := range []dr.Region{west, witness} {
		t.Run(from.String(), func(t *testing.T) {
			drtest.TestProber(t, func(t *testing.T) drtest.Probed {
				n, p := network(), pair()
				fails := func(err error) func() {
					return func() { n.SetHook(func(drtest.Call) drtest.Fault { return drtest.Fault{Err: err} }) }
				}
				return drtest.Probed{
					Prober: &written{drtest.NewProber(n, p, from, 0), p.DB(east), 0}, Vantage: from, Subject: east, Foreign: "eu-central-1",
					Silence: func() { n.SetHook(func(drtest.Call) drtest.Fault { return drtest.Fault{Hang: true} }) },
					Unasked: map[string]func(){"no login is known": fails(health.ErrNotAsked), "called off": fails(context.Canceled)},
				}
			})
		})
	}
}

// written commits a change on the writer before each question, so that the newest one that
// has arrived is young however slow the machine is.
type written struct {
	health.Prober
	writer *drtest.Database
	last   int64
}

func (w *written) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	w.last++
	_ = w.writer.Write(context.WithoutCancel(ctx), w.last) // a closed writer shows in the answer
	return w.Prober.Probe(ctx, subject)
}

// The evidence of the lease store, over the store in memory.
func TestLeaseProberConforms(t *testing.T) {
	drtest.TestProber(t, func(t *testing.T) drtest.Probed {
		n := network()
		s := drtest.NewStore(n)
		held, err := s.At(east).TakeLease(t.Context(), failover.Lease{}, failover.Claim{Holder: east})
		require.NoError(t, err)
		watch := &failover.Watch{}
		watch.Observe(held, time.Now())
		held, err = s.At(east).RenewLease(t.Context(), held)
		require.NoError(t, err)
		watch.Observe(held, time.Now())
		require.NoError(t, s.At(witness).Publish(t.Context(), failover.Report{Region: witness, Seq: 1, Observations: []failover.Observation{
			{Subject: east, Family: health.Witness, Method: "connect", Answer: health.Alive},
		}}))
		return drtest.Probed{
			Prober: failover.NewLeaseProber(west, dr.DefaultPolicy(), s.At(west), watch), Vantage: west, Subject: east, Foreign: "eu-central-1",
			Silence: func() { n.SetRegion(west, false) }, Watches: true,
		}
	})
}
