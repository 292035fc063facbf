package drtest

import (
	"context"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Conn is a database as one Region reaches it through the network.
type Conn struct {
	net  *Network
	from dr.Region
	db   *Database
}

var (
	_ failover.Beater        = (*Conn)(nil)
	_ failover.Fencer        = (*Conn)(nil)
	_ failover.Watchdog      = (*Conn)(nil)
	_ failover.ReplicaReader = (*Conn)(nil)
	_ failover.RoleReader    = (*Conn)(nil)
)

// Dial returns a database as a Region reaches it.
func (n *Network) Dial(from dr.Region, db *Database) *Conn { return &Conn{n, from, db} }

func (c *Conn) carry(ctx context.Context, op Op, act func() error) error {
	return c.net.carry(ctx, Call{From: c.from, To: c.db.region, Op: op}, act)
}

// Write commits a row, as a client does.
func (c *Conn) Write(ctx context.Context, id int64) error {
	return c.carry(ctx, OpWrite, func() error { return c.db.Write(ctx, id) })
}

// Probe asks whether a write would commit now.
func (c *Conn) Probe(ctx context.Context) error {
	return c.carry(ctx, OpProbe, func() error { return c.db.Probe(ctx) })
}

// Beat implements failover.Beater.
func (c *Conn) Beat(ctx context.Context, b failover.Beat) error {
	return c.carry(ctx, OpBeat, func() error { return c.db.Beat(ctx, b) })
}

// Fence implements failover.Fencer.
func (c *Conn) Fence(ctx context.Context, e dr.Epoch) error {
	return c.carry(ctx, OpFence, func() error { return c.db.Fence(ctx, e) })
}

// Open implements failover.Fencer.
func (c *Conn) Open(ctx context.Context, e dr.Epoch) error {
	return c.carry(ctx, OpOpen, func() error { return c.db.Open(ctx, e) })
}

// InstallWatchdog implements failover.Watchdog.
func (c *Conn) InstallWatchdog(ctx context.Context, after time.Duration) error {
	return c.carry(ctx, OpWatchdog, func() error { return c.db.InstallWatchdog(ctx, after) })
}

// CheckWatchdog implements failover.WatchdogKeeper.
func (c *Conn) CheckWatchdog(ctx context.Context, after time.Duration) (awake bool, err error) {
	err = c.carry(ctx, OpWatchdog, func() (err error) { awake, err = c.db.CheckWatchdog(ctx, after); return err })
	return orZero(awake, err)
}

// RemoveWatchdog implements failover.WatchdogKeeper.
func (c *Conn) RemoveWatchdog(ctx context.Context) error {
	return c.carry(ctx, OpWatchdog, func() error { return c.db.RemoveWatchdog(ctx) })
}

// Install makes the heartbeat table.
func (c *Conn) Install(ctx context.Context) error {
	return c.carry(ctx, OpInstall, func() error { return c.db.Install(ctx) })
}

// Newest returns the newest epoch that the database has seen.
func (c *Conn) Newest(ctx context.Context) (dr.Epoch, error) {
	var e dr.Epoch
	err := c.carry(ctx, OpNewest, func() (err error) { e, err = c.db.Newest(ctx); return err })
	return orZero(e, err)
}

// Replicated implements failover.ReplicaReader.
func (c *Conn) Replicated(ctx context.Context, from dr.Region) (failover.Beat, error) {
	var got failover.Beat
	err := c.carry(ctx, OpReplicated, func() (err error) { got, err = c.db.Replicated(ctx, from); return err })
	return orZero(got, err)
}

// Lag returns the delay of the newest record that has arrived in the database.
func (c *Conn) Lag(ctx context.Context) (*health.Lag, error) {
	var got *health.Lag
	err := c.carry(ctx, OpLag, func() (err error) { got, err = c.db.Lag(ctx); return err })
	return orZero(got, err)
}

// Role tells what the server takes itself for.
func (c *Conn) Role(ctx context.Context) (failover.Role, error) {
	var got failover.Role
	err := c.carry(ctx, OpRole, func() (err error) { got, err = c.db.Role(ctx); return err })
	return orZero(got, err)
}
