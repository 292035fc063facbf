package linear_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

type monitorLeaseInput struct {
	op        string
	old, next dynamo.MonitorLease
}

type monitorLeaseOutput struct {
	outcome outcome
	lease   dynamo.MonitorLease
}

// monitorLeases says what one Region's monitor lease may do: a register that is compared and swapped.
var monitorLeases = porcupine.Model{
	Init: func() any { return dynamo.MonitorLease{Region: east} },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(dynamo.MonitorLease), input.(monitorLeaseInput), output.(monitorLeaseOutput)
		switch out.outcome {
		case seen:
			return now == out.lease, now
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
		in, out := input.(monitorLeaseInput), output.(monitorLeaseOutput)
		return fmt.Sprintf("%s %+v -> %+v: %s %+v", in.op, in.old, in.next, out.outcome, out.lease)
	},
}

// useMonitorLease reads and writes the monitor lease of one Region, as its processes do.
func useMonitorLease(p *process) func() {
	known := dynamo.MonitorLease{Region: east}
	step := 0
	return func() {
		step++
		what := p.rnd.IntN(10)
		p.call(func(ctx context.Context, c *call) {
			if what < 5 || p.reads() {
				t, err := p.store.ReadMonitorLease(ctx, east)
				if err == nil {
					p.h.end(p.id, c, monitorLeaseInput{op: "read"}, monitorLeaseOutput{outcome: seen, lease: t})
					known = t
				}
				return
			}
			in := monitorLeaseInput{op: "write", old: known, next: known}
			in.next.Holder, in.next.Next, in.next.Released = fmt.Sprintf("process-%d", p.id), fmt.Sprintf("%d-%d", p.id, step), what == 9
			in.next.Beat++
			if known.Holder != in.next.Holder {
				in.next.Number, in.next.Beat = known.Number+1, 0
			}
			err := p.store.WriteMonitorLease(ctx, in.old, in.next)
			p.h.maybe(c, err, in, monitorLeaseOutput{outcome: maybe})
			unsure := len(c.open) > 0
			switch {
			case err == nil && unsure:
				p.h.end(p.id, c, in, monitorLeaseOutput{outcome: seen, lease: in.next})
			case err == nil:
				p.h.end(p.id, c, in, monitorLeaseOutput{outcome: done})
			case errors.Is(err, dynamo.ErrMonitorLeaseMoved) && unsure:
				p.h.end(p.id, c, in, monitorLeaseOutput{outcome: still})
			case errors.Is(err, dynamo.ErrMonitorLeaseMoved):
				p.h.end(p.id, c, in, monitorLeaseOutput{outcome: moved})
			}
			if err == nil {
				known = in.next
			}
		})
	}
}

func monitorLeaseMark(input any) string { return input.(monitorLeaseInput).next.Next }

func monitorLeaseMarks(input, output any) []string {
	return []string{input.(monitorLeaseInput).old.Next, output.(monitorLeaseOutput).lease.Next}
}
