//go:build linux

package clients_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clients"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// node runs the role on loopback and returns a client of its control API.
func node(t *testing.T) *control.Client {
	t.Helper()
	h := &host.Host{Control: control.NewServer(control.Lifeline{}), Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	role, served := make(chan error, 1), make(chan error, 1)
	go func() { role <- clients.Role(ctx, h) }()
	go func() { served <- h.Control.Run(ctx, l) }()
	c := control.NewClient("us-east-2/clients", l.Addr().String())
	t.Cleanup(func() {
		c.Close()
		cancel()
		require.NoError(t, <-role)
		require.NoError(t, <-served)
	})
	require.Eventually(t, func() bool { return c.Get(ctx, "/watch/turns", nil) == nil }, 5*time.Second, 5*time.Millisecond)
	return c
}

// A watch tells turns only, from a server that refuses to one that is silent.
func TestWatch(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())

	c := node(t)
	origin := clock.Monotonic()
	watch := clients.Watch{
		Name: "effect", Kind: clients.Answers, Address: address, User: "u", Password: "p", Origin: origin,
		Interval: 5 * time.Millisecond, Timeout: 50 * time.Millisecond,
	}
	require.NoError(t, c.Call(t.Context(), "/watch/start", nil, watch, nil))
	require.ErrorContains(t, c.Call(t.Context(), "/watch/start", nil, watch, nil), "watch effect is running")
	seen := func() []clients.Turn {
		var all clients.Turns
		require.NoError(t, c.Get(t.Context(), "/watch/turns", &all))
		return all["effect"]
	}
	require.Eventually(t, func() bool { return len(seen()) == 1 }, 5*time.Second, 5*time.Millisecond)
	require.Equal(t, probe.Refused, seen()[0].Outcome)

	// A listener that nobody accepts from is what a frozen server looks like.
	l, err = net.Listen("tcp4", address)
	require.NoError(t, err)
	defer l.Close()
	require.Eventually(t, func() bool { return len(seen()) == 2 }, 5*time.Second, 5*time.Millisecond)
	turn := seen()[1]
	require.Equal(t, probe.Silent, turn.Outcome)
	require.Greater(t, turn.Asked, seen()[0].Asked)
	require.GreaterOrEqual(t, turn.Told-turn.Asked, 50*time.Millisecond)
	require.Less(t, turn.Told, time.Duration(clock.Monotonic()-origin))

	require.NoError(t, c.Call(t.Context(), "/watch/stop", nil, nil, nil))
	require.Empty(t, seen())
	require.NoError(t, c.Call(t.Context(), "/watch/start", nil, watch, nil), "its name is free again")

	err = c.Call(t.Context(), "/watch/start", nil, clients.Watch{Name: "it's", Kind: "guess"}, nil)
	for _, part := range []string{`name "it's"`, `kind "guess"`, "interval 0s"} {
		require.ErrorContains(t, err, part)
	}
}

// Writes to a server that isn't there fail, are counted, and are told once each.
func TestLoad(t *testing.T) {
	c := node(t)
	post := func(path string, in, out any) error { return c.Call(t.Context(), path, nil, in, out) }
	require.ErrorContains(t, post("/load/stop", nil, nil), "no load has been started")
	load := clients.Load{
		Origin: clock.Monotonic(), Endpoint: "ledger.example:3306", DNS: "127.0.0.1:1", User: "u", Password: "p",
		Servers: map[uint32]dr.Region{1: drill.East},
		Clients: []clients.Client{
			{Name: "pinned", Region: drill.East, Rate: 100, Pinned: "127.0.0.1:1", FirstID: 1},
			{Name: "endpoint", Region: drill.East, Rate: 100, FirstID: 1_000_001},
		},
	}
	bad := load
	bad.Clients = []clients.Client{{Name: "slow", Region: drill.East, Pinned: "127.0.0.1:1"}}
	require.ErrorContains(t, post("/load/start", bad, nil), "Rate is 0")
	require.NoError(t, post("/load/start", load, nil))
	require.ErrorContains(t, post("/load/start", load, nil), "a load is running")

	var first clients.Ops
	require.Eventually(t, func() bool {
		require.NoError(t, c.Get(t.Context(), "/load/ops", &first))
		return first.Next >= 20
	}, 5*time.Second, 5*time.Millisecond)
	require.ErrorContains(t, c.Get(t.Context(), "/load/ops?since=100000", nil), "since is 100000")

	var all clients.Ops
	require.NoError(t, post("/load/stop", nil, &all))
	require.GreaterOrEqual(t, all.Next, first.Next)
	require.Equal(t, first.Ops, all.Ops[:first.Next], "what was told stays")
	ids := map[int64]bool{}
	for _, op := range all.Ops {
		require.Equal(t, workload.Fail, op.Outcome, "nothing was sent")
		require.False(t, ids[op.ID])
		ids[op.ID] = true
	}
	var counts clients.Counts
	require.NoError(t, c.Get(t.Context(), "/load/counts", &counts))
	require.Equal(t, clients.Counts{workload.Fail: all.Next}, counts)
	require.NoError(t, post("/load/start", load, nil), "the next load")
}
