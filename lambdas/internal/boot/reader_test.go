package boot_test

import (
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// zone is a name server on loopback, where every name but those that are absent leads to.
type zone struct {
	mu     sync.Mutex
	absent map[string]bool
}

func (z *zone) lose(hosts ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.absent = make(map[string]bool)
	for _, host := range hosts {
		z.absent[host+"."] = true
	}
}

func (z *zone) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	q := question.Question[0]
	answer := new(dns.Msg).SetReply(question)
	answer.RecursionAvailable = true
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.absent[q.Name] {
		answer.Rcode = dns.RcodeNameError
	} else if q.Qtype == dns.TypeA {
		answer.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)}}
	}
	_ = w.WriteMsg(answer)
}

// serve returns where the name server is.
func (z *zone) serve(t *testing.T) string {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	started := make(chan struct{})
	server := &dns.Server{PacketConn: packets, Handler: z, NotifyStartedFunc: func() { close(started) }}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.ActivateAndServe() })
	t.Cleanup(func() { _ = server.Shutdown(); wg.Wait() })
	<-started
	return packets.LocalAddr().String()
}

const (
	ownCluster, ownReader   = "west.cluster-abc.test", "west.cluster-ro-abc.test"
	peerCluster, peerReader = "east.cluster-def.test", "east.cluster-ro-def.test"
	global                  = "orders.global.test"
)

// servers are the members' endpoints, each with a server of its own.
type servers struct {
	own, ownReader, peer, peerReader, global *denier
}

func (s servers) asked() map[string][]string {
	out := make(map[string][]string)
	for name, d := range map[string]*denier{
		ownCluster: s.own, ownReader: s.ownReader, peerCluster: s.peer, peerReader: s.peerReader, global: s.global,
	} {
		if users := d.asked(); len(users) > 0 {
			out[name] = users
		}
	}
	return out
}

// member assembles a function of us-west-2 whose databases have names.
func member(t *testing.T, f boot.Function, z *zone) (*boot.Parts, servers) {
	t.Helper()
	s := servers{newDenier(t), newDenier(t), newDenier(t), newDenier(t), newDenier(t)}
	at := func(host string, d *denier) string {
		_, port, err := net.SplitHostPort(d.address)
		require.NoError(t, err)
		return host + ":" + port
	}
	c := newCloud(t)
	c.peer, c.reader = at(peerCluster, s.peer), at(peerReader, s.peerReader)
	return assemble(t, c, west, f, map[string]string{
		"LIFEBOAT_DIALECT": "mysql", "LIFEBOAT_DATABASE_CA": "none", "LIFEBOAT_SERVERS": "1=us-east-1,2=us-west-2", "LIFEBOAT_DNS": z.serve(t),
		"LIFEBOAT_DATABASES": "us-west-2=" + at(ownCluster, s.own), "LIFEBOAT_READERS": "us-west-2=" + at(ownReader, s.ownReader),
		"LIFEBOAT_ENDPOINT": at(global, s.global),
	}), s
}

// Which server each question goes to, by whether the cluster endpoints exist. A fence that
// no server answers leads to a reboot: on a secondary the reader must answer it.
func TestASecondaryIsAskedThroughItsReader(t *testing.T) {
	z := new(zone)
	monitor, s := member(t, boot.Monitor, z)
	trigger, triggers := member(t, boot.Trigger, z)
	guards := memberOf(monitor)
	g := guards.Guard
	const probe = "lifeboat"
	for what, c := range map[string]struct {
		ask    func()
		at     servers
		writer string // who is asked while the cluster endpoint exists
		reader string // and while it doesn't; empty: no server
		users  []string
	}{
		"fence":   {func() { require.Error(t, g.Fencer.Fence(t.Context(), 1)) }, s, ownCluster, ownReader, []string{"root"}},
		"open":    {func() { require.Error(t, g.Fencer.Open(t.Context(), 1)) }, s, ownCluster, ownReader, []string{"root"}},
		"install": {func() { require.Error(t, guards.Bootstrapper.Install(t.Context())) }, s, ownCluster, ownReader, []string{"root"}},
		"beat":    {func() { require.Error(t, g.Beater.Beat(t.Context(), failover.Beat{Region: west})) }, s, ownCluster, ownReader, []string{probe}},
		"lag":     {func() { guards.Probers[2].Probe(t.Context(), east) }, s, ownCluster, ownReader, []string{probe}},
		"what the peer has received": {func() {
			_, err := g.Replica.Replicated(t.Context(), west)
			require.Error(t, err)
		}, s, peerCluster, peerReader, []string{probe}},
		"probe of the peer's writer": {func() {
			for _, o := range guards.Probers[1].Probe(t.Context(), east) {
				require.Equal(t, health.Unknown, o.Answer, o.Cause)
			}
		}, s, peerCluster, "", []string{probe, probe}},
		"lag in the trigger":   {func() { trigger.Trigger.Agent.Probers[2].Probe(t.Context(), east) }, triggers, ownCluster, ownReader, []string{probe}},
		"probe in the trigger": {func() { trigger.Trigger.Agent.Probers[1].Probe(t.Context(), east) }, triggers, peerCluster, "", []string{probe, probe}},
		"verification": {func() {
			require.Error(t, trigger.Trigger.Agent.Controller.Beater.Beat(t.Context(), failover.Beat{Region: west}))
		}, triggers, ownCluster, ownReader, []string{probe}},
		"the global writer's write": {func() { _, err := trigger.Trigger.Agent.Controller.Router.Reach(t.Context(), 1); require.Error(t, err) }, triggers, global, "", []string{probe}},
	} {
		t.Run(what, func(t *testing.T) {
			z.lose()
			c.ask()
			require.Equal(t, map[string][]string{c.writer: c.users}, c.at.asked(), "the cluster endpoint while it exists, and nothing else")
			z.lose(ownCluster, peerCluster, global)
			c.ask()
			want := map[string][]string{}
			if c.reader != "" {
				want[c.reader] = c.users
			}
			require.Equal(t, want, c.at.asked())
		})
	}
}
