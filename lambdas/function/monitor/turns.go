package monitor

import (
	"context"
	"errors"
	"log/slog"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// InTurns returns a configuration whose Turn is kept in a store, and whose Alone knows
// how such a turn is lost. The agent's trace hears of every handover and of every failure,
// the log of failures. A nil log is none.
func (c Config) InTurns(store turn.Store, log *slog.Logger) Config {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	region, trace := c.Agent.Region, c.Agent.Trace
	c.Turn = func(ctx context.Context, process string, work func(context.Context) error) error {
		return turn.Run(ctx, turn.Config{
			Region: region, Process: process, Store: store,
			OnEvent: func(e turn.Event) { tell(ctx, trace, log, region, e) },
		}, work)
	}
	c.Alone = func(cause error) bool { return errors.Is(cause, turn.ErrLapsed) }
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
