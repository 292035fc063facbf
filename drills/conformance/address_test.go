package conformance_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// What a Region announces is found in the other one, and in the witness.
func TestAnnouncedAddressesAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		eastern, western := w.store(t, east), w.store(t, west)
		_, err := western.Address(t.Context(), east)
		require.ErrorIs(t, err, dynamo.ErrNoAddress)
		for _, place := range []dynamo.Place{
			{Address: "one.test:3306"}, {Address: "one.test:3306"}, {Address: "one.test:3306", Reader: "one-ro.test:3306"},
			{Address: "one.test:3306", Reader: "other-ro.test:3306"}, {Address: "two.test:3306", Reader: "two-ro.test:3306"}, {Address: "two.test:3306"},
		} {
			require.NoError(t, eastern.Announce(t.Context(), east, place))
			for _, s := range []*dynamo.Store{eastern, western, w.store(t, witness)} {
				got, err := s.Address(t.Context(), east)
				require.NoError(t, err)
				require.Equal(t, place, got)
			}
		}
		_, err = eastern.Address(t.Context(), west)
		require.ErrorIs(t, err, dynamo.ErrNoAddress, "each Region has its own")
	})
}

// Processes that are configured alike never disturb each other, from wherever they write.
func TestManyAnnounceTheSameAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		var wg sync.WaitGroup
		for _, s := range []*dynamo.Store{w.store(t, east), w.store(t, east), w.store(t, west), w.store(t, west)} {
			wg.Go(func() {
				require.NoError(t, s.Announce(t.Context(), east, dynamo.Place{Address: "one.test:3306", Reader: "one-ro.test:3306"}))
			})
		}
		wg.Wait()
	})
}

// A look-up without a majority has no answer, and says so by its deadline.
func TestAnAddressWithoutAMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWith(t, 0)
		eastern := w.store(t, east)
		require.NoError(t, eastern.Announce(t.Context(), east, dynamo.Place{Address: "one.test:3306", Reader: "one-ro.test:3306"}))
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := eastern.Address(ctx, east)
		require.Error(t, err)
		require.NotErrorIs(t, err, dynamo.ErrNoAddress, "no answer is not an empty one")
		require.LessOrEqual(t, time.Since(began), time.Second)
	})
}
