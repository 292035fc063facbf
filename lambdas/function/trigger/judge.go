package trigger

import (
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// counted are the reports that count: those of the topology's Regions, as for the agents.
func counted(all []failover.Report, t dr.Topology) []failover.Report {
	out := make([]failover.Report, 0, len(all)) // also when none is left: they were read
	for _, r := range all {
		if slices.Contains(t.Vantages(), r.Region) {
			out = append(out, r)
		}
	}
	return out
}

// known is what decides, beside the verdict, whether a failover begins.
func (h *Handler) known(k *known, now time.Time) failover.Known {
	out := failover.Known{Recent: k.recent}
	silent, unserved := h.silence(k)
	out.Blind = failover.Blind(h.cfg.Agent.Policy, silent, unserved)
	if k.entry != nil {
		x := k.entry.Execution
		if x.Pause.Active(now) {
			out.Pause = x.Pause
		}
		if !x.State.Ended() && x.State != failover.Steady {
			out.Open = &x
		}
	}
	if k.ready != nil && k.lease.Holder != h.cfg.Agent.Region { // this Region would take over
		_, out.NotReady = k.ready.Ready()
	}
	return out
}

// silence is how long the lease has not been renewed, by the monitors' reports, and for how
// long no renewal has had a committed write behind it: about, because a status has watched
// none of those renewals and can only count them.
func (h *Handler) silence(k *known) (silent, unserved time.Duration) {
	for _, r := range k.reports {
		if r.LeaseRev == k.lease.Rev {
			silent = max(silent, r.LeaseUnchanged)
		}
	}
	const most = 1 << 20 // renewals: a record that says more must not overflow
	since := max(k.lease.Served, k.lease.TakenRev)
	blind := min(most, k.lease.Rev-min(since, k.lease.Rev))
	return silent, silent + time.Duration(blind)*h.cfg.Agent.Policy.RenewInterval
}

// fresh reports whether a monitor has reported between the two looks.
func (k *known) fresh(r failover.Report) bool {
	before, was := k.first[r.Region]
	return !was || before != r.Seq
}

// diedFirst reports whether a Region's monitor has seen that the writer's monitor had died
// before the writer stopped serving.
func (k *known) diedFirst(vantage, subject dr.Region) bool {
	return slices.ContainsFunc(k.reports, func(r failover.Report) bool {
		return r.Region == vantage && r.MonitorDiedFirst && k.fresh(r) &&
			slices.ContainsFunc(r.Observations, func(o failover.Observation) bool { return o.Subject == subject })
	})
}

// verdict judges what the monitors report of the lease's holder, as the other member's
// trigger would. Nothing is asked for it: a probe of the database is a write.
func (h *Handler) verdict(k *known, now time.Time) health.Verdict {
	p, subject := h.cfg.Agent.Policy, k.lease.Holder
	w := health.Window{Subject: subject, Vantage: h.cfg.Agent.Region}
	if w.Vantage == subject { // a Region is no vantage for itself
		w.Vantage = h.cfg.Agent.Topology.Peer(subject)
	}
	silent, unserved := h.silence(k)
	lease := health.Observation{Subject: subject, Vantage: health.Store, Family: health.Heartbeat, Method: "lease renewals, as reported", OtherInstances: -1, Answer: health.Alive, MonitorWorks: silent < p.SilentAfter()}
	if unserved >= p.SilentAfter() {
		lease.Answer, lease.DarkFor = health.Dead, unserved
		lease.Cause = fmt.Sprintf("not renewed for %v", silent.Round(10*time.Millisecond))
		if lease.MonitorWorks {
			lease.Cause = fmt.Sprintf("renewed without a committed write for about %v", unserved.Round(10*time.Millisecond))
		}
	}
	if lease.Answer == health.Alive && !slices.ContainsFunc(k.reports, k.fresh) {
		lease.Answer, lease.Cause = health.Unknown, "no monitor reports"
	}
	for ago := p.Confirm; ago >= 1; ago-- {
		r := health.Round{At: now.Add(-time.Duration(ago-1) * p.ProbeInterval), SelfCheck: health.Alive}
		lease.At = r.At
		r.Observations = append(r.Observations, lease)
		for _, report := range k.reports {
			if !k.fresh(report) || report.Region == subject {
				continue
			}
			for _, s := range report.Observations {
				if s.Subject == subject && (s.Samples >= ago || ago == 1) {
					r.Observations = append(r.Observations, health.Observation{
						Subject: s.Subject, Vantage: report.Region, Family: s.Family, Method: s.Method, Answer: s.Answer, Cause: s.Cause,
						At: r.At.Add(-s.Age), RegionAnswers: s.RegionAnswers, OtherInstances: -1, Lag: report.Lag,
					})
				}
			}
		}
		w.Rounds = append(w.Rounds, r)
	}
	v := health.Evaluate(p, w, now)
	v.MonitorDiedFirst = v.MonitorDiedFirst || lease.Answer == health.Dead && k.diedFirst(w.Vantage, subject)
	return v
}
