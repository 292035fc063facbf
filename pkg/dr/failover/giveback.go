package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// giveBack gives the next epoch to the Region that this execution has taken it from. It
// does so only while the control plane names that Region the writer and nothing is moving,
// and while its monitor reports, and says that its server answers: the monitor opens the
// writer, and nothing else does. A person may give it back to a server that does not answer:
// the next failover is then from there. That Region's guard opens for the new epoch only, so nothing that was ordered for this one
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
		if err != nil {
			return Event{}, err
		}
		if e, stop, err := c.back(x, now); stop || err != nil {
			return e, err
		}
		all, err := c.cfg.Reports.Reports(call)
		if err != nil {
			return Event{}, err
		}
		news, first := news(all, seen, x.From)
		closed := x.unopenable(all)
		if seen == nil {
			seen = first
		}
		if !news {
			if time.Since(begun) > 3*c.cfg.Policy.ProbeInterval {
				return Event{Kind: EvStuck, Code: CodeReturnStuck, Detail: fmt.Sprintf("no monitor reports from %s, which would have to open the writer: start it", x.From)}, nil
			}
			return Event{}, again
		}
		if closed != "" && x.State == Returning && !(x.Ack != nil && slices.Contains(x.Accepted.Codes, CodeReturnStuck)) {
			if time.Since(begun) > 3*c.cfg.Policy.ProbeInterval {
				return Event{Kind: EvStuck, Code: CodeReturnStuck, Detail: closed}, nil
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

// back says what the control plane's description means for the way back: nothing, an event, or
// an error while the writer is being moved.
func (c *Controller) back(x Execution, now Cluster) (e Event, stop bool, err error) {
	switch {
	case now.Writer == x.To && now.MovingTo == "":
		return Event{Kind: EvAdopted, Detail: "the control plane names " + x.To.String() + " the writer: it goes on"}, true, nil
	case now.MovingTo != "":
		return Event{}, false, fmt.Errorf("the writer is being moved to %s", now.MovingTo)
	case now.Writer != x.From:
		return Event{Kind: EvStuck, Code: CodeWriterUnknown, Detail: fmt.Sprintf("the control plane names the writer %s, and not %s", orNone(now.Writer), x.From)}, true, nil
	}
	return Event{}, false, nil
}

// unopenable says why the old Region's monitor could not open its server, by the Region's own
// report. A report that says nothing of the server is of an older version, or of a monitor that
// has just started: then an acknowledged fence stands for an answer.
func (x Execution) unopenable(all []Report) string {
	for _, h := range all {
		if h.Region == x.From && (h.Server == health.Alive || h.Server == health.Unknown && h.FencedEpoch+1 == x.Epoch) {
			return ""
		}
	}
	return fmt.Sprintf("the server of %s has not answered its monitor as a writer lately, so it would not be opened: look after it", x.From)
}

// backNow reports whether an open question about the way back has passed, and with which event
// the execution goes on.
func (c *Controller) backNow(ctx context.Context, x Execution) (Event, bool) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	now, err := c.cfg.Promoter.Describe(call)
	cancel()
	if err != nil {
		return Event{}, false
	}
	e, stop, err := c.back(x, now)
	if stop || err != nil {
		return e, e.Kind == EvAdopted
	}
	return Event{Kind: EvReady, Detail: "it is tried again"}, c.reports(ctx, x)
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

// reports looks for a while whether the monitor of the old Region reports, and says that its
// server could be opened.
func (c *Controller) reports(ctx context.Context, x Execution) bool {
	var seen map[dr.Region]uint64
	for begun := time.Now(); time.Since(begun) < 2*c.cfg.Policy.ProbeInterval; {
		call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
		all, err := c.cfg.Reports.Reports(call)
		cancel()
		if err == nil {
			is, now := news(all, seen, x.From)
			if is && x.unopenable(all) == "" {
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
