package failover

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Board reads what the Regions report to each other through the lease store, and
// turns it into evidence: whether the writer's lease is alive, whether its Region
// reports at all, and what the witness sees.
type Board struct {
	region     dr.Region
	policy     dr.Policy
	heartbeats Heartbeats
	watch      *Watch

	mu   sync.Mutex
	seen map[dr.Region]sighted
}

type sighted struct {
	seq uint64
	at  time.Time // when this number was first seen
}

// NewBoard returns a board for a Region.
func NewBoard(region dr.Region, p dr.Policy, h Heartbeats, w *Watch) *Board {
	return &Board{region: region, policy: p.WithDefaults(), heartbeats: h, watch: w, seen: make(map[dr.Region]sighted)}
}

// Probe tells what the lease store knows of the subject. It implements
// health.Prober.
func (b *Board) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	all, err := b.heartbeats.Heartbeats(ctx)
	now := time.Now()
	if err != nil {
		return []health.Observation{b.lease(subject, now)}
	}
	var out []health.Observation
	reports := false
	for _, h := range all {
		age := b.note(h, now)
		b.watch.Adopt(h.LeaseRev, h.LeaseUnchanged, now)
		if age > 2*b.policy.ProbeInterval || h.Region == b.region {
			continue
		}
		reports = reports || h.Region == subject
		for _, s := range h.Sightings {
			if s.Subject != subject || h.Region == subject {
				continue
			}
			out = append(out, health.Observation{
				Subject: subject, Vantage: h.Region, Family: s.Family, Method: s.Method, Answer: s.Answer, Cause: s.Cause,
				At: now.Add(-age - s.Age), RegionAnswers: s.RegionAnswers, OtherInstances: -1,
			})
		}
	}
	lease := b.lease(subject, now)
	lease.RegionAnswers = reports
	return append([]health.Observation{lease}, out...)
}

// lease tells whether the subject renews its lease.
func (b *Board) lease(subject dr.Region, now time.Time) health.Observation {
	o := health.Observation{
		Subject: subject, Vantage: health.Store, Family: health.Heartbeat, Method: "lease renewals", At: now, OtherInstances: -1,
	}
	held, known := b.watch.Lease()
	silent := b.watch.Unchanged()
	switch {
	case !known || !b.watch.Fresh(now, b.policy):
		o.Cause = "the lease store was not read in time"
	case held.Holder != subject:
		o.Cause = fmt.Sprintf("%s holds the lease", held.Holder)
	case silent >= b.policy.SilentAfter():
		o.Answer, o.DarkFor = health.Dead, silent
		o.Cause = fmt.Sprintf("not renewed for %v", silent.Round(10*time.Millisecond))
	case !b.watch.Moved():
		o.Cause = "not watched for long enough to tell"
	default:
		o.Answer = health.Alive
	}
	return o
}

// note returns how long ago a heartbeat's number was first seen.
func (b *Board) note(h Heartbeat, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.seen[h.Region]
	if !ok || s.seq != h.Seq {
		// The first look can't tell how old a report is; the next one will.
		s = sighted{h.Seq, now}
		b.seen[h.Region] = s
	}
	return now.Sub(s.at)
}

// SelfCheck reports whether the lease store answers this Region. It implements
// health.SelfChecker: who doesn't reach the store may be the one that is cut off.
func (b *Board) SelfCheck(context.Context) error {
	if _, known := b.watch.Lease(); !known {
		return ErrNoLease
	}
	if now := time.Now(); !b.watch.Fresh(now, b.policy) {
		return fmt.Errorf("failover: %s: the lease store was last read %v ago", b.region, b.watch.ReadAge(now).Round(time.Millisecond))
	}
	return nil
}
