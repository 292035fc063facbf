package workload_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// zone is a DNS server on loopback whose records can change.
type zone struct {
	addr string

	mu      sync.Mutex
	records map[string][]string // name -> records in zone file form
	asked   int
	silent  int // questions to leave without an answer
	cut     bool
}

func newZone(t *testing.T) *zone {
	t.Helper()
	z := &zone{records: map[string][]string{}}
	conn, listener := listenBoth(t)
	z.addr = conn.LocalAddr().String()
	for _, s := range []*dns.Server{{PacketConn: conn, Handler: z}, {Listener: listener, Handler: z}} {
		started, ended := make(chan struct{}), make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { defer close(ended); s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { s.Shutdown(); <-ended })
	}
	return z
}

// listenBoth listens on one port by UDP and by TCP. The kernel chooses a port that is free by
// UDP, and by TCP another process can have it: then it chooses again.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		listener, err := net.Listen("tcp", conn.LocalAddr().String())
		if err == nil {
			return conn, listener
		}
		require.NoError(t, conn.Close())
		require.ErrorIs(t, err, syscall.EADDRINUSE)
	}
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked++
	if z.silent > 0 {
		z.silent--
		return
	}
	reply := new(dns.Msg).SetReply(q)
	lines, ok := z.records[q.Question[0].Name]
	if !ok {
		reply.Rcode = dns.RcodeNameError
	}
	for _, line := range lines {
		rr, err := dns.NewRR(line)
		if err != nil {
			panic(err)
		}
		reply.Answer = append(reply.Answer, rr)
	}
	if _, udp := w.LocalAddr().(*net.UDPAddr); udp && z.cut {
		reply.Truncated, reply.Answer = true, nil
	}
	w.WriteMsg(reply)
}

func (z *zone) set(name string, records ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records[name] = records
}

func (z *zone) questions() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked
}

const writer = "writer.lifeboat.test."

func resolver(t *testing.T, z *zone, change func(*workload.ResolverConfig)) *workload.Resolver {
	t.Helper()
	cfg := workload.ResolverConfig{Server: z.addr}
	if change != nil {
		change(&cfg)
	}
	r, err := workload.NewResolver(cfg)
	require.NoError(t, err)
	return r
}

func lookup(t *testing.T, r *workload.Resolver) string {
	t.Helper()
	addrs, err := r.Lookup(t.Context(), "Writer.lifeboat.test")
	require.NoError(t, err)
	require.Len(t, addrs, 1)
	return addrs[0].String()
}

func TestResolverHonoursTheTTL(t *testing.T) {
	z := newZone(t)
	var now time.Duration
	r := resolver(t, z, func(c *workload.ResolverConfig) { c.Clock = func() time.Duration { return now } })
	z.set(writer, writer+" 5 A 10.1.0.1")
	require.Equal(t, "10.1.0.1", lookup(t, r))
	z.set(writer, writer+" 5 A 10.2.0.1")
	now = 5*time.Second - 1
	require.Equal(t, "10.1.0.1", lookup(t, r), "an answer is believed for its time to live")
	require.Equal(t, 1, z.questions())
	now = 5 * time.Second
	require.Equal(t, "10.2.0.1", lookup(t, r), "and not for longer")
	require.Equal(t, 2, z.questions())

	// A dead server does not make an old answer valid again.
	z.mu.Lock()
	z.silent = 3
	z.mu.Unlock()
	now = 10 * time.Second
	_, err := r.Lookup(t.Context(), "writer.lifeboat.test")
	require.ErrorContains(t, err, "no answer to 3 questions")
	require.Equal(t, "10.2.0.1", lookup(t, r))
}

func TestResolverTTLCanBeReplaced(t *testing.T) {
	z := newZone(t)
	z.set(writer, writer+" 5 A 10.1.0.1")
	var now time.Duration
	clock := func() time.Duration { return now }
	forever := resolver(t, z, func(c *workload.ResolverConfig) { c.Clock, c.TTL = clock, workload.Forever })
	never := resolver(t, z, func(c *workload.ResolverConfig) { c.Clock, c.TTL = clock, -1 })
	now = time.Second
	require.Equal(t, "10.1.0.1", lookup(t, forever))
	require.Equal(t, "10.1.0.1", lookup(t, never))
	z.set(writer, writer+" 5 A 10.2.0.1")
	require.Equal(t, "10.2.0.1", lookup(t, never))
	now = 1000 * time.Hour
	require.Equal(t, "10.1.0.1", lookup(t, forever))

	z.set(writer, writer+" 0 A 10.3.0.1")
	zero := resolver(t, z, nil)
	require.Equal(t, "10.3.0.1", lookup(t, zero))
	z.set(writer, writer+" 0 A 10.4.0.1")
	require.Equal(t, "10.4.0.1", lookup(t, zero), "a time to live of zero is good for one use")
}

func TestResolverFollowsAliases(t *testing.T) {
	z := newZone(t)
	var now time.Duration
	r := resolver(t, z, func(c *workload.ResolverConfig) { c.Clock = func() time.Duration { return now } })
	// One reply with the alias and its target, out of order, then a second hop.
	z.set(writer, "east.lifeboat.test. 60 CNAME db.lifeboat.test.", writer+" 5 CNAME east.lifeboat.test.")
	z.set("db.lifeboat.test.", "db.lifeboat.test. 60 A 10.1.0.1")
	require.Equal(t, "10.1.0.1", lookup(t, r))
	require.Equal(t, 2, z.questions())
	now = 5 * time.Second
	z.set(writer, writer+" 5 A 10.2.0.1")
	require.Equal(t, "10.2.0.1", lookup(t, r), "the shortest link of the chain counts")

	now = 20 * time.Second
	z.set(writer, writer+" 5 CNAME "+writer)
	_, err := r.Lookup(t.Context(), "writer.lifeboat.test")
	require.ErrorContains(t, err, "no address on record")
	z.set(writer, writer+" 5 CNAME other.lifeboat.test.")
	z.set("other.lifeboat.test.", "other.lifeboat.test. 5 CNAME "+writer)
	_, err = r.Lookup(t.Context(), "writer.lifeboat.test")
	require.ErrorContains(t, err, "more than 8 aliases")
}

func TestResolverFailures(t *testing.T) {
	z := newZone(t)
	r := resolver(t, z, nil)
	_, err := r.Lookup(t.Context(), "unknown.lifeboat.test")
	require.ErrorContains(t, err, "NXDOMAIN")
	z.set(writer)
	_, err = r.Lookup(t.Context(), "writer.lifeboat.test")
	require.ErrorContains(t, err, "no address on record")

	z.set(writer, writer+" 5 A 10.1.0.1")
	z.mu.Lock()
	z.silent = 2
	z.mu.Unlock()
	require.Equal(t, "10.1.0.1", lookup(t, r), "two questions may be lost")

	addrs, err := r.Lookup(t.Context(), "10.9.9.9")
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("10.9.9.9")}, addrs)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = resolver(t, z, nil).Lookup(ctx, "writer.lifeboat.test")
	require.ErrorIs(t, err, context.Canceled)

	_, err = workload.NewResolver(workload.ResolverConfig{Server: "nowhere", Attempts: -1})
	require.ErrorContains(t, err, `Server is "nowhere"`)
	require.ErrorContains(t, err, "Attempts is -1")
}

func TestResolverAsksByTCPWhenCut(t *testing.T) {
	z := newZone(t)
	z.cut = true
	z.set(writer, writer+" 5 A 10.1.0.1")
	require.Equal(t, "10.1.0.1", lookup(t, resolver(t, z, nil)))
}

func TestResolverAsksOnceForMany(t *testing.T) {
	z := newZone(t)
	z.set(writer, writer+" 5 A 10.1.0.1")
	r := resolver(t, z, nil)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { r.Lookup(t.Context(), "writer.lifeboat.test") })
	}
	wait.Wait()
	require.Equal(t, 1, z.questions())
}

// The whole client: by name, through the pool, to whatever the name says now.
func TestMySQLFollowsItsEndpoint(t *testing.T) {
	z := newZone(t)
	z.set(writer, writer+" 5 A 10.1.0.1")
	var now time.Duration
	f := &fakeMySQL{id: 1}
	m := session(t, f, func(c *workload.MySQLConfig) {
		c.Pinned, c.Endpoint = "", "writer.lifeboat.test:3306"
		c.Resolver = resolver(t, z, func(c *workload.ResolverConfig) { c.Clock = func() time.Duration { return now } })
	})
	defer m.Close()
	server, err := m.Write(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, dr.Region("us-east-1"), server)

	z.set(writer, writer+" 5 A 10.2.0.1")
	now = time.Minute
	_, err = m.Write(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, []string{"10.1.0.1:3306"}, f.dialled, "a connection that works is kept, whatever DNS says")

	f.set("first-read-only")
	f.point(2)
	server, err = m.Write(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, dr.Region("us-west-2"), server, "a read-only one is not, and the next goes where the name points")
	require.Equal(t, []string{"10.1.0.1:3306", "10.2.0.1:3306"}, f.dialled)
}
