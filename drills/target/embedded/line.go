package embedded

import (
	"context"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// line is a database as one process reaches it: through its gate and over the network.
type line struct {
	process *functions.Process
	db      *drtest.Conn
}

var (
	_ failover.Beater         = line{}
	_ failover.Fencer         = line{}
	_ failover.WatchdogKeeper = line{}
	_ aurora.Installer        = line{}
	_ failover.ReplicaReader  = line{}
	_ probe.LagSource         = line{}
)

func (l line) Probe(ctx context.Context) error { return l.process.Pass(ctx, l.db.Probe) }

// Beat implements failover.Beater.
func (l line) Beat(ctx context.Context, b failover.Beat) error {
	return l.process.Pass(ctx, func(ctx context.Context) error { return l.db.Beat(ctx, b) })
}

// Fence implements failover.Fencer.
func (l line) Fence(ctx context.Context, e dr.Epoch) error {
	return l.process.Pass(ctx, func(ctx context.Context) error { return l.db.Fence(ctx, e) })
}

// Open implements failover.Fencer.
func (l line) Open(ctx context.Context, e dr.Epoch) error {
	return l.process.Pass(ctx, func(ctx context.Context) error { return l.db.Open(ctx, e) })
}

// InstallWatchdog implements failover.Watchdog.
func (l line) InstallWatchdog(ctx context.Context, after time.Duration) error {
	return l.process.Pass(ctx, func(ctx context.Context) error { return l.db.InstallWatchdog(ctx, after) })
}

// CheckWatchdog implements failover.WatchdogKeeper.
func (l line) CheckWatchdog(ctx context.Context, after time.Duration) (awake bool, err error) {
	err = l.process.Pass(ctx, func(ctx context.Context) (err error) { awake, err = l.db.CheckWatchdog(ctx, after); return err })
	return awake, err
}

// RemoveWatchdog implements failover.WatchdogKeeper.
func (l line) RemoveWatchdog(ctx context.Context) error {
	return l.process.Pass(ctx, l.db.RemoveWatchdog)
}

// Install implements aurora.Installer.
func (l line) Install(ctx context.Context) error { return l.process.Pass(ctx, l.db.Install) }

// Newest implements aurora.Installer.
func (l line) Newest(ctx context.Context) (newest dr.Epoch, err error) {
	err = l.process.Pass(ctx, func(ctx context.Context) (err error) { newest, err = l.db.Newest(ctx); return err })
	return newest, err
}

// Replicated implements failover.ReplicaReader.
func (l line) Replicated(ctx context.Context, from dr.Region) (got failover.Beat, err error) {
	err = l.process.Pass(ctx, func(ctx context.Context) (err error) { got, err = l.db.Replicated(ctx, from); return err })
	return got, err
}

// Lag implements probe.LagSource.
func (l line) Lag(ctx context.Context) (got *health.Lag, err error) {
	err = l.process.Pass(ctx, func(ctx context.Context) (err error) { got, err = l.db.Lag(ctx); return err })
	return got, err
}
