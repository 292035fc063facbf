package failover

import (
	"context"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Rows of beats that must not keep the watchdog quiet: of a guard that can't renew, and of
// a rear guard, whose beats must not cover its successor's either.
const (
	unrenewed = "/unrenewed"
	behindRow = "/rear"
)

// watchable reports what keeps a guard's database from watching over itself.
func watchable(cfg GuardConfig) error {
	if !cfg.Policy.Watchdog {
		return nil
	}
	if _, ok := cfg.Fencer.(Watchdog); !ok {
		return errors.New("failover: guard: Policy.Watchdog needs a Fencer whose database can fence itself; this one can't")
	}
	return nil
}

// row returns the row of the next beat. One that is sent while the lease can't be
// renewed still proves that the database commits, but goes to a row of its own: in
// the watchdog's row it would keep a writer open whose lease has run out. The lock
// must be held.
func (g *Guard) row() dr.Region {
	if g.rear {
		return g.cfg.Region + behindRow
	}
	late := g.armed && !g.inherited && time.Since(g.renewedAt) > 3*g.cfg.Policy.RenewInterval
	if g.cfg.Policy.Watchdog && (late || g.inherited) {
		return g.cfg.Region + unrenewed
	}
	return g.cfg.Region
}

// watchdogCheck is how often a watchdog that was installed is looked at.
const watchdogCheck = 10 * time.Second

// watchdog has the writer of a new term watch over itself, or has it stop, as the
// policy says. It needs a heartbeat to be there, and is tried again with each until it
// is done. One that is found missing or changed is installed again.
func (g *Guard) watchdog(ctx context.Context, e dr.Epoch) {
	w, ok := g.cfg.Fencer.(Watchdog)
	keeper, keeps := g.cfg.Fencer.(WatchdogKeeper)
	on := g.cfg.Policy.Watchdog
	g.mu.Lock()
	done, age := g.watched == e, time.Since(g.checkedAt)
	g.mu.Unlock()
	if on && !ok || !on && !keeps || done && (!on || !keeps || age < watchdogCheck) {
		return
	}
	call, cancel := context.WithTimeout(ctx, g.callTimeout())
	defer cancel()
	switch {
	case !on:
		if err := keeper.RemoveWatchdog(call); err != nil {
			g.problem("remove the watchdog", err)
			return
		}
	case done:
		awake, err := keeper.CheckWatchdog(call, g.cfg.Policy.WatchdogAfter())
		if err != nil {
			g.problem("check the watchdog", err)
			break // asked again after a while
		}
		if awake {
			break
		}
		g.problem("check the watchdog", errors.New("it is missing, disabled or another one: it is installed again"))
		fallthrough
	default:
		if err := w.InstallWatchdog(call, g.cfg.Policy.WatchdogAfter()); err != nil {
			g.problem("install the watchdog", err)
			return
		}
	}
	g.mu.Lock()
	g.watched, g.checkedAt = e, time.Now()
	g.mu.Unlock()
}
