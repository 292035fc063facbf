package failover_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// sim is a world with agents that can be killed, a network with drawn latency and
// rules that break calls, and a log of what happened. Everything lives in one
// testing/synctest bubble.
type sim struct {
	*drtest.World
	t      testing.TB
	policy dr.Policy
	begun  time.Time
	ctx    context.Context
	wg     sync.WaitGroup // of everything that runs

	mu      sync.Mutex
	rng     *rand.Rand
	rules   map[string]rule
	ship    time.Duration // longest time a record takes
	promote [2]time.Duration
	agents  map[dr.Region]*running
	log     []string
	// helpless is when a Region's guard last could not cut its writer off.
	helpless map[dr.Region]time.Time
	seen     map[string]int // edges, codes and other things that must be visited
	lease    []dr.LeaseChange

	unbootstrapped bool // it began without a lease
}

type running struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// rule breaks the calls that it matches.
type rule func(drtest.Call, *rand.Rand) drtest.Fault

// newSim returns a world that is drawn from a seed. It must be called in a bubble.
func newSim(t testing.TB, seed uint64, p dr.Policy) *sim { return newSimIn(t, seed, p, false) }

// newSimIn returns a world that is a new deployment, or not.
func newSimIn(t testing.TB, seed uint64, p dr.Policy, unbootstrapped bool) *sim {
	s := &sim{
		t: t, policy: p, unbootstrapped: unbootstrapped, begun: time.Now(), rng: rand.New(rand.NewPCG(seed, 0x11febaa7)), rules: make(map[string]rule),
		ship: 100 * time.Millisecond, promote: [2]time.Duration{2 * time.Second, 5 * time.Second},
		agents: make(map[dr.Region]*running), seen: make(map[string]int), helpless: make(map[dr.Region]time.Time),
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.ctx = ctx
	t.Cleanup(cancel)
	var err error
	s.World, err = drtest.NewWorld(drtest.WorldConfig{
		Topology: topology, Unbootstrapped: unbootstrapped,
		Ship: func() time.Duration { return s.between(20*time.Millisecond, s.longestShip()) },
		Promotion: func() time.Duration {
			s.mu.Lock()
			lo, hi := s.promote[0], s.promote[1]
			s.mu.Unlock()
			return s.between(lo, hi)
		},
	})
	require.NoError(t, err)
	s.Net.SetHook(s.fate)
	return s
}

// end stops everything and waits for it.
func (s *sim) end(cancel ...context.CancelFunc) {
	for _, r := range topology.Vantages() {
		s.kill(r)
	}
	for _, c := range cancel {
		c()
	}
	s.wg.Wait()
}

func (s *sim) longestShip() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ship
}

func (s *sim) setShip(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ship = d
}

func (s *sim) setPromotion(lo, hi time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.promote = [2]time.Duration{lo, hi}
}

func (s *sim) between(lo, hi time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return between(s.rng, lo, hi)
}

func between(rng *rand.Rand, lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(rng.Int64N(int64(hi-lo)))
}

// fate is the network's hook: latency by distance, and what the rules break.
func (s *sim) fate(c drtest.Call) drtest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	lo, hi := time.Millisecond, 3*time.Millisecond
	switch {
	case c.To == "": // a majority of Regions
		lo, hi = 30*time.Millisecond, 90*time.Millisecond
	case c.To != c.From:
		lo, hi = 50*time.Millisecond, 70*time.Millisecond
	case strings.HasPrefix(string(c.Op), "cluster."):
		lo, hi = 20*time.Millisecond, 120*time.Millisecond
	}
	f := drtest.Fault{Delay: between(s.rng, lo, hi)}
	for _, broken := range s.rules {
		b := broken(c, s.rng)
		f.Delay += b.Delay
		if b.Hang || b.Err != nil {
			b.Delay = f.Delay
			f = b
		}
	}
	return f
}

func (s *sim) breakCalls(name string, r rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules[name] = r
}

func (s *sim) mend(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rules, name)
}

// start runs a Region's agent, unless it runs already.
func (s *sim) start(r dr.Region) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.agents[r] != nil {
		return
	}
	a, err := s.Watching(r, s.policy, s.trace(r))
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(s.ctx)
	run := &running{cancel, make(chan struct{})}
	s.agents[r] = run
	s.wg.Go(func() {
		defer close(run.done)
		_ = a.Run(ctx)
	})
}

// kill stops a Region's agent at once and waits until it is gone.
func (s *sim) kill(r dr.Region) {
	s.mu.Lock()
	run := s.agents[r]
	delete(s.agents, r)
	s.mu.Unlock()
	if run != nil {
		run.cancel()
		<-run.done
	}
}

func (s *sim) helplessAt(r dr.Region) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.helpless[r]
}

func (s *sim) running(r dr.Region) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agents[r] != nil
}

// takeByHand gives a Region the lease, whichever Region holds it.
func (s *sim) takeByHand(to dr.Region) {
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		defer cancel()
		for ctx.Err() == nil {
			store := s.Store.At(witness)
			l, err := store.ReadLease(ctx)
			if err == nil {
				_, err = store.TakeLease(ctx, l, failover.Claim{Holder: to, Execution: "by-hand"})
			}
			if err == nil {
				return
			}
			s.wait(10 * time.Millisecond)
		}
	})
}

func (s *sim) trace(r dr.Region) *dr.Trace {
	return &dr.Trace{
		Verdict: func(c dr.VerdictChange) { s.note("%s thinks %s is %s (%s)", c.Vantage, c.Subject, c.State, c.Why) },
		State: func(c dr.StateChange) {
			s.note("%s %s: %s %s %s", r, c.Execution, c.State, c.Code, c.Detail)
			s.visit("state " + string(c.State))
			if c.Code != "" {
				s.visit("code " + c.Code)
			}
		},
		Lease: func(c dr.LeaseChange) {
			s.note("%s epoch %d %s %s", c.Region, c.Epoch, c.What, c.Detail)
			s.visit("lease " + c.What)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lease = append(s.lease, c)
		},
		Problem: func(p dr.Problem) {
			s.note("%s problem: %s: %v", p.Region, p.Op, p.Err)
			if p.Op == "isolate writer" {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.helpless[r] = p.At
			}
		},
	}
}

func (s *sim) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%8.3fs ", time.Since(s.begun).Seconds())+fmt.Sprintf(format, args...))
}

func (s *sim) visit(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[what]++
}

// story returns the log, for a failure.
func (s *sim) story() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.log, "\n")
}

// wait lets virtual time pass.
func (s *sim) wait(d time.Duration) {
	select {
	case <-s.ctx.Done():
	case <-time.After(d):
	}
}

// until lets virtual time pass until something holds, and reports whether it did.
func (s *sim) until(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); s.wait(20 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

// last returns the newest entry of the journal; the zero entry when there is none.
func (s *sim) last() failover.Entry {
	all := s.Store.Entries()
	if len(all) == 0 {
		return failover.Entry{}
	}
	return all[len(all)-1]
}
