package aurora

import (
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Strings of the API. GlobalCluster.Status values were seen in AWS sample code,
// SynchronizationStatus and FailoverState.Status are documented.
const (
	available     = "available"
	failingOver   = "failing-over"
	switchingOver = "switching-over"
	pending       = "pending"
	connected     = "connected"
	pendingResync = "pending-resync"
	promoting     = "promoting"
	rebooting     = "rebooting"
	modifying     = "modifying"
)

// state is one version of what the API shows. A published state never changes:
// that makes a stale answer as cheap as a fresh one.
type state struct {
	version  int
	at       time.Time
	status   string
	failover *failoverState
	writer   int
	members  []memberState
}

type failoverState struct {
	status   string
	from, to int
	dataLoss bool
}

type memberState struct {
	status    string
	sync      string
	instances []string // statuses, in the order of Member.Instances
	headless  bool     // they are gone
}

func newState(members []Member, now time.Time) *state {
	st := &state{at: now, status: available}
	for _, m := range members {
		ms := memberState{status: available, sync: connected}
		for range m.Instances {
			ms.instances = append(ms.instances, available)
		}
		st.members = append(st.members, ms)
	}
	return st
}

func (st *state) clone() *state {
	c := *st
	c.members = slices.Clone(st.members)
	for i := range c.members {
		c.members[i].instances = slices.Clone(c.members[i].instances)
	}
	if st.failover != nil {
		f := *st.failover
		c.failover = &f
	}
	return &c
}

// change publishes a new version, made in one Region. The caller holds the
// lock. A Region that can't be reached keeps what it knew: that is an
// assumption, AWS does not say how fresh an impaired Region's answers are.
func (s *Service) change(origin dr.Region, edit func(*state)) {
	next := s.truth.clone()
	next.version++
	next.at = time.Now()
	edit(next)
	s.truth = next
	for r := range s.views {
		if r == origin || s.cfg.Links.Up(origin, r) {
			s.learn(r, next)
		}
	}
}

// learn appends a version to a Region's view. The caller holds the lock.
func (s *Service) learn(r dr.Region, st *state) {
	if v := s.views[r]; v[len(v)-1].version >= st.version {
		return
	}
	// A copy with the moment of arrival: stale answers count from there.
	seen := *st
	seen.at = time.Now()
	v := append(s.views[r], &seen)
	for len(v) > 1 && seen.at.Sub(v[1].at) > s.cfg.History {
		v = v[1:]
	}
	s.views[r] = v
}

// SyncViews lets Regions that reach each other agree on the newest version.
// Call it when a link has changed.
func (s *Service) SyncViews() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.views { // news travels at most as many hops as there are Regions
		for a := range s.views {
			for b := range s.views {
				if s.cfg.Links.Up(a, b) {
					s.learn(b, s.views[a][len(s.views[a])-1])
				}
			}
		}
	}
}

// view returns what a Region's API knew some time ago.
func (s *Service) view(r dr.Region, ago time.Duration) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[r]
	limit := time.Now().Add(-ago)
	for i := len(v) - 1; i > 0; i-- {
		if !v[i].at.After(limit) {
			return v[i]
		}
	}
	return v[0]
}
