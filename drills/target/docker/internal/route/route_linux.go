package route

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// initialWindow is the number of segments that a connection through a link may
// have in flight before it has measured anything. The kernel's default of ten
// would let TCP's slow start, not the drill, decide how long replication lags
// when a delay of seconds is injected.
const initialWindow = 512

// Via routes packets for dst to the gateway, which must be on a network of this namespace.
func Via(dst netip.Prefix, gateway netip.Addr) error {
	ae := netlink.NewAttributeEncoder()
	ae.Bytes(unix.RTA_DST, dst.Masked().Addr().AsSlice())
	ae.Bytes(unix.RTA_GATEWAY, gateway.AsSlice())
	ae.Nested(unix.RTA_METRICS, func(n *netlink.AttributeEncoder) error {
		n.Uint32(unix.RTAX_INITCWND, initialWindow)
		n.Uint32(unix.RTAX_INITRWND, initialWindow)
		return nil
	})
	if err := send(unix.RTM_NEWROUTE, header(dst.Bits(), unix.RT_TABLE_MAIN, unix.RT_SCOPE_UNIVERSE), ae); err != nil {
		return fmt.Errorf("route: add %s via %s: %w", dst, gateway, err)
	}
	return nil
}

// Divert sends packets that come in by the interface named in, bound for dst,
// out by the interface named out, whatever the main table says. The table
// number must be unique for each out and above 0 and below 253.
func Divert(in string, dst netip.Prefix, out string, table uint8) error {
	dev, err := net.InterfaceByName(out)
	if err != nil {
		return fmt.Errorf("route: divert to %s: %w", out, err)
	}
	ae := netlink.NewAttributeEncoder()
	ae.Uint32(unix.RTA_OIF, uint32(dev.Index))
	if err := send(unix.RTM_NEWROUTE, header(0, table, unix.RT_SCOPE_LINK), ae); err != nil {
		return fmt.Errorf("route: default by %s in table %d: %w", out, table, err)
	}
	ae = netlink.NewAttributeEncoder()
	ae.Bytes(unix.FRA_DST, dst.Masked().Addr().AsSlice())
	ae.String(unix.FRA_IIFNAME, in)
	// struct fib_rule_hdr: family, dst_len, src_len, tos, table, two reserved, action, flags.
	rule := []byte{unix.AF_INET, byte(dst.Bits()), 0, 0, table, 0, 0, unix.FR_ACT_TO_TBL, 0, 0, 0, 0}
	if err := send(unix.RTM_NEWRULE, rule, ae); err != nil {
		return fmt.Errorf("route: rule from %s to %s: %w", in, dst, err)
	}
	return nil
}

// header is struct rtmsg for a unicast route.
func header(bits int, table, scope uint8) []byte {
	h := []byte{unix.AF_INET, byte(bits), 0, 0, table, unix.RTPROT_STATIC, scope, unix.RTN_UNICAST}
	return binary.NativeEndian.AppendUint32(h, 0)
}

func send(typ uint16, head []byte, ae *netlink.AttributeEncoder) error {
	attrs, err := ae.Encode()
	if err != nil {
		return err
	}
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer conn.Close()
	_, err = conn.Execute(netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(typ),
			Flags: netlink.Request | netlink.Acknowledge | netlink.Create | netlink.Replace,
		},
		Data: append(head, attrs...),
	})
	return err
}
