package failover

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// LeaseProber reads what the Regions report to each other through the lease store, and
// turns it into evidence: whether the writer's lease is alive, whether its Region
// reports at all, and what the witness sees.
type LeaseProber struct {
	region     dr.Region
	policy     dr.Policy
	heartbeats Reports
	watch      *Watch

	// claimed hears that the Region's own monitor claims a writer that was moved here. Nil
	// where the monitor itself asks.
	claimed chan<- struct{}

	origin time.Time // of the instants below
	mu     sync.Mutex
	seen   map[dr.Region]lease.Still[uint64] // the numbers of the Regions' reports
	beat   lease.Still[Beat]                 // the newest of the writer's guard that was read in its database
}

// NewLeaseProber returns a prober for a Region.
func NewLeaseProber(region dr.Region, p dr.Policy, h Reports, w *Watch) *LeaseProber {
	return &LeaseProber{region: region, policy: p.WithDefaults(), heartbeats: h, watch: w, origin: time.Now(), seen: make(map[dr.Region]lease.Still[uint64])}
}

// Probe tells what the lease store knows of the subject. It implements
// health.Prober.
func (b *LeaseProber) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	all, err := b.heartbeats.Reports(ctx)
	now := time.Now()
	if err != nil {
		return append(b.heard(subject, now), b.lease(subject, now))
	}
	var out []health.Observation
	reports := false
	for _, h := range all {
		age := b.note(h, now)
		b.watch.Adopt(h.LeaseRev, h.LeaseUnchanged, now)
		if h.Region == b.region && h.Claims && age <= 2*b.policy.ProbeInterval && b.claimed != nil {
			select {
			case b.claimed <- struct{}{}:
			default:
			}
		}
		if age > 2*b.policy.ProbeInterval || h.Region == b.region {
			continue
		}
		reports = reports || h.Region == subject
		for _, s := range h.Observations {
			if s.Subject != subject || h.Region == subject {
				continue
			}
			out = append(out, health.Observation{
				Subject: subject, Vantage: h.Region, Family: s.Family, Method: s.Method, Answer: s.Answer, Cause: s.Cause,
				At: now.Add(-age - s.Age), RegionAnswers: s.RegionAnswers, OtherInstances: -1,
			})
		}
	}
	held := b.lease(subject, now)
	held.RegionAnswers = reports
	return append(b.heard(subject, now), append([]health.Observation{held}, out...)...)
}

// beaten notes a heartbeat write of the writer's guard that was read in its database.
func (b *LeaseProber) beaten(got Beat, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beat = b.beat.Observe(got, now.Sub(b.origin))
}

// heard tells that the subject's guard has lately committed a heartbeat write, as read in
// its database: its monitor works and its writer serves, also when the lease store is
// silent. A row that stands still says nothing, and no more than the lease's own silence
// is waited for.
func (b *LeaseProber) heard(subject dr.Region, now time.Time) []health.Observation {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.beat.Value.Region != subject || b.beat.Unchanged(now.Sub(b.origin)) >= b.policy.SilentAfter() {
		return nil
	}
	return []health.Observation{{
		Subject: subject, Vantage: b.region, Family: health.Heartbeat, Method: "heartbeat writes of its guard",
		Answer: health.Alive, At: b.origin.Add(b.beat.Since), OtherInstances: -1, MonitorWorks: true, RegionAnswers: true,
	}}
}

// lease tells whether the subject renews its lease.
func (b *LeaseProber) lease(subject dr.Region, now time.Time) health.Observation {
	o := health.Observation{
		Subject: subject, Vantage: health.Store, Family: health.Heartbeat, Method: "lease renewals", At: now, OtherInstances: -1,
	}
	held, known := b.watch.Lease()
	// A renewal without a committed write behind it keeps the lease and proves no service.
	silent := b.watch.Unserved()
	if renewed := b.watch.Unchanged(); known && renewed < b.policy.SilentAfter() && b.watch.Fresh(now, b.policy) && held.Holder == subject {
		o.MonitorWorks = true
	}
	switch {
	case !known || !b.watch.Fresh(now, b.policy):
		o.Cause = "the lease store was not read in time"
	case held.Holder != subject:
		o.Cause = fmt.Sprintf("%s holds the lease", held.Holder)
	case silent >= b.policy.SilentAfter():
		o.Answer, o.DarkFor = health.Dead, silent
		o.Cause = fmt.Sprintf("not renewed for %v", silent.Round(10*time.Millisecond))
		if o.MonitorWorks {
			o.Cause = fmt.Sprintf("renewed without a committed write for %v", silent.Round(10*time.Millisecond))
		}
	case !b.watch.Moved():
		o.Cause = "not watched for long enough to tell"
	default:
		o.Answer = health.Alive
	}
	return o
}

// note returns how long ago a heartbeat's number was first seen.
func (b *LeaseProber) note(h Report, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := now.Sub(b.origin)
	// The first look can't tell how old a report is; the next one will.
	b.seen[h.Region] = b.seen[h.Region].Observe(h.Seq, at)
	return b.seen[h.Region].Unchanged(at)
}

// SelfCheck reports whether the lease store answers this Region. It implements
// health.SelfChecker: who doesn't reach the store may be the one that is cut off.
func (b *LeaseProber) SelfCheck(context.Context) error {
	if _, known := b.watch.Lease(); !known {
		return ErrNoLease
	}
	if now := time.Now(); !b.watch.Fresh(now, b.policy) {
		return fmt.Errorf("failover: %s: the lease store was last read %v ago", b.region, b.watch.ReadAge(now).Round(time.Millisecond))
	}
	return nil
}
