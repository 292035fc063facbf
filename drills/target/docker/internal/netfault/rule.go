package netfault

import "net/netip"

// Hook is the place in the kernel's packet path where a Rule looks.
type Hook string

// The hooks that rules are made for.
const (
	Input   Hook = "input"
	Output  Hook = "output"
	Forward Hook = "forward"
)

// Side is the end of a packet that a Rule compares.
type Side string

// The two ends of a packet.
const (
	Source      Side = "source"
	Destination Side = "destination"
)

// Rule matches packets at a hook and drops them, or accepts them and ends the
// search. A field that is zero matches every packet.
type Rule struct {
	Hook     Hook
	Accept   bool
	Loopback bool         // the interface is lo
	Port     uint16       // the TCP port on Side
	Prefix   netip.Prefix // the IPv4 network on Side
	Side     Side
}

// Rules returns the rules for cuts in the order in which they must stand:
// first what is never cut, then the drops. With no cuts there are no rules.
//
// The control port is spared only where it is the port of this namespace; that
// this namespace can reach the control port of another is not needed and would
// be a leak.
func Rules(control uint16, cuts []Cut) []Rule {
	if len(cuts) == 0 {
		return nil
	}
	rules := []Rule{
		{Hook: Input, Accept: true, Loopback: true},
		{Hook: Output, Accept: true, Loopback: true},
		{Hook: Input, Accept: true, Port: control, Side: Destination},
		{Hook: Output, Accept: true, Port: control, Side: Source},
	}
	for _, c := range cuts {
		if c.has(In) {
			rules = append(rules, c.in()...)
		}
		if c.has(Out) {
			rules = append(rules, c.out()...)
		}
	}
	return rules
}

func (c Cut) in() []Rule {
	switch c.Mode {
	case All:
		return []Rule{{Hook: Input}, {Hook: Forward}}
	case Port:
		// Dropping only what comes to the port would let the replies to our
		// own connections through, and TCP would limp on by retransmission.
		return []Rule{
			{Hook: Input, Port: c.Port, Side: Destination},
			{Hook: Input, Port: c.Port, Side: Source},
		}
	default:
		return []Rule{
			{Hook: Input, Prefix: c.Peer, Side: Source},
			{Hook: Forward, Prefix: c.Peer, Side: Source},
		}
	}
}

func (c Cut) out() []Rule {
	switch c.Mode {
	case All:
		return []Rule{{Hook: Output}, {Hook: Forward}}
	case Port:
		return []Rule{
			{Hook: Output, Port: c.Port, Side: Source},
			{Hook: Output, Port: c.Port, Side: Destination},
		}
	default:
		return []Rule{
			{Hook: Output, Prefix: c.Peer, Side: Destination},
			{Hook: Forward, Prefix: c.Peer, Side: Destination},
		}
	}
}
