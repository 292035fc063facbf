package aurora

import (
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Event is an RDS event, or the report of one that a drill can read.
type Event struct {
	At      time.Time
	Region  dr.Region // where AWS would record it
	ID      string    // such as RDS-EVENT-0238
	Source  string    // the cluster or instance
	Message string
}

// Operation is the life of one failover or switchover.
type Operation struct {
	Kind       string // failover or switchover
	From, To   dr.Region
	AcceptedAt time.Time
	Drawn      time.Duration // promotion time taken from the distribution
	FencedAt   time.Time     // zero when the old primary was not fenced
	PromotedAt time.Time     // zero until the new writer accepts writes
	DoneAt     time.Time     // zero while it runs
	Err        error         // why it failed
}

// note records an event. The caller holds the lock.
func (s *Service) note(at time.Time, r dr.Region, source, id, message string) {
	s.events = append(s.events, Event{At: at, Region: r, ID: id, Source: source, Message: message})
}

func (s *Service) noteNow(m Member, id, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(time.Now(), m.Region, m.Cluster, id, message)
}

// Events returns what has happened so far, in order of time.
func (s *Service) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	out := slices.DeleteFunc(slices.Clone(s.events), func(e Event) bool { return e.At.After(now) })
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out
}

// Operations returns copies of every accepted operation, oldest first.
func (s *Service) Operations() []Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Operation, len(s.ops))
	for i, op := range s.ops {
		out[i] = *op
	}
	return out
}

// Writer returns the Region whose member is the writer, whatever any Region's
// API shows.
func (s *Service) Writer() dr.Region {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Members[s.truth.writer].Region
}
