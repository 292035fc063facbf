package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
)

// Cut is a network fault; see its fields for what it can silence.
type Cut = netfault.Cut

// Node is one container of a fleet. Its methods work while its network is cut.
type Node struct {
	name   string
	region string
	addr   netip.Addr
	spec   containerSpec
	id     string // of the container; empty until it is made
	output *output
	client *control.Client // nil until it is started
	gone   chan struct{}   // closed when its output ends, which is when it ends
	held   chan struct{}   // closed when its lifeline is held for the first time
}

// Name returns the node's name, such as "us-east-1/db".
func (n *Node) Name() string { return n.name }

// Region returns the Region that the node is in; of a link, the first of its two.
func (n *Node) Region() string { return n.region }

// Addr returns the node's address, which is the same from every Region.
func (n *Node) Addr() netip.Addr { return n.addr }

// Output returns the last 32 KiB that the container wrote.
func (n *Node) Output() string { return n.output.String() }

// Call posts to the node's control API: query as parameters and in, if not nil,
// as JSON; the answer goes to out, if not nil.
func (n *Node) Call(ctx context.Context, path string, query url.Values, in, out any) error {
	return n.client.Call(ctx, path, query, in, out)
}

// Get reads from the node's control API into out.
func (n *Node) Get(ctx context.Context, path string, out any) error {
	return n.client.Get(ctx, path, out)
}

// Cut injects a network fault under name, netfault.FaultName ("fault") if name is
// empty. It returns the containers' clock, in nanoseconds, when the fault was effective.
func (n *Node) Cut(ctx context.Context, name string, c Cut) (int64, error) {
	q := url.Values{"mode": {string(c.Mode)}, "direction": {string(c.Direction)}, "name": {name}}
	if c.Port != 0 {
		q.Set("port", strconv.Itoa(int(c.Port)))
	}
	if c.Peer.IsValid() {
		q.Set("peer", c.Peer.String())
	}
	var answer host.Cuts
	err := n.Call(ctx, "/cut", q, nil, &answer)
	return answer.At, err
}

// Heal removes the faults under name ("fault" if empty, everything if "*") and
// returns the containers' clock when they were gone.
func (n *Node) Heal(ctx context.Context, name string) (int64, error) {
	var answer host.Cuts
	err := n.Call(ctx, "/heal", url.Values{"name": {name}}, nil, &answer)
	return answer.At, err
}

// ready waits until the node's role serves and would end with us.
func (n *Node) ready(ctx context.Context) error {
	const interval = 30 * time.Millisecond
	held := n.held
	for {
		select {
		case <-held:
			held = nil
		default:
		}
		var st host.Status
		err := n.Get(ctx, "/status", &st)
		switch {
		case err == nil && st.Error != "":
			return fmt.Errorf("docker: %s failed: %s", n.name, st.Error)
		case err == nil && st.Ready && held == nil:
			return nil
		}
		select {
		case <-n.gone:
			return fmt.Errorf("docker: %s ended before it was ready; its last output:\n%s", n.name, n.output)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("docker: %s was not ready in time: %w; its last output:\n%s", n.name, ctx.Err(), n.output), err)
		case <-time.After(interval):
		}
	}
}

// hold holds the node's lifeline until ctx ends or the container does.
func (n *Node) hold(ctx context.Context) {
	const pause = 100 * time.Millisecond // well inside the node's grace
	var known sync.Once
	for {
		// What breaks a lifeline is either the end of the container or passes.
		_ = n.client.Hold(ctx, func() { known.Do(func() { close(n.held) }) })
		select {
		case <-ctx.Done():
			return
		case <-n.gone:
			return
		case <-time.After(pause):
		}
	}
}

// output passes on what a container writes and keeps the last of it.
type output struct {
	to io.Writer // may be nil

	mu   sync.Mutex
	last bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	const limit = 32 << 10
	o.mu.Lock()
	o.last.Write(b)
	if extra := o.last.Len() - limit; extra > 0 {
		o.last.Next(extra)
	}
	o.mu.Unlock()
	if o.to != nil {
		return o.to.Write(b)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.TrimSpace(o.last.String())
}
