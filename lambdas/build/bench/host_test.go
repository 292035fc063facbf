package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a process may take to make its first call. It only ends a
// benchmark that will never end.
const patience = 20 * time.Second

// start is what one start has cost.
type start struct {
	next     time.Duration // until the Runtime API was asked for an event
	call     time.Duration // until the first request for AWS arrived
	asked    string        // which request that was
	resident float64       // in MB, when it did
}

// host is the Runtime API and all of AWS for one process.
type host struct {
	event  string
	server *httptest.Server

	mu    sync.Mutex
	next  time.Time
	call  time.Time
	asked string
	acted chan struct{} // closed at the first call
}

func newHost(event string) *host {
	h := &host{event: event, acted: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", h.give)
	mux.HandleFunc("POST /2018-06-01/runtime/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	// A function that wants to be told of its end registers as an extension first.
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "measured")
		_, _ = io.WriteString(w, "{}")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/", h.answer)
	h.server = httptest.NewServer(mux)
	return h
}

// give hands out one event, and holds the second question until the process is gone.
func (h *host) give(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	h.mu.Lock()
	first := h.next.IsZero()
	if first {
		h.next = now
	}
	h.mu.Unlock()
	if !first {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
	w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(now.Add(15*time.Minute).UnixMilli(), 10))
	w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-west-2:123456789012:function:measured")
	_, _ = io.WriteString(w, h.event)
}

// answer notes the first call. That it fails is no matter: nothing after it counts.
func (h *host) answer(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	h.mu.Lock()
	if h.call.IsZero() {
		h.call, h.asked = now, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Amz-Target"))
		close(h.acted)
	}
	h.mu.Unlock()
	http.Error(w, "measured", http.StatusServiceUnavailable)
}

// run starts the program, waits for its first call and ends it.
func run(tb testing.TB, program, event string, env []string) start {
	tb.Helper()
	h := newHost(event)
	defer h.server.Close()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(h.environment(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second

	began := time.Now()
	require.NoError(tb, cmd.Start())
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case <-h.acted:
	case err := <-exited:
		tb.Fatalf("%s ended before its first call: %v\n%s", program, err, out.String())
	}
	mb, err := resident(cmd.Process.Pid)
	require.NoError(tb, err)
	cancel()
	<-exited

	h.mu.Lock()
	defer h.mu.Unlock()
	require.False(tb, h.next.IsZero(), "%s made a call before it had asked for an event: %s", program, h.asked)
	return start{next: h.next.Sub(began), call: h.call.Sub(began), asked: h.asked, resident: mb}
}

// environment is what Lambda sets, with AWS on loopback.
func (h *host) environment() []string {
	address := strings.TrimPrefix(h.server.URL, "http://")
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + address, "AWS_ENDPOINT_URL=" + h.server.URL,
		"AWS_REGION=us-west-2", "AWS_DEFAULT_REGION=us-west-2",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=none", "AWS_SESSION_TOKEN=none",
		"AWS_LAMBDA_FUNCTION_NAME=measured", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023", "TZ=:UTC", "PATH=/usr/bin:/bin",
	}
	for _, service := range []string{"DYNAMODB", "RDS", "CLOUDWATCH", "SNS", "SECRETS_MANAGER", "LAMBDA"} {
		env = append(env, "AWS_ENDPOINT_URL_"+service+"="+h.server.URL)
	}
	return env
}

// resident is the most memory that the process has held so far, in MB of 1e6 bytes.
func resident(pid int) (float64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmHWM", pid)
}
