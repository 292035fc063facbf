package docker_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
)

const (
	east    = "us-east-1"
	west    = "us-west-2"
	witness = "us-east-2"
)

// needDocker skips a test where there is no Docker, loudly, and fails it where
// DRILL_REQUIRE asks for docker.
func needDocker(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("skip: starts containers; run without -short")
	}
	err := docker.Preflight(t.Context())
	if err == nil {
		return
	}
	if strings.Contains(os.Getenv("DRILL_REQUIRE"), "docker") {
		t.Fatal(err)
	}
	t.Skipf("skip: %v (DRILL_REQUIRE=docker makes this a failure)", err)
}

// world is a fleet with a probe in every Region.
type world struct {
	*docker.Fleet
	t *testing.T
}

func config() docker.Config {
	cfg := docker.DefaultConfig()
	for _, r := range cfg.Regions {
		cfg.Nodes = append(cfg.Nodes, docker.NodeSpec{Name: r.Name + "/probe", Region: r.Name, Role: "probe"})
	}
	return cfg
}

func newWorld(t *testing.T) world {
	t.Helper()
	needDocker(t)
	start := time.Now()
	f, err := docker.Up(t.Context(), config())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	t.Attr("up", time.Since(start).Round(time.Millisecond).String())
	return world{f, t}
}

// with returns the world as seen by a subtest, fresh.
func (w world) with(t *testing.T) world {
	t.Helper()
	require.NoError(t, w.Reset(t.Context(), east))
	return world{w.Fleet, t}
}

func (w world) db(region string) *docker.Database {
	w.t.Helper()
	d, err := w.Database(region)
	require.NoError(w.t, err)
	return d
}

func (w world) road(a, b string) *docker.Road {
	w.t.Helper()
	r, err := w.Road(a, b)
	require.NoError(w.t, err)
	return r
}

// dial opens a connection from one Region to the database of another.
func (w world) dial(from, to string, timeout time.Duration) docker.Answer {
	w.t.Helper()
	p, err := w.Probe(from + "/probe")
	require.NoError(w.t, err)
	a, err := p.Dial(w.t.Context(), w.db(to).Endpoint(), timeout)
	require.NoError(w.t, err)
	return a
}

// insert writes row id from one Region into the database of another; with keep
// on the connection that this test keeps under that name.
func (w world) insert(from, to, keep string, id int, timeout time.Duration) docker.Answer {
	w.t.Helper()
	if keep != "" {
		keep = w.t.Name() + keep // the connections of former tests broke at the reset
	}
	p, err := w.Probe(from + "/probe")
	require.NoError(w.t, err)
	a, err := p.SQL(w.t.Context(), w.db(to).Endpoint(), keep,
		fmt.Sprintf("INSERT INTO lifeboat.writes VALUES (%d, 'probe', '%s', 0)", id, from), timeout)
	require.NoError(w.t, err)
	return a
}

// has reports whether row id is in the database of a Region.
func (w world) has(region string, id int) bool {
	w.t.Helper()
	rows, err := w.db(region).Query(w.t.Context(), fmt.Sprintf("SELECT id FROM lifeboat.writes WHERE id = %d", id))
	require.NoError(w.t, err)
	return len(rows.Rows) == 1
}

func (w world) eventuallyHas(region string, id int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.has(region, id) }, 20*time.Second, 5*time.Millisecond)
}

// leftovers lists the containers and networks that carry our label.
func leftovers(t *testing.T, label string) (containers, networks []string) {
	t.Helper()
	c, err := client.New(client.FromEnv)
	require.NoError(t, err)
	defer c.Close()
	ctx := context.WithoutCancel(t.Context())
	filter := make(client.Filters).Add("label", label)
	cs, err := c.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	require.NoError(t, err)
	for _, s := range cs.Items {
		containers = append(containers, s.Names...)
	}
	ns, err := c.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	require.NoError(t, err)
	for _, n := range ns.Items {
		networks = append(networks, n.Name)
	}
	return containers, networks
}

func all() docker.Cut { return docker.Cut{Mode: "all"} }

func peer(a netip.Addr) docker.Cut { return docker.Cut{Mode: "peer", Peer: netip.PrefixFrom(a, 32)} }
