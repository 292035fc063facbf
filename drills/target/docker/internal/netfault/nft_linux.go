package netfault

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// table is the nftables table that this package owns; nothing outside of it is touched.
const table = "lifeboat"

// Apply replaces our table in the caller's network namespace by one with rules,
// in one transaction. It needs CAP_NET_ADMIN and nf_tables in the kernel.
func Apply(rules []Rule) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	t := &nftables.Table{Family: nftables.TableFamilyINet, Name: table}
	// Adding before deleting makes the deletion valid when the table is absent.
	conn.AddTable(t)
	conn.DelTable(t)
	if len(rules) > 0 {
		conn.AddTable(t)
		chains := map[Hook]*nftables.Chain{}
		for _, r := range rules {
			c, ok := chains[r.Hook]
			if !ok {
				c = conn.AddChain(chain(t, r.Hook))
				chains[r.Hook] = c
			}
			conn.AddRule(&nftables.Rule{Table: t, Chain: c, Exprs: r.exprs()})
		}
	}
	return conn.Flush()
}

func chain(t *nftables.Table, h Hook) *nftables.Chain {
	hooks := map[Hook]*nftables.ChainHook{
		Input: nftables.ChainHookInput, Output: nftables.ChainHookOutput, Forward: nftables.ChainHookForward,
	}
	return &nftables.Chain{
		Table: t, Name: string(h), Type: nftables.ChainTypeFilter,
		Hooknum: hooks[h], Priority: nftables.ChainPriorityFilter,
	}
}

func (r Rule) exprs() []expr.Any {
	var e []expr.Any
	if r.Loopback {
		key := expr.MetaKeyIIFNAME
		if r.Hook == Output {
			key = expr.MetaKeyOIFNAME
		}
		name := make([]byte, unix.IFNAMSIZ)
		copy(name, "lo")
		e = append(e, &expr.Meta{Key: key, Register: 1}, equal(name))
	}
	if r.Port != 0 {
		offset := map[Side]uint32{Source: 0, Destination: 2}[r.Side]
		e = append(e,
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equal([]byte{unix.IPPROTO_TCP}),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
			equal(binaryutil.BigEndian.PutUint16(r.Port)))
	}
	if r.Prefix.IsValid() {
		offset := map[Side]uint32{Source: 12, Destination: 16}[r.Side]
		addr := r.Prefix.Masked().Addr().As4()
		mask := binaryutil.BigEndian.PutUint32(^uint32(0) << (32 - r.Prefix.Bits()))
		e = append(e,
			&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, equal([]byte{unix.NFPROTO_IPV4}),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
			&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: mask, Xor: make([]byte, 4)},
			equal(addr[:]))
	}
	verdict := expr.VerdictDrop
	if r.Accept {
		verdict = expr.VerdictAccept
	}
	return append(e, &expr.Verdict{Kind: verdict})
}

func equal(b []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: b} }
