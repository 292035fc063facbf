// Package link delays packets between the networks of two Regions.
//
// A link is a router that waits. Its container stands in both networks, and
// the kernel hands it every packet bound for the other side through a TUN
// device; a [Router] writes the packet back when its time has come, and the
// kernel forwards it. So both ends keep their own addresses and their own TCP:
// a connection takes a real round trip, a dead server answers with its own
// reset, a silent one doesn't answer at all, and cutting the link is one rule
// in its own namespace. The delay needs no netem in the kernel.
package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
)

// End is one side of a link.
type End struct {
	Region string       `json:"region"`
	Prefix netip.Prefix `json:"prefix"`
}

// Flow names TCP packets that can be delayed apart from the rest: those that
// the server at Source:Port sends to Destination.
type Flow struct {
	Name        string     `json:"name"`
	Source      netip.Addr `json:"source"`
	Port        uint16     `json:"port"`
	Destination netip.Addr `json:"destination"`
}

// Config describes a link.
type Config struct {
	A End `json:"a"`
	B End `json:"b"`
	// OneWay is the delay in each direction; half the round trip. Zero is none.
	OneWay time.Duration `json:"one_way"`
	// Limit bounds the bytes held in each line; what finds no room is dropped,
	// as a router does, and TCP sends it again. Zero means 32 MiB.
	Limit int `json:"limit,omitempty"`
	// Flows can be given a delay of their own with Lag.
	Flows []Flow `json:"flows,omitempty"`
}

// Router delays packets. Make one with NewRouter.
type Router struct {
	cfg   Config
	fromA *Line[[]byte]
	fromB *Line[[]byte]
	flows []*Line[[]byte] // parallel to cfg.Flows
}

// NewRouter returns a Router for cfg.
func NewRouter(cfg Config) (*Router, error) {
	var errs []error
	if !cfg.A.Prefix.IsValid() || !cfg.B.Prefix.IsValid() || cfg.A.Prefix.Overlaps(cfg.B.Prefix) {
		errs = append(errs, fmt.Errorf("link: %s and %s: prefixes %s and %s must be valid and apart",
			cfg.A.Region, cfg.B.Region, cfg.A.Prefix, cfg.B.Prefix))
	}
	if cfg.OneWay < 0 {
		errs = append(errs, fmt.Errorf("link: delay %v is negative", cfg.OneWay))
	}
	if cfg.Limit == 0 {
		cfg.Limit = 32 << 20
	}
	r := &Router{cfg: cfg, fromA: NewLine[[]byte](cfg.Limit, cfg.OneWay), fromB: NewLine[[]byte](cfg.Limit, cfg.OneWay)}
	for range cfg.Flows {
		r.flows = append(r.flows, NewLine[[]byte](cfg.Limit, cfg.OneWay))
	}
	return r, errors.Join(errs...)
}

// Lag adds extra to the delay of the flow named flow, moving there over the
// given time. A step of seconds looks to TCP and to MySQL like a lost link
// (replica_net_timeout), a slow move looks like growing lag.
func (r *Router) Lag(flow string, extra, over time.Duration) error {
	if extra < 0 || over < 0 {
		return fmt.Errorf("link: lag %s: extra %v and over %v must not be negative", flow, extra, over)
	}
	for i, f := range r.cfg.Flows {
		if f.Name == flow {
			r.flows[i].SetDelay(r.cfg.OneWay+extra, over)
			return nil
		}
	}
	return fmt.Errorf("link: lag: no flow %q", flow)
}

// Run reads packets from device and writes them back late, until ctx ends. The
// device must hand over one IP packet per Read and must return from Read when
// it is closed; Run closes it.
func (r *Router) Run(ctx context.Context, device io.ReadWriteCloser) error {
	g, ctx := errgroup.WithContext(ctx)
	deliver := func(packet []byte) {
		// A packet that the kernel refuses, because the link is being cut or a
		// queue is full, is a lost packet and not the end of the link.
		_, _ = device.Write(packet)
	}
	for _, l := range append([]*Line[[]byte]{r.fromA, r.fromB}, r.flows...) {
		g.Go(func() error {
			l.Run(ctx, deliver)
			return nil
		})
	}
	g.Go(func() error {
		<-ctx.Done()
		return device.Close()
	})
	g.Go(func() error {
		buf := make([]byte, 64<<10)
		for {
			n, err := device.Read(buf)
			if err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("link: read packet: %w", err)
			}
			if l := r.line(buf[:n]); l != nil {
				l.Push(append([]byte(nil), buf[:n]...), n)
			}
		}
	})
	return g.Wait()
}

// line returns the line that a packet waits in, nil for a packet that has no
// business on this link.
func (r *Router) line(packet []byte) *Line[[]byte] {
	h, ok := parse(packet)
	if !ok {
		return nil
	}
	for i, f := range r.cfg.Flows {
		if h.tcp && h.sourcePort == f.Port && h.source == f.Source && h.destination == f.Destination {
			return r.flows[i]
		}
	}
	a, b := r.cfg.A.Prefix, r.cfg.B.Prefix
	switch {
	case a.Contains(h.source) && b.Contains(h.destination):
		return r.fromA
	case b.Contains(h.source) && a.Contains(h.destination):
		return r.fromB
	}
	return nil
}

type header struct {
	source, destination netip.Addr
	tcp                 bool // with a readable source port
	sourcePort          uint16
}

// parse reads the IPv4 header (RFC 791) and, in a first fragment, the TCP source port.
func parse(p []byte) (header, bool) {
	if len(p) < 20 || p[0]>>4 != 4 {
		return header{}, false
	}
	h := header{source: netip.AddrFrom4([4]byte(p[12:16])), destination: netip.AddrFrom4([4]byte(p[16:20]))}
	size := int(p[0]&0x0f) * 4
	offset := binary.BigEndian.Uint16(p[6:8]) & 0x1fff
	if p[9] == 6 && offset == 0 && size >= 20 && len(p) >= size+2 {
		h.tcp, h.sourcePort = true, binary.BigEndian.Uint16(p[size:])
	}
	return h, true
}
