package cloud_test

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// replies keeps what a name server writes.
type replies struct {
	dns.ResponseWriter
	all []*dns.Msg
}

func (r *replies) WriteMsg(m *dns.Msg) error {
	r.all = append(r.all, m)
	return nil
}

// FuzzQuery sends any packet to the name server. What is a message has one answer, to
// the same question, that can be sent; records stand in it for names of the zone only.
func FuzzQuery(f *testing.F) {
	w := start(f, nil)
	seed := func(change func(*dns.Msg), name string, kind uint16) {
		m := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
		change(m)
		packet, err := m.Pack()
		require.NoError(f, err)
		f.Add(packet)
	}
	same := func(*dns.Msg) {}
	for _, name := range []string{w.GlobalEndpoint(), strings.ToUpper(w.GlobalEndpoint()), w.ClusterEndpoint(east), "rds.amazonaws.com", "x.rds.amazonaws.com", "example.com", "rds.amazonaws.com.example.com", ""} {
		for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeANY, dns.TypeSOA, 0} {
			seed(same, name, kind)
		}
	}
	seed(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, w.GlobalEndpoint(), dns.TypeA)
	seed(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, w.GlobalEndpoint(), dns.TypeA)
	seed(func(m *dns.Msg) { m.Question = nil }, w.GlobalEndpoint(), dns.TypeA)
	seed(func(m *dns.Msg) { m.SetEdns0(512, true); m.Opcode = dns.OpcodeUpdate }, w.GlobalEndpoint(), dns.TypeA)
	f.Fuzz(func(t *testing.T, packet []byte) {
		q := new(dns.Msg)
		if q.Unpack(packet) != nil {
			return // the server's library answers such a packet itself
		}
		out := &replies{}
		w.DNS(east).ServeDNS(out, q)
		require.Len(t, out.all, 1)
		sent, err := out.all[0].Pack()
		require.NoError(t, err)
		got := new(dns.Msg)
		require.NoError(t, got.Unpack(sent))
		require.True(t, got.Response)
		require.Equal(t, q.Id, got.Id)
		if len(q.Question) != 1 {
			require.Equal(t, dns.RcodeFormatError, got.Rcode)
			require.Empty(t, got.Answer)
			return
		}
		require.Equal(t, q.Question, got.Question)
		name := dns.CanonicalName(q.Question[0].Name)
		known := map[string]bool{dns.Fqdn(w.GlobalEndpoint()): true, dns.Fqdn(w.ClusterEndpoint(east)): true, dns.Fqdn(w.ClusterEndpoint(west)): true}
		if len(got.Answer) > 0 {
			require.True(t, known[name], "%q", name)
			require.Equal(t, dns.RcodeSuccess, got.Rcode)
		}
		if !dns.IsSubDomain("rds.amazonaws.com.", name) || q.Question[0].Qclass != dns.ClassINET {
			require.Equal(t, dns.RcodeRefused, got.Rcode)
		}
	})
}
