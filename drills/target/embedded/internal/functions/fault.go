package functions

import (
	"net/http"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// Fault is what is wrong with the service of a function. Several add up.
type Fault struct {
	// Down refuses every invocation with 500 ServiceException; events in the queue wait.
	Down bool
	// Reserved refuses every invocation with 429, as a reserved concurrency of 0 does.
	Reserved bool
	// Twice carries every invocation out twice at once, whatever the concurrency.
	Twice bool
	// Slow is added to every cold start.
	Slow time.Duration
}

func (f Fault) refusal() error {
	switch {
	case f.Down:
		return &lambdahost.Refusal{Status: http.StatusInternalServerError, Code: "ServiceException", Message: "The Lambda service encountered an internal error."}
	case f.Reserved:
		return throttled()
	}
	return nil
}

// Break breaks a function's service until mend is called. It panics when there is no
// such function.
func (s *Service) Break(name string, f Fault) (mend func()) {
	p, active := s.pools[name], &f
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, active)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.faults = slices.DeleteFunc(p.faults, func(g *Fault) bool { return g == active })
	}
}

// broken returns what is wrong now.
func (p *pool) broken() (sum Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		sum.Down, sum.Reserved, sum.Twice = sum.Down || f.Down, sum.Reserved || f.Reserved, sum.Twice || f.Twice
		sum.Slow += f.Slow
	}
	return sum
}

// Kill kills every process of a function, and returns how many there were.
func (s *Service) Kill(name string) int {
	p := s.pools[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for e := range p.all {
		if !e.Dead() { // else its invocation is about to end
			n++
			e.Kill()
		}
	}
	p.sweep()
	return n
}

// Busy returns how many living processes of a function work on an invocation, their
// start included.
func (s *Service) Busy(name string) int {
	p := s.pools[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for e := range p.all {
		if !e.Dead() && !slices.Contains(p.idle, e) {
			n++
		}
	}
	return n
}

// Retire ends the processes of a function, as Lambda does after a while: idle ones at
// once, the others after their invocation.
func (s *Service) Retire(name string) {
	p := s.pools[name]
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := range p.all {
		e.retired = true
	}
	for _, e := range p.idle {
		e.Kill()
	}
	p.sweep()
}

// sweep forgets the idle processes that are dead; a busy one is forgotten when its
// invocation is over. The lock must be held.
func (p *pool) sweep() {
	p.idle = slices.DeleteFunc(p.idle, func(e *Process) bool {
		if e.Dead() {
			delete(p.all, e)
		}
		return e.Dead()
	})
}
