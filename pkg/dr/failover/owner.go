package failover

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// own sees to it that the lease follows Aurora when other hands than Lifeboat's have moved
// the writer: a person at the console, a managed upgrade, another tool.
//
//	the Region to which it was moved     its server says that it is the writer, and its control plane agrees:
//	                                     it says so in its report, and has its trigger adopt the writer
//	the Region that holds the lease      its server says that it is a secondary, or its control plane confirms
//	                                     what the other one's report claims: its guard closes the server and
//	                                     gives the lease back
//
// Neither believes one witness alone. While the two disagree with the control plane, both
// stay as they are.
func (a *agent) own(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval / 2)
	defer tick.Stop()
	for look := 0; next(ctx, tick); look++ {
		l, known := a.watch.Lease()
		if known && a.guard.role() == guard.Secondary {
			a.mu.Lock()
			a.followed = max(a.followed, l.Epoch)
			a.mu.Unlock()
		}
		switch {
		case !known:
			a.writes(ctx)
		case l.Holder == a.cfg.Region && !l.Released:
			a.claim(false)
			a.track(ctx, l, look)
			if look%2 == 0 {
				a.listen(ctx)
			}
		case l.Holder == a.cfg.Region && a.guard.role() == guard.Writer:
			a.retake(ctx, l)
		case a.guard.role() == guard.Writer:
			a.away = away{}
			a.claimOnce(ctx, l)
		default:
			a.claim(false)
			a.track(ctx, l, look)
		}
	}
}

// claimOnce asks the control plane whether the writer is here. A server that was the
// writer of an earlier epoch and never followed the present one was not told of its
// successor, and neither may its control plane have been: that is no move, unless the Region
// that holds the lease has given it back, because its own server is not the writer either.
func (a *agent) claimOnce(ctx context.Context, l Lease) {
	a.mu.Lock()
	followed := a.followed == l.Epoch
	a.mu.Unlock()
	if !followed && !l.Released {
		a.claim(false)
		return
	}
	writer, err := a.named(ctx)
	if err != nil && ctx.Err() == nil {
		a.problem("ask where the writer is", err)
	}
	here := writer == a.cfg.Region
	if a.claim(here); here {
		a.promises.abstain(a.cfg.Policy.LeaseTTL)
		a.nudge()
		a.adopt(ctx)
	}
}

// named asks the Region's control plane where the writer is.
func (a *agent) named(ctx context.Context) (dr.Region, error) {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	return writerBy(call, a.cfg.Guard.Plane)
}

// writerBy is the Region that a control plane names the writer's. While the writer is being
// moved it names none.
func writerBy(ctx context.Context, p Plane) (dr.Region, error) {
	c, err := p.Describe(ctx)
	if err != nil || c.MovingTo != "" {
		return "", err
	}
	return c.Writer, nil
}

// placed tells whether a control plane names a Region the writer's or another one.
func placed(ctx context.Context, p Plane, r dr.Region) (here, moved bool, err error) {
	writer, err := writerBy(ctx, p)
	return writer == r, writer != "" && writer != r, err
}

// retake takes the next epoch for a Region that has given its lease back, when its server
// and its control plane both name it the writer's after all and no other Region has taken
// it: it was moved back before that, or a reader beside the writer had answered. People are
// told, because no execution tells them.
func (a *agent) retake(ctx context.Context, l Lease) {
	writer, err := a.named(ctx)
	if err != nil {
		return
	}
	if writer != a.cfg.Region {
		a.away.left(writer, time.Now())
		return
	}
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	taken, err := a.cfg.Leaser.TakeLease(call, l, Claim{Holder: a.cfg.Region})
	switch {
	case err == nil:
		a.watch.Observe(taken, time.Now())
		a.owe(a.away.back(a.cfg.Topology, a.cfg.Region, taken, true, time.Now()))
		a.away = away{}
	case ctx.Err() == nil && !errors.Is(err, ErrLeaseMoved):
		a.problem("take the lease back", err)
	}
}

func (a *agent) claim(is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.claims = is
}

// adopt has the writer adopted that was moved here.
func (a *agent) adopt(ctx context.Context) {
	if a.cfg.Trigger != nil {
		a.ask(ctx, "the writer was moved to "+a.cfg.Region.String()+" by other hands: adopt it")
		return
	}
	select {
	case a.adopts <- struct{}{}:
	default:
	}
}

// listen takes in what the other Regions report of this Region's writer.
func (a *agent) listen(ctx context.Context) {
	all, err := a.heartbeats(ctx)
	if err != nil {
		return // the reader of the lease reports that the store doesn't answer
	}
	now := time.Now()
	rival, seen := false, guard.OthersUnknown
	for _, h := range all {
		age := a.leases.note(h, now)
		if h.Region == a.cfg.Region || age > 2*a.cfg.Policy.ProbeInterval {
			continue
		}
		rival = rival || h.Claims && slices.Contains(a.cfg.Topology.Members, h.Region)
		seen = max2(seen, sees(h, a.cfg.Region, 2*a.cfg.Policy.ProbeInterval-age))
	}
	a.guard.learn(guard.Input{Kind: guard.OthersReport, Others: seen})
	if !rival {
		return
	}
	writer, err := a.named(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.problem("ask where the writer is", err)
		}
		return
	}
	here, moved := writer == a.cfg.Region, writer != "" && writer != a.cfg.Region
	if moved {
		a.away.left(writer, time.Now())
	}
	a.guard.learn(guard.Input{Kind: guard.WriterMoved, Here: here, Moved: moved})
}

// max2 lets one proof of life outweigh any number of silences.
func max2(a, b guard.Others) guard.Others {
	if a == guard.OthersAlive || b == guard.OthersUnknown {
		return a
	}
	return b
}

// sees is what a report says of the writes of a Region, if that is young enough.
func sees(h Report, of dr.Region, young time.Duration) guard.Others {
	seen := guard.OthersUnknown
	for _, s := range h.Observations {
		if s.Subject != of || s.Family != health.SQL || s.Age > young {
			continue
		}
		switch s.Answer {
		case health.Alive:
			return guard.OthersAlive
		case health.Dead:
			seen = guard.OthersDead
		}
	}
	return seen
}
