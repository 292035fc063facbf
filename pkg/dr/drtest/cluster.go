package drtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// GlobalCluster is the control plane over a pair: an API in every Region that
// describes the global database and moves its writer.
type GlobalCluster struct {
	net       *Network
	pair      *Pair
	promotion func() time.Duration

	mu    sync.Mutex
	asked dr.Region                      // whose API began the last move
	known map[dr.Region]failover.Cluster // what each Region's API last said
	calls map[Call]int

	lacking map[dr.Region][]string // what stands in the way of a promotion
	foreign dr.Region              // a writer that is no member
}

// NewGlobalCluster returns the control plane of a pair. Every promotion takes a
// time that is drawn when it begins.
func NewGlobalCluster(net *Network, pair *Pair, promotion func() time.Duration) *GlobalCluster {
	return &GlobalCluster{
		net: net, pair: pair, promotion: promotion,
		known: make(map[dr.Region]failover.Cluster), calls: make(map[Call]int), lacking: make(map[dr.Region][]string),
	}
}

// At returns the API of one Region, as it is reached from the same Region.
func (g *GlobalCluster) At(r dr.Region) *Control { return &Control{g, r} }

// Moves returns how many moves of the writer were begun.
func (g *GlobalCluster) Moves() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for c, times := range g.calls {
		if c.Op == OpFailover || c.Op == OpSwitchover {
			n += times
		}
	}
	return n
}

// Control is the RDS API of one Region.
type Control struct {
	cluster *GlobalCluster
	region  dr.Region
}

var (
	_ failover.Promoter = (*Control)(nil)
	_ failover.Isolator = (*Control)(nil)
)

func (c *Control) carry(ctx context.Context, op Op, act func() error) error {
	return c.cluster.net.carry(ctx, Call{From: c.region, To: c.region, Op: op}, act)
}

// Describe implements failover.Promoter. A Region that can't reach the one that
// moved the writer tells what it last knew.
func (c *Control) Describe(ctx context.Context) (failover.Cluster, error) {
	var got failover.Cluster
	err := c.carry(ctx, OpDescribe, func() error {
		got = c.cluster.view(c.region)
		return nil
	})
	return orZero(got, err)
}

// view returns what a Region's API says.
func (g *GlobalCluster) view(r dr.Region) failover.Cluster {
	writer, to := g.pair.Moving()
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.known[r]; ok && g.asked != "" && !g.net.Reaches(r, g.asked) {
		return old
	}
	if g.foreign != "" {
		writer = g.foreign
	}
	now := failover.Cluster{Status: "available", Writer: writer, MovingTo: to}
	if to != "" {
		now.Status = "failing-over"
	}
	g.known[r] = now
	return now
}

// spread brings every API's view up to date, whether or not it is asked. While it is cut
// off it answers with what it knew before.
func (g *GlobalCluster) spread() {
	for _, r := range g.net.regions {
		g.view(r)
	}
}

// Failover implements failover.Promoter.
func (c *Control) Failover(ctx context.Context, to dr.Region) error {
	return c.move(ctx, OpFailover, to, false)
}

// Switchover implements failover.Promoter.
func (c *Control) Switchover(ctx context.Context, to dr.Region) error {
	return c.move(ctx, OpSwitchover, to, true)
}

func (c *Control) move(ctx context.Context, op Op, to dr.Region, graceful bool) error {
	return c.carry(ctx, op, func() error {
		g := c.cluster
		if !g.net.Reaches(c.region, to) {
			return fmt.Errorf("drtest: %s of %s asked in %s: its Region does not answer", op, to, c.region)
		}
		if err := g.pair.Move(to, g.promotion(), graceful); err != nil {
			return err
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked = c.region
		g.calls[Call{From: c.region, To: to, Op: op}]++
		return nil
	})
}

// Isolate implements failover.Isolator: it reboots the database of its own Region,
// which comes back read-only.
func (c *Control) Isolate(ctx context.Context, _ dr.Epoch) error {
	return c.carry(ctx, OpIsolate, func() error {
		db := c.cluster.pair.DB(c.region)
		if db == nil {
			return fmt.Errorf("drtest: isolate: %s has no member", c.region)
		}
		db.Reboot()
		return nil
	})
}
