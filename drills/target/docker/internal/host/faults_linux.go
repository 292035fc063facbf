package host

import (
	"net/http"
	"net/netip"
	"strconv"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
)

// handleFaults registers
//
//	POST /cut?mode=all|port|peer[&port=N][&peer=ADDR][&direction=both|in|out][&name=fault]
//	POST /heal[?name=fault]
//	GET  /cuts
//
// where name=* heals under every name.
func (h *Host) handleFaults() {
	cuts := func() (any, error) {
		return Cuts{At: clock.Monotonic(), Cuts: h.Firewall.Cuts()}, nil
	}
	h.Control.Handle("POST /cut", func(r *http.Request) (any, error) {
		cut, err := cutOf(r)
		if err != nil {
			return nil, err
		}
		if err := h.Firewall.Cut(nameOf(r), cut); err != nil {
			return nil, err
		}
		return cuts()
	})
	h.Control.Handle("POST /heal", func(r *http.Request) (any, error) {
		heal := func() error { return h.Firewall.Heal(nameOf(r)) }
		if nameOf(r) == "*" {
			heal = h.Firewall.HealAll
		}
		if err := heal(); err != nil {
			return nil, err
		}
		return cuts()
	})
	h.Control.Handle("GET /cuts", func(*http.Request) (any, error) { return cuts() })
}

func nameOf(r *http.Request) string {
	if name := r.FormValue("name"); name != "" {
		return name
	}
	return netfault.FaultName
}

func cutOf(r *http.Request) (netfault.Cut, error) {
	port, err := control.Query(r, "port", 0, func(s string) (uint16, error) {
		n, err := strconv.ParseUint(s, 10, 16)
		return uint16(n), err
	})
	if err != nil {
		return netfault.Cut{}, err
	}
	peer, err := control.Query(r, "peer", netip.Prefix{}, parsePeer)
	if err != nil {
		return netfault.Cut{}, err
	}
	cut := netfault.Cut{
		Mode: netfault.Mode(r.FormValue("mode")), Port: port, Peer: peer,
		Direction: netfault.Direction(r.FormValue("direction")),
	}
	if err := cut.Validate(); err != nil {
		return netfault.Cut{}, control.BadRequest(err)
	}
	return cut, nil
}

// parsePeer reads an address or a prefix.
func parsePeer(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Prefix(a.BitLen())
	}
	return netip.ParsePrefix(s)
}
