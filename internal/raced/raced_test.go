package raced_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/raced"
)

func TestSample(t *testing.T) {
	played := func() (n int) {
		for i := range 400 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				raced.Sample(t, 4)
				n++
			})
		}
		return n
	}
	few := played()
	if raced.On() {
		require.InDelta(t, 100, few, 40)
		require.Equal(t, 2, raced.Few(2, 9))
	} else {
		require.Equal(t, 400, few)
		require.Equal(t, 9, raced.Few(2, 9))
	}
	t.Setenv("LIFEBOAT_RACED", "all")
	require.Equal(t, 400, played())
	require.False(t, raced.On())
}
