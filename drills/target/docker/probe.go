package docker

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
)

// Answer is what a probe saw.
type Answer = probe.Answer

// The outcomes of a probe.
const (
	ProbeOK       = probe.OK
	ProbeRefused  = probe.Refused
	ProbeBroken   = probe.Broken
	ProbeSilent   = probe.Silent
	ProbeReadOnly = probe.ReadOnly
	ProbeFailed   = probe.Failed
)

// Probe is a node with the role "probe": a client at its place in the world.
type Probe struct{ *Node }

// Dial opens a TCP connection to address, waiting at most timeout.
func (p *Probe) Dial(ctx context.Context, address netip.AddrPort, timeout time.Duration) (Answer, error) {
	return p.ask(ctx, "dial", url.Values{"addr": {address.String()}, "timeout": {timeout.String()}})
}

// SQL runs a statement on the server at address with the account of the
// application. With keep it uses the connection that it keeps under that name.
func (p *Probe) SQL(ctx context.Context, address netip.AddrPort, keep, statement string, timeout time.Duration) (Answer, error) {
	return p.ask(ctx, "sql", url.Values{
		"addr": {address.String()}, "timeout": {timeout.String()}, "keep": {keep}, "sql": {statement},
		"user": {mysqld.App.User}, "password": {mysqld.App.Password},
	})
}

func (p *Probe) ask(ctx context.Context, what string, query url.Values) (Answer, error) {
	var a Answer
	err := p.Call(ctx, "/probe/"+what, query, nil, &a)
	return a, err
}
