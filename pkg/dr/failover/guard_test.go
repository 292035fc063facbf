package failover_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const ttl, margin = 6 * time.Second, 1500 * time.Millisecond

// bubble runs a part of a test on virtual time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// calls breaks one operation from one Region.
func calls(from dr.Region, bad drtest.Fault, ops ...drtest.Op) func(drtest.Call) drtest.Fault {
	return func(c drtest.Call) drtest.Fault {
		for _, op := range ops {
			if c.From == from && c.Op == op {
				return bad
			}
		}
		return drtest.Fault{}
	}
}

func storeOf(from dr.Region, bad drtest.Fault) func(drtest.Call) drtest.Fault {
	return func(c drtest.Call) drtest.Fault {
		if c.From == from && c.To == "" {
			return bad
		}
		return drtest.Fault{}
	}
}

func TestGuardRenewsAfterEveryHeartbeat(t *testing.T) {
	bubble(t, "pace", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(10*time.Second + 10*time.Millisecond)
		renewals, beats := r.when(drtest.OpRenewLease, east), r.when(drtest.OpBeat, east)
		require.InDelta(t, 20, len(renewals), 1, "one in half a second")
		require.GreaterOrEqual(t, len(beats), len(renewals), "each after a committed heartbeat")
		require.True(t, r.Pair.DB(east).Accepts())
		require.Equal(t, []string{dr.LeaseHeld}, r.told())
	})
}

// TestGuardFencesItselfBeforeItsLeaseRunsOut is the promise on which every promotion
// rests: whatever fails, at whatever moment between two renewals, the writer accepts
// nothing TTL after the request of the last renewal that was granted.
func TestGuardFencesItselfBeforeItsLeaseRunsOut(t *testing.T) {
	hang := drtest.Fault{Hang: true}
	for name, fail := range map[string]func(r *rig){
		"the store is unreachable":           func(r *rig) { r.breaks(storeOf(east, hang)) },
		"the store refuses":                  func(r *rig) { r.breaks(storeOf(east, drtest.Fault{Err: errRefused})) },
		"renewals hang":                      func(r *rig) { r.breaks(calls(east, hang, drtest.OpRenewLease)) },
		"renewals take effect and hang":      func(r *rig) { r.breaks(calls(east, drtest.Fault{Hang: true, Acts: true}, drtest.OpRenewLease)) },
		"heartbeats hang":                    func(r *rig) { r.breaks(calls(east, hang, drtest.OpBeat)) },
		"heartbeats fail":                    func(r *rig) { r.breaks(calls(east, drtest.Fault{Err: errRefused}, drtest.OpBeat)) },
		"heartbeats hang and the store does": func(r *rig) { r.breaks(calls(east, hang, drtest.OpBeat, drtest.OpRenewLease, drtest.OpReadLease)) },
		"fencing by SQL hangs": func(r *rig) {
			r.breaks(calls(east, hang, drtest.OpRenewLease, drtest.OpFence))
		},
		"fencing by SQL fails": func(r *rig) {
			r.breaks(calls(east, drtest.Fault{Err: errRefused}, drtest.OpRenewLease, drtest.OpFence))
		},
		"the Region is cut off": func(r *rig) { r.CutRegion(east, true) },
	} {
		bubble(t, name, func(t *testing.T) {
			for after := time.Duration(0); after < 600*time.Millisecond; after += 70 * time.Millisecond {
				r := newRig(t, dr.Policy{})
				r.guard(east)
				r.wait(5*time.Second + after)
				fail(r)
				failed := time.Now()
				var asked time.Time
				for _, at := range r.when(drtest.OpRenewLease, east) {
					if !at.After(failed) {
						asked = at
					}
				}
				shut := r.until("the writer is closed", ttl, r.closedOnce(east))
				require.Less(t, shut.Sub(asked), ttl)
				require.Greater(t, shut.Sub(failed), 2*time.Second, "one lost call must not stop writes")
				require.Contains(t, r.told(), dr.LeaseHeld)
				r.end()
			}
		})
	}
}

func TestGuardLetsTheLeaseOfAWriterThatCommitsNothingFallSilent(t *testing.T) {
	bubble(t, "in spite of opening it again and again", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(calls(east, drtest.Fault{Hang: true}, drtest.OpBeat))
		r.wait(20 * time.Second)
		begun := time.Now()
		r.wait(time.Minute)
		renewals := 0
		for _, at := range r.when(drtest.OpRenewLease, east) {
			if at.After(begun) {
				renewals++
			}
		}
		require.LessOrEqual(t, renewals, 5, "one in two TTLs")
		require.GreaterOrEqual(t, renewals, 4, "it must be found when it is well again")
		r.breaks(nil)
		r.until("it is open", 2*ttl+time.Second, r.open(east))
	})
}

func TestGuardLetsTheLeaseOfAWriterThatStaysReadOnlyFallSilent(t *testing.T) {
	bubble(t, "whatever its opening reports", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(calls(east, drtest.Fault{Err: failover.ErrReadOnly}, drtest.OpBeat))
		last := time.Now()
		for range 3 {
			r.wait(ttl / 2)
			require.Greater(t, len(r.when(drtest.OpOpen, east)), 0)
		}
		require.Len(t, r.when(drtest.OpOpen, east), 3, "it is tried, and not all at once")
		r.wait(time.Minute)
		renewals := r.when(drtest.OpRenewLease, east)
		var silences int
		for _, at := range renewals {
			if at.Sub(last) > ttl {
				silences++
			}
			last = at
		}
		require.GreaterOrEqual(t, silences, 4, "of more than the TTL")
		r.breaks(nil)
		r.until("it is open", 2*ttl+time.Second, func() bool { return r.Pair.DB(east).Accepts() })
	})
}

func TestGuardForgivesSlowness(t *testing.T) {
	for name, slow := range map[string]func(drtest.Call) drtest.Fault{
		"of the store":    storeOf(east, drtest.Fault{Delay: 800 * time.Millisecond}),
		"of the database": calls(east, drtest.Fault{Delay: 800 * time.Millisecond}, drtest.OpBeat),
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			r.guard(east)
			r.wait(2 * time.Second)
			r.breaks(slow)
			for range 300 {
				r.wait(100 * time.Millisecond)
				require.True(t, r.Pair.DB(east).Accepts())
			}
		})
	}
}

func TestGuardCutsAFrozenWriterOff(t *testing.T) {
	bubble(t, "before its lease runs out, and opens it after the thaw", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		frozen := time.Now()
		r.Pair.DB(east).Freeze()
		isolated := r.until("the writer is cut off", ttl, func() bool { return len(r.when(drtest.OpIsolate, east)) > 0 })
		require.Less(t, isolated.Sub(frozen), ttl-500*time.Millisecond)
		r.wait(10 * time.Second)
		r.Pair.DB(east).Thaw()
		require.False(t, r.Pair.DB(east).Accepts(), "what comes back from a reboot is read-only")
		r.until("no Region took the epoch, so it opens again", 3*time.Second, r.open(east))
		require.Equal(t, []string{dr.LeaseHeld, dr.LeaseIsolated, dr.LeaseFenced, dr.LeaseOpened}, r.told())
	})
	bubble(t, "and keeps it closed when the epoch was taken meanwhile", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.Pair.DB(east).Freeze()
		r.wait(10 * time.Second)
		r.take(west)
		r.Pair.DB(east).Thaw()
		for range 600 {
			r.wait(50 * time.Millisecond)
			require.False(t, r.Pair.DB(east).Accepts())
		}
	})
}

func TestGuardKeepsItsDeadlineInANewTermOfItsOwnRegion(t *testing.T) {
	bubble(t, "as when a person takes the lease by hand", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		frozen := time.Now()
		r.Pair.DB(east).Freeze()
		r.wait(2 * time.Second)
		r.take(east)
		isolated := r.until("the writer is cut off", ttl, func() bool { return len(r.when(drtest.OpIsolate, east)) > 0 })
		require.Less(t, isolated.Sub(frozen), ttl)
		r.Pair.DB(east).Thaw()
		require.False(t, r.Pair.DB(east).Accepts())
	})
}

// take gives a Region the lease, as its controller would.
func (r *rig) take(to dr.Region) failover.Lease {
	r.t.Helper()
	for {
		l, err := r.Store.At(to).ReadLease(r.ctx)
		require.NoError(r.t, err)
		taken, err := r.Store.At(to).TakeLease(r.ctx, l, failover.Claim{Holder: to, Execution: "execution"})
		if err == nil {
			return taken
		}
		require.ErrorIs(r.t, err, failover.ErrLeaseMoved)
	}
}

func TestGuardOpensAgainWhenNoRegionTookTheEpoch(t *testing.T) {
	bubble(t, "after a store outage", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(storeOf(east, drtest.Fault{Hang: true}))
		r.wait(20 * time.Second)
		require.False(t, r.Pair.DB(east).Accepts())
		r.breaks(nil)
		mended := time.Now()
		at := r.until("it opens", 3*time.Second, r.open(east))
		renewals := r.when(drtest.OpRenewLease, east)
		require.False(t, renewals[len(renewals)-1].Before(mended), "the lease comes first")
		require.Less(t, at.Sub(mended), 3*time.Second)
	})
}

func TestGuardAcknowledgesItsFence(t *testing.T) {
	bubble(t, "when it is dethroned", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		g, _ := r.guard(east)
		r.wait(5 * time.Second)
		taken := r.take(west)
		at := time.Now()
		shut := r.until("the writer is closed", 2*time.Second, r.closed(east))
		require.Less(t, shut.Sub(at), time.Second)
		r.wait(time.Second)
		var h failover.Report
		g.Report(&h)
		require.Equal(t, taken.Epoch, h.FencedEpoch+1)
		require.Equal(t, taken.TakenRev, h.FencedRev+1, "the revision shows that nothing was renewed since")
		require.Zero(t, h.FenceFailed)
		r.wait(time.Minute)
		require.False(t, r.Pair.DB(east).Accepts())
	})
	bubble(t, "and takes it back when it opens again", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		g, _ := r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(storeOf(east, drtest.Fault{Hang: true}))
		r.wait(8 * time.Second)
		var h failover.Report
		g.Report(&h)
		require.Equal(t, dr.Epoch(1), h.FencedEpoch)
		r.breaks(nil)
		r.until("it opens", 3*time.Second, r.open(east))
		h = failover.Report{}
		g.Report(&h)
		require.Zero(t, h.FencedEpoch)
	})
	bubble(t, "or says that it could do neither", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		g, _ := r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(calls(east, drtest.Fault{Err: errRefused}, drtest.OpRenewLease, drtest.OpFence, drtest.OpIsolate))
		r.wait(10 * time.Second)
		var h failover.Report
		g.Report(&h)
		require.Equal(t, dr.Epoch(1), h.FenceFailed)
		require.Zero(t, h.FencedEpoch)
		require.True(t, r.Pair.DB(east).Accepts(), "and it is the truth")
		r.breaks(nil)
		r.wait(3 * time.Second)
		h = failover.Report{}
		g.Report(&h)
		require.Zero(t, h.FenceFailed)
	})
}

func TestGuardKeepsAServerClosedThatMayNotBeOpen(t *testing.T) {
	bubble(t, "a secondary", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.guard(west)
		r.wait(5 * time.Second)
		_, err := r.Pair.Promote(west) // by a person, without an epoch
		require.NoError(t, err)
		r.until("it is closed", 3*time.Second, r.closed(west))
	})
	bubble(t, "a member that has not rejoined, when its Region takes the epoch", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.take(west)
		_, err := r.Pair.Promote(west)
		require.NoError(t, err)
		r.guard(east)
		r.until("it is closed", 3*time.Second, r.closed(east))
		r.take(east)
		for range 600 {
			r.wait(50 * time.Millisecond)
			require.False(t, r.Pair.DB(east).Accepts(), "the epoch alone does not make it the writer")
		}
	})
	bubble(t, "a server that boots is opened with the lease", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.Pair.DB(east).Kill()
		r.wait(time.Second)
		r.Pair.DB(east).Start()
		require.False(t, r.Pair.DB(east).Accepts())
		r.until("it opens, and no lease has to run out first", time.Second, r.open(east))
		require.NotContains(t, r.told(), dr.LeaseFenced)
	})
	bubble(t, "one that a late fence has closed, too", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		for range 5 { // each is followed by a commit, so none counts as an opening in vain
			require.NoError(t, r.Pair.DB(east).Fence(r.ctx, 1))
			r.until("it opens", time.Second, r.open(east))
			r.wait(time.Second)
		}
	})
	bubble(t, "but not when the epoch was taken in the same moment", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		r.guard(east)
		r.wait(5 * time.Second)
		r.take(west)
		require.NoError(t, r.Pair.DB(east).Fence(r.ctx, 2))
		for range 600 {
			r.wait(50 * time.Millisecond)
			require.False(t, r.Pair.DB(east).Accepts())
		}
	})
}

func TestGuardRestart(t *testing.T) {
	bubble(t, "within the TTL interrupts nothing", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		for range 5 {
			_, stop := r.guard(east)
			for range 40 {
				r.wait(50 * time.Millisecond)
				require.True(t, r.Pair.DB(east).Accepts())
			}
			stop()
			r.wait(time.Second)
			require.True(t, r.Pair.DB(east).Accepts())
		}
	})
	for name, cut := range map[string]func(drtest.Call) drtest.Fault{
		"inside a cut closes the writer":                      storeOf(east, drtest.Fault{Hang: true}),
		"that can read the lease but not renew it closes it":  calls(east, drtest.Fault{Hang: true}, drtest.OpRenewLease),
		"that finds a database that does not answer, as well": calls(east, drtest.Fault{Hang: true}, drtest.OpBeat),
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			_, stop := r.guard(east)
			r.wait(5 * time.Second)
			renewals := r.when(drtest.OpRenewLease, east)
			last := renewals[len(renewals)-1]
			r.breaks(cut)
			stop()
			r.wait(time.Second)
			r.guard(east)
			shut := r.until("the writer is closed", 2*ttl, r.closed(east))
			require.Less(t, shut.Sub(last), ttl)
		})
	}
	bubble(t, "Run returns while the fence can't be confirmed", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		_, stop := r.guard(east)
		r.wait(5 * time.Second)
		r.breaks(func(c drtest.Call) drtest.Fault { return drtest.Fault{Hang: c.From == east} })
		r.wait(8 * time.Second)
		begun := time.Now()
		stop()
		require.Less(t, time.Since(begun), 2*time.Second)
	})
}

func TestNewGuardReportsEverythingAtOnce(t *testing.T) {
	_, err := failover.NewGuard(failover.GuardConfig{Policy: dr.Policy{RPOGuard: true, Watchdog: true, Confirm: 1}})
	for _, part := range []string{"Confirm 1", "Region is empty", "Beater, Fencer, Isolator, Leaser, Watch are required", "RPOGuard needs a Replica", "Watchdog needs a Fencer"} {
		require.ErrorContains(t, err, part)
	}
}

// A promotion takes minutes on Aurora, monitors hand over every minute meanwhile, and the
// server may be silent. A guard that starts then must not have it rebooted; one that
// starts beside a silent server in any other term must.
func TestGuardCutsNothingOffThatIsBeingPromoted(t *testing.T) {
	for name, taker := range map[string]dr.Region{"its own execution holds the lease": west, "the other Region does": east} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			l, err := r.Store.At(west).ReadLease(r.ctx)
			require.NoError(t, err)
			_, err = r.Store.At(west).TakeLease(r.ctx, l, failover.Claim{Holder: taker, Execution: "0000000002-0001"})
			require.NoError(t, err)
			r.breaks(calls(west, drtest.Fault{Hang: true}, drtest.OpFence, drtest.OpBeat))
			r.guard(west)
			r.wait(30 * time.Second)
			require.NotEmpty(t, r.when(drtest.OpFence, west), "it asks the server to be read-only all the same")
			if taker == west {
				require.Empty(t, r.when(drtest.OpIsolate, west))
			} else {
				require.NotEmpty(t, r.when(drtest.OpIsolate, west))
			}
		})
	}
}
