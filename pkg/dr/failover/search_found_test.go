package failover_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// drawBootstrap makes a fault that meets a bootstrap. The bootstrap itself takes place a
// probe interval after the agents have started.
func (s *sim) drawBootstrap(rng *rand.Rand) fault {
	ops := []drtest.Op{drtest.OpReadLease, drtest.OpDescribe, drtest.OpNewest, drtest.OpInstall, drtest.OpTakeLease, drtest.OpRenewLease, drtest.OpOpen}
	op := ops[rng.IntN(len(ops))]
	at := between(rng, 0, 2*time.Second)
	f := fault{at: at, heal: at + between(rng, time.Second, 20*time.Second)}
	const rule = "bootstrap"
	f.undo = func() { s.mend(rule) }
	switch rng.IntN(6) {
	case 0:
		f.name, f.inject, f.undo = "nothing meets the bootstrap", func() {}, func() {}
	case 1:
		f.name = "killed at " + string(op)
		var killed atomic.Bool
		f.inject = func() {
			s.breakCalls(rule, func(c drtest.Call, rng *rand.Rand) drtest.Fault {
				if c.From == east && c.Op == op && killed.CompareAndSwap(false, true) {
					s.wg.Go(func() { s.kill(east) })
					return drtest.Fault{Hang: true, Acts: rng.IntN(2) == 0}
				}
				return drtest.Fault{}
			})
		}
		f.undo = func() { s.mend(rule); s.start(east) }
	case 2:
		f.name = "the answer is lost of " + string(op)
		f.inject = func() {
			s.breakCalls(rule, func(c drtest.Call, rng *rand.Rand) drtest.Fault {
				return drtest.Fault{Hang: c.From == east && c.Op == op, Acts: rng.IntN(2) == 0}
			})
		}
	case 3:
		f.name = "cut off at " + string(op)
		f.inject = func() {
			s.breakCalls(rule, func(c drtest.Call, _ *rand.Rand) drtest.Fault {
				if c.From == east && c.Op == op {
					s.CutRegion(east, true)
				}
				return drtest.Fault{}
			})
		}
		f.undo = func() { s.mend(rule); s.CutRegion(east, false) }
	case 4:
		f.name = "a bootstrap takes long"
		f.inject = func() {
			s.breakCalls(rule, func(c drtest.Call, rng *rand.Rand) drtest.Fault {
				if c.Op == drtest.OpInstall || c.Op == drtest.OpTakeLease {
					return drtest.Fault{Delay: between(rng, 0, 4*time.Second)}
				}
				return drtest.Fault{}
			})
		}
	case 5:
		// No Region has acknowledged anything yet, so nothing is lost.
		f.at = between(rng, 0, time.Second)
		f.name = "a person moves the writer before it is bootstrapped"
		f.inject = func() {
			s.wg.Go(func() {
				ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
				defer cancel()
				if s.Cluster.At(west).Failover(ctx, west) != nil {
					return
				}
				for to := west; to != ""; s.wait(50 * time.Millisecond) {
					_, to = s.Pair.Moving()
				}
				// The endpoint follows by itself; in this world the test has to move it.
				if writer, _ := s.Pair.Moving(); writer == west {
					_ = s.Router.At(west).Redirect(context.WithoutCancel(ctx), west, 0)
				}
			})
		}
		f.undo = func() {}
	}
	return f
}
