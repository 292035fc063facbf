package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
)

func TestMonotonicAdvancesAsTimeDoes(t *testing.T) {
	began, first := time.Now(), clock.Monotonic()
	last := first
	require.Eventually(t, func() bool {
		now := clock.Monotonic()
		require.GreaterOrEqual(t, now, last)
		last = now
		return time.Since(began) > 50*time.Millisecond
	}, 5*time.Second, time.Millisecond)
	require.InDelta(t, float64(time.Since(began)), float64(clock.Monotonic()-first), float64(20*time.Millisecond))
}
