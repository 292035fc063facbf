package failover

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// report publishes this Region's heartbeat twice per probe interval, at once when there is
// news, and for the last time when ctx has ended: then nothing is promised any more.
func (a *agent) report(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval / 2)
	defer tick.Stop()
	seq := uint64(time.Now().UnixMicro()) // so that a restart is news too
	// The first report already offers promises if the store answers: a handover must not cost
	// the other Region's writer a report's interval.
	for n := 0; n < 8 && a.mayPromise(); n++ {
		if _, known := a.watch.Lease(); known || pause(ctx, firstLook) != nil {
			break
		}
	}
	for last := false; ; {
		seq++
		h := Report{Region: a.cfg.Region, Seq: seq}
		a.repeat(&h)
		if l, known := a.watch.Lease(); known {
			h.LeaseRev, h.LeaseUnchanged = l.Rev, a.watch.Unchanged()
		}
		if a.guard != nil {
			a.guard.Report(&h)
		}
		a.promises.state(&h, !last && a.wantPromise(), time.Now())
		h.Troubles = a.lasting.report(time.Now())
		a.mu.Lock()
		h.Claims, h.Followed, h.Owed = a.claims, a.followed, slices.Clone(a.owed)
		a.mu.Unlock()
		h.At = time.Now().UTC()
		base, limit := ctx, a.cfg.Policy.CallTimeout
		if last {
			base, limit = context.WithoutCancel(ctx), lastReport
		}
		call, cancel := context.WithTimeout(base, limit)
		there, err := a.publish(call, h)
		cancel()
		if last {
			return
		}
		if err != nil && ctx.Err() == nil {
			a.problem("publish report", err)
		}
		if there && a.promises.offered() {
			a.clear(ctx)
		}
		if err == nil || ctx.Err() == nil {
			a.tell(err == nil)
		}
		select {
		case <-ctx.Done():
			if last = a.mayPromise(); !last {
				return
			}
		case <-tick.C:
		case <-a.news:
		}
	}
}

// lastReport is how long a report may take that is published when the work has ended: a
// handover must not wait for it.
const lastReport = 300 * time.Millisecond

// nudge has the next report published at once.
func (a *agent) nudge() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// taken has the next report published at once when this Region has taken an epoch: its
// trigger waits for the statement that nothing is promised any more.
func (a *agent) taken() func(Lease) {
	var seen atomic.Uint64 // the watch and the guard tell of leases at the same time
	return func(l Lease) {
		if seen.Swap(uint64(l.Epoch)) == uint64(l.Epoch) {
			return
		}
		if l.Holder == a.cfg.Region && l.Execution != "" && a.mayPromise() {
			a.promises.abstain(a.cfg.Policy.ProbeInterval)
			a.nudge()
		}
	}
}

// abstain ends what the monitor promises, before anything may take the lease.
func (a *agent) abstain() {
	if a.mayPromise() {
		a.promises.abstain(3 * a.cfg.Policy.ProbeInterval)
		a.nudge()
	}
}

// tell traces a report.
func (a *agent) tell(delivered bool) {
	r := dr.Report{At: time.Now(), Region: a.cfg.Region, Delivered: delivered}
	if l, known := a.watch.Lease(); known {
		r.Holder, r.Epoch, r.LeaseAge = l.Holder, l.Epoch, a.watch.Unchanged()+a.watch.ReadAge(r.At)
	}
	a.mu.Lock()
	writer := a.writer
	a.mu.Unlock()
	a.commits.fill(&r, a.guard, writer)
	a.cfg.Trace.OnReport(r)
}

// repeat puts what the Region has seen into its report. An agent that has just taken over
// has seen nothing; until it has, its predecessor's word stands, because a report without
// it would take away what a trigger that starts in this moment goes by: the samples, and
// the lag from before the fault.
func (a *agent) repeat(h *Report) {
	h.Observations, h.Lag = a.observations()
	a.mu.Lock()
	defer a.mu.Unlock()
	h.MonitorDiedFirst = a.latest.MonitorDiedFirst
	if a.former == nil || !a.latest.At.IsZero() {
		return
	}
	h.LeaseRev, h.LeaseUnchanged, h.Lag = a.former.LeaseRev, a.former.LeaseUnchanged, a.former.Lag
	age := max(0, time.Since(a.former.At))
	if age > 3*a.cfg.Policy.ProbeInterval {
		return // the lag has an age of its own; the rest is too old
	}
	h.Observations, h.MonitorDiedFirst = slices.Clone(a.former.Observations), a.former.MonitorDiedFirst
	for i := range h.Observations {
		h.Observations[i].Age += age
	}
}

// observations are this Region's own observations of the writer's Region, and the
// newest lag among them.
func (a *agent) observations() ([]Observation, *health.Lag) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Observation
	for _, o := range a.latest.Observations {
		if o.Vantage != a.cfg.Region {
			continue
		}
		out = append(out, Observation{
			Subject: o.Subject, Family: o.Family, Method: o.Method, Answer: o.Answer, Cause: o.Cause,
			Age: time.Since(o.At), Samples: max(1, a.latest.Samples[o.Family]), RegionAnswers: o.RegionAnswers,
		})
	}
	return out, a.latest.Lag
}
