package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// TCPConfig says what is connected to.
type TCPConfig struct {
	Vantage dr.Region
	// Family must not be on the data plane: the kernel of a frozen server accepts
	// connections, so a connection proves no write.
	Family health.Family
	// Addresses are host:port by Region.
	Addresses map[dr.Region]string
	// Dial replaces the dialer; it must heed ctx.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// TCP asks whether a Region accepts a TCP connection. It implements health.Prober.
//
// Alive: it does. Dead: refused, unreachable, or no answer by the deadline.
// Unknown: the name does not resolve, or the question was called off.
type TCP struct{ cfg TCPConfig }

var _ health.Prober = (*TCP)(nil)

// NewTCP returns the prober, or everything that its configuration lacks.
func NewTCP(cfg TCPConfig) (*TCP, error) {
	var errs []error
	if cfg.Vantage == "" || len(cfg.Addresses) == 0 {
		errs = append(errs, errors.New("probe: tcp: Vantage and Addresses are required"))
	}
	if cfg.Family == "" || cfg.Family.DataPlane() {
		errs = append(errs, fmt.Errorf("probe: tcp: Family is empty, unknown or on the data plane: use %q or %q, a connection proves no write", health.Control, health.Witness))
	}
	for r, a := range cfg.Addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("probe: tcp: address of %s: give host:port", r)) // err would quote it
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	return &TCP{cfg}, nil
}

// Probe implements health.Prober.
func (p *TCP) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	o := health.Observation{
		Subject: subject, Vantage: p.cfg.Vantage, Family: p.cfg.Family, Method: "TCP connection", At: time.Now(), OtherInstances: -1,
	}
	address, known := p.cfg.Addresses[subject]
	if !known {
		o.Cause = "no address is configured for " + subject.String()
		return []health.Observation{o}
	}
	c, err := p.cfg.Dial(ctx, "tcp", address)
	o.Latency = time.Since(o.At)
	if err == nil {
		_ = c.Close()
	}
	o.Answer, o.Cause = classify(err)
	o.RegionAnswers = o.Answer == health.Alive
	return []health.Observation{o}
}
