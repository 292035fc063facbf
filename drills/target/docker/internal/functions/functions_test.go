package functions_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// service is a Region's, on loopback.
type service struct {
	*control.Client
	t   *testing.T
	log *log
}

// log is what the container would write.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newService(t *testing.T) service {
	t.Helper()
	written := &log{}
	h := &host.Host{Control: control.NewServer(control.Lifeline{}), Log: slog.New(slog.NewTextHandler(written, nil))}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	role, served := make(chan error, 1), make(chan error, 1)
	go func() { role <- functions.Role(ctx, h) }()
	go func() { served <- h.Control.Run(ctx, l) }()
	c := control.NewClient("us-west-2/lambda", l.Addr().String())
	t.Cleanup(func() {
		c.Close()
		cancel()
		require.NoError(t, <-role)
		require.NoError(t, <-served)
	})
	s := service{c, t, written}
	// It has its handlers as soon as it refuses what it can't do yet.
	s.eventually(func() bool {
		err := c.Get(ctx, "/lambda/status", nil)
		return err != nil && strings.Contains(err.Error(), "not configured")
	})
	return s
}

func (s service) eventually(ok func() bool) {
	s.t.Helper()
	require.Eventually(s.t, ok, patience, 5*time.Millisecond)
}

func (s service) post(path string, in any) error { return s.Call(s.t.Context(), path, nil, in, nil) }

func (s service) marks(since int) (m functions.Marks) {
	s.t.Helper()
	require.NoError(s.t, s.Get(s.t.Context(), fmt.Sprintf("/lambda/marks?since=%d", since), &m))
	return m
}

// await returns the first mark of a name after the first n, and how many there were
// up to it.
func (s service) await(n int, name string) (found measure.Mark, next int) {
	s.t.Helper()
	s.eventually(func() bool {
		all := s.marks(n).Marks
		i := slices.IndexFunc(all, func(m measure.Mark) bool { return m.Name == name })
		if i >= 0 {
			found, next = all[i], n+i+1
		}
		return i >= 0
	})
	return found, next
}

func (s service) status(function string) functions.FunctionStatus {
	s.t.Helper()
	var st functions.Status
	require.NoError(s.t, s.Get(s.t.Context(), "/lambda/status", &st))
	return st[function]
}

func (s service) inject(f string) (done functions.Injected) {
	s.t.Helper()
	require.NoError(s.t, s.Call(s.t.Context(), "/lambda/inject", url.Values{"fault": {f}}, nil, &done))
	return done
}

func (s service) heal(f string) {
	s.t.Helper()
	require.NoError(s.t, s.Call(s.t.Context(), "/lambda/heal", url.Values{"fault": {f}}, nil, nil))
}

// config describes functions that reach no server. In the folder this test's binary stands
// for both.
func config(t *testing.T, cluster string) functions.Config {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	folder := t.TempDir()
	for _, name := range functions.Names {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o755))
		require.NoError(t, os.Symlink(self, functions.Binary(folder, name)))
	}
	top := drill.Topology()
	top.GlobalCluster = cluster
	nowhere := map[dr.Region]string{drill.East: "127.0.0.1:1", drill.West: "127.0.0.1:1"}
	apis := map[dr.Region]string{drill.East: "http://127.0.0.1:1", drill.West: "http://127.0.0.1:1", drill.Witness: "http://127.0.0.1:1"}
	return functions.Config{
		Region: drill.West, Topology: top, Table: "lifeboat", APIs: apis, DNS: "127.0.0.1:1",
		Endpoint:  "ledger.global.rds.amazonaws.com:3306",
		Clusters:  map[dr.Region]string{drill.East: "ledger-east", drill.West: "ledger-west"},
		Databases: nowhere, Servers: map[uint32]dr.Region{1: drill.East, 2: drill.West},
		Topic: "arn:aws:sns:us-west-2:123456789012:lifeboat",
		User:  "lifeboat_app", Secret: "arn:aws:secretsmanager:us-west-2:123456789012:secret:app-AbCdEf",
		Admin: "arn:aws:secretsmanager:us-west-2:123456789012:secret:master-AbCdEf",
		Every: 100 * time.Millisecond, Folder: folder,
	}
}

func (s service) run(cfg functions.Config) {
	s.t.Helper()
	require.NoError(s.t, s.post("/lambda/configure", cfg))
	require.NoError(s.t, s.post("/lambda/start", nil))
}

func TestLinesBecomeMarks(t *testing.T) {
	s := newService(t)
	s.run(config(t, "asking"))
	for name, want := range map[string]measure.Mark{
		"dr.suspected":     {Source: "monitor us-west-2", Region: drill.East, Detail: "a reason"},
		"verdict.Degraded": {Source: "monitor us-west-2", Region: drill.East, Detail: "a reason"},
		"lease.held":       {Source: "guard us-west-2", Region: drill.West, Detail: "epoch 7 by a talker"},
		"problem":          {Source: "agent us-west-2", Region: drill.West, Detail: "talk: hoarse"},
		"dr.decided":       {Source: "controller us-west-2", Region: drill.West, Detail: "d"},
		"dr.promoted":      {Source: "controller us-west-2", Region: drill.West, Detail: "epoch 7"},
		"lambda.started":   {Source: "lambda us-west-2", Region: drill.West, Detail: "health-monitor"},
	} {
		got, _ := s.await(0, name)
		require.Positive(t, got.At, "on the clock that all containers share")
		got.At, want.Name = 0, name
		if name == functions.NoteStarted {
			function, took, _ := strings.Cut(got.Detail, ": ")
			_, err := time.ParseDuration(took)
			require.NoError(t, err)
			got.Detail = function
		}
		require.Equal(t, want, got)
	}
}

func TestService(t *testing.T) {
	s := newService(t)
	require.ErrorContains(t, s.post("/lambda/start", nil), "not configured")
	require.ErrorContains(t, s.post("/lambda/configure", functions.Config{Topology: drill.Topology()}), "of member us-east-1 an API, a database or a cluster is missing")
	require.ErrorContains(t, s.post("/lambda/configure", functions.Config{}), "Region is empty")
	bad := config(t, "ledger")
	bad.Folder = t.TempDir()
	require.ErrorContains(t, s.post("/lambda/configure", bad), "build the function first")

	s.run(config(t, "ledger"))
	require.NoError(t, s.post("/lambda/start", nil), "a schedule that runs stays")
	// On a busy machine a tick may come while the process before it still starts, and begins
	// another: sooner or later one finds a warm process.
	ticks, next := 0, 0
	for limit := time.Now().Add(patience); ticks == 0 || ticks <= s.status(functions.Monitor).Starts; ticks++ {
		require.True(t, time.Now().Before(limit), "%d ticks, and every one has begun a process", ticks)
		_, next = s.await(next, "lease.held")
	}
	require.Equal(t, "lease.held", s.marks(next - 1).Marks[0].Name)
	require.ErrorContains(t, s.Get(t.Context(), "/lambda/marks?since=99999", nil), "there are")

	require.NoError(t, s.post("/lambda/stop", nil))
	require.ErrorContains(t, s.Get(t.Context(), "/lambda/status", nil), "not configured")
	require.NoError(t, s.post("/lambda/configure", config(t, "ledger")))
	require.Zero(t, s.marks(0).Next, "another drill begins with none")
	acknowledge := s.post("/lambda/acknowledge", nil)
	require.ErrorContains(t, acknowledge, "read journal", "without a journal no question can be answered")
}

func TestFaults(t *testing.T) {
	for name, breaks := range map[string]func(t *testing.T, s service){
		"kill-monitor(us-west-2)": func(t *testing.T, s service) {
			_, n := s.await(0, "lease.held")
			done := s.inject("kill-monitor(us-west-2)")
			require.Positive(t, done.Killed)
			ended, n := s.await(n, "lambda.ended")
			require.Equal(t, "health-monitor: signal: killed", ended.Detail)
			require.LessOrEqual(t, int64(ended.At), done.At)
			s.await(n, "lambda.started")
		},
		"stop-monitor(us-west-2)": func(t *testing.T, s service) { stops(t, s, "stop-monitor(us-west-2)") },
		"lambda-down(us-west-2)":  func(t *testing.T, s service) { stops(t, s, "lambda-down(us-west-2)") },
		"kill(us-west-2)":         func(t *testing.T, s service) { stops(t, s, "kill(us-west-2)") },
		"lose-ticks(us-west-2)": func(t *testing.T, s service) {
			_, n := s.await(0, "lease.held")
			s.inject("lose-ticks(us-west-2)")
			lost, n := s.await(n, "lambda.lost")
			require.Equal(t, "health-monitor: lose", lost.Detail)
			_, n = s.await(n, "lambda.lost")
			s.heal("lose-ticks(us-west-2)")
			s.await(n, "lease.held")
		},
		"double-ticks(us-west-2)": func(t *testing.T, s service) {
			s.inject("double-ticks(us-west-2)")
			_, n := s.await(0, "lambda.duplicated")
			_, n = s.await(n, "lease.held")
			s.await(n, "lease.held")
		},
		"cold-start(us-west-2,50ms)": func(t *testing.T, s service) {
			_, n := s.await(0, "lease.held")
			done := s.inject("cold-start(us-west-2,50ms)")
			s.await(n, "lambda.ended")
			// One that was needed just before is not late.
			for late := time.Duration(0); late < 50*time.Millisecond; {
				var started measure.Mark
				started, n = s.await(n, "lambda.started")
				_, took, _ := strings.Cut(started.Detail, ": ")
				var err error
				late, err = time.ParseDuration(took)
				require.NoError(t, err)
				require.True(t, late < 50*time.Millisecond || int64(started.At) > done.At, "late before the fault")
			}
			s.await(n, "lease.held")
			require.Greater(t, s.status(functions.Monitor).Starts, 1)
		},
		"kill-controller(us-west-2)": func(t *testing.T, s service) {
			_, n := s.await(0, "dr.promoted")
			require.Positive(t, s.inject("kill-controller(us-west-2)").Killed) // and the one that is queued, if it starts meanwhile
			require.Equal(t, "signal: killed", s.status(functions.Trigger).Exit)
			s.await(n, "dr.promoted")
		},
		"kill-steps(us-west-2)": func(t *testing.T, s service) {
			s.inject("kill-steps(us-west-2)")
			killed, n := s.await(0, "lambda.killed")
			require.Equal(t, "failover-trigger: at EpochTaken", killed.Detail)
			ended, _ := s.await(0, "lambda.ended")
			require.LessOrEqual(t, ended.At, killed.At, "it is noted when it has been done")
			s.await(n, "lambda.killed")
		},
		"double-trigger(us-west-2)": func(t *testing.T, s service) {
			s.inject("double-trigger(us-west-2)")
			s.await(0, "lambda.twice")
			require.GreaterOrEqual(t, s.status(functions.Trigger).Running, 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			s.run(config(t, "asking"))
			defer func() {
				if t.Failed() {
					t.Log(s.log)
				}
			}()
			breaks(t, s)
			s.heal(name)
			s.heal(name)
			_, n := s.await(0, "lease.held")
			s.await(max(n, s.marks(0).Next), "lease.held")
		})
	}
	s := newService(t)
	require.NoError(t, s.post("/lambda/configure", config(t, "ledger")))
	require.ErrorContains(t, s.Call(t.Context(), "/lambda/inject", url.Values{"fault": {"meteor"}}, nil, nil), "400")
	require.ErrorContains(t, s.Call(t.Context(), "/lambda/inject", url.Values{"fault": {"isolate(us-west-2)"}}, nil, nil), "nothing that the functions of us-west-2 can have")
}

// stops has the monitor away while a fault lasts.
func stops(t *testing.T, s service, f string) {
	_, n := s.await(0, "lease.held")
	require.Positive(t, s.inject(f).Killed)
	_, n = s.await(n, "lambda.refused")
	require.Zero(t, s.status(functions.Monitor).Running)
	s.heal(f)
	s.await(n, "lambda.started")
}

// The monitor calls the trigger and waits, which no fault of the queue can double.
func TestDoubleTriggerOfACall(t *testing.T) {
	s := newService(t)
	require.NoError(t, s.post("/lambda/configure", config(t, "calling")))
	s.inject("double-trigger(us-west-2)")
	require.NoError(t, s.post("/lambda/start", nil))
	twice, _ := s.await(0, "lambda.twice")
	require.Equal(t, "failover-trigger", twice.Detail)
	require.GreaterOrEqual(t, s.status(functions.Trigger).Running, 2)

	s.heal("double-trigger(us-west-2)")
	require.NoError(t, s.post("/lambda/configure", config(t, "calling")))
	require.NoError(t, s.post("/lambda/start", nil))
	_, n := s.await(0, "dr.promoted")
	require.False(t, slices.ContainsFunc(s.marks(0).Marks[:n], func(m measure.Mark) bool { return m.Name == "lambda.twice" }), "one call is one invocation")
}

// A trigger that does not run yet is killed when it does.
func TestKillControllerBeforeItRuns(t *testing.T) {
	s := newService(t)
	require.NoError(t, s.post("/lambda/configure", config(t, "asking")))
	require.Zero(t, s.inject("kill-controller(us-west-2)").Killed)
	require.NoError(t, s.post("/lambda/start", nil))
	s.eventually(func() bool { return s.status(functions.Trigger).Exit == "signal: killed" })
}

// The real programs take their environment, run where nothing answers, and say so.
func TestProgramsWithoutAWorld(t *testing.T) {
	folder := t.TempDir()
	for _, name := range functions.Names {
		build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", functions.Binary(folder, name), "github.com/lifeboat-dr/lifeboat/lambdas/"+name)
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	for _, region := range []dr.Region{drill.West, drill.Witness} {
		t.Run(region.String(), func(t *testing.T) {
			s := newService(t)
			cfg := config(t, "ledger")
			cfg.Region, cfg.Folder, cfg.Every = region, folder, time.Minute
			cfg.Topic = "arn:aws:sns:" + region.String() + ":123456789012:lifeboat"
			s.run(cfg)
			s.eventually(func() bool { return strings.Contains(s.log.String(), "monitor lease of "+region.String()) })
			require.NotContains(t, s.log.String(), "can't work")
			require.Equal(t, 1, s.status(functions.Monitor).Running)
		})
	}
}
