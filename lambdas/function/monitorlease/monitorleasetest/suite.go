package monitorleasetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	east dr.Region = "us-east-1"
	west dr.Region = "us-west-2"

	patience = 30 * time.Second
	racers   = 8
)

// TestStore holds a monitorlease.Store against its documentation. open returns an empty one.
func TestStore(t *testing.T, open func(t *testing.T) monitorlease.Store) {
	none := monitorlease.Lease{Region: east}
	first := monitorlease.Lease{Region: east, Holder: "a", Number: 1}

	t.Run("an empty store has a lease without a number", func(t *testing.T) {
		s, ctx := open(t), callContext(t)
		got, err := s.Read(ctx, east)
		require.NoError(t, err)
		require.Equal(t, none, got)
		require.ErrorIs(t, s.Write(ctx, first, monitorlease.Lease{Region: east, Holder: "b", Number: 2}), monitorlease.ErrMoved, "what was seen is not there")
		got, err = s.Read(ctx, east)
		require.NoError(t, err)
		require.Equal(t, none, got, "a refused write must leave nothing behind")
	})

	t.Run("what was written is read, every field of it", func(t *testing.T) {
		s, ctx := open(t), callContext(t)
		old := none
		for _, next := range []monitorlease.Lease{
			first,
			{Region: east, Holder: "a", Number: 1, Beat: 1},
			{Region: east, Holder: "a", Number: 1, Beat: 1, Next: "b"},
			{Region: east, Holder: "a", Number: 1, Beat: 1, Next: "b", Released: true},
			{Region: east, Holder: "b", Number: 2},
		} {
			require.NoError(t, s.Write(ctx, old, next))
			got, err := s.Read(ctx, east)
			require.NoError(t, err)
			require.Equal(t, next, got)
			old = next
		}
	})

	t.Run("what was seen must still be there exactly", func(t *testing.T) {
		seen := monitorlease.Lease{Region: east, Holder: "a", Number: 4, Beat: 7, Next: "b"}
		for name, now := range map[string]monitorlease.Lease{
			"holder":   {Region: east, Holder: "c", Number: 4, Beat: 7, Next: "b"},
			"number":   {Region: east, Holder: "a", Number: 5, Beat: 7, Next: "b"},
			"beat":     {Region: east, Holder: "a", Number: 4, Beat: 8, Next: "b"},
			"claim":    {Region: east, Holder: "a", Number: 4, Beat: 7, Next: "c"},
			"no claim": {Region: east, Holder: "a", Number: 4, Beat: 7},
			"release":  {Region: east, Holder: "a", Number: 4, Beat: 7, Next: "b", Released: true},
		} {
			t.Run(name, func(t *testing.T) {
				s, ctx := open(t), callContext(t)
				require.NoError(t, s.Write(ctx, none, now))
				require.ErrorIs(t, s.Write(ctx, seen, monitorlease.Lease{Region: east, Holder: "d", Number: 5}), monitorlease.ErrMoved)
				require.ErrorIs(t, s.Write(ctx, none, monitorlease.Lease{Region: east, Holder: "d", Number: 1}), monitorlease.ErrMoved, "there is a lease")
				got, err := s.Read(ctx, east)
				require.NoError(t, err)
				require.Equal(t, now, got)
			})
		}
	})

	t.Run("every Region has a lease of its own", func(t *testing.T) {
		s, ctx := open(t), callContext(t)
		require.NoError(t, s.Write(ctx, none, first))
		got, err := s.Read(ctx, west)
		require.NoError(t, err)
		require.Equal(t, monitorlease.Lease{Region: west}, got)
		require.NoError(t, s.Write(ctx, got, monitorlease.Lease{Region: west, Holder: "w", Number: 1}))
		got, err = s.Read(ctx, east)
		require.NoError(t, err)
		require.Equal(t, first, got)
	})

	t.Run("of concurrent writers exactly one wins", func(t *testing.T) {
		s, ctx := open(t), callContext(t)
		seen := none
		for round := range uint64(4) {
			errs, start := make([]error, racers), make(chan struct{})
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() {
					<-start
					errs[i] = s.Write(ctx, seen, monitorlease.Lease{Region: east, Holder: fmt.Sprint(i), Number: round + 1})
				})
			}
			close(start)
			wg.Wait()
			winner := -1
			for i, err := range errs {
				if err == nil {
					require.Negative(t, winner, "%d and %d have both won", winner, i)
					winner = i
					continue
				}
				require.ErrorIs(t, err, monitorlease.ErrMoved)
			}
			require.GreaterOrEqual(t, winner, 0)
			var err error
			seen, err = s.Read(ctx, east)
			require.NoError(t, err)
			require.Equal(t, monitorlease.Lease{Region: east, Holder: fmt.Sprint(winner), Number: round + 1}, seen)
		}
	})

	t.Run("no call succeeds under an ended context", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Read(ctx, east)
		require.Error(t, err)
		require.Error(t, s.Write(ctx, none, first))
		got, err := s.Read(callContext(t), east)
		require.NoError(t, err)
		require.Equal(t, none, got)
	})
}

func callContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
