package cloud

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// zone is the only one that the name server is authoritative for.
const zone = "rds.amazonaws.com."

// GlobalEndpoint returns the name of the global writer endpoint.
func (c *Cloud) GlobalEndpoint() string { return c.rds.GlobalEndpoint() }

// ClusterEndpoint returns the name of a Region's cluster endpoint; empty for a
// Region without a member.
func (c *Cloud) ClusterEndpoint(r dr.Region) string { return c.rds.ClusterEndpoint(r) }

// Resolve answers what a resolver in a Region gets for the global writer
// endpoint: the Region it points at, the server's address for that asker, and
// how long the answer may be kept. Of the faults on DNS only stale applies; a
// name server that must delay, hang or refuse is [Cloud.DNS].
func (c *Cloud) Resolve(asking dr.Region) (member dr.Region, addr netip.Addr, ttl time.Duration) {
	member = c.rds.Resolved(c.faults.effect(asking, DNS, "A").stale)
	return member, c.cfg.Address(asking, member), c.cfg.DNSTTL
}

// DNS serves the endpoints' names to one Region's resolvers. It is
// authoritative for rds.amazonaws.com and nothing else. The global writer
// endpoint is a CNAME of the writer's cluster endpoint.
func (c *Cloud) DNS(asking dr.Region) dns.Handler {
	return dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		// A DNS query has no context: a query that hangs is simply dropped.
		if m := c.reply(context.Background(), asking, q); m != nil {
			_ = w.WriteMsg(m) // the client may be gone
		}
	})
}

// reply returns the answer to a query; nil means silence.
func (c *Cloud) reply(ctx context.Context, asking dr.Region, q *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	if len(q.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		return m
	}
	question := q.Question[0]
	e := c.faults.effect(asking, DNS, dns.TypeToString[question.Qtype])
	if e.delay > 0 && c.links.Sleep(ctx, e.delay) != nil {
		return nil
	}
	switch e.kind {
	case hang, lose:
		return nil
	case refuse, throttle, reject:
		m.Rcode = dns.RcodeRefused
		return m
	case fail:
		m.Rcode = dns.RcodeServerFailure
		return m
	}
	name := strings.ToLower(question.Name)
	if !dns.IsSubDomain(zone, name) || question.Qclass != dns.ClassINET {
		m.Rcode = dns.RcodeRefused
		return m
	}
	m.Authoritative = true
	c.fill(m, asking, question, strings.TrimSuffix(name, "."), e.stale)
	return m
}

// fill adds the records of a name, or says that it has none.
func (c *Cloud) fill(m *dns.Msg, asking dr.Region, q dns.Question, name string, stale time.Duration) {
	ttl := uint32(c.cfg.DNSTTL / time.Second)
	owner := q.Name
	member, ok := c.names[name]
	if name == c.rds.GlobalEndpoint() {
		member, ok = c.rds.Resolved(stale), true
		target := dns.Fqdn(c.ClusterEndpoint(member))
		m.Answer = append(m.Answer, &dns.CNAME{
			Hdr:    dns.RR_Header{Name: owner, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: ttl},
			Target: target,
		})
		owner = target
	}
	if !ok {
		m.Rcode = dns.RcodeNameError
		m.Ns = append(m.Ns, soa(ttl))
		return
	}
	addr := c.cfg.Address(asking, member)
	head := dns.RR_Header{Name: owner, Class: dns.ClassINET, Ttl: ttl}
	switch {
	case q.Qtype == dns.TypeA && addr.Is4():
		head.Rrtype = dns.TypeA
		m.Answer = append(m.Answer, &dns.A{Hdr: head, A: addr.AsSlice()})
	case q.Qtype == dns.TypeAAAA && addr.Is6():
		head.Rrtype = dns.TypeAAAA
		m.Answer = append(m.Answer, &dns.AAAA{Hdr: head, AAAA: addr.AsSlice()})
	case q.Qtype == dns.TypeCNAME:
	default: // the name exists, the type does not
		m.Ns = append(m.Ns, soa(ttl))
	}
}

// soa lets resolvers cache an absence no longer than an answer.
func soa(ttl uint32) dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "ns." + zone, Mbox: "hostmaster." + zone, Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: ttl,
	}
}
