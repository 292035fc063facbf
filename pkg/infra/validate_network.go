package infra

import (
	"fmt"
	"net/netip"
)

// private are the ranges of RFC 1918. AWS lets a VPC have others, but a public range
// would hide those who own it, and 100.64.0.0/10 is used by AWS's own services.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
}

func (p *problems) network(n Network) {
	first, ok := p.cidr("network.cidr", n.CIDR)
	second, ok2 := p.cidr("network.second_cidr", n.SecondCIDR)
	if ok && ok2 && first.Overlaps(second) {
		p.add("network.second_cidr", fmt.Sprintf("%s overlaps network.cidr %s", second, first), "peered VPCs need ranges of their own; give another one")
	}
}

// cidr reports whether the range can be compared with the other one.
func (p *problems) cidr(field, s string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(s)
	if err != nil || !prefix.Addr().Is4() {
		p.add(field, fmt.Sprintf("%q is no IPv4 range", s), "give one such as 10.0.0.0/16")
		return prefix, false
	}
	if m := prefix.Masked(); m != prefix {
		p.add(field, fmt.Sprintf("%s has host bits set", s), "give "+m.String())
		return prefix, false
	}
	if b := prefix.Bits(); b < 16 || b > 22 {
		p.add(field, fmt.Sprintf("%s has the wrong size", s), "give /16, which is the largest VPC, to /22, below which a subnet is too small for its endpoints, functions and servers")
	}
	inside := false
	for _, r := range private {
		inside = inside || r.Contains(prefix.Addr())
	}
	if !inside {
		p.add(field, fmt.Sprintf("%s is not private", s), "give a range of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
	}
	return prefix, true
}
