package drtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// racers is how many callers a suite lets compete for one place.
const racers = 8

// TestLeaser holds a Leaser against its documentation. open returns one over an
// empty store; it is called once for every part.
func TestLeaser(t *testing.T, open func(t *testing.T) failover.Leaser) {
	east := failover.Claim{Holder: "us-east-1"}
	west := failover.Claim{Holder: "us-west-2", Execution: "0000000002-0001", After: 1500 * time.Millisecond}

	t.Run("an empty store has no lease", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		_, err := l.ReadLease(ctx)
		require.ErrorIs(t, err, failover.ErrNoLease)
		_, err = l.RenewLease(ctx, failover.Lease{Epoch: 1, Holder: east.Holder, Rev: 1})
		require.ErrorIs(t, err, failover.ErrLeaseMoved, "contract: RenewLease of a lease that is not there is ErrLeaseMoved")
		_, err = l.TakeLease(ctx, failover.Lease{Epoch: 1, Holder: east.Holder, Rev: 1}, west)
		require.ErrorIs(t, err, failover.ErrLeaseMoved, "contract: TakeLease takes only the lease that was seen")
		_, err = l.ReadLease(ctx)
		require.ErrorIs(t, err, failover.ErrNoLease, "contract: a refused call changes nothing")
	})

	t.Run("the zero lease takes the first epoch, once", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		first, err := l.TakeLease(ctx, failover.Lease{}, east)
		require.NoError(t, err)
		require.Equal(t, dr.Epoch(1), first.Epoch)
		require.Equal(t, east.Holder, first.Holder)
		require.NotZero(t, first.Rev)
		require.Equal(t, first.Rev, first.TakenRev)
		read, err := l.ReadLease(ctx)
		require.NoError(t, err)
		require.Equal(t, first, read)
		_, err = l.TakeLease(ctx, failover.Lease{}, west)
		require.ErrorIs(t, err, failover.ErrLeaseMoved)
	})

	t.Run("a renewal raises the revision and nothing else", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		held, err := l.TakeLease(ctx, failover.Lease{}, failover.Claim{Holder: east.Holder, Execution: "x", After: time.Second})
		require.NoError(t, err)
		for range 3 {
			next, err := l.RenewLease(ctx, held)
			require.NoError(t, err)
			require.Greater(t, next.Rev, held.Rev)
			want := held
			want.Rev, want.Served = next.Rev, next.Rev
			require.Equal(t, want, next, "a committed write stands behind it")
			held = next
		}
		blind := held
		blind.Blind = true
		next, err := l.RenewLease(ctx, blind)
		require.NoError(t, err)
		require.Greater(t, next.Rev, held.Rev, "a blind renewal keeps the lease")
		require.Equal(t, held.Served, next.Served, "and says nothing of service")
		require.False(t, next.Blind, "which is no attribute of the record")
		held = next
		read, err := l.ReadLease(ctx)
		require.NoError(t, err)
		require.Equal(t, held, read)
	})

	t.Run("a renewal needs epoch and holder, not the newest revision", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		old, err := l.TakeLease(ctx, failover.Lease{}, east)
		require.NoError(t, err)
		second, err := l.RenewLease(ctx, old)
		require.NoError(t, err)
		third, err := l.RenewLease(ctx, old)
		require.NoError(t, err, "the reply of an earlier renewal may have been lost")
		require.Greater(t, third.Rev, second.Rev)
		_, err = l.RenewLease(ctx, failover.Lease{Epoch: old.Epoch, Holder: west.Holder, Rev: third.Rev})
		require.ErrorIs(t, err, failover.ErrLeaseMoved, "another holder")
		_, err = l.RenewLease(ctx, failover.Lease{Epoch: old.Epoch + 1, Holder: old.Holder, Rev: third.Rev})
		require.ErrorIs(t, err, failover.ErrLeaseMoved, "another epoch")
	})

	t.Run("taking it gives the next epoch and ends the old term", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		held, err := l.TakeLease(ctx, failover.Lease{}, east)
		require.NoError(t, err)
		taken, err := l.TakeLease(ctx, held, west)
		require.NoError(t, err)
		require.Greater(t, taken.Rev, held.Rev)
		require.Equal(t, failover.Lease{
			Epoch: held.Epoch + 1, Holder: west.Holder, Rev: taken.Rev, Execution: west.Execution,
			TakenRev: taken.Rev, TakenAfter: west.After,
		}, taken)
		_, err = l.RenewLease(ctx, held)
		require.ErrorIs(t, err, failover.ErrLeaseMoved, "renewing after a take")
		renewed, err := l.RenewLease(ctx, taken)
		require.NoError(t, err)
		require.Equal(t, taken.TakenRev, renewed.TakenRev, "the revision that the epoch began with stays")
		require.Equal(t, taken.TakenAfter, renewed.TakenAfter)
		require.Equal(t, taken.Execution, renewed.Execution)
	})

	t.Run("what was seen must still be there exactly", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		seen, err := l.TakeLease(ctx, failover.Lease{}, east)
		require.NoError(t, err)
		_, err = l.RenewLease(ctx, seen)
		require.NoError(t, err)
		_, err = l.TakeLease(ctx, seen, west)
		require.ErrorIs(t, err, failover.ErrLeaseMoved, "it was renewed since: its holder lives")
	})

	t.Run("of concurrent takers exactly one wins", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		seen := failover.Lease{}
		for round := range 4 {
			type outcome struct {
				lease failover.Lease
				err   error
			}
			got := race(racers, func(i int) outcome {
				lease, err := l.TakeLease(ctx, seen, failover.Claim{Holder: dr.Region(fmt.Sprintf("region-%d", i)), Execution: fmt.Sprint(i)})
				return outcome{lease, err}
			})
			var won []failover.Lease
			for _, o := range got {
				if o.err == nil {
					won = append(won, o.lease)
					continue
				}
				require.ErrorIs(t, o.err, failover.ErrLeaseMoved)
			}
			require.Len(t, won, 1)
			require.Equal(t, dr.Epoch(round+1), won[0].Epoch)
			read, err := l.ReadLease(ctx)
			require.NoError(t, err)
			require.Equal(t, won[0], read)
			seen = read
		}
	})

	t.Run("a renewal and a take exclude each other", func(t *testing.T) {
		for range 4 {
			l, ctx := open(t), callContext(t)
			held, err := l.TakeLease(ctx, failover.Lease{}, east)
			require.NoError(t, err)
			errs := race(2, func(i int) error {
				if i == 0 {
					_, err := l.RenewLease(ctx, held)
					return err
				}
				_, err := l.TakeLease(ctx, held, west)
				return err
			})
			require.NotEqual(t, errs[0] == nil, errs[1] == nil, "renew: %v, take: %v", errs[0], errs[1])
		}
	})

	t.Run("concurrent renewals never share a revision", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		held, err := l.TakeLease(ctx, failover.Lease{}, east)
		require.NoError(t, err)
		seen := map[uint64]bool{held.Rev: true}
		for _, rev := range race(racers, func(int) uint64 {
			l, err := l.RenewLease(ctx, held)
			if err != nil {
				return held.Rev
			}
			return l.Rev
		}) {
			require.False(t, seen[rev], "revision %d was given twice, or a renewal was refused", rev)
			seen[rev] = true
		}
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		l := open(t)
		held, err := l.TakeLease(callContext(t), failover.Lease{}, east)
		require.NoError(t, err)
		_, err = l.ReadLease(endedContext(t))
		require.Error(t, err)
		_, err = l.RenewLease(endedContext(t), held)
		require.Error(t, err)
		_, err = l.TakeLease(endedContext(t), held, west)
		require.Error(t, err)
	})
}

// Lease is a store of the lease with everything that may be asked of it.
type Lease interface {
	failover.Leaser
	failover.Releaser
}

// TestReleaser holds a Releaser against its documentation. open returns one over an
// empty store; it is called once for every part.
func TestReleaser(t *testing.T, open func(t *testing.T) Lease) {
	east := failover.Claim{Holder: "us-east-1", Execution: "0000000001-0001", After: time.Second}
	west := failover.Claim{Holder: "us-west-2", Execution: "0000000002-0001"}
	first := func(t *testing.T) (l Lease, held failover.Lease) {
		l = open(t)
		held, err := l.TakeLease(callContext(t), failover.Lease{}, east)
		require.NoError(t, err)
		return l, held
	}
	untouched := func(t *testing.T, l Lease, want failover.Lease) {
		got, err := l.ReadLease(callContext(t))
		require.NoError(t, err)
		require.Equal(t, want, got, "a refused call must leave nothing behind")
	}

	t.Run("there is nothing to release", func(t *testing.T) {
		l, ctx := open(t), callContext(t)
		_, err := l.ReleaseLease(ctx, failover.Lease{Epoch: 1, Holder: east.Holder, Rev: 1})
		require.ErrorIs(t, err, failover.ErrLeaseMoved)
		_, err = l.ReleaseLease(ctx, failover.Lease{})
		require.ErrorIs(t, err, failover.ErrLeaseMoved)
		_, err = l.ReadLease(ctx)
		require.ErrorIs(t, err, failover.ErrNoLease, "a refused call must leave nothing behind")
	})

	t.Run("a release raises the revision by one and changes nothing else", func(t *testing.T) {
		l, held := first(t)
		require.False(t, held.Released, "what was taken is not released")
		held, err := l.RenewLease(callContext(t), held)
		require.NoError(t, err)
		require.False(t, held.Released)
		want := held
		want.Rev, want.Released = held.Rev+1, true
		got, err := l.ReleaseLease(callContext(t), held)
		require.NoError(t, err)
		require.Equal(t, want, got)
		untouched(t, l, want)
	})

	t.Run("a release whose answer was lost finds itself", func(t *testing.T) {
		l, held := first(t)
		released, err := l.ReleaseLease(callContext(t), held)
		require.NoError(t, err)
		for range 3 {
			again, err := l.ReleaseLease(callContext(t), held)
			require.NoError(t, err, "a repeated release is the same release")
			require.Equal(t, released, again)
		}
		untouched(t, l, released)
	})

	t.Run("a released lease is never renewed", func(t *testing.T) {
		l, held := first(t)
		released, err := l.ReleaseLease(callContext(t), held)
		require.NoError(t, err)
		for name, old := range map[string]failover.Lease{"sent before the release": held, "sent after it": released} {
			_, err = l.RenewLease(callContext(t), old)
			require.ErrorIs(t, err, failover.ErrLeaseMoved, name)
		}
		untouched(t, l, released)
	})

	t.Run("a release names epoch, holder and revision", func(t *testing.T) {
		l, held := first(t)
		renewed, err := l.RenewLease(callContext(t), held)
		require.NoError(t, err)
		for name, wrong := range map[string]failover.Lease{
			"renewed since":     held,
			"another holder":    {Epoch: renewed.Epoch, Holder: west.Holder, Rev: renewed.Rev},
			"an earlier epoch":  {Epoch: renewed.Epoch - 1, Holder: east.Holder, Rev: renewed.Rev},
			"a later epoch":     {Epoch: renewed.Epoch + 1, Holder: east.Holder, Rev: renewed.Rev},
			"a later revision":  {Epoch: renewed.Epoch, Holder: east.Holder, Rev: renewed.Rev + 1},
			"the zero lease":    {},
			"only its revision": {Rev: renewed.Rev},
		} {
			_, err := l.ReleaseLease(callContext(t), wrong)
			require.ErrorIs(t, err, failover.ErrLeaseMoved, name)
		}
		untouched(t, l, renewed)
	})

	t.Run("the next epoch is taken from a released lease, and is not released", func(t *testing.T) {
		for _, next := range []failover.Claim{west, {Holder: east.Holder, Execution: "0000000002-0001"}} {
			l, held := first(t)
			released, err := l.ReleaseLease(callContext(t), held)
			require.NoError(t, err)
			_, err = l.TakeLease(callContext(t), held, next)
			require.ErrorIs(t, err, failover.ErrLeaseMoved, "it was released since")
			taken, err := l.TakeLease(callContext(t), released, next)
			require.NoError(t, err)
			require.False(t, taken.Released)
			require.Equal(t, released.Epoch+1, taken.Epoch)
			_, err = l.ReleaseLease(callContext(t), held)
			require.ErrorIs(t, err, failover.ErrLeaseMoved, "a late release of the epoch before")
			renewed, err := l.RenewLease(callContext(t), taken)
			require.NoError(t, err)
			untouched(t, l, renewed)
		}
	})

	t.Run("a release and a take exclude each other", func(t *testing.T) {
		for range 4 {
			l, held := first(t)
			errs := race(2, func(i int) error {
				if i == 0 {
					_, err := l.ReleaseLease(callContext(t), held)
					return err
				}
				_, err := l.TakeLease(callContext(t), held, west)
				return err
			})
			require.NotEqual(t, errs[0] == nil, errs[1] == nil, "release: %v, take: %v", errs[0], errs[1])
		}
	})

	t.Run("no release succeeds under an ended context", func(t *testing.T) {
		l, held := first(t)
		_, err := l.ReleaseLease(endedContext(t), held)
		require.Error(t, err)
	})
}
