package failover

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// proveFence waits for the old writer's Region to acknowledge its fence, or for
// its lease to run out on this Region's clock.
func (c *Controller) proveFence(ctx context.Context, x Execution) Event {
	if x.Released {
		return Event{Kind: EvFenceProven, Proof: ProofDemoted, Detail: fmt.Sprintf("%s had released the lease: its database is a secondary", x.From)}
	}
	begun, looked := time.Now(), time.Now()
	needed := c.cfg.Policy.LeaseTTL + c.cfg.Policy.LeaseDrift - x.Unchanged
	var said stated
	for {
		if e, over := c.superseded(x); over {
			return e
		}
		h, ok := c.reportOf(ctx, x.From)
		switch {
		case ok && x.TakenRev > 0 && h.FencedEpoch+1 == x.Epoch && h.FencedRev+1 == x.TakenRev:
			return Event{Kind: EvFenceProven, Proof: ProofAcknowledged, Detail: fmt.Sprintf("%s confirmed that its writer is read-only", x.From)}
		case ok && h.FenceFailed+1 == x.Epoch:
			return Event{Kind: EvStuck, Code: CodeFenceFailed, Detail: fmt.Sprintf("%s could neither fence nor cut off its writer: stop it by hand", x.From)}
		}
		left := needed - time.Since(begun)
		if c.cfg.Promises {
			own, ok := c.reportOf(ctx, c.cfg.Region)
			if ok {
				said.hear(own, time.Now())
			}
			promised, known := said.left(c.cfg.Policy.LeaseTTL+c.cfg.Policy.LeaseDrift, time.Now())
			if !known { // the monitor has not said yet that it abstains
				promised = c.cfg.Policy.PollInterval
				unsaid := time.Since(begun) - max(0, needed)
				if ok && own.Abstains && unsaid > 2*c.cfg.Policy.ProbeInterval || unsaid > unsaidLimit {
					return Event{Kind: EvStuck, Code: CodeNoFenceProof, Detail: fmt.Sprintf("a process of %s's monitor that was lost without its last report may still keep the writer of %s open: make sure that the old writer is stopped", c.cfg.Region, x.From)}
				}
			}
			left = max(left, promised)
		}
		if left <= 0 {
			return Event{Kind: EvFenceProven, Proof: ProofExpired, Detail: fmt.Sprintf("%v and %v drift since the last renewal", c.cfg.Policy.LeaseTTL, c.cfg.Policy.LeaseDrift)}
		}
		if time.Since(looked) >= requestEvery {
			looked = time.Now()
			if e, joined := c.joined(ctx, x); joined {
				return e
			}
		}
		if pause(ctx, min(left, c.cfg.Policy.PollInterval)) != nil {
			return Event{}
		}
	}
}

func (c *Controller) reportOf(ctx context.Context, r dr.Region) (Report, bool) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	defer cancel()
	all, err := c.cfg.Reports.Reports(call)
	if err != nil {
		if ctx.Err() == nil {
			c.problem("read reports", err)
		}
		return Report{}, false
	}
	for _, h := range all {
		if h.Region == r {
			return h, true
		}
	}
	return Report{}, false
}
