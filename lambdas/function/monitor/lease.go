package monitor

import (
	"context"
	"log/slog"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// WithMonitorLease returns a configuration whose Hold keeps the monitor lease in a store. Where
// there is a guard the work ends long enough before the invocation's deadline for what a handover
// guard has to see. The agent's trace hears of every handover and of every failure, the log of
// failures. A nil log is none.
func (c Config) WithMonitorLease(store monitorlease.Store, log *slog.Logger) Config {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	own := c.Agent.common()
	region, trace := own.region, own.trace
	var spare time.Duration // the default
	if own.member {
		spare = max(monitorlease.Config{}.WithDefaults().Spare, failover.BehindTime(own.policy))
	}
	c.Hold = func(ctx context.Context, process string, work func(context.Context) error) error {
		return monitorlease.Run(ctx, monitorlease.Config{
			Region: region, Process: process, Store: store, Spare: spare,
			OnEvent: func(e monitorlease.Event) { tell(ctx, trace, log, region, e) },
		}, work)
	}
	return c
}

// tell passes an event of the monitor lease on.
func tell(ctx context.Context, trace *dr.Trace, log *slog.Logger, region dr.Region, e monitorlease.Event) {
	if e.What != monitorlease.Failed {
		c := dr.MonitorLeaseChange{At: e.At, Region: region, Process: e.Lease.Holder, Number: e.Lease.Number, What: string(e.What), Gap: e.Gap}
		if e.What == monitorlease.Claimed {
			c.Process = e.Lease.Next
		}
		trace.OnMonitorLease(c)
		return
	}
	trace.OnProblem(dr.Problem{At: e.At, Region: region, Op: "keep the monitor lease", Err: e.Err})
	log.WarnContext(ctx, "monitor lease", "what", e.What, "number", e.Lease.Number, "holder", e.Lease.Holder, "err", e.Err)
}
