package link_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/link"
)

type arrival struct {
	item int
	at   time.Duration // since the start
}

// play runs a line in a bubble: script pushes and sets delays, and what came
// out within a minute after it is returned.
func play(t *testing.T, limit int, delay time.Duration, script func(*link.Line[int])) (out []arrival) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := link.NewLine[int](limit, delay)
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.Run(ctx, func(i int) { out = append(out, arrival{i, time.Since(start)}) })
		}()
		script(l)
		<-time.After(time.Minute)
		cancel()
		<-done
	})
	return out
}

func wait(d time.Duration) { <-time.After(d) }

func TestLineDelaysEachItem(t *testing.T) {
	out := play(t, 100, 30*time.Millisecond, func(l *link.Line[int]) {
		require.True(t, l.Push(1, 1))
		wait(10 * time.Millisecond)
		require.True(t, l.Push(2, 1))
		wait(100 * time.Millisecond)
		require.True(t, l.Push(3, 1))
	})
	require.Equal(t, []arrival{{1, 30 * time.Millisecond}, {2, 40 * time.Millisecond}, {3, 140 * time.Millisecond}}, out)
}

func TestLineKeepsOrderWhenTheDelayShrinks(t *testing.T) {
	out := play(t, 100, 5*time.Second, func(l *link.Line[int]) {
		l.Push(1, 1)
		wait(time.Second)
		l.SetDelay(0, 0)
		l.Push(2, 1)
		wait(10 * time.Second)
		l.Push(3, 1)
	})
	require.Equal(t, []arrival{{1, 5 * time.Second}, {2, 5 * time.Second}, {3, 11 * time.Second}}, out)
}

func TestLineApproachesADelayInAStraightLine(t *testing.T) {
	var last time.Duration
	out := play(t, 1000, 0, func(l *link.Line[int]) {
		l.SetDelay(5*time.Second, 10*time.Second)
		for i := range 15 {
			l.Push(i, 1)
			last = l.Delay()
			wait(time.Second)
		}
	})
	require.Len(t, out, 15)
	for i, a := range out {
		want := time.Duration(min(i, 10)) * 500 * time.Millisecond
		require.Equal(t, arrival{i, time.Duration(i)*time.Second + want}, a)
	}
	require.Equal(t, 5*time.Second, last)
}

func TestLineTurnsInTheMiddleOfARamp(t *testing.T) {
	play(t, 100, 0, func(l *link.Line[int]) {
		l.SetDelay(10*time.Second, 10*time.Second)
		wait(4 * time.Second)
		l.SetDelay(0, 2*time.Second)
		require.Equal(t, 4*time.Second, l.Delay())
		wait(time.Second)
		require.Equal(t, 2*time.Second, l.Delay())
		l.SetDelay(-time.Second, 0)
		require.Zero(t, l.Delay())
	})
}

func TestLineIsBounded(t *testing.T) {
	out := play(t, 10, time.Second, func(l *link.Line[int]) {
		require.True(t, l.Push(1, 6))
		require.False(t, l.Push(2, 5), "no room")
		require.True(t, l.Push(3, 4))
		wait(2 * time.Second)
		require.True(t, l.Push(4, 10), "room again")
		require.False(t, l.Push(5, 1))
	})
	require.Equal(t, []arrival{{1, time.Second}, {3, time.Second}, {4, 3 * time.Second}}, out)
}

// Whatever is done to the delay, items come out complete, in order, and none
// before the smallest delay that was ever set.
func TestLineNeverReorders(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		upTo := func(d time.Duration) time.Duration { return time.Duration(rng.Int64N(int64(d))) }
		var pushed []time.Duration
		out := play(t, 1<<20, 30*time.Millisecond, func(l *link.Line[int]) {
			start := time.Now()
			for i := range 300 {
				if rng.IntN(10) == 0 {
					l.SetDelay(10*time.Millisecond+upTo(2*time.Second), upTo(time.Second))
				}
				pushed = append(pushed, time.Since(start))
				l.Push(i, 1)
				wait(upTo(20 * time.Millisecond))
			}
		})
		require.Len(t, out, 300, "seed %d", seed)
		for i, a := range out {
			require.Equal(t, i, a.item, "seed %d", seed)
			require.GreaterOrEqual(t, a.at-pushed[i], 10*time.Millisecond, "seed %d item %d", seed, i)
			require.Less(t, a.at-pushed[i], 3*time.Second, "seed %d item %d", seed, i)
		}
	}
}
