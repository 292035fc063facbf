// Package netfault silences parts of a network namespace with nftables.
//
// A cut drops packets without an answer: established connections hang, new
// connections get no reply to their SYN, and after the heal TCP retransmits and
// the old connections go on. Loopback and the control port are never cut, so
// the drill keeps its hold on a container whose network is gone.
package netfault

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Mode says what a Cut silences.
type Mode string

// The modes of a Cut.
const (
	// All silences the namespace: every packet in, out, and through it.
	All Mode = "all"
	// Port silences one port, whichever side opened the connection and
	// whichever side the port is on.
	Port Mode = "port"
	// Peer silences one address or prefix, also for packets passing through.
	Peer Mode = "peer"
)

// Direction says which way packets are dropped.
type Direction string

// The directions of a Cut. For mode Peer, In are packets that come from the
// peer and Out are packets that go to it, also when they only pass through.
const (
	Both Direction = "both"
	In   Direction = "in"
	Out  Direction = "out"
)

// Cut is one silence. The zero value is invalid.
type Cut struct {
	Mode Mode `json:"mode"`
	// Port is for mode Port; TCP, 1 to 65535.
	Port uint16 `json:"port,omitempty"`
	// Peer is for mode Peer; IPv4.
	Peer netip.Prefix `json:"peer,omitzero"`
	// Direction is Both when empty.
	Direction Direction `json:"direction,omitempty"`
}

// Validate reports everything that is wrong with the cut.
func (c Cut) Validate() error {
	var errs []error
	switch c.Mode {
	case All:
	case Port:
		if c.Port == 0 {
			errs = append(errs, errors.New("netfault: cut port: port is missing"))
		}
	case Peer:
		if !c.Peer.IsValid() || !c.Peer.Addr().Is4() {
			errs = append(errs, fmt.Errorf("netfault: cut peer: %q is not an IPv4 address or prefix", c.Peer))
		}
	default:
		errs = append(errs, fmt.Errorf("netfault: cut: mode %q is not one of all, port, peer", c.Mode))
	}
	if !slices.Contains([]Direction{"", Both, In, Out}, c.Direction) {
		errs = append(errs, fmt.Errorf("netfault: cut: direction %q is not one of both, in, out", c.Direction))
	}
	return errors.Join(errs...)
}

func (c Cut) has(d Direction) bool {
	return c.Direction == "" || c.Direction == Both || c.Direction == d
}
