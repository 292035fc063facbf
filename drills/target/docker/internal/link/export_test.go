package link

import "net/netip"

// Parse exports parse.
func Parse(packet []byte) (source, destination netip.Addr, tcp bool, port uint16, ok bool) {
	h, ok := parse(packet)
	return h.source, h.destination, h.tcp, h.sourcePort, ok
}
