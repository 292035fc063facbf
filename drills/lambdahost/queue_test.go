package lambdahost_test

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

func itoa(n int) string { return strconv.Itoa(n) }

func sscan(s, format string, into ...any) (int, error) { return fmt.Sscanf(s, format, into...) }

func at(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func TestConcurrency(t *testing.T) {
	w := one(t, lambdahost.Function{Concurrency: 2})
	g := newGate(t)
	first, second := w.later(t.Context(), do("gate", g.URL)), w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	g.await(t)
	_, err := w.Invoke(t.Context(), "f", nil, lambdahost.Sync)
	var refusal *lambdahost.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, 429, refusal.Status)
	require.Equal(t, "TooManyRequestsException", refusal.Code)
	require.Equal(t, "ReservedFunctionConcurrentInvocationLimitExceeded", refusal.Reason)
	g.open()
	require.NoError(t, within(t, first))
	require.NoError(t, within(t, second))
	require.Equal(t, 2, w.count(lambdahost.Started), "two invocations at a time have two processes")
	r, _ := w.call("echo", "")
	require.False(t, r.Cold)
}

func TestReserve(t *testing.T) {
	w := one(t, lambdahost.Function{Concurrency: 1})
	g := newGate(t)
	first := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	refused := func() bool {
		_, err := w.Invoke(t.Context(), "f", do("echo", ""), lambdahost.Sync)
		return errors.As(err, new(*lambdahost.Refusal))
	}
	require.True(t, refused())
	require.NoError(t, w.Reserve("f", 2))
	require.False(t, refused())
	require.NoError(t, w.Reserve("f", 1))
	require.True(t, refused(), "what runs stays, and counts")
	g.open()
	require.NoError(t, within(t, first))
	require.ErrorContains(t, w.Reserve("f", 0), "1 to 1000")
	require.ErrorContains(t, w.Reserve("unknown", 1), "Function not found: unknown")
}

// An event that finds no place waits in the queue.
func TestThrottledEvent(t *testing.T) {
	var waits []int
	w := start(t, lambdahost.Config{
		ThrottleDelay: func(n int) time.Duration { waits = append(waits, n); return time.Millisecond },
		Functions:     []lambdahost.Function{{Concurrency: 1}},
	})
	g := newGate(t)
	busy := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	accepted, err := w.Invoke(t.Context(), "f", do("echo", ""), lambdahost.Async)
	require.NoError(t, err)
	require.Equal(t, 202, accepted.StatusCode)
	w.await(lambdahost.Retrying, 3)
	g.open()
	require.NoError(t, within(t, busy))
	finished := w.await(lambdahost.Finished, 2)
	require.Equal(t, accepted.RequestID, finished.RequestID)
	require.Equal(t, []int{1, 2, 3}, waits[:3])
}

func TestRetries(t *testing.T) {
	w := start(t, lambdahost.Config{RetryDelay: at(0), Functions: []lambdahost.Function{{}, {Name: "once", Attempts: 1}}})
	accepted, err := w.Invoke(t.Context(), "f", do("error", "not now"), lambdahost.Async)
	require.NoError(t, err)
	letter := w.letter()
	require.Equal(t, lambdahost.RetriesExhausted, letter.Condition)
	require.Equal(t, 3, letter.Attempts)
	require.Equal(t, accepted.RequestID, letter.RequestID)
	require.Equal(t, do("error", "not now"), letter.Payload)
	_, message := letter.Last.Failure()
	require.Equal(t, "not now", message)
	for _, e := range w.all(lambdahost.Invoked) {
		require.Equal(t, accepted.RequestID, e.RequestID, "a retry is the same request")
	}

	_, err = w.Invoke(t.Context(), "once", do("exit", ""), lambdahost.Async)
	require.NoError(t, err)
	require.Equal(t, 1, w.letter().Attempts)
}

func TestEventAge(t *testing.T) {
	w := start(t, lambdahost.Config{ThrottleDelay: at(time.Millisecond), Functions: []lambdahost.Function{{Concurrency: 1, MaxAge: 50 * time.Millisecond}}})
	g := newGate(t)
	busy := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	_, err := w.Invoke(t.Context(), "f", nil, lambdahost.Async)
	require.NoError(t, err)
	letter := w.letter()
	require.Equal(t, lambdahost.EventAgeExceeded, letter.Condition)
	require.Zero(t, letter.Attempts)
	g.open()
	require.NoError(t, within(t, busy))
}

func (w *world) letter() lambdahost.DeadLetter {
	w.t.Helper()
	select {
	case l := <-w.letters:
		return l
	case <-time.After(patience):
		require.FailNow(w.t, "no dead letter")
		return lambdahost.DeadLetter{}
	}
}

func TestDelaysOfAWS(t *testing.T) {
	require.Equal(t, time.Minute, lambdahost.RetryDelay(1))
	require.Equal(t, 2*time.Minute, lambdahost.RetryDelay(2))
	require.Equal(t, time.Second, lambdahost.ThrottleDelay(1))
	require.Equal(t, 2*time.Second, lambdahost.ThrottleDelay(2))
	require.Equal(t, 5*time.Minute, lambdahost.ThrottleDelay(10))
	require.Equal(t, 5*time.Minute, lambdahost.ThrottleDelay(1000))
}

func TestFaults(t *testing.T) {
	inject := func(t *testing.T, w *world, f lambdahost.Fault) func() {
		t.Helper()
		clear, err := w.Inject("f", f)
		require.NoError(t, err)
		return clear
	}
	t.Run("kill after", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		inject(t, w, lambdahost.Fault{Kind: lambdahost.KillAfter, After: 50 * time.Millisecond, Times: 1})
		_, errorType, message := w.fail(do("hang", ""))
		require.Equal(t, "Runtime.ExitError", errorType)
		require.Contains(t, message, "Runtime exited with error: signal: killed")
		invoked, gone := w.await(lambdahost.Invoked, 1), w.await(lambdahost.Exited, 1)
		require.GreaterOrEqual(t, gone.Time.Sub(invoked.Time), 50*time.Millisecond)
		r, _ := w.call("echo", "")
		require.True(t, r.Cold)
		inject(t, w, lambdahost.Fault{Kind: lambdahost.KillAfter, Times: 2})
		for range 2 {
			_, errorType, _ = w.fail(do("hang", ""))
			require.Equal(t, "Runtime.ExitError", errorType)
		}
		w.call("echo", "")
	})
	t.Run("dies while it is frozen", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		_, a := w.call("echo", "")
		require.NoError(t, syscall.Kill(a.PID, syscall.SIGKILL))
		w.await(lambdahost.Exited, 1)
		r, _ := w.call("echo", "")
		require.True(t, r.Cold)
	})
	t.Run("kill now, busy and frozen", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		w.call("echo", "")
		n, err := w.Kill("f")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		g := newGate(t)
		busy := w.later(t.Context(), do("gate", g.URL))
		g.await(t)
		n, err = w.Kill("f")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.ErrorContains(t, within(t, busy), "signal: killed")
		r, _ := w.call("echo", "")
		require.True(t, r.Cold)
	})
	t.Run("slow start", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		inject(t, w, lambdahost.Fault{Kind: lambdahost.SlowStart, After: 100 * time.Millisecond})
		began := time.Now()
		r, _ := w.call("echo", "")
		started := w.await(lambdahost.Started, 1)
		require.GreaterOrEqual(t, started.Took, 100*time.Millisecond)
		require.LessOrEqual(t, started.Took, started.Time.Sub(began))
		require.Less(t, r.Took, time.Since(began)-100*time.Millisecond, "the wait is not the invocation's")
	})
	t.Run("duplicate", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		inject(t, w, lambdahost.Fault{Kind: lambdahost.Duplicate, Times: 1})
		accepted, err := w.Invoke(t.Context(), "f", nil, lambdahost.Async)
		require.NoError(t, err)
		require.Equal(t, accepted.RequestID, w.await(lambdahost.Finished, 1).RequestID)
		require.Equal(t, accepted.RequestID, w.await(lambdahost.Finished, 2).RequestID)
	})
	t.Run("lose", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		inject(t, w, lambdahost.Fault{Kind: lambdahost.Lose, Times: 1})
		lost, err := w.Invoke(t.Context(), "f", nil, lambdahost.Async)
		require.NoError(t, err)
		require.Equal(t, 202, lost.StatusCode, "the caller does not know")
		require.Equal(t, lost.RequestID, w.await(lambdahost.Lost, 1).RequestID)
		next, err := w.Invoke(t.Context(), "f", nil, lambdahost.Async)
		require.NoError(t, err)
		require.Equal(t, next.RequestID, w.await(lambdahost.Finished, 1).RequestID)
		require.Zero(t, w.count(lambdahost.Duplicated))
	})
	t.Run("outage", func(t *testing.T) {
		w := start(t, lambdahost.Config{RetryDelay: at(0), ThrottleDelay: at(time.Millisecond), Functions: []lambdahost.Function{{}}})
		g := newGate(t)
		_, err := w.Invoke(t.Context(), "f", do("gate", g.URL), lambdahost.Async)
		require.NoError(t, err)
		g.await(t)
		clear := inject(t, w, lambdahost.Fault{Kind: lambdahost.Outage})
		for _, mode := range []lambdahost.Mode{lambdahost.Sync, lambdahost.Async} {
			_, err := w.Invoke(t.Context(), "f", nil, mode)
			var refusal *lambdahost.Refusal
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, 500, refusal.Status)
		}
		// The event that was under way fails, and its retry has to wait.
		_, err = w.Kill("f")
		require.NoError(t, err)
		w.await(lambdahost.Refused, 5)
		g.open()
		require.Equal(t, 1, w.count(lambdahost.Finished))
		clear()
		require.Empty(t, w.await(lambdahost.Finished, 2).Text)
	})
	t.Run("outage of a start", func(t *testing.T) {
		kill := func(w *world) {
			t.Helper()
			inject(t, w, lambdahost.Fault{Kind: lambdahost.Outage})
			_, err := w.Kill("f")
			require.NoError(t, err)
		}
		w := one(t, lambdahost.Function{Concurrency: 1})
		inject(t, w, lambdahost.Fault{Kind: lambdahost.SlowStart, After: 300 * time.Millisecond})
		a, b := w.later(t.Context(), nil), w.later(t.Context(), nil)
		w.await(lambdahost.Throttled, 1) // so the other one has the place and no process yet
		kill(w)
		require.ErrorContains(t, errors.Join(within(t, a), within(t, b)), "signal: killed")
		require.Zero(t, w.count(lambdahost.Invoked))
		require.Equal(t, w.await(lambdahost.Started, 1).PID, w.await(lambdahost.Exited, 1).PID)
		require.Equal(t, 1, w.count(lambdahost.Started))

		w = one(t, lambdahost.Function{Binary: raw, Env: map[string]string{"INIT": "hang"}})
		a = w.later(t.Context(), nil)
		w.await(lambdahost.Started, 1)
		kill(w)
		require.ErrorContains(t, within(t, a), "signal: killed")
		require.Equal(t, 1, w.count(lambdahost.Started), "what fails to start is not started again")
	})
	t.Run("nonsense", func(t *testing.T) {
		w := one(t, lambdahost.Function{})
		for _, f := range []lambdahost.Fault{{}, {Kind: 99}, {Kind: lambdahost.Lose, After: 1}, {Kind: lambdahost.KillAfter, After: -1}, {Kind: lambdahost.Outage, Times: -1}} {
			_, err := w.Inject("f", f)
			require.Error(t, err, "%v", f)
		}
		_, err := w.Inject("g", lambdahost.Fault{Kind: lambdahost.Lose})
		require.ErrorContains(t, err, "Function not found: g")
		_, err = w.Kill("g")
		require.Error(t, err)
		require.Error(t, w.Recycle("g"))
	})
}

// An environment that is busy when it is recycled ends after its invocation.
func TestRecycleBusy(t *testing.T) {
	w := one(t, lambdahost.Function{})
	g := newGate(t)
	busy := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	require.NoError(t, w.Recycle("f"))
	require.Zero(t, w.count(lambdahost.Exited))
	g.open()
	require.NoError(t, within(t, busy))
	require.Equal(t, 1, w.count(lambdahost.Exited))
	r, _ := w.call("echo", "")
	require.True(t, r.Cold)
}

func TestValidate(t *testing.T) {
	_, err := lambdahost.New(lambdahost.Config{
		Account: "12", InitTimeout: -1,
		Functions: []lambdahost.Function{
			{Name: "a b", Binary: "/nowhere/bootstrap", Region: "moon", Timeout: time.Hour, Memory: 1, Concurrency: -1, Attempts: 4, MaxAge: 7 * time.Hour, Env: map[string]string{"AWS_REGION": "x", "": "y"}},
			{Name: "twice", Binary: t.TempDir(), Region: "us-east-1"},
			{Name: "twice", Binary: awsgo, Region: "us-east-1"},
		},
	})
	for _, part := range []string{"Account", "InitTimeout", `"a b": Name`, "no such file", "Region \"moon\"", "Timeout 1h", "Memory 1 MB", "Concurrency -1", "Attempts 4", "MaxAge 7h", "AWS_REGION is set by Lambda", `"" can't be a variable`, "no executable file", `"twice" is there twice`} {
		require.ErrorContains(t, err, part)
	}
	_, err = lambdahost.New(lambdahost.Config{})
	require.ErrorContains(t, err, "there is none")
}
