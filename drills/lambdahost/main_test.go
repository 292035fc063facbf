package lambdahost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// The two functions, built once: on aws-lambda-go, and on nothing.
var awsgo, raw string

// patience is how long a test waits for what must come. No test waits for
// nothing to come.
const patience = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lambdahost")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	awsgo, raw = filepath.Join(dir, "awsgo", "bootstrap"), filepath.Join(dir, "raw", "bootstrap")
	for binary, source := range map[string]string{awsgo: "./testdata/awsgo", raw: "./testdata/raw"} {
		build := exec.Command("go", "build", "-o", binary, source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", source, err, out)
			return 1
		}
	}
	code := m.Run()
	if left := leaked(); left != "" {
		fmt.Fprintln(os.Stderr, left)
		return 1
	}
	return code
}

// leaked names processes and goroutines that have outlived their Host. A
// goroutine that has done its last may need a moment to be gone.
func leaked() string {
	var left string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		left = ""
		if pids := children(); len(pids) > 0 {
			left = fmt.Sprintf("processes are left: %v\n", pids)
		}
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for g := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(g, "drills/lambdahost.") {
				left += "a goroutine is left:\n" + g + "\n"
			}
		}
		if left == "" {
			return ""
		}
	}
	return left
}

// children are the pids of this process's children that run a bootstrap.
func children() []int {
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // gone by now
		}
		name, rest, ok := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); ok && strings.HasSuffix(name, "(bootstrap") && fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(strings.Fields(name)[0])
			pids = append(pids, pid)
		}
	}
	return pids
}

// world is a Host and what happens in it.
type world struct {
	*lambdahost.Host
	t *testing.T

	mu      sync.Mutex
	events  []lambdahost.Event
	changed chan struct{}
	letters chan lambdahost.DeadLetter
}

func start(t *testing.T, cfg lambdahost.Config) *world {
	t.Helper()
	w := &world{t: t, changed: make(chan struct{}), letters: make(chan lambdahost.DeadLetter, 16)}
	cfg.Observe = func(e lambdahost.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
		close(w.changed)
		w.changed = make(chan struct{})
	}
	cfg.DeadLetter = func(l lambdahost.DeadLetter) { w.letters <- l }
	for i := range cfg.Functions {
		if cfg.Functions[i].Region == "" {
			cfg.Functions[i].Region = "us-west-2"
		}
		if cfg.Functions[i].Timeout == 0 {
			cfg.Functions[i].Timeout = patience
		}
		if cfg.Functions[i].Name == "" {
			cfg.Functions[i].Name = "f"
		}
		if cfg.Functions[i].Binary == "" {
			cfg.Functions[i].Binary = awsgo
		}
	}
	host, err := lambdahost.New(cfg)
	require.NoError(t, err)
	w.Host = host
	t.Cleanup(func() {
		host.Close()
		require.Equal(t, w.count(lambdahost.Started), w.count(lambdahost.Exited), "as many processes have ended as were started")
		for _, e := range w.all(lambdahost.Started) {
			_, err := http.Get("http://" + e.Address)
			require.ErrorContains(t, err, "connection refused", "the port of %v is closed", e)
		}
	})
	return w
}

// one is a world with one function.
func one(t *testing.T, f lambdahost.Function) *world {
	t.Helper()
	return start(t, lambdahost.Config{Functions: []lambdahost.Function{f}})
}

func (w *world) all(k lambdahost.Kind) []lambdahost.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []lambdahost.Event
	for _, e := range w.events {
		if e.Kind == k {
			found = append(found, e)
		}
	}
	return found
}

func (w *world) count(k lambdahost.Kind) int { return len(w.all(k)) }

// await returns the n-th event of a kind, from 1, when it has come.
func (w *world) await(k lambdahost.Kind, n int) lambdahost.Event {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if found := w.all(k); len(found) >= n {
			return found[n-1]
		}
		select {
		case <-changed:
		case <-timeout:
			require.FailNow(w.t, "it never came", "%s, number %d; there was %v", k, n, w.events)
		}
	}
}

// awaitLine returns when a function has written a line.
func (w *world) awaitLine(line string) {
	w.t.Helper()
	for n := 1; w.await(lambdahost.Logged, n).Text != line; n++ {
	}
}

// answer is what testdata/awsgo returns.
type answer struct {
	Text      string
	PID       int
	Count     int64
	RequestID string
	ARN       string
	Left      time.Duration
	Env       []string
}

func do(what, text string) []byte {
	b, _ := json.Marshal(map[string]string{"Do": what, "Text": text})
	return b
}

// call invokes f and wants its answer.
func (w *world) call(what, text string) (lambdahost.Result, answer) {
	w.t.Helper()
	r, err := w.Invoke(w.t.Context(), "f", do(what, text), lambdahost.Sync)
	require.NoError(w.t, err)
	require.Empty(w.t, r.FunctionError, "%s", r.Payload)
	var a answer
	require.NoError(w.t, json.Unmarshal(r.Payload, &a))
	return r, a
}

// fail invokes f and wants it to fail.
func (w *world) fail(payload []byte) (r lambdahost.Result, errorType, message string) {
	w.t.Helper()
	r, err := w.Invoke(w.t.Context(), "f", payload, lambdahost.Sync)
	require.NoError(w.t, err)
	require.Equal(w.t, "Unhandled", r.FunctionError, "%s", r.Payload)
	require.Equal(w.t, 200, r.StatusCode, "a function's failure is not the call's")
	errorType, message = r.Failure()
	return r, errorType, message
}

// post calls the Invoke API.
func post(t *testing.T, url, mode string, payload []byte) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(payload)))
	require.NoError(t, err)
	if mode != "" {
		req.Header.Set("X-Amz-Invocation-Type", mode)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

// gate holds functions up until it is opened.
type gate struct {
	URL     string
	arrived chan struct{}
	open    func()
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 16)}
	opened := make(chan struct{})
	g.open = sync.OnceFunc(func() { close(opened) })
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-opened:
		case <-r.Context().Done():
		}
	}))
	g.URL = server.URL
	t.Cleanup(func() { g.open(); server.Close() })
	return g
}

func (g *gate) await(t *testing.T) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(patience):
		require.FailNow(t, "no invocation has reached the gate")
	}
}

// later runs a synchronous call aside.
func (w *world) later(ctx context.Context, payload []byte) <-chan error {
	done := make(chan error, 1)
	go func() {
		r, err := w.Invoke(ctx, "f", payload, lambdahost.Sync)
		if err == nil && r.FunctionError != "" {
			err = fmt.Errorf("%s", r.Payload)
		}
		done <- err
	}()
	return done
}

func within(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		require.FailNow(t, "the call does not return")
		return nil
	}
}
