//go:build linux

package clients_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
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

	// A listener that accepts no connection behaves like a frozen server.
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

// rooms is a server that lets n sessions in, of users other than poor, and refuses the
// next one with error 1040; it counts those who left.
type rooms struct {
	mu       sync.Mutex
	n, asked int
	inside   []net.Conn
}

func (r *rooms) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.asked++
		room := len(r.inside) < r.n
		if room {
			r.inside = append(r.inside, conn)
		}
		r.mu.Unlock()
		if !room {
			packet(conn, 0, "\xff\x10\x04#08004Too many connections")
			conn.Close()
			continue
		}
		packet(conn, 0, "\x0a9.0.0\x00\x01\x00\x00\x0012345678\x00\x0f\xa2\x2d\x02\x00\x08\x00\x15"+strings.Repeat("\x00", 10)+"123456789012\x00mysql_native_password\x00")
		go func() {
			answer := make([]byte, 1024)
			if _, err := conn.Read(answer); err == nil {
				packet(conn, 2, "\x00\x00\x00\x02\x00\x00\x00")
			}
		}()
	}
}

func packet(conn net.Conn, seq byte, payload string) {
	_, _ = conn.Write(append([]byte{byte(len(payload)), 0, 0, seq}, payload...)) // a client that is gone fails by itself
}

// free ends n sessions of those inside, and returns how many are left.
func (r *rooms) free(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.inside[:n] {
		c.Close()
	}
	r.inside = r.inside[n:]
	return len(r.inside)
}

func (r *rooms) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.inside)
}

func TestCrowd(t *testing.T) {
	c := node(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	r := &rooms{n: 7}
	go r.serve(l)
	post := func(path string, in, out any) error { return c.Call(t.Context(), path, nil, in, out) }
	crowd := clients.Crowd{Address: l.Addr().String(), Accounts: []clients.Account{{User: "app", Password: "a"}, {User: "admin", Password: "b"}}}
	var got clients.Crowded
	require.Eventually(t, func() bool { return post("/crowd/stop", nil, &got) == nil }, 5*time.Second, 5*time.Millisecond)
	require.Zero(t, got, "there was none")
	require.ErrorContains(t, post("/crowd/start", clients.Crowd{Address: "nowhere"}, nil), "use host:port")
	require.ErrorContains(t, post("/crowd/start", clients.Crowd{Address: "nowhere"}, nil), "no account")

	require.NoError(t, post("/crowd/start", crowd, &got))
	require.Equal(t, 7, got.Sessions)
	require.ErrorContains(t, post("/crowd/start", crowd, nil), "a crowd is there")
	r.free(2)
	require.Eventually(t, func() bool { return r.count() == 7 }, 5*time.Second, 5*time.Millisecond, "what becomes free is taken")
	require.NoError(t, post("/crowd/stop", nil, &got))
	require.GreaterOrEqual(t, got.Sessions, 9, "those that were ended, too")
	r.free(r.count())
	asked := func() int { r.mu.Lock(); defer r.mu.Unlock(); return r.asked }
	before := asked()
	require.Never(t, func() bool { return asked() != before }, 100*time.Millisecond, 10*time.Millisecond, "no watch asks after the end")

	l.Close()
	require.ErrorContains(t, post("/crowd/start", crowd, nil), "open session 1", "a server that is not there is not full")
	require.ErrorContains(t, post("/crowd/start", crowd, nil), "open session 1", "and there is no crowd after it")
}
