package crashpoint_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
)

var (
	errCarried = errors.New("the callee's own answer")
	errBroken  = errors.New("refused")
)

// call makes one call with a deadline of a second, and tells whether it was carried out,
// what was heard, after how long, and which process is to die.
func call(w *crashpoint.Wires, p crashpoint.Port) (done bool, err error, after time.Duration, dies string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	begun := time.Now()
	err = w.Carry(ctx, p, func() error { done = true; return errCarried }, func(crashpoint.Way) error { return errBroken })
	select {
	case dies = <-w.Crash():
	default:
	}
	return done, err, time.Since(begun), dies
}

func TestTheCallAtThePointGoesWrongAndNoOther(t *testing.T) {
	for _, c := range []struct {
		way   crashpoint.Way
		done  bool
		heard error
		after time.Duration
		dies  string
	}{
		{way: crashpoint.Refused, heard: errBroken},
		{way: crashpoint.Way{Name: "unheard", Done: true, End: crashpoint.Refusal}, done: true, heard: errBroken},
		{way: crashpoint.Hangs, heard: context.DeadlineExceeded, after: time.Second},
		{way: crashpoint.Way{Name: "lost", Done: true, End: crashpoint.Silence}, done: true, heard: context.DeadlineExceeded, after: time.Second},
		{way: crashpoint.Killed, heard: context.DeadlineExceeded, after: time.Second, dies: "agent"},
		{way: crashpoint.KilledDone, done: true, heard: context.DeadlineExceeded, after: time.Second, dies: "agent"},
		{way: crashpoint.KilledHeard, done: true, heard: errCarried, dies: "agent"},
	} {
		t.Run(c.way.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := crashpoint.NewWires(crashpoint.Point{Port: "agent/append", N: 2, Way: c.way})
				passes := func(p crashpoint.Port) {
					t.Helper()
					done, heard, after, dies := call(w, p)
					require.True(t, done)
					require.Equal(t, errCarried, heard)
					require.Zero(t, after)
					require.Empty(t, dies)
				}
				passes("agent/append")
				passes("agent/append")
				w.Begin() // those before the fault don't count
				passes("agent/append")
				passes("monitor/append")
				passes("agent/publish")
				done, heard, after, dies := call(w, "agent/append")
				require.Equal(t, c.done, done)
				require.ErrorIs(t, heard, c.heard)
				require.Equal(t, c.after, after)
				require.Equal(t, c.dies, dies)
				passes("agent/append")
			})
		})
	}
}

func TestABurstThrottlesTheOperationForEveryProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := crashpoint.NewWires(crashpoint.Point{Port: "agent/append", N: 1, Way: crashpoint.Throttled})
		w.Begin()
		throttled := func(p crashpoint.Port) bool {
			done, heard, _, _ := call(w, p)
			return !done && errors.Is(heard, errBroken)
		}
		require.False(t, throttled("monitor/append"), "not yet")
		require.True(t, throttled("agent/append"))
		<-time.After(crashpoint.Burst - time.Millisecond)
		require.True(t, throttled("agent/append"))
		require.True(t, throttled("monitor/append"))
		require.False(t, throttled("agent/publish"))
		<-time.After(time.Millisecond)
		require.False(t, throttled("agent/append"))
	})
}
