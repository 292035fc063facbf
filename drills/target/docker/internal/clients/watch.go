package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
)

// Validate reports everything that is wrong with the watch.
func (w Watch) Validate() error {
	var errs []error
	if w.Name == "" || strings.ContainsAny(w.Name, `'\`) {
		errs = append(errs, fmt.Errorf("clients: watch name %q must not be empty nor hold quotes", w.Name))
	}
	if w.Kind != Answers && w.Kind != Writes {
		errs = append(errs, fmt.Errorf("clients: watch %s: kind %q is not %s or %s", w.Name, w.Kind, Answers, Writes))
	}
	if w.Interval <= 0 || w.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("clients: watch %s: interval %v and timeout %v must be above zero", w.Name, w.Interval, w.Timeout))
	}
	return errors.Join(errs...)
}

// watcher asks the question of one watch. Answers are asked for in an open loop,
// where a question that hangs holds up none that follows; writes, which share a
// connection, one at a time.
type watcher struct {
	Watch
	prober *probe.Prober

	mu    sync.Mutex
	turns []Turn
}

// run asks until ctx ends, or until the first success of Writes, and returns
// after every question has been answered.
func (w *watcher) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Questions that are out; their answers are read in the order of asking.
	out := make(chan chan probe.Answer, int(w.Timeout/w.Interval)+2)
	var reader sync.WaitGroup
	defer reader.Wait()
	reader.Go(func() {
		for answer := range out {
			if w.note(<-answer) && w.Kind == Writes {
				cancel()
			}
		}
	})
	defer close(out)
	tick := time.NewTicker(w.Interval)
	defer tick.Stop()
	for {
		answer := make(chan probe.Answer, 1)
		select {
		case out <- answer:
			ask := func() { answer <- w.ask(ctx) }
			if w.Kind == Writes {
				ask()
			} else {
				go ask() // the reader waits for it
			}
		case <-ctx.Done():
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (w *watcher) ask(ctx context.Context) probe.Answer {
	// A question that was put is answered, also when the watch ends meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Timeout)
	defer cancel()
	if w.Kind == Answers {
		return w.prober.SQL(ctx, w.Address, w.User, w.Password, "", "DO 0")
	}
	return w.prober.SQL(ctx, w.Address, w.User, w.Password, w.Name,
		fmt.Sprintf("INSERT INTO lifeboat.probe (name, at_ns) VALUES ('%s', %d) ON DUPLICATE KEY UPDATE at_ns = VALUES(at_ns)", w.Name, int64(since(w.Origin)())))
}

// note keeps an answer if it is a turn, and reports whether it is a success.
func (w *watcher) note(a probe.Answer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.turns); n == 0 || w.turns[n-1].Outcome != a.Outcome {
		w.turns = append(w.turns, Turn{
			Asked: time.Duration(a.Start - w.Origin), Told: time.Duration(a.End - w.Origin), Outcome: a.Outcome, Error: a.Error,
		})
	}
	return a.Outcome == probe.OK
}

func (w *watcher) seen() []Turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.turns)
}
