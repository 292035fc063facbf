package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// giveBack gives the next epoch to the Region that this execution has taken it from. It
// does so only while the control plane names that Region the writer and nothing is moving,
// and while its monitor reports: the monitor opens the writer, and nothing else does. That
// Region's guard opens for the new epoch only, so nothing that was ordered for this one
// makes a second writer.
func (c *Controller) giveBack(ctx context.Context, x Execution) Event {
	begun := time.Now()
	var seen map[dr.Region]uint64
	return c.attempt(ctx, x, CodeReturnStuck, func(call context.Context) (Event, error) {
		l, err := c.cfg.Leaser.ReadLease(call)
		switch {
		case err != nil:
			return Event{}, err
		case x.gaveBack(l):
			return returned(l), nil // before a crash or a lost reply
		case l.Execution != x.ID || l.Epoch != x.Epoch:
			return Event{Kind: EvSuperseded, Detail: fmt.Sprintf("%s holds epoch %d", l.Holder, l.Epoch)}, nil
		}
		now, err := c.cfg.Promoter.Describe(call)
		switch {
		case err != nil:
			return Event{}, err
		case now.Writer == x.To && now.MovingTo == "":
			return Event{Kind: EvAdopted, Detail: "the control plane names " + x.To.String() + " the writer: it goes on"}, nil
		case now.MovingTo != "":
			return Event{}, fmt.Errorf("the writer is being moved to %s", now.MovingTo)
		case now.Writer != x.From:
			return Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf("the control plane names the writer %s, and not %s", orNone(now.Writer), x.From)}, nil
		}
		all, err := c.cfg.Reports.Reports(call)
		if err != nil {
			return Event{}, err
		}
		news, first := news(all, seen, x.From)
		if seen == nil {
			seen = first
		}
		if !news {
			if time.Since(begun) > 3*c.cfg.Policy.ProbeInterval {
				return Event{Kind: EvStuck, Code: CodeReturnStuck, Detail: fmt.Sprintf("no monitor reports from %s, which would have to open the writer: start it", x.From)}, nil
			}
			return Event{}, again
		}
		taken, err := c.cfg.Leaser.TakeLease(call, l, Claim{Holder: x.From, Execution: x.ID})
		if errors.Is(err, ErrLeaseMoved) {
			return Event{}, again
		}
		if err != nil {
			return Event{}, err
		}
		c.cfg.Watch.Observe(taken, time.Now())
		return returned(taken), nil
	})
}

// tookFor reports whether a lease is the one that the execution has taken, and gaveBack
// whether it is the one that it has given back.
func (x Execution) tookFor(l Lease) bool { return l.Execution == x.ID && l.Epoch == x.Epoch }

func (x Execution) gaveBack(l Lease) bool {
	return l.Execution == x.ID && l.Epoch == x.Epoch+1 && l.Holder == x.From
}

func returned(l Lease) Event {
	return Event{Kind: EvReturned, Epoch: l.Epoch, Detail: fmt.Sprintf("%s has epoch %d", l.Holder, l.Epoch)}
}

// news reports whether a Region has reported since the reports that were seen, and returns
// what is there now.
func news(all []Report, seen map[dr.Region]uint64, r dr.Region) (bool, map[dr.Region]uint64) {
	now := make(map[dr.Region]uint64, len(all))
	for _, h := range all {
		now[h.Region] = h.Seq
	}
	seq, ok := now[r]
	return ok && seen != nil && seen[r] != seq, now
}

// reports looks for a while whether the monitor of a Region reports.
func (c *Controller) reports(ctx context.Context, r dr.Region) bool {
	var seen map[dr.Region]uint64
	for begun := time.Now(); time.Since(begun) < 2*c.cfg.Policy.ProbeInterval; {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		all, err := c.cfg.Reports.Reports(call)
		cancel()
		if err == nil {
			is, now := news(all, seen, r)
			if is {
				return true
			}
			if seen == nil {
				seen = now
			}
		}
		if pause(ctx, c.cfg.Policy.PollInterval) != nil {
			return false
		}
	}
	return false
}
