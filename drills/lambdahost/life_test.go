package lambdahost_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

func TestColdAndWarm(t *testing.T) {
	w := one(t, lambdahost.Function{})
	r1, a1 := w.call("echo", "one")
	require.True(t, r1.Cold)
	require.Equal(t, "one", a1.Text)
	require.Equal(t, r1.RequestID, a1.RequestID)
	require.Equal(t, "arn:aws:lambda:us-west-2:123456789012:function:f", a1.ARN)
	require.InDelta(t, patience, a1.Left, float64(patience)/2, "the deadline is the timeout from now")

	r2, a2 := w.call("echo", "two")
	require.False(t, r2.Cold)
	require.Equal(t, a1.PID, a2.PID)
	require.Equal(t, int64(2), a2.Count)
	require.NotEqual(t, r1.RequestID, r2.RequestID)

	require.NoError(t, w.Recycle("f"))
	r3, a3 := w.call("echo", "three")
	require.True(t, r3.Cold)
	require.NotEqual(t, a1.PID, a3.PID)
	require.Equal(t, int64(1), a3.Count)
	require.Positive(t, w.await(lambdahost.Exited, 1).MaxRSS)
}

func TestEnvironmentVariables(t *testing.T) {
	t.Setenv("SECRET_OF_THE_TEST", "x")
	w := one(t, lambdahost.Function{Memory: 512, Env: map[string]string{"LIFEBOAT_TABLE": "lease", "AWS_ACCESS_KEY_ID": "drill"}})
	_, a := w.call("env", "")
	want := []string{
		"AWS_LAMBDA_RUNTIME_API=" + w.await(lambdahost.Started, 1).Address,
		"AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_REGION=us-west-2", "AWS_DEFAULT_REGION=us-west-2",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(awsgo), "TZ=:UTC", "LIFEBOAT_TABLE=lease", "AWS_ACCESS_KEY_ID=drill",
	}
	require.Subset(t, a.Env, want)
	require.False(t, slices.ContainsFunc(a.Env, func(kv string) bool { return strings.HasPrefix(kv, "SECRET_OF") }), "nothing is inherited")
}

// The process stands still between invocations, and runs during them.
func TestFreeze(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc says whether a process is stopped, and there is none")
	}
	w := one(t, lambdahost.Function{})
	_, a := w.call("echo", "")
	awaitState(t, a.PID, true)
	g := newGate(t)
	done := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	awaitState(t, a.PID, false)
	g.open()
	require.NoError(t, within(t, done))
	awaitState(t, a.PID, true)
	require.Equal(t, 2, w.count(lambdahost.Frozen))
}

// awaitState waits until a process is stopped, or not: signals are asynchronous.
func awaitState(t *testing.T, pid int, stopped bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); runtime.Gosched() {
		stat, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
		require.NoError(t, err)
		_, rest, _ := strings.Cut(string(stat), ") ")
		if strings.HasPrefix(rest, "T") == stopped {
			return
		}
	}
	require.FailNow(t, "the process is not in that state", "pid %d, stopped=%v", pid, stopped)
}

func TestFailures(t *testing.T) {
	w := one(t, lambdahost.Function{})
	for _, c := range []struct {
		what, text          string
		errorType, message  string
		dies                bool
		messageIsRequestIDs bool
	}{
		{what: "error", text: "no lease", errorType: "errorString", message: "no lease"},
		{what: "panic", text: "boom", errorType: "string", message: "boom", dies: true},
		{what: "exit", errorType: "Runtime.ExitError", message: "Runtime exited with error: exit status 3", dies: true, messageIsRequestIDs: true},
		{what: "leave", errorType: "Runtime.ExitError", message: "Runtime exited without providing a reason", dies: true, messageIsRequestIDs: true},
		{what: "big", errorType: "Function.ResponseSizeTooLarge", message: "Response payload size exceeded maximum allowed payload size (6291456 bytes).", messageIsRequestIDs: true, dies: true},
		{what: "stream", errorType: "errorString", message: "the stream broke"},
	} {
		t.Run(c.what, func(t *testing.T) {
			w.t = t
			w.call("echo", "") // warm
			r, errorType, message := w.fail(do(c.what, c.text))
			require.False(t, r.Cold)
			require.Equal(t, c.errorType, errorType)
			if c.messageIsRequestIDs {
				c.message = "RequestId: " + r.RequestID + " Error: " + c.message
			}
			require.Equal(t, c.message, message)
			after, _ := w.call("echo", "")
			require.Equal(t, c.dies, after.Cold, "a crash, and only a crash, makes the next start cold")
		})
	}
}

func TestDeadline(t *testing.T) {
	w := one(t, lambdahost.Function{Timeout: 500 * time.Millisecond})
	began := time.Now()
	r, errorType, message := w.fail(do("hang", ""))
	require.GreaterOrEqual(t, time.Since(began), 500*time.Millisecond)
	require.Equal(t, "Sandbox.Timedout", errorType)
	require.Equal(t, "RequestId: "+r.RequestID+" Error: Task timed out after 0.50 seconds", message)
	require.Equal(t, "signal: killed", w.await(lambdahost.Exited, 1).Text)
	require.Equal(t, 1, w.count(lambdahost.TimedOut))
	again, _, _ := w.fail(do("hang", ""))
	require.True(t, again.Cold)
}

// A process that has registered an extension is told of its end, and has half a
// second; any other has no time at all.
func TestShutdown(t *testing.T) {
	for _, c := range []struct {
		name  string
		f     lambdahost.Function
		stops []string
		ends  string
	}{
		{"no extension", lambdahost.Function{}, []string{"SIGKILL"}, "signal: killed"},
		{"leaves", lambdahost.Function{Env: map[string]string{"ON_SIGTERM": "exit"}}, []string{"SIGTERM"}, "exit status 0"},
		{"stays", lambdahost.Function{Env: map[string]string{"ON_SIGTERM": "stay"}}, []string{"SIGTERM", "SIGKILL"}, "signal: killed"},
		{"external extension", lambdahost.Function{Binary: raw, Extension: true}, []string{"SIGTERM", "SIGKILL"}, "signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := one(t, c.f)
			_, err := w.Invoke(t.Context(), "f", nil, lambdahost.Sync)
			require.NoError(t, err)
			require.NoError(t, w.Recycle("f")) // the process is frozen
			exited := w.await(lambdahost.Exited, 1)
			require.Equal(t, c.ends, exited.Text)
			var stops []string
			for _, e := range w.all(lambdahost.Stopping) {
				stops = append(stops, e.Text)
			}
			require.Equal(t, c.stops, stops)
			if c.stops[0] == "SIGTERM" {
				w.awaitLine("told to go")
			}
			if len(stops) == 2 {
				grace := w.await(lambdahost.Stopping, 2).Time.Sub(w.await(lambdahost.Stopping, 1).Time)
				want := 500 * time.Millisecond
				if c.f.Extension {
					want = 300 * time.Millisecond
				}
				require.GreaterOrEqual(t, grace, want)
			}
		})
	}
}

// A timeout warns in the same way, and the answer is the timeout's.
func TestDeadlineWarns(t *testing.T) {
	w := one(t, lambdahost.Function{Timeout: 500 * time.Millisecond, Env: map[string]string{"ON_SIGTERM": "exit"}})
	_, errorType, _ := w.fail(do("hang", ""))
	require.Equal(t, "Sandbox.Timedout", errorType)
	require.Equal(t, "exit status 0", w.await(lambdahost.Exited, 1).Text)
	w.awaitLine("told to go")
}

func TestInit(t *testing.T) {
	t.Run("reports an error", func(t *testing.T) {
		w := one(t, lambdahost.Function{Binary: raw, Env: map[string]string{"INIT": "error"}})
		r, errorType, message := w.fail(nil)
		require.Equal(t, "Config.Missing", errorType)
		require.Equal(t, "LIFEBOAT_TABLE is not set", message)
		require.True(t, r.Cold)
		require.Equal(t, 2, w.count(lambdahost.InitFailed), "it was tried again with the invocation")
	})
	t.Run("exits", func(t *testing.T) {
		w := one(t, lambdahost.Function{Binary: raw, Env: map[string]string{"INIT": "exit"}})
		r, errorType, message := w.fail(nil)
		require.Equal(t, "Runtime.ExitError", errorType)
		require.Equal(t, "RequestId: "+r.RequestID+" Error: Runtime exited with error: exit status 7", message)
		require.Equal(t, 2, w.count(lambdahost.Exited))
	})
	t.Run("hangs", func(t *testing.T) {
		w := start(t, lambdahost.Config{InitTimeout: 100 * time.Millisecond, Functions: []lambdahost.Function{{Binary: raw, Timeout: 300 * time.Millisecond, Env: map[string]string{"INIT": "hang"}}}})
		_, errorType, message := w.fail(nil)
		require.Equal(t, "Sandbox.Timedout", errorType)
		require.Contains(t, message, "Task timed out after 0.30 seconds")
	})
	t.Run("works the second time", func(t *testing.T) {
		w := one(t, lambdahost.Function{Binary: raw, Env: map[string]string{"INIT": "second", "MARK": filepath.Join(t.TempDir(), "mark")}})
		r, err := w.Invoke(t.Context(), "f", []byte(`1`), lambdahost.Sync)
		require.NoError(t, err)
		require.Equal(t, "1", string(r.Payload))
		require.Equal(t, 1, w.count(lambdahost.InitFailed))
		require.Equal(t, 1, w.count(lambdahost.Ready))
	})
	t.Run("is no program", func(t *testing.T) {
		script := filepath.Join(t.TempDir(), "bootstrap")
		require.NoError(t, os.WriteFile(script, []byte("neither ELF nor script"), 0o700))
		w := one(t, lambdahost.Function{Binary: script})
		_, errorType, message := w.fail(nil)
		require.Equal(t, "Runtime.InvalidEntrypoint", errorType)
		require.Contains(t, message, "exec format error")
	})
}

// A runtime without aws-lambda-go, and one that misbehaves.
func TestRawRuntime(t *testing.T) {
	w := one(t, lambdahost.Function{Binary: raw})
	before := time.Now()
	r, err := w.Invoke(t.Context(), "f", []byte(`"headers"`), lambdahost.Sync)
	require.NoError(t, err)
	require.Equal(t, `"headers"`, string(r.Payload))
	require.Equal(t, "Aws-Request-Id "+r.RequestID, w.await(lambdahost.Logged, 1).Text)
	var ms int64
	_, err = sscan(w.await(lambdahost.Logged, 2).Text, "Deadline-Ms %d", &ms)
	require.NoError(t, err)
	require.WithinDuration(t, before.Add(patience), time.UnixMilli(ms), patience/2)
	require.Equal(t, "Invoked-Function-Arn arn:aws:lambda:us-west-2:123456789012:function:f", w.await(lambdahost.Logged, 3).Text)
	require.Regexp(t, `^Trace-Id Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, w.await(lambdahost.Logged, 4).Text)
	require.Equal(t, r.RequestID, w.await(lambdahost.Logged, 1).RequestID)

	r, err = w.Invoke(t.Context(), "f", []byte(`"misbehave"`), lambdahost.Sync)
	require.NoError(t, err)
	require.Equal(t, `"first"`, string(r.Payload))
	lines := []string{}
	for n := 5; n <= 9; n++ {
		lines = append(lines, w.await(lambdahost.Logged, n).Text)
	}
	// The line before had no end, so the next one goes on with it.
	require.True(t, strings.HasPrefix(lines[0], "no newlinenext: 403 "), lines[0])
	require.True(t, strings.HasPrefix(lines[1], "other: 400 "), lines[1])
	require.Equal(t, `first: 202 {"status":"OK"}`, lines[2])
	require.True(t, strings.HasPrefix(lines[3], "second: 403 "), lines[3])
	require.True(t, strings.HasPrefix(lines[4], "error: 403 "), lines[4])

	r, err = w.Invoke(t.Context(), "f", []byte(`"answer and die"`), lambdahost.Sync)
	require.NoError(t, err)
	require.False(t, r.Cold)
	require.Empty(t, r.FunctionError, "who has answered has answered")
	require.Equal(t, `"last words"`, string(r.Payload))
	require.Equal(t, "exit status 5", w.await(lambdahost.Exited, 1).Text)

	r, err = w.Invoke(t.Context(), "f", nil, lambdahost.Sync)
	require.NoError(t, err)
	require.True(t, r.Cold)
	require.Equal(t, "{}", string(r.Payload), "no payload arrives as an empty object")
}

// A last line without an end is not lost with the process.
func TestLastLine(t *testing.T) {
	w := one(t, lambdahost.Function{})
	w.call("log", "half a line")
	w.Close()
	w.awaitLine("half a line")
}

// A caller who hangs up does not stop the function.
func TestHangUp(t *testing.T) {
	w := one(t, lambdahost.Function{})
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := w.later(ctx, do("gate", g.URL))
	g.await(t)
	cancel()
	require.ErrorIs(t, within(t, done), context.Canceled)
	g.open()
	require.Empty(t, w.await(lambdahost.Finished, 1).Text)
	require.Zero(t, w.count(lambdahost.Exited))
}

// Close does not wait for what AWS would wait for.
func TestCloseWhileStarting(t *testing.T) {
	w := one(t, lambdahost.Function{})
	_, err := w.Inject("f", lambdahost.Fault{Kind: lambdahost.SlowStart, After: 10 * time.Minute})
	require.NoError(t, err)
	_, err = w.Invoke(t.Context(), "f", nil, lambdahost.Async)
	require.NoError(t, err)
	w.Close()
	require.Zero(t, w.count(lambdahost.Started))

	w = one(t, lambdahost.Function{Binary: raw, Env: map[string]string{"INIT": "hang"}})
	busy := w.later(t.Context(), nil)
	w.await(lambdahost.Started, 1)
	w.Close()
	require.ErrorIs(t, within(t, busy), lambdahost.ErrClosed)
	require.Equal(t, 1, w.count(lambdahost.Started))
}

// Close leaves nothing behind: not an invocation under way, not an event in the
// queue, not a frozen process.
func TestClose(t *testing.T) {
	w := one(t, lambdahost.Function{Concurrency: 2, Timeout: 15 * time.Minute})
	g := newGate(t)
	busy := w.later(t.Context(), do("gate", g.URL))
	g.await(t)
	_, err := w.Invoke(t.Context(), "f", do("error", "again in a minute"), lambdahost.Async)
	require.NoError(t, err)
	w.await(lambdahost.Retrying, 1)
	closed := make(chan error, 1)
	go func() { w.Close(); closed <- nil }()
	require.NoError(t, within(t, closed), "it does not wait for the invocation's deadline")
	require.ErrorIs(t, within(t, busy), lambdahost.ErrClosed)
	require.Equal(t, 1, w.count(lambdahost.Lost))
	require.Equal(t, 2, w.count(lambdahost.Exited))
	require.Empty(t, children())
	for _, mode := range []lambdahost.Mode{lambdahost.Sync, lambdahost.Async} {
		_, err = w.Invoke(t.Context(), "f", nil, mode)
		require.ErrorIs(t, err, lambdahost.ErrClosed)
	}
	w.Close()
}
