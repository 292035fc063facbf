package monitor

import (
	"context"
	"errors"
	"log/slog"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
)

// InTurns returns a configuration whose Turn is kept in a store, and whose Alone knows
// how such a turn is lost. A nil log is none.
func (c Config) InTurns(store turn.Store, log *slog.Logger) Config {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	region := c.Agent.Region
	c.Turn = func(ctx context.Context, process string, work func(context.Context) error) error {
		return turn.Run(ctx, turn.Config{
			Region: region, Process: process, Store: store,
			OnEvent: func(e turn.Event) { say(ctx, log, e) },
		}, work)
	}
	c.Alone = func(cause error) bool { return errors.Is(cause, turn.ErrLapsed) }
	return c
}

// say logs an event of the turn: a warning is one that has cost something.
func say(ctx context.Context, log *slog.Logger, e turn.Event) {
	level := slog.LevelInfo
	if e.Err != nil || e.What == turn.Lapsed || e.What == turn.Usurped {
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{slog.String("what", string(e.What)), slog.Uint64("number", e.Turn.Number), slog.String("holder", e.Turn.Holder)}
	if e.What == turn.Taken {
		attrs = append(attrs, slog.Int64("silent_ms", e.Silent.Milliseconds()))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("err", e.Err))
	}
	log.LogAttrs(ctx, level, "turn", attrs...)
}
