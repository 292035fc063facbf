package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// line is a database as one process reaches it: through its gate and over the network.
type line struct {
	parts
	to dr.Region
	db *drtest.Conn
}

// pass calls the server as an account, in a session that is kept or, when there is none,
// in one that must be opened first.
func (l line) pass(ctx context.Context, who account, call func(context.Context) error) error {
	return aurora.Classed(l.process.Pass(ctx, func(ctx context.Context) error {
		mine := l.session(l.kept, l.to, who)
		if !mine.Load() {
			if err := l.admit(ctx, l.kept, l.region, l.to, true); err != nil {
				return err
			}
		}
		err := call(ctx)
		mine.Store(err == nil || errors.Is(err, failover.ErrReadOnly)) // as after every other error
		return err
	}))
}

// probe commits a write, in a session that is kept or in a fresh one.
func (l line) probe(ctx context.Context, fresh bool) error {
	if !fresh {
		return l.pass(ctx, heartbeats, l.db.Probe)
	}
	return l.process.Pass(ctx, func(ctx context.Context) error {
		if err := l.admit(ctx, l.kept, l.region, l.to, true); err != nil {
			return err
		}
		return l.db.Probe(ctx)
	})
}

var (
	_ failover.Beater         = line{}
	_ failover.Fencer         = line{}
	_ failover.WatchdogKeeper = line{}
	_ aurora.Installer        = line{}
	_ failover.ReplicaReader  = line{}
	_ failover.RoleReader     = line{}
	_ probe.LagSource         = line{}
)

// Beat implements failover.Beater.
func (l line) Beat(ctx context.Context, b failover.Beat) error {
	return l.pass(ctx, heartbeats, func(ctx context.Context) error { return l.db.Beat(ctx, b) })
}

// Fence implements failover.Fencer.
func (l line) Fence(ctx context.Context, e dr.Epoch) error {
	return l.pass(ctx, admin, func(ctx context.Context) error { return l.db.Fence(ctx, e) })
}

// Open implements failover.Fencer.
func (l line) Open(ctx context.Context, e dr.Epoch) error {
	return l.pass(ctx, admin, func(ctx context.Context) error { return l.db.Open(ctx, e) })
}

// InstallWatchdog implements failover.Watchdog.
func (l line) InstallWatchdog(ctx context.Context, after time.Duration) error {
	return l.pass(ctx, admin, func(ctx context.Context) error { return l.db.InstallWatchdog(ctx, after) })
}

// CheckWatchdog implements failover.WatchdogKeeper.
func (l line) CheckWatchdog(ctx context.Context, after time.Duration) (awake bool, err error) {
	err = l.pass(ctx, admin, func(ctx context.Context) (err error) { awake, err = l.db.CheckWatchdog(ctx, after); return err })
	return awake, err
}

// RemoveWatchdog implements failover.WatchdogKeeper.
func (l line) RemoveWatchdog(ctx context.Context) error {
	return l.pass(ctx, admin, l.db.RemoveWatchdog)
}

// Install implements aurora.Installer.
func (l line) Install(ctx context.Context) error { return l.pass(ctx, admin, l.db.Install) }

// Newest implements aurora.Installer.
func (l line) Newest(ctx context.Context) (newest dr.Epoch, err error) {
	err = l.pass(ctx, heartbeats, func(ctx context.Context) (err error) { newest, err = l.db.Newest(ctx); return err })
	return newest, err
}

// Replicated implements failover.ReplicaReader.
func (l line) Replicated(ctx context.Context, from dr.Region) (got failover.Beat, err error) {
	err = l.pass(ctx, heartbeats, func(ctx context.Context) (err error) { got, err = l.db.Replicated(ctx, from); return err })
	return got, err
}

// Lag implements probe.LagSource.
func (l line) Lag(ctx context.Context) (got *health.Lag, err error) {
	err = l.pass(ctx, heartbeats, func(ctx context.Context) (err error) { got, err = l.db.Lag(ctx); return err })
	return got, err
}

// Role implements aurora.Roler.
func (l line) Role(ctx context.Context) (role failover.Role, err error) {
	err = l.process.Pass(ctx, func(ctx context.Context) (err error) { role, err = l.db.Role(ctx); return err })
	return role, err
}
