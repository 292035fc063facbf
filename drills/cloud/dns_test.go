package cloud_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// serveDNS listens on loopback and returns the address.
func serveDNS(t *testing.T, h dns.Handler) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &dns.Server{PacketConn: conn, Handler: h}
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	t.Cleanup(func() {
		require.NoError(t, s.Shutdown())
		require.NoError(t, <-done)
	})
	return conn.LocalAddr().String()
}

func ask(t *testing.T, server, name string, qtype uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	reply, err := dns.ExchangeContext(t.Context(), m, server)
	require.NoError(t, err)
	return reply
}

func TestDNS(t *testing.T) {
	w := start(t, func(c *cloud.Config) {
		c.Promotion, c.DNSDelay, c.DNSTTL = fixed(0), fixed(0), 7*time.Second
		c.FenceTimeout = time.Millisecond
		c.Address = func(asking, member dr.Region) netip.Addr {
			if asking == member {
				return netip.MustParseAddr("10.0.0.1")
			}
			return netip.MustParseAddr("10.9.9.9")
		}
	})
	eastView, westView := serveDNS(t, w.DNS(east)), serveDNS(t, w.DNS(west))

	m := ask(t, eastView, w.GlobalEndpoint(), dns.TypeA)
	require.True(t, m.Authoritative)
	require.Len(t, m.Answer, 2)
	require.Equal(t, w.ClusterEndpoint(east)+".", m.Answer[0].(*dns.CNAME).Target)
	require.EqualValues(t, 7, m.Answer[0].Header().Ttl)
	require.Equal(t, "10.0.0.1", m.Answer[1].(*dns.A).A.String())
	require.EqualValues(t, 7, m.Answer[1].Header().Ttl)
	require.Equal(t, "10.9.9.9", ask(t, westView, w.GlobalEndpoint(), dns.TypeA).Answer[1].(*dns.A).A.String())

	// Go's own resolver follows it.
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, eastView)
	}}
	addrs, err := resolver.LookupHost(t.Context(), w.GlobalEndpoint())
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.1"}, addrs)

	require.NoError(t, w.failover(t.Context(), west))
	require.Eventually(t, func() bool {
		return ask(t, westView, w.GlobalEndpoint(), dns.TypeA).Answer[1].(*dns.A).A.String() == "10.0.0.1"
	}, 5*time.Second, 5*time.Millisecond)
	member, addr, ttl := w.Resolve(east)
	require.Equal(t, west, member)
	require.Equal(t, netip.MustParseAddr("10.9.9.9"), addr)
	require.Equal(t, 7*time.Second, ttl)
}

func TestDNSNames(t *testing.T) {
	w := start(t, nil)
	server := serveDNS(t, w.DNS(east))
	for name, tt := range map[string]struct {
		name    string
		qtype   uint16
		rcode   int
		answers int
	}{
		"cluster endpoint":     {w.ClusterEndpoint(west), dns.TypeA, dns.RcodeSuccess, 1},
		"no IPv6":              {w.ClusterEndpoint(west), dns.TypeAAAA, dns.RcodeSuccess, 0},
		"no IPv6, global":      {w.GlobalEndpoint(), dns.TypeAAAA, dns.RcodeSuccess, 1},
		"only the alias":       {w.GlobalEndpoint(), dns.TypeCNAME, dns.RcodeSuccess, 1},
		"no such cluster":      {"no.us-east-1.rds.amazonaws.com", dns.TypeA, dns.RcodeNameError, 0},
		"not our zone":         {"example.com", dns.TypeA, dns.RcodeRefused, 0},
		"not our zone, nearly": {"xrds.amazonaws.com", dns.TypeA, dns.RcodeRefused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := ask(t, server, tt.name, tt.qtype)
			require.Equal(t, tt.rcode, m.Rcode)
			require.Len(t, m.Answer, tt.answers)
		})
	}
	require.Empty(t, w.ClusterEndpoint(witness))
	require.Empty(t, w.ClusterARN(witness))
}

func TestDNSFaults(t *testing.T) {
	w := start(t, nil)
	server := serveDNS(t, w.DNS(east))
	for what, rcode := range map[string]int{"refuse": dns.RcodeRefused, "throttle": dns.RcodeRefused, "error(500)": dns.RcodeServerFailure, "delay(1ms)": dns.RcodeSuccess} {
		f, err := cloud.ParseFault("us-east-1/dns/A=" + what)
		require.NoError(t, err)
		clear := w.SetFault(f)
		require.Equal(t, rcode, ask(t, server, w.GlobalEndpoint(), dns.TypeA).Rcode, what)
		clear()
	}
	w.SetFault(cloud.On(east, cloud.DNS, "").Hang())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion(w.GlobalEndpoint()+".", dns.TypeA), server)
	require.Error(t, err)
}
