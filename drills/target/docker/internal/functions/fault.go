package functions

import (
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// struckAfter is how long a trigger has run when a KillController strikes that found
// none running.
const struckAfter = 500 * time.Millisecond

// inject breaks the functions, and returns what heals them.
func (s *service) inject(f fault.Fault) (heal func() error, done Injected, err error) {
	b := &breakage{s: s}
	killed := 0
	switch f.Kind {
	case fault.Kill, fault.LambdaDown:
		for _, name := range s.cfg.deployed() {
			b.inject(name, lambdahost.Fault{Kind: lambdahost.Outage})
		}
		for _, name := range s.cfg.deployed() {
			killed += b.kill(name)
		}
		b.after = s.tick
	case fault.StopMonitor:
		b.inject(Monitor, lambdahost.Fault{Kind: lambdahost.Outage})
		killed = b.kill(Monitor)
		b.after = s.tick
	case fault.KillMonitor:
		killed = b.kill(Monitor)
	case fault.KillController:
		if killed = b.kill(Trigger); killed == 0 {
			b.inject(Trigger, lambdahost.Fault{Kind: lambdahost.KillAfter, After: struckAfter, Times: 1})
		}
	case fault.KillSteps:
		b.count(&s.steps)
	case fault.LoseTicks:
		b.inject(Monitor, lambdahost.Fault{Kind: lambdahost.Lose})
	case fault.DoubleTicks:
		b.inject(Monitor, lambdahost.Fault{Kind: lambdahost.Duplicate})
	case fault.DoubleTrigger:
		// At once and in two processes: the reservation has room for both.
		b.inject(Trigger, lambdahost.Fault{Kind: lambdahost.Duplicate}) // of what is queued
		b.count(&s.twice)                                               // of what is called
	case fault.ColdStart:
		for _, name := range s.cfg.deployed() {
			b.inject(name, lambdahost.Fault{Kind: lambdahost.SlowStart, After: f.Duration})
			b.keep(s.host.Recycle(s.cfg.name(name)))
		}
	default:
		return nil, Injected{}, fmt.Errorf("functions: %s is nothing that the functions of %s can have", f, s.cfg.Region)
	}
	if b.err != nil {
		_ = b.heal() // it says nothing new
		return nil, Injected{}, b.err
	}
	return b.heal, Injected{At: int64(s.now()), Killed: killed}, nil
}

// breakage is a fault under construction.
type breakage struct {
	s     *service
	clear []func()
	after func() error // the end of the heal
	err   error
}

func (b *breakage) keep(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *breakage) inject(function string, f lambdahost.Fault) {
	clear, err := b.s.host.Inject(b.s.cfg.name(function), f)
	if b.keep(err); err == nil {
		b.clear = append(b.clear, clear)
	}
}

// kill kills a function's processes until there are none: one that dies while it starts
// is started once more by Lambda.
func (b *breakage) kill(function string) (killed int) {
	for {
		n, err := b.s.host.Kill(b.s.cfg.name(function))
		b.keep(err)
		if n == 0 {
			return killed
		}
		killed += n
	}
}

func (b *breakage) heal() error {
	for _, clear := range b.clear {
		clear()
	}
	if b.after == nil {
		return nil
	}
	return b.after()
}

// count counts the fault while it lasts.
func (b *breakage) count(n *int) {
	add := func(by int) {
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		*n += by
	}
	add(1)
	b.clear = append(b.clear, func() { add(-1) })
}

// also does something beside what calls it, unless the service ends.
func (s *service) also(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.work.Go(do)
	}
}

// stepped kills the trigger, which has recorded a step, if a fault says so. It must not
// wait here: the goroutine that reads the trigger's output sees its end, too.
func (s *service) stepped(environment, state string) {
	s.mu.Lock()
	_, falls := s.struck[environment]
	kill := s.steps > 0 && !falls
	if kill {
		s.struck[environment] = state
	}
	s.mu.Unlock()
	if kill {
		s.also(func() {
			_, _ = s.host.Kill(s.cfg.name(Trigger)) // it is deployed, or it could not have written
		})
	}
}

// fell notes the end of a process that was killed for a step.
func (s *service) fell(function string, e lambdahost.Event) {
	s.mu.Lock()
	state, struck := s.struck[e.Environment]
	delete(s.struck, e.Environment)
	s.mu.Unlock()
	if struck && e.Text == ByKill {
		s.note(NoteKilled, function+": at "+state)
	}
}

// begun is told that a process has an invocation, and notes when the trigger has two.
// Two monitors are nothing special: they hand over.
func (s *service) begun(function, environment string) {
	s.mu.Lock()
	if s.working[function] == nil {
		s.working[function] = map[string]bool{}
	}
	s.working[function][environment] = true
	two := function == Trigger && len(s.working[function]) > 1
	s.mu.Unlock()
	if two {
		s.note(NoteTwice, function)
	}
}

func (s *service) done(function, environment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.working[function], environment)
}
