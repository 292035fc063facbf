package netfault_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
)

const control = 9990

// packet is a TCP packet at a hook.
type packet struct {
	hook             netfault.Hook
	loopback         bool
	source, dest     string
	sourcePort, port uint16
}

// passes walks the rules as the kernel does: the first match decides, none accepts.
func passes(rules []netfault.Rule, p packet) bool {
	for _, r := range rules {
		if matches(r, p) {
			return r.Accept
		}
	}
	return true
}

func matches(r netfault.Rule, p packet) bool {
	addr, port := netip.MustParseAddr(p.dest), p.port
	if r.Side == netfault.Source {
		addr, port = netip.MustParseAddr(p.source), p.sourcePort
	}
	return r.Hook == p.hook && (!r.Loopback || p.loopback) &&
		(r.Port == 0 || r.Port == port) && (!r.Prefix.IsValid() || r.Prefix.Contains(addr))
}

const (
	us, peer, other = "10.0.0.1", "10.0.1.1", "10.0.2.1"
)

// The packets of a conversation: a request in and its reply out of our server,
// a request of ours and its reply, and what passes through.
var (
	served      = packet{netfault.Input, false, peer, us, 40000, 3306}
	servedReply = packet{netfault.Output, false, us, peer, 3306, 40000}
	asked       = packet{netfault.Output, false, us, peer, 40000, 3306}
	askedReply  = packet{netfault.Input, false, peer, us, 3306, 40000}
	web         = packet{netfault.Input, false, other, us, 40000, 80}
	through     = packet{netfault.Forward, false, peer, other, 40000, 3306}
	back        = packet{netfault.Forward, false, other, peer, 3306, 40000}
	elsewhere   = packet{netfault.Forward, false, other, "10.0.3.1", 1, 2}
	local       = packet{netfault.Input, true, us, us, 40000, 3306}
	localReply  = packet{netfault.Output, true, us, us, 3306, 40000}
	orders      = packet{netfault.Input, false, other, us, 40000, control}
	ordersReply = packet{netfault.Output, false, us, other, control, 40000}
	// Another container's control port is not ours to reach.
	foreign = packet{netfault.Output, false, us, peer, 40000, control}
)

func TestRulesDropWhatTheCutSays(t *testing.T) {
	peerNet := netip.MustParsePrefix("10.0.1.0/24")
	for name, tt := range map[string]struct {
		cut     netfault.Cut
		dropped []packet
		passed  []packet
	}{
		"all": {
			netfault.Cut{Mode: netfault.All},
			[]packet{served, servedReply, asked, askedReply, web, through, back, foreign},
			[]packet{local, localReply, orders, ordersReply},
		},
		"all in": {
			netfault.Cut{Mode: netfault.All, Direction: netfault.In},
			[]packet{served, askedReply, web, through},
			[]packet{servedReply, asked, local, orders, ordersReply},
		},
		"all out": {
			netfault.Cut{Mode: netfault.All, Direction: netfault.Out},
			[]packet{servedReply, asked, through},
			[]packet{served, askedReply, web, local, orders, ordersReply},
		},
		"port, in both directions": {
			netfault.Cut{Mode: netfault.Port, Port: 3306},
			[]packet{served, servedReply, asked, askedReply},
			[]packet{web, through, back, local, localReply, orders, ordersReply},
		},
		"peer, also when it passes through": {
			netfault.Cut{Mode: netfault.Peer, Peer: peerNet, Direction: netfault.Both},
			[]packet{served, servedReply, asked, askedReply, through, back},
			[]packet{web, elsewhere, local, orders, ordersReply},
		},
		"from a peer": {
			netfault.Cut{Mode: netfault.Peer, Peer: peerNet, Direction: netfault.In},
			[]packet{served, askedReply, through},
			[]packet{servedReply, asked, back, web, orders},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, tt.cut.Validate())
			rules := netfault.Rules(control, []netfault.Cut{tt.cut})
			for _, p := range tt.dropped {
				require.False(t, passes(rules, p), "must be dropped: %+v", p)
			}
			for _, p := range tt.passed {
				require.True(t, passes(rules, p), "must pass: %+v", p)
			}
		})
	}
	require.Empty(t, netfault.Rules(control, nil))
}

func TestFirewallKeepsCutsByName(t *testing.T) {
	var now []netfault.Rule
	f := netfault.New(control, func(r []netfault.Rule) error { now = r; return nil })
	port := netfault.Cut{Mode: netfault.Port, Port: 3306}
	all := netfault.Cut{Mode: netfault.All}

	require.NoError(t, f.Cut("reboot", port))
	require.NoError(t, f.Cut(netfault.FaultName, all))
	require.NoError(t, f.Cut(netfault.FaultName, all), "again")
	require.False(t, passes(now, web))
	require.Equal(t, map[string][]netfault.Cut{"reboot": {port}, "fault": {all}}, f.Cuts())

	require.NoError(t, f.Heal(netfault.FaultName))
	require.True(t, passes(now, web))
	require.False(t, passes(now, served), "healing a fault must not lift the reboot's cut")

	require.NoError(t, f.Heal("reboot"))
	require.Empty(t, now)
	require.NoError(t, f.Heal("never cut"))

	require.NoError(t, f.Cut("x", port, all))
	require.NoError(t, f.HealAll())
	require.Empty(t, now)
}

func TestFirewallThatFailsChangesNothing(t *testing.T) {
	fail := errors.New("no permission")
	f := netfault.New(control, func([]netfault.Rule) error { return fail })
	require.ErrorIs(t, f.Cut("fault", netfault.Cut{Mode: netfault.All}), fail)
	require.Empty(t, f.Cuts())

	require.Error(t, f.Cut("fault", netfault.Cut{Mode: netfault.Port}))
}

func TestCutValidateReportsEverything(t *testing.T) {
	err := netfault.Cut{Mode: netfault.Port, Direction: "sideways"}.Validate()
	require.ErrorContains(t, err, "port is missing")
	require.ErrorContains(t, err, "sideways")
	require.ErrorContains(t, netfault.Cut{Mode: "half"}.Validate(), `"half"`)
	require.ErrorContains(t, netfault.Cut{Mode: netfault.Peer}.Validate(), "IPv4")
	require.ErrorContains(t, netfault.Cut{Mode: netfault.Peer, Peer: netip.MustParsePrefix("::1/128")}.Validate(), "IPv4")
}
