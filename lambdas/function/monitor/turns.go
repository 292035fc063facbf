package monitor

import (
	"context"
	"log/slog"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// InTurns returns a configuration whose Turn is kept in a store. Where there is a guard
// the turn ends long enough before the invocation's deadline for what a rear guard has
// to see. The agent's trace hears of every handover and of every failure, the log of
// failures. A nil log is none.
func (c Config) InTurns(store turn.Store, log *slog.Logger) Config {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	region, trace := c.Agent.Region, c.Agent.Trace
	var spare time.Duration // the default
	if c.Agent.Guard != nil {
		spare = max(turn.Config{}.WithDefaults().Spare, failover.RearTime(c.Agent.Policy))
	}
	c.Turn = func(ctx context.Context, process string, work func(context.Context) error) error {
		return turn.Run(ctx, turn.Config{
			Region: region, Process: process, Store: store, Spare: spare,
			OnEvent: func(e turn.Event) { tell(ctx, trace, log, region, e) },
		}, work)
	}
	return c
}

// tell passes an event of the turn on.
func tell(ctx context.Context, trace *dr.Trace, log *slog.Logger, region dr.Region, e turn.Event) {
	if e.What != turn.Failed {
		c := dr.LoopChange{At: e.At, Region: region, Process: e.Turn.Holder, Number: e.Turn.Number, What: string(e.What), Gap: e.Gap}
		if e.What == turn.Claimed {
			c.Process = e.Turn.Next
		}
		trace.OnLoop(c)
		return
	}
	trace.OnProblem(dr.Problem{At: e.At, Region: region, Op: "keep the turn", Err: e.Err})
	log.WarnContext(ctx, "turn", "what", e.What, "number", e.Turn.Number, "holder", e.Turn.Holder, "err", e.Err)
}
