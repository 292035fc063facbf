package conformance_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// call is the deadline that a monitor lease gives a call to its store.
var call = monitorlease.Config{}.WithDefaults().Call

func TestMonitorLease(t *testing.T) {
	for _, r := range []dr.Region{east, west, witness} {
		t.Run("from "+r.String(), func(t *testing.T) {
			monitorleasetest.TestStore(t, func(t *testing.T) monitorlease.Store { return monitorlease.NewTable(start(t).store(t, r)) })
		})
	}
}

// With its answer lost on the way a write has happened, and the next attempt finds it.
func TestMonitorLeaseWhenAnswersAreLost(t *testing.T) {
	for _, r := range []dr.Region{east, west, witness} {
		t.Run("from "+r.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := startWith(t, 0)
				s := monitorlease.NewTable(w.store(t, r))
				now := monitorlease.Lease{Region: r, Holder: "a", Number: 1}
				require.NoError(t, s.Write(t.Context(), monitorlease.Lease{Region: r}, now))

				at := r
				if r == witness {
					at = east
				}
				clear := w.SetFault(cloud.On(at, cloud.DynamoDB, "PutItem").Lose())
				defer time.AfterFunc(call/2, clear).Stop()
				next := now
				next.Beat = 1
				ctx, cancel := context.WithTimeout(t.Context(), call)
				defer cancel()
				began := time.Now()
				require.NoError(t, s.Write(ctx, now, next), "it was carried out")
				require.Greater(t, time.Since(began), call/2, "the first answer was lost")
				got, err := s.Read(t.Context(), r)
				require.NoError(t, err)
				require.Equal(t, next, got)
			})
		})
	}
}

// One member is gone: the witness's Region and the other's have a majority, and each call
// still fits into the monitor lease's deadline.
func TestMonitorLeaseWithoutOneMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		watched, local := monitorlease.NewTable(w.store(t, witness)), monitorlease.NewTable(w.store(t, east))
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)
		ctx, cancel := context.WithTimeout(t.Context(), call)
		defer cancel()
		first := monitorlease.Lease{Region: witness, Holder: "a", Number: 1}
		require.NoError(t, watched.Write(ctx, monitorlease.Lease{Region: witness}, first), "asked of the east in vain, then of the west")

		ctx, cancel = context.WithTimeout(t.Context(), call)
		defer cancel()
		began := time.Now()
		err := local.Write(ctx, monitorlease.Lease{Region: east}, monitorlease.Lease{Region: east, Holder: "b", Number: 1})
		require.Error(t, err, "the east has no majority")
		require.NotErrorIs(t, err, monitorlease.ErrMoved)
		require.LessOrEqual(t, time.Since(began), call)
	})
}
