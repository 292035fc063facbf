package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrUnsupported is what Injector.Supports returns, wrapped with the reason, for
// a fault that the target can't inject.
var ErrUnsupported = errors.New("fault is not supported by this target")

// Heal undoes one injected fault. It is idempotent: healing what is healed does
// nothing.
type Heal func(context.Context) error

// Injector breaks a target.
type Injector interface {
	// Supports returns nil, or an ErrUnsupported that says why.
	Supports(Fault) error
	// Inject breaks and returns the way back. On an error the heal, when there
	// is one, undoes what was done until then.
	Inject(context.Context, Fault) (heal Heal, err error)
}

// DefaultHealTimeout is how long one heal may take when Set has no other limit.
const DefaultHealTimeout = 30 * time.Second

// Set injects faults and remembers them until they are healed. It is safe for
// concurrent use.
type Set struct {
	injector Injector
	timeout  time.Duration

	mu     sync.Mutex
	active []injected
}

type injected struct {
	fault Fault
	heal  Heal
}

// NewSet returns a set without faults. The timeout bounds one attempt to heal
// one fault; zero means DefaultHealTimeout.
func NewSet(in Injector, timeout time.Duration) *Set {
	if timeout <= 0 {
		timeout = DefaultHealTimeout
	}
	return &Set{injector: in, timeout: timeout}
}

// Inject breaks one thing. The way back is kept even when the injection failed
// half-way. None does nothing.
func (s *Set) Inject(ctx context.Context, f Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if f.Kind == None {
		return nil
	}
	if err := s.injector.Supports(f); err != nil {
		return fmt.Errorf("fault: inject %s: %w", f, err)
	}
	heal, err := s.injector.Inject(ctx, f)
	if heal != nil {
		s.mu.Lock()
		s.active = append(s.active, injected{f, heal})
		s.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("fault: inject %s: %w", f, err)
	}
	return nil
}

// Active returns what is injected and not healed, oldest first.
func (s *Set) Active() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, len(s.active))
	for i, a := range s.active {
		out[i] = a.fault
	}
	return out
}

// Heal undoes every fault, the newest first, and joins the errors. It ignores
// the end of ctx, since a drill that was interrupted must not leave anything
// broken; each attempt has its own timeout. A heal that fails does not stop the
// others, and is tried once more after them, because it may have needed another
// one. What still fails stays active, so Heal can be called again.
func (s *Set) Heal(ctx context.Context) error {
	s.mu.Lock()
	todo := slices.Clone(s.active)
	s.active = nil
	s.mu.Unlock()
	slices.Reverse(todo)

	var errs []error
	for range 2 {
		var failed []injected
		errs = nil
		for _, a := range todo {
			if err := s.healOne(ctx, a); err != nil {
				failed, errs = append(failed, a), append(errs, err)
			}
		}
		todo = failed
	}
	slices.Reverse(todo)
	s.mu.Lock()
	s.active = append(todo, s.active...)
	s.mu.Unlock()
	return errors.Join(errs...)
}

func (s *Set) healOne(ctx context.Context, a injected) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("fault: heal %s: panic: %v", a.fault, p)
		}
	}()
	if err := a.heal(ctx); err != nil {
		return fmt.Errorf("fault: heal %s: %w: undo it by hand before the next drill", a.fault, err)
	}
	return nil
}

// Once makes a heal idempotent: after it has succeeded it is not called again.
// Concurrent calls take turns.
func Once(heal Heal) Heal {
	turn := make(chan struct{}, 1)
	done := false
	return func(ctx context.Context) error {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if done {
			return nil
		}
		if err := heal(ctx); err != nil {
			return err
		}
		done = true
		return nil
	}
}
