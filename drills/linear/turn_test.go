package linear_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

type turnInput struct {
	op        string
	old, next dynamo.Turn
}

type turnOutput struct {
	outcome outcome
	turn    dynamo.Turn
}

// turns says what one Region's turn may do: a register that is compared and swapped.
var turns = porcupine.Model{
	Init: func() any { return dynamo.Turn{Region: east} },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(dynamo.Turn), input.(turnInput), output.(turnOutput)
		switch out.outcome {
		case seen:
			return now == out.turn, now
		case done:
			return now == in.old, in.next
		case moved:
			return now != in.old, now
		case still:
			return now != in.old && now != in.next, now
		}
		if now == in.old {
			return true, in.next
		}
		return true, now
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(turnInput), output.(turnOutput)
		return fmt.Sprintf("%s %+v -> %+v: %s %+v", in.op, in.old, in.next, out.outcome, out.turn)
	},
}

// useTurn reads and writes the turn of one Region, as its processes do.
func useTurn(p *process) func() {
	known := dynamo.Turn{Region: east}
	step := 0
	return func() {
		step++
		what := p.rnd.IntN(10)
		p.call(func(ctx context.Context, c *call) {
			if what < 5 || p.reads() {
				t, err := p.store.ReadTurn(ctx, east)
				if err == nil {
					p.h.end(p.id, c, turnInput{op: "read"}, turnOutput{outcome: seen, turn: t})
					known = t
				}
				return
			}
			in := turnInput{op: "write", old: known, next: known}
			in.next.Holder, in.next.Next, in.next.Released = fmt.Sprintf("process-%d", p.id), fmt.Sprintf("%d-%d", p.id, step), what == 9
			in.next.Beat++
			if known.Holder != in.next.Holder {
				in.next.Number, in.next.Beat = known.Number+1, 0
			}
			err := p.store.WriteTurn(ctx, in.old, in.next)
			p.h.maybe(c, in, turnOutput{outcome: maybe})
			unsure := len(c.open) > 0
			switch {
			case err == nil && unsure:
				p.h.end(p.id, c, in, turnOutput{outcome: seen, turn: in.next})
			case err == nil:
				p.h.end(p.id, c, in, turnOutput{outcome: done})
			case errors.Is(err, dynamo.ErrTurnMoved) && unsure:
				p.h.end(p.id, c, in, turnOutput{outcome: still})
			case errors.Is(err, dynamo.ErrTurnMoved):
				p.h.end(p.id, c, in, turnOutput{outcome: moved})
			}
			if err == nil {
				known = in.next
			}
		})
	}
}

func turnMark(input any) string { return input.(turnInput).next.Next }

func turnMarks(input, output any) []string {
	return []string{input.(turnInput).old.Next, output.(turnOutput).turn.Next}
}
