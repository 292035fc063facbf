package workload_test

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// FuzzFollow reads any reply of a name server. Where it leads is the name or an alias's
// target; the addresses are all those on record there, and no others; and none is kept
// for longer than its record, or than an alias to it, may be.
func FuzzFollow(f *testing.F) {
	const name = "orders.global.rds.amazonaws.com."
	for _, records := range [][]string{
		{}, {name + " 5 IN A 10.0.0.1"}, {name + " 5 IN CNAME west.", "west. 3 IN A 10.0.0.2", "west. 9 IN A 10.0.0.3"}, {name + " 5 IN CNAME " + name},
		{name + " 5 IN CNAME a.", "a. 5 IN CNAME b.", "b. 1 IN CNAME a."}, {"other. 5 IN A 10.0.0.1"}, {name + " 5 IN AAAA ::1"}, {name + " 0 IN A 10.0.0.1"},
		{"ORDERS.global.rds.amazonaws.com. 5 IN A 10.0.0.1"}, {name + " 5 IN CNAME a.", name + " 5 IN CNAME b.", "a. 1 IN A 10.0.0.1", "b. 1 IN A 10.0.0.2"}, {name + " 5 IN CNAME a.", name + " 9 IN A 10.0.0.1"},
	} {
		m := new(dns.Msg).SetQuestion(name, dns.TypeA)
		for _, text := range records {
			rr, err := dns.NewRR(text)
			require.NoError(f, err)
			m.Answer = append(m.Answer, rr)
		}
		packet, err := m.Pack()
		require.NoError(f, err)
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		m := new(dns.Msg)
		if m.Unpack(packet) != nil {
			return // the client's library has no reply for the resolver
		}
		target, addrs, ttl := workload.Follow(name, m.Answer)
		leads := map[string]bool{name: true}
		aliases := 0
		var there []netip.Addr
		for _, rr := range m.Answer {
			switch rr := rr.(type) {
			case *dns.CNAME:
				aliases++
				leads[dns.CanonicalName(rr.Target)] = true
			case *dns.A:
				if dns.CanonicalName(rr.Hdr.Name) == target && len(rr.A) != 0 {
					addr, ok := netip.AddrFromSlice(rr.A.To4())
					require.True(t, ok)
					there = append(there, addr)
					require.LessOrEqual(t, ttl, rr.Hdr.Ttl)
				}
			}
		}
		require.True(t, leads[target], "%q", target)
		if len(addrs) == 0 && aliases >= 8 {
			return // a chain that is left in the middle is asked on from there
		}
		require.Equal(t, there, addrs)
	})
}
