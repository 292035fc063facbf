package linear_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// outcome is how a call ended.
type outcome string

const (
	done  outcome = "done"
	seen  outcome = "done, as a later look told" // after an attempt without an answer
	none  outcome = "none there"
	moved outcome = "moved"
	still outcome = "moved, as a later look told" // after an attempt without an answer
	maybe outcome = "no answer"
)

type leaseInput struct {
	op    string
	lease failover.Lease // held or seen
	claim failover.Claim
}

// taken is the lease that a claim leads to.
func (in leaseInput) taken() failover.Lease {
	l, c := in.lease, in.claim
	return failover.Lease{Epoch: l.Epoch + 1, Holder: c.Holder, Rev: l.Rev + 1, Execution: c.Execution, TakenRev: l.Rev + 1, TakenAfter: c.After}
}

// released reports whether a lease is what a release leads to.
func (in leaseInput) released(l failover.Lease) bool {
	return in.op == "release" && l.Released && l.Epoch == in.lease.Epoch && l.Holder == in.lease.Holder && l.Rev == in.lease.Rev+1
}

type leaseOutput struct {
	outcome outcome
	lease   failover.Lease
}

// leases says what one lease may do. The zero Lease is one that no Region has ever taken.
var leases = porcupine.Model{
	Init: func() any { return failover.Lease{} },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(failover.Lease), input.(leaseInput), output.(leaseOutput)
		next, fits := now, false
		switch in.op {
		case "renew":
			fits = now.Epoch == in.lease.Epoch && now.Holder == in.lease.Holder && now.Epoch > 0 && !now.Released
			next.Rev++
			if !in.lease.Blind {
				next.Served = next.Rev
			}
		case "take":
			fits = now.Epoch == in.lease.Epoch && now.Holder == in.lease.Holder && now.Rev == in.lease.Rev
			next = in.taken()
		case "release":
			fits = now.Epoch == in.lease.Epoch && now.Holder == in.lease.Holder && now.Rev == in.lease.Rev && now.Epoch > 0 && !now.Released
			next.Rev, next.Released = now.Rev+1, true
			if in.released(now) { // by another call like this one: it is the same release
				fits, next = true, now
			}
		}
		switch out.outcome {
		case none:
			return now == failover.Lease{}, now
		case seen: // also what a read saw
			return now == out.lease && now.Epoch > 0, now
		case done:
			return fits && next == out.lease, next
		case moved:
			return !fits, now
		case still:
			mine := in.op == "take" && now.Epoch == next.Epoch && now.Holder == next.Holder && now.Execution == next.Execution
			return !fits && !mine, now
		}
		if fits {
			return true, next
		}
		return true, now
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(leaseInput), output.(leaseOutput)
		return fmt.Sprintf("%s %+v %s: %s %+v", in.op, in.lease, in.claim.Execution, out.outcome, out.lease)
	},
}

// useLease reads, renews and takes the one lease.
func useLease(p *process) func() {
	var known failover.Lease
	step := 0
	record := func(c *call, in leaseInput, l failover.Lease, err error) {
		p.h.maybe(c, err, in, leaseOutput{outcome: maybe})
		unsure := len(c.open) > 0
		switch {
		case err == nil && unsure && in.op != "renew":
			p.h.end(p.id, c, in, leaseOutput{outcome: seen, lease: l})
		case err == nil:
			p.h.end(p.id, c, in, leaseOutput{outcome: done, lease: l})
		case errors.Is(err, failover.ErrLeaseMoved) && unsure:
			p.h.end(p.id, c, in, leaseOutput{outcome: still})
		case errors.Is(err, failover.ErrLeaseMoved):
			p.h.end(p.id, c, in, leaseOutput{outcome: moved})
		}
		if err == nil {
			known = l
		}
	}
	return func() {
		step++
		what := p.rnd.IntN(10)
		p.call(func(ctx context.Context, c *call) {
			switch {
			case what < 4 || p.reads():
				in := leaseInput{op: "read"}
				l, err := p.store.ReadLease(ctx)
				switch {
				case err == nil:
					p.h.end(p.id, c, in, leaseOutput{outcome: seen, lease: l})
					known = l
				case errors.Is(err, failover.ErrNoLease):
					p.h.end(p.id, c, in, leaseOutput{outcome: none})
				}
			case what < 5 && known.Epoch > 0:
				in := leaseInput{op: "release", lease: known}
				l, err := p.store.ReleaseLease(ctx, known)
				record(c, in, l, err)
				if err == nil {
					p.tally.add("released")
				}
			case what < 7 && known.Epoch > 0:
				in := leaseInput{op: "renew", lease: known}
				l, err := p.store.RenewLease(ctx, known)
				record(c, in, l, err)
			default:
				in := leaseInput{op: "take", lease: known, claim: failover.Claim{Holder: p.region, Execution: fmt.Sprintf("%d-%d", p.id, step)}}
				l, err := p.store.TakeLease(ctx, known, in.claim)
				record(c, in, l, err)
			}
		})
	}
}

func leaseMark(input any) string { return input.(leaseInput).claim.Execution }

func leaseMarks(input, output any) []string {
	return []string{input.(leaseInput).lease.Execution, output.(leaseOutput).lease.Execution}
}
