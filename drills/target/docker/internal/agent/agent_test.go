//go:build linux

package agent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/agent"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// TestMain lets this binary be the agent that a keeper starts: with a topology
// named "talker" one that only talks, otherwise the real one.
func TestMain(m *testing.M) {
	text := os.Getenv(agent.Variable)
	if text == "" {
		os.Exit(m.Run())
	}
	var cfg agent.Config
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		os.Exit(3)
	}
	if cfg.Topology.GlobalCluster == "talker" {
		talk()
		return
	}
	if err := agent.Main(context.Background(), text, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// talk marks twice, leaves a line that can't be read, and answers questions.
func talk() {
	fmt.Println(`{"mark":{"at_ns":1,"source":"talker","name":"one"}}`)
	fmt.Println(`nonsense`)
	fmt.Println(`{"mark":{"at_ns":2,"source":"talker","name":"two"}}`)
	for questions := bufio.NewScanner(os.Stdin); questions.Scan(); {
		fmt.Printf(`{"explain":"asked to %s"}`+"\n", questions.Text())
	}
}

// keeper runs the role on loopback and returns a client of its control API.
func keeper(t *testing.T) *control.Client {
	t.Helper()
	h := &host.Host{Control: control.NewServer(control.Lifeline{}), Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	role, served := make(chan error, 1), make(chan error, 1)
	go func() { role <- agent.Role(ctx, h) }()
	go func() { served <- h.Control.Run(ctx, l) }()
	c := control.NewClient("us-east-1/agent", l.Addr().String())
	t.Cleanup(func() {
		c.Close()
		cancel()
		require.NoError(t, <-role)
		require.NoError(t, <-served)
	})
	require.Eventually(t, func() bool { return c.Get(ctx, "/agent/status", nil) == nil }, 5*time.Second, 5*time.Millisecond)
	return c
}

func config(cluster string) agent.Config {
	top := drill.Topology()
	top.GlobalCluster = cluster
	nowhere := map[dr.Region]string{drill.East: "127.0.0.1:1", drill.West: "127.0.0.1:1"}
	return agent.Config{
		Region: drill.West, Topology: top, Table: "lifeboat", Stores: []dr.Region{drill.West},
		APIs:      map[dr.Region]string{drill.East: "http://127.0.0.1:1", drill.West: "http://127.0.0.1:1"},
		DNS:       "127.0.0.1:1",
		Endpoint:  "ledger.global.rds.amazonaws.com:3306",
		Clusters:  nowhere,
		Databases: nowhere,
		Topic:     "arn:aws:sns:us-west-2:123456789012:lifeboat",
		Monitor:   mysqld.App, Admin: mysqld.Admin,
	}
}

func status(t *testing.T, c *control.Client) agent.Status {
	t.Helper()
	var st agent.Status
	require.NoError(t, c.Get(t.Context(), "/agent/status", &st))
	return st
}

func TestKeeper(t *testing.T) {
	c := keeper(t)
	post := func(path string, in any) error { return c.Call(t.Context(), path, nil, in, nil) }
	marks := func(since int) (m agent.Marks) {
		require.NoError(t, c.Get(t.Context(), fmt.Sprintf("/agent/marks?since=%d", since), &m))
		return m
	}
	require.ErrorContains(t, post("/agent/start", nil), "not configured")
	require.ErrorContains(t, post("/agent/configure", agent.Config{Topology: drill.Topology()}), "no Region's lease table")
	require.ErrorContains(t, post("/agent/configure", agent.Config{Topology: drill.Topology(), Stores: []dr.Region{drill.West}}), "of member us-east-1 an API, a database or a cluster is missing")
	require.NoError(t, post("/agent/configure", config("talker")))
	require.NoError(t, post("/agent/kill", nil), "nothing to kill is no error")
	require.NoError(t, post("/agent/start", nil))
	require.NoError(t, post("/agent/start", nil), "one that runs stays")
	st := status(t, c)
	require.True(t, st.Running)
	require.Equal(t, 1, st.Starts)

	require.Eventually(t, func() bool { return marks(0).Next == 2 }, 5*time.Second, 5*time.Millisecond)
	require.Equal(t, "two", marks(1).Marks[0].Name)
	require.ErrorContains(t, c.Get(t.Context(), "/agent/marks?since=9", nil), "there are 2 marks")
	var e agent.Explanation
	require.NoError(t, c.Get(t.Context(), "/agent/explain", &e))
	require.Equal(t, "asked to explain", e.Text)

	require.NoError(t, post("/agent/kill", nil))
	st = status(t, c)
	require.False(t, st.Running)
	require.Equal(t, "signal: killed", st.Exit)
	require.NotZero(t, st.Ended)
	require.ErrorContains(t, c.Get(t.Context(), "/agent/explain", nil), "does not run")

	require.NoError(t, post("/agent/start", nil))
	require.NoError(t, c.Call(t.Context(), "/agent/kill", url.Values{"away": {"50ms"}}, nil, nil))
	require.False(t, status(t, c).Running)
	require.Eventually(t, func() bool { st := status(t, c); return st.Running && st.Starts == 3 }, 5*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return marks(0).Next >= 4 }, 5*time.Second, 5*time.Millisecond, "marks outlive the agent that made them")

	require.NoError(t, post("/agent/configure", config("talker")))
	require.Zero(t, marks(0).Next)
	require.Equal(t, agent.Status{}, status(t, c))
}

// The real agent runs where nothing answers, says so, and ends when it is killed.
func TestAgentWithoutAWorld(t *testing.T) {
	for _, region := range []dr.Region{drill.West, drill.Witness} {
		t.Run(region.String(), func(t *testing.T) {
			c := keeper(t)
			cfg := config("ledger")
			cfg.Region = region
			require.NoError(t, c.Call(t.Context(), "/agent/configure", nil, cfg, nil))
			require.ErrorContains(t, c.Call(t.Context(), "/agent/bootstrap", nil, nil, nil), "take the first epoch")
			require.NoError(t, c.Call(t.Context(), "/agent/start", nil, nil, nil))
			require.Eventually(t, func() bool {
				var m agent.Marks
				require.NoError(t, c.Get(t.Context(), "/agent/marks", &m))
				return len(m.Marks) > 0 && m.Marks[0].Name == "problem"
			}, 10*time.Second, 10*time.Millisecond)
			var e agent.Explanation
			require.NoError(t, c.Get(t.Context(), "/agent/explain", &e))
			require.Contains(t, e.Text, "fail over from")
			require.True(t, status(t, c).Running)
		})
	}
}
