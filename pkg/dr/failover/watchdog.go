package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// watchdogTick is how late a database may notice that its heartbeat row is stale: a
// MySQL event runs at most once a second.
const watchdogTick = time.Second

// unrenewed is the row of beats that must not keep the watchdog quiet.
const unrenewed = "/unrenewed"

// watchable reports what keeps a guard's database from watching over itself.
func watchable(cfg GuardConfig) error {
	if !cfg.Policy.Watchdog {
		return nil
	}
	if _, ok := cfg.Fencer.(Watchdog); !ok {
		return errors.New("failover: guard: Policy.Watchdog needs a Fencer whose database can fence itself; this one can't")
	}
	p := cfg.Policy.WithDefaults()
	if after := WatchdogAfter(p); after < 2*p.RenewInterval {
		return fmt.Errorf("failover: guard: Policy.Watchdog would fire after %v: raise LeaseTTL %v or lower RenewInterval %v", after, p.LeaseTTL, p.RenewInterval)
	}
	return nil
}

// WatchdogAfter is how old the heartbeat row may become under Policy.Watchdog, by default
// 2.5 s. A beat is at most three renewals younger than the lease, takes a call to commit,
// and is judged a tick late: all of that must end within the TTL.
func WatchdogAfter(p dr.Policy) time.Duration {
	p = p.WithDefaults()
	return p.LeaseTTL - watchdogTick - 3*p.RenewInterval - callTimeout(p)
}

// row returns the row of the next beat. One that is sent while the lease can't be
// renewed still proves that the database commits, but goes to a row of its own: in
// the watchdog's row it would keep a writer open whose lease has run out. The lock
// must be held.
func (g *Guard) row() dr.Region {
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
		awake, err := keeper.CheckWatchdog(call, WatchdogAfter(g.cfg.Policy))
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
		if err := w.InstallWatchdog(call, WatchdogAfter(g.cfg.Policy)); err != nil {
			g.problem("install the watchdog", err)
			return
		}
	}
	g.mu.Lock()
	g.watched, g.checkedAt = e, time.Now()
	g.mu.Unlock()
}
