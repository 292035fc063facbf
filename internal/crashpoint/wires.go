package crashpoint

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Wires carry the calls of one Region's processes. They count them by port, and let the
// one at a point go wrong.
type Wires struct {
	at    Point
	crash chan string // the process that is to be killed

	mu     sync.Mutex
	counts map[Port]int // nil until the fault
	hit    bool
	until  time.Time // throttled so far
	loose  []Port    // called without a deadline
}

// NewWires returns wires on which the call at a point goes wrong.
func NewWires(at Point) *Wires { return &Wires{at: at, crash: make(chan string, 1)} }

// Begin counts from here on.
func (w *Wires) Begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts = make(map[Port]int)
}

// end counts no more, and returns what was.
func (w *Wires) end() (counts map[Port]int, loose []Port, hit bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts, w.counts = w.counts, nil
	return counts, w.loose, w.hit
}

// Crash tells which process is to be killed, once.
func (w *Wires) Crash() <-chan string { return w.crash }

// arrive counts a call and returns what happens to it; nothing mostly.
func (w *Wires) arrive(ctx context.Context, p Port) Way {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, bounded := ctx.Deadline(); !bounded && !slices.Contains(w.loose, p) {
		w.loose = append(w.loose, p)
	}
	if w.counts == nil {
		return Way{}
	}
	w.counts[p]++
	_, wrong := w.at.Port.cut()
	switch _, operation := p.cut(); {
	case p == w.at.Port && w.counts[p] == w.at.N:
		w.hit = true
		if w.at.Way.End == Throttling {
			w.until = time.Now().Add(Burst)
		}
		return w.at.Way
	case operation == wrong && time.Now().Before(w.until):
		return Throttled
	}
	return Way{}
}

// Carry lets a call pass, or go wrong: act carries it out, and refuse returns what the
// caller hears of one that is refused or throttled.
func (w *Wires) Carry(ctx context.Context, p Port, act func() error, refuse func(Way) error) error {
	way := w.arrive(ctx, p)
	var err error
	if way.Done || way.End == Answered {
		err = act()
	}
	switch way.End {
	case Answered:
		return err
	case Refusal, Throttling:
		return refuse(way)
	case Death, LastWord:
		process, _ := p.cut()
		w.crash <- process
	}
	if way.End == LastWord {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}
