package workload

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// Forever, as ResolverConfig.TTL, keeps the first answer for the whole run: the
// client that never asks again.
const Forever = time.Duration(math.MaxInt64)

// maxAliases bounds a chain of CNAME records.
const maxAliases = 8

// ResolverConfig says whom a resolver asks and how long it believes the answer.
type ResolverConfig struct {
	// Server is the DNS server's address, such as "127.0.0.1:5353". Required.
	Server string
	// TTL replaces the record's time to live when it is not zero. Forever never
	// asks again; a negative value asks every time.
	TTL time.Duration
	// Timeout bounds one question, Attempts the questions per lookup: UDP loses
	// packets. Zero means 500 ms and 3.
	Timeout  time.Duration
	Attempts int
	// Clock is the time that answers age by. Nil means a clock of its own.
	Clock Clock
}

// Resolver looks up IPv4 addresses and keeps each answer exactly for its time to
// live: it never asks earlier, and it never serves an answer that is older, not
// even when the server is silent. It is safe for concurrent use; callers that
// need the same answer wait for one question.
type Resolver struct {
	cfg ResolverConfig
	// turn guards cache and is held across a question, so it is a channel: a
	// caller that waits for it still sees its context end.
	turn  chan struct{}
	cache map[string]answer
}

type answer struct {
	addrs   []netip.Addr
	expires time.Duration
}

// NewResolver returns a resolver with an empty cache.
func NewResolver(cfg ResolverConfig) (*Resolver, error) {
	var errs []error
	if _, _, err := net.SplitHostPort(cfg.Server); err != nil {
		errs = append(errs, fmt.Errorf("Server is %q: use host:port, such as 127.0.0.1:53", cfg.Server))
	}
	if cfg.Timeout < 0 || cfg.Attempts < 0 {
		errs = append(errs, fmt.Errorf("Timeout is %v and Attempts is %d: use positive values, or zero for 500 ms and 3", cfg.Timeout, cfg.Attempts))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("workload: resolver: %w", errors.Join(errs...))
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 500 * time.Millisecond
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 3
	}
	if cfg.Clock == nil {
		cfg.Clock = NewClock()
	}
	return &Resolver{cfg: cfg, turn: make(chan struct{}, 1), cache: map[string]answer{}}, nil
}

// Lookup returns the addresses of a host, at least one. An address is returned
// as it is.
func (r *Resolver) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("workload: look up %s: %w", host, context.Cause(ctx))
	}
	if a, ok := r.cache[host]; ok && r.cfg.Clock() < a.expires {
		return a.addrs, nil
	}
	delete(r.cache, host)
	asked := r.cfg.Clock()
	addrs, ttl, err := r.resolve(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("workload: look up %s at %s: %w", host, r.cfg.Server, err)
	}
	if r.cfg.TTL != 0 {
		ttl = r.cfg.TTL
	}
	if ttl > 0 {
		// From the question, not from the answer: a slow answer is older.
		expires := asked + ttl
		if expires < asked { // Forever
			expires = Forever
		}
		r.cache[host] = answer{addrs: addrs, expires: expires}
	}
	return addrs, nil
}

// resolve follows aliases to addresses. The time to live of a chain is that of
// its shortest link.
func (r *Resolver) resolve(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	name, ttl := dns.CanonicalName(host), uint32(math.MaxUint32)
	for range maxAliases {
		reply, err := r.ask(ctx, name)
		if err != nil {
			return nil, 0, err
		}
		if reply.Rcode != dns.RcodeSuccess {
			return nil, 0, fmt.Errorf("%s: %s", name, dns.RcodeToString[reply.Rcode])
		}
		target, addrs, shortest := follow(name, reply.Answer)
		ttl = min(ttl, shortest)
		switch {
		case len(addrs) > 0:
			return addrs, time.Duration(ttl) * time.Second, nil
		case target == name:
			return nil, 0, fmt.Errorf("%s: no address on record", name)
		}
		name = target
	}
	return nil, 0, fmt.Errorf("more than %d aliases", maxAliases)
}

// follow walks the aliases that one reply holds. It returns where they lead, the
// addresses there, and the shortest time to live on the way.
func follow(name string, records []dns.RR) (target string, addrs []netip.Addr, ttl uint32) {
	ttl = math.MaxUint32
	for range maxAliases {
		next := ""
		for _, rr := range records {
			h := rr.Header()
			if dns.CanonicalName(h.Name) != name {
				continue
			}
			switch rr := rr.(type) {
			case *dns.A:
				if addr, ok := netip.AddrFromSlice(rr.A.To4()); ok {
					addrs, ttl = append(addrs, addr), min(ttl, h.Ttl)
				}
			case *dns.CNAME:
				next, ttl = dns.CanonicalName(rr.Target), min(ttl, h.Ttl)
			}
		}
		if len(addrs) > 0 || next == "" {
			break
		}
		name = next
	}
	return name, addrs, ttl
}

// ask sends one question until it is answered or the attempts are spent.
func (r *Resolver) ask(ctx context.Context, name string) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(name, dns.TypeA)
	var last error
	for range r.cfg.Attempts {
		reply, err := r.exchange(ctx, "udp", question)
		if err == nil && reply.Truncated {
			reply, err = r.exchange(ctx, "tcp", question)
		}
		if err == nil {
			return reply, nil
		}
		last = err
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, fmt.Errorf("%s: no answer to %d questions: %w", name, r.cfg.Attempts, last)
}

func (r *Resolver) exchange(ctx context.Context, network string, question *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	client := dns.Client{Net: network, Timeout: r.cfg.Timeout}
	reply, _, err := client.ExchangeContext(ctx, question, r.cfg.Server)
	return reply, err
}
