package drtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// ErrNoAnswer is what the cause of a hanging call is, in words: nothing came back
// before the caller's context ended. It is joined with the context's error.
var ErrNoAnswer = errors.New("no answer")

// Op names an operation for a [Hook].
type Op string

// The operations that a network carries.
const (
	OpReadLease    Op = "lease.read"
	OpRenewLease   Op = "lease.renew"
	OpTakeLease    Op = "lease.take"
	OpReleaseLease Op = "lease.release"
	OpPublish      Op = "report.publish"
	OpReports      Op = "report.read"
	OpAppend       Op = "journal.append"
	OpLatest       Op = "journal.latest"
	OpSettled      Op = "journal.settled"
	OpAcknowledge  Op = "ack.write"
	OpAcknowledged Op = "ack.read"
	OpDescribe     Op = "cluster.describe"
	OpPreflight    Op = "cluster.preflight" // the control plane's part; the server's is OpRole
	OpRole         Op = "db.role"
	OpFailover     Op = "cluster.failover"
	OpSwitchover   Op = "cluster.switchover"
	OpIsolate      Op = "cluster.isolate"
	OpRedirect     Op = "router.redirect"
	OpReach        Op = "router.reach"
	OpNotify       Op = "notify"
	OpBeat         Op = "db.beat"
	OpFence        Op = "db.fence"
	OpOpen         Op = "db.open"
	OpWatchdog     Op = "db.watchdog"
	OpInstall      Op = "db.install"
	OpNewest       Op = "db.newest"
	OpReplicated   Op = "db.replicated"
	OpWrite        Op = "db.write"
	OpProbe        Op = "db.probe"
	OpLag          Op = "db.lag"
)

// Call is one call on its way.
type Call struct {
	From dr.Region // who calls
	To   dr.Region // whose server answers; empty for the store, which is everywhere
	Op   Op
}

// Fault is what happens to a call. The zero Fault lets it pass at once.
type Fault struct {
	// Delay is the time there and back; half of it passes before the call acts.
	Delay time.Duration
	// Hang lets the call wait until its context ends.
	Hang bool
	// Err is returned instead of an answer.
	Err error
	// Acts lets a call that hangs or fails take effect all the same: only its
	// answer is lost.
	Acts bool
}

// Hook decides the fate of every call. It is called concurrently.
type Hook func(Call) Fault

// Network is the wires between Regions. Every call of every implementation in
// this package goes through one.
type Network struct {
	regions []dr.Region

	mu   sync.Mutex
	cut  map[[2]dr.Region]bool
	hook Hook
}

// NewNetwork returns a network in which all Regions reach each other and calls
// take no time.
func NewNetwork(regions ...dr.Region) *Network {
	return &Network{regions: slices.Clone(regions), cut: make(map[[2]dr.Region]bool)}
}

// SetHook replaces the hook; nil lets every call pass.
func (n *Network) SetHook(h Hook) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hook = h
}

// SetLink opens or cuts the path between two Regions, in both directions.
func (n *Network) SetLink(a, b dr.Region, up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[link(a, b)] = !up
}

// SetRegion opens or cuts every path between a Region and the others.
func (n *Network) SetRegion(r dr.Region, up bool) {
	for _, other := range n.regions {
		if other != r {
			n.SetLink(r, other, up)
		}
	}
}

// Reaches reports whether the path between two Regions is open. A Region always
// reaches itself.
func (n *Network) Reaches(a, b dr.Region) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return a == b || !n.cut[link(a, b)]
}

// Majority reports whether a Region and those it reaches are more than half.
func (n *Network) Majority(r dr.Region) bool {
	reached := 0
	for _, other := range n.regions {
		if n.Reaches(r, other) {
			reached++
		}
	}
	return 2*reached > len(n.regions)
}

func link(a, b dr.Region) [2]dr.Region {
	if a > b {
		a, b = b, a
	}
	return [2]dr.Region{a, b}
}

// carry brings a call to act and its answer back. A call whose path is closed
// hangs until ctx ends, on the way there before it acts, on the way back after.
func (n *Network) carry(ctx context.Context, c Call, act func() error) error {
	n.mu.Lock()
	hook := n.hook
	n.mu.Unlock()
	var f Fault
	if hook != nil {
		f = hook(c)
	}
	if err := n.travel(ctx, c, f.Delay/2); err != nil {
		return err
	}
	var err error
	if f.Acts || !f.Hang && f.Err == nil {
		err = act()
	}
	if f.Hang {
		return hang(ctx, c)
	}
	if back := n.travel(ctx, c, f.Delay-f.Delay/2); back != nil {
		return back
	}
	if f.Err != nil {
		return fmt.Errorf("drtest: %s from %s: %w", c.Op, c.From, f.Err)
	}
	return err
}

func (n *Network) travel(ctx context.Context, c Call, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("drtest: %s from %s: %w", c.Op, c.From, err)
	}
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return fmt.Errorf("drtest: %s from %s: %w: %w", c.Op, c.From, ErrNoAnswer, ctx.Err())
		case <-t.C:
		}
	}
	if c.To == "" && !n.Majority(c.From) || c.To != "" && !n.Reaches(c.From, c.To) {
		return hang(ctx, c)
	}
	return nil
}

func hang(ctx context.Context, c Call) error {
	<-ctx.Done()
	return fmt.Errorf("drtest: %s from %s: %w: %w", c.Op, c.From, ErrNoAnswer, ctx.Err())
}
