package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
)

// effects is what has shown in one Region of faults that no client of a database can
// see. It is told by what happens to ticks and processes, never by the faults' own
// switches: a fault that does nothing leaves nothing here. Two faults of one Region
// that do the same, such as kill it, can't be told apart.
type effects struct {
	mu   sync.Mutex
	seen []effect
	news chan struct{} // closed and replaced when there is one more
	// stepped are the triggers that have recorded a step.
	stepped map[*functions.Process]bool
}

type effect struct {
	at   time.Duration
	kind fault.Kind
	late time.Duration // of a start
}

func newEffects() *effects {
	return &effects{news: make(chan struct{}), stepped: make(map[*functions.Process]bool)}
}

func (e *effects) add(at, late time.Duration, kinds ...fault.Kind) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range kinds {
		e.seen = append(e.seen, effect{at, k, late})
	}
	close(e.news)
	e.news = make(chan struct{})
}

// wait returns when a fault first showed, at since at the earliest.
func (e *effects) wait(ctx context.Context, f fault.Fault, since time.Duration) (time.Duration, error) {
	for from := 0; ; {
		e.mu.Lock()
		fresh, news := e.seen[from:], e.news
		from = len(e.seen)
		e.mu.Unlock()
		for _, s := range fresh {
			if s.kind == f.Kind && s.at >= since && s.late >= f.Duration {
				return s.at, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("embedded: %s had no effect: %w", f, ctx.Err())
		case <-news:
		}
	}
}

// tick is told that a tick was due, and how often it came.
func (e *effects) tick(at time.Duration, came int) {
	switch {
	case came == 0:
		e.add(at, 0, fault.LoseTicks)
	case came > 1:
		e.add(at, 0, fault.DoubleTicks)
	}
}

// step is told that a trigger has recorded a step.
func (e *effects) step(p *functions.Process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stepped[p] = true
}

// happened is told what happens to the processes of a function.
func (e *effects) happened(name string, at time.Duration, ev functions.Event) {
	switch ev.What {
	case functions.Started:
		e.add(at, ev.Late, fault.ColdStart)
	case functions.Began:
		if ev.Twice && name == triggerName {
			e.add(at, 0, fault.DoubleTrigger)
		}
	case functions.Refused:
		e.add(at, 0, fault.LambdaDown)
	case functions.Killed:
		if name == monitorName {
			e.add(at, 0, fault.KillMonitor, fault.StopMonitor, fault.LambdaDown)
			return
		}
		kinds := []fault.Kind{fault.KillController, fault.LambdaDown}
		e.mu.Lock()
		if e.stepped[ev.Process] {
			kinds = append(kinds, fault.KillSteps)
		}
		e.mu.Unlock()
		e.add(at, 0, kinds...)
	}
}
