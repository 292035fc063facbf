package drtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// pass lets time go by, which in a bubble takes none.
func pass(d time.Duration) { <-time.After(d) }

// within gives a call a second, as the policy gives it one and a half.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestTheStoreNeedsAMajority(t *testing.T) {
	bubble(t, "of the Regions that a caller reaches", func(t *testing.T) {
		n := network()
		s := drtest.NewStore(n)
		_, err := s.At(east).TakeLease(within(t), failover.Lease{}, failover.Claim{Holder: east})
		require.NoError(t, err)
		n.SetLink(east, west, false)
		_, err = s.At(east).ReadLease(within(t))
		require.NoError(t, err, "the witness is reached")
		n.SetLink(east, witness, false)
		begun := time.Now()
		_, err = s.At(east).ReadLease(within(t))
		require.ErrorIs(t, err, drtest.ErrNoAnswer)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begun), "silence, not a refusal")
		_, err = s.At(west).ReadLease(within(t))
		require.NoError(t, err)
		n.SetRegion(east, true)
		_, err = s.At(east).ReadLease(within(t))
		require.NoError(t, err)
	})
	bubble(t, "also on the way back: the answer is lost, the effect is not", func(t *testing.T) {
		n := network()
		s := drtest.NewStore(n)
		n.SetHook(func(drtest.Call) drtest.Fault { return drtest.Fault{Delay: 200 * time.Millisecond} })
		time.AfterFunc(150*time.Millisecond, func() { n.SetRegion(east, false) })
		l, err := s.At(east).TakeLease(within(t), failover.Lease{}, failover.Claim{Holder: east})
		require.ErrorIs(t, err, drtest.ErrNoAnswer)
		require.Zero(t, l)
		l, err = s.At(west).ReadLease(within(t))
		require.NoError(t, err)
		require.Equal(t, east, l.Holder)
	})
	bubble(t, "and not on the way there: nothing happened", func(t *testing.T) {
		n := network()
		s := drtest.NewStore(n)
		n.SetHook(func(drtest.Call) drtest.Fault { return drtest.Fault{Delay: 200 * time.Millisecond} })
		time.AfterFunc(50*time.Millisecond, func() { n.SetRegion(east, false) })
		_, err := s.At(east).TakeLease(within(t), failover.Lease{}, failover.Claim{Holder: east})
		require.ErrorIs(t, err, drtest.ErrNoAnswer)
		_, err = s.At(west).ReadLease(within(t))
		require.ErrorIs(t, err, failover.ErrNoLease)
	})
}

func TestFaults(t *testing.T) {
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		fault drtest.Fault
		acts  bool
		err   error
		took  time.Duration
	}{
		"none":                          {drtest.Fault{}, true, nil, 0},
		"delay":                         {drtest.Fault{Delay: 300 * time.Millisecond}, true, nil, 300 * time.Millisecond},
		"too long a delay":              {drtest.Fault{Delay: 3 * time.Second}, false, drtest.ErrNoAnswer, time.Second},
		"an answer that comes too late": {drtest.Fault{Delay: 1500 * time.Millisecond}, true, drtest.ErrNoAnswer, time.Second},
		"refused":                       {drtest.Fault{Err: refused}, false, refused, 0},
		"hangs":                         {drtest.Fault{Hang: true}, false, drtest.ErrNoAnswer, time.Second},
		"acts and hangs":                {drtest.Fault{Hang: true, Acts: true}, true, drtest.ErrNoAnswer, time.Second},
		"acts and fails":                {drtest.Fault{Err: refused, Acts: true}, true, refused, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			n := network()
			s := drtest.NewStore(n)
			n.SetHook(func(got drtest.Call) drtest.Fault {
				require.Equal(t, drtest.Call{From: west, Op: drtest.OpPublish}, got)
				return c.fault
			})
			begun := time.Now()
			require.ErrorIs(t, s.At(west).Publish(within(t), failover.Report{Region: west}), c.err)
			require.Equal(t, c.took, time.Since(begun))
			n.SetHook(nil)
			all, err := s.At(east).Reports(within(t))
			require.NoError(t, err)
			require.Equal(t, c.acts, len(all) == 1)
		})
	}
}

func TestReplication(t *testing.T) {
	delayed := func(d time.Duration) *drtest.Pair {
		return drtest.NewPair(east, west, func() time.Duration { return d })
	}
	bubble(t, "a row arrives after its delay, with its lag", func(t *testing.T) {
		p := delayed(300 * time.Millisecond)
		require.NoError(t, p.DB(east).Write(t.Context(), 1))
		pass(299 * time.Millisecond)
		require.Empty(t, p.DB(west).Rows())
		pass(time.Millisecond)
		require.Equal(t, []int64{1}, p.DB(west).Rows())
		lag, err := p.DB(west).Lag(t.Context())
		require.NoError(t, err)
		require.Equal(t, &health.Lag{Value: 300 * time.Millisecond, At: time.Now()}, lag)
	})
	bubble(t, "a promotion loses what has not arrived, and keeps the rest", func(t *testing.T) {
		p := delayed(300 * time.Millisecond)
		for id := range int64(10) {
			require.NoError(t, p.DB(east).Write(t.Context(), id))
			pass(100 * time.Millisecond)
		}
		lost, err := p.Promote(west)
		require.NoError(t, err)
		require.Equal(t, 2, lost, "of the last 300 ms")
		require.Len(t, p.DB(west).Rows(), 8)
		require.NoError(t, p.DB(east).Write(t.Context(), 99), "the old writer was not told")
		require.NoError(t, p.DB(west).Write(t.Context(), 100))
		pass(time.Minute)
		require.NotContains(t, p.DB(west).Rows(), int64(99))
		require.NoError(t, p.Rejoin(east))
		require.NotContains(t, p.DB(east).Rows(), int64(99), "a rebuilt member has the writer's rows only")
		require.ErrorIs(t, p.DB(east).Open(t.Context(), 9), failover.ErrNotWriter)
	})
	bubble(t, "what a cut held up arrives after the heal, in order", func(t *testing.T) {
		p := delayed(100 * time.Millisecond)
		p.SetLink(false)
		for id := range int64(5) {
			require.NoError(t, p.DB(east).Write(t.Context(), id))
		}
		pass(10 * time.Second)
		require.Empty(t, p.DB(west).Rows())
		p.SetLink(true)
		require.Len(t, p.DB(west).Rows(), 5)
	})
	bubble(t, "a switchover loses nothing and refuses writes meanwhile", func(t *testing.T) {
		p := delayed(500 * time.Millisecond)
		require.NoError(t, p.DB(east).Write(t.Context(), 1))
		require.NoError(t, p.Move(west, 2*time.Second, true))
		require.ErrorIs(t, p.DB(east).Write(t.Context(), 2), failover.ErrReadOnly)
		require.ErrorIs(t, p.Move(west, time.Second, false), drtest.ErrBusy)
		pass(2 * time.Second)
		require.NoError(t, p.DB(west).Write(t.Context(), 3))
		require.Equal(t, []int64{1, 3}, p.DB(west).Rows())
		pass(time.Second)
		require.Equal(t, []int64{1, 3}, p.DB(east).Rows(), "the old writer follows")
	})
	bubble(t, "a promotion whose target is gone at its end is dropped", func(t *testing.T) {
		p := delayed(time.Millisecond)
		require.NoError(t, p.Move(west, 2*time.Second, false))
		p.DB(west).Kill()
		pass(3 * time.Second)
		writer, to := p.Moving()
		require.Equal(t, east, writer)
		require.Empty(t, to)
	})
}

func TestServers(t *testing.T) {
	bubble(t, "a killed one refuses and boots read-only", func(t *testing.T) {
		db := pair().DB(east)
		db.Kill()
		require.ErrorIs(t, db.Write(within(t), 1), drtest.ErrDown)
		db.Start()
		require.ErrorIs(t, db.Write(within(t), 1), failover.ErrReadOnly)
		require.NoError(t, db.Open(within(t), 1))
		require.NoError(t, db.Write(within(t), 1))
	})
	bubble(t, "a frozen one is silent and goes on after the thaw", func(t *testing.T) {
		db := pair().DB(east)
		db.Freeze()
		require.ErrorIs(t, db.Write(within(t), 1), context.DeadlineExceeded)
		time.AfterFunc(500*time.Millisecond, db.Thaw)
		require.NoError(t, db.Write(within(t), 2))
	})
	bubble(t, "one that was rebooted while frozen comes back read-only", func(t *testing.T) {
		db := pair().DB(east)
		db.Freeze()
		db.Reboot()
		time.AfterFunc(500*time.Millisecond, db.Thaw)
		require.ErrorIs(t, db.Write(within(t), 1), failover.ErrReadOnly)
	})
	bubble(t, "a promoted one may boot read-only", func(t *testing.T) {
		p := pair()
		p.SetBoot(true)
		_, err := p.Promote(west)
		require.NoError(t, err)
		require.ErrorIs(t, p.DB(west).Write(within(t), 1), failover.ErrReadOnly)
		require.NoError(t, p.DB(west).Open(within(t), 2))
		require.NoError(t, p.DB(west).Write(within(t), 1))
	})
}

func TestControlPlane(t *testing.T) {
	bubble(t, "a Region that is cut off tells what it last knew", func(t *testing.T) {
		n, p := network(), pair()
		g := drtest.NewGlobalCluster(n, p, func() time.Duration { return time.Second })
		_, err := g.At(east).Describe(within(t))
		require.NoError(t, err)
		n.SetRegion(east, false)
		require.NoError(t, g.At(west).Failover(within(t), west))
		pass(2 * time.Second)
		stale, err := g.At(east).Describe(within(t))
		require.NoError(t, err)
		require.Equal(t, east, stale.Writer)
		fresh, err := g.At(west).Describe(within(t))
		require.NoError(t, err)
		require.Equal(t, failover.Cluster{Status: "available", Writer: west}, fresh)
		n.SetRegion(east, true)
		fresh, err = g.At(east).Describe(within(t))
		require.NoError(t, err)
		require.Equal(t, west, fresh.Writer)
		require.Equal(t, 1, g.Moves())
	})
	bubble(t, "a second promotion is refused while one runs", func(t *testing.T) {
		g := drtest.NewGlobalCluster(network(), pair(), func() time.Duration { return time.Second })
		require.NoError(t, g.At(west).Failover(within(t), west))
		require.ErrorIs(t, g.At(west).Failover(within(t), west), drtest.ErrBusy)
		require.Equal(t, 1, g.Moves())
	})
}

func TestEndpoint(t *testing.T) {
	bubble(t, "leads to the old Region until its TTL has passed", func(t *testing.T) {
		n, p := network(), pair()
		r := drtest.NewRouter(n, p, east, 5*time.Second)
		require.NoError(t, r.At(west).Redirect(within(t), west, 2))
		pass(4999 * time.Millisecond)
		require.Equal(t, east, r.Target())
		pass(time.Millisecond)
		require.Equal(t, west, r.Target())
		require.Error(t, r.At(east).Redirect(within(t), east, 1), "an older epoch")
		require.Equal(t, west, r.Target())
	})
}

func TestProber(t *testing.T) {
	answers := func(t *testing.T, n *drtest.Network, p *drtest.Pair, from dr.Region) map[health.Family]health.Answer {
		got := make(map[health.Family]health.Answer)
		for _, o := range drtest.NewProber(n, p, from, 1).Probe(within(t), east) {
			require.Equal(t, from, o.Vantage)
			require.Equal(t, east, o.Subject)
			got[o.Family] = o.Answer
		}
		return got
	}
	bubble(t, "tells a refusal from silence", func(t *testing.T) {
		n, p := network(), pair()
		require.NoError(t, p.DB(east).Write(t.Context(), 1))
		pass(10 * time.Millisecond)
		alive, dead := health.Alive, health.Dead
		require.Equal(t, map[health.Family]health.Answer{health.SQL: alive, health.Replication: alive}, answers(t, n, p, west))
		require.Equal(t, map[health.Family]health.Answer{health.Witness: alive}, answers(t, n, p, witness))
		p.DB(east).Kill()
		pass(2 * time.Second)
		require.Equal(t, map[health.Family]health.Answer{health.SQL: dead, health.Replication: dead}, answers(t, n, p, west))
		require.Equal(t, map[health.Family]health.Answer{health.Witness: alive}, answers(t, n, p, witness), "its host answers")
		n.SetRegion(east, false)
		require.Equal(t, map[health.Family]health.Answer{health.Witness: dead}, answers(t, n, p, witness))
	})
}
