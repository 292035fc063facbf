package failover

import (
	"context"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// recall hands the monitor what its predecessor had seen, if that is fresh: a
// crash in the middle of a detection must not begin it anew.
func (a *agent) recall(ctx context.Context) {
	all, err := a.heartbeats(ctx)
	if a.cfg.Silent && err == nil {
		all, err = a.newer(ctx, all)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.problem("read the predecessor's report", err)
		}
		return
	}
	for _, h := range all {
		a.watch.Adopt(h.LeaseRev, h.LeaseUnchanged, time.Now())
		if h.Region == a.cfg.Region {
			if a.guard != nil {
				a.guard.recall(h, time.Now())
			}
			a.promises.adopt(h, time.Now())
			a.mu.Lock()
			a.followed = max(a.followed, h.Followed)
			a.mu.Unlock()
			if !a.cfg.Silent {
				a.lasting.adopt(h.Troubles, time.Now())
				a.mu.Lock()
				a.owed = append(slices.Clone(h.Owed), a.owed...)
				a.mu.Unlock()
			}
			a.monitor.Recall(predecessor(a.cfg.Policy, h, time.Now()))
			a.mu.Lock()
			a.former = &h
			a.mu.Unlock()
		}
	}
}

// newer waits for the next heartbeat of this Region's other process, for as long as
// one is due. The last one may be from before the sample that it asked because of, and
// a sample that is not recalled costs a probe interval.
func (a *agent) newer(ctx context.Context, all []Report) ([]Report, error) {
	own := func(all []Report) (seq uint64) {
		for _, h := range all {
			if h.Region == a.cfg.Region {
				seq = h.Seq
			}
		}
		return seq
	}
	tick := time.NewTicker(a.cfg.Policy.PollInterval)
	defer tick.Stop()
	for begun, first := time.Now(), own(all); time.Since(begun) < a.cfg.Policy.ProbeInterval*3/4 && next(ctx, tick); {
		now, err := a.heartbeats(ctx)
		if err != nil || own(now) != first {
			return now, err
		}
		all = now
	}
	return all, nil
}

func (a *agent) heartbeats(ctx context.Context) ([]Report, error) {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	return a.cfg.Reports.Reports(call)
}

// predecessor turns a Region's last heartbeat back into the samples it stood for.
func predecessor(p dr.Policy, h Report, now time.Time) health.Window {
	w := health.Window{Vantage: h.Region}
	if len(h.Observations) == 0 {
		return w
	}
	w.Subject = h.Observations[0].Subject
	if h.Lag != nil {
		// A lag that was seen proves that the writer committed then, also when the lease
		// had been renewed for the last time a moment before.
		w.Rounds = append(w.Rounds, health.Round{At: h.Lag.At, Observations: []health.Observation{{
			Subject: w.Subject, Vantage: h.Region, Family: health.Replication, Method: "predecessor", Answer: health.Alive,
			At: h.Lag.At, OtherInstances: -1, Lag: h.Lag,
		}}})
	}
	if now.Sub(h.At) > 3*p.ProbeInterval {
		return w // the lag has an age of its own; the rest is too old
	}
	most := 0
	for _, s := range h.Observations {
		most = max(most, s.Samples)
	}
	for ago := min(most, p.Confirm); ago >= 1; ago-- {
		r := health.Round{At: now.Add(-time.Duration(ago) * p.ProbeInterval), SelfCheck: health.Alive}
		if h.Lag != nil && r.At.Before(h.Lag.At) {
			// Samples lie closer together where one process takes over from another. The
			// lag is from before the writer stopped, and must not be dated after it.
			r.At = h.Lag.At
		}
		for _, s := range h.Observations {
			if s.Samples >= ago && s.Subject == w.Subject {
				r.Observations = append(r.Observations, health.Observation{
					Subject: s.Subject, Vantage: h.Region, Family: s.Family, Method: s.Method, Answer: s.Answer, Cause: s.Cause,
					At: r.At, RegionAnswers: s.RegionAnswers, OtherInstances: -1,
				})
			}
		}
		w.Rounds = append(w.Rounds, r)
	}
	if h.MonitorDiedFirst && len(w.Rounds) > 0 {
		at := w.Rounds[0].At
		say := func(f health.Family, a health.Answer) health.Observation {
			return health.Observation{Subject: w.Subject, Vantage: h.Region, Family: f, Method: "predecessor", Answer: a, At: at, OtherInstances: -1}
		}
		w.Rounds = slices.Insert(w.Rounds, 0, health.Round{At: at, SelfCheck: health.Alive, Observations: []health.Observation{
			say(health.Heartbeat, health.Dead), say(health.SQL, health.Alive),
		}})
	}
	return w
}
