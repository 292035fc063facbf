package trigger

import (
	"context"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// ErrMarkMoved is returned by Marks.WriteMark when the mark is no longer the one that was
// seen.
var ErrMarkMoved = errors.New("trigger: the mark has moved on")

// Mark says which invocation of a Region's trigger drives. It saves calls, and protects
// nothing: that two invocations make one history is the journal's doing, so a mark that
// can't be read or written holds nothing up.
type Mark struct {
	Driver   string // the invocation
	Number   uint64 // rises by one with every driver
	Beat     uint64 // rises while that driver lives
	Released bool   // the driver has ended
}

// Marks keeps the mark of one Region, linearizably.
type Marks interface {
	// ReadMark returns the mark, and the zero Mark when there is none.
	ReadMark(ctx context.Context) (Mark, error)
	// WriteMark replaces old, exactly as it was seen, by next; ErrMarkMoved when
	// something else is stored.
	WriteMark(ctx context.Context, old, next Mark) error
}

const (
	// beatEvery is how often a driver says that it lives, and how often another
	// invocation looks whether it does.
	beatEvery = 500 * time.Millisecond
	// deadAfter is how long a driver's mark stands still until another invocation takes
	// its place.
	deadAfter = 2 * time.Second
	// An invocation of the automation that finds a driver's mark begins nothing before it
	// has looked for lookFor, every lookEvery, whether that one lives. It costs a failover
	// that after a driver's death, and spares the evidence's sources the calls of a second
	// invocation.
	lookFor   = beatEvery + lookEvery
	lookEvery = 100 * time.Millisecond
)

// step is what an invocation does about a mark.
type step string

const (
	take  step = "take"  // the mark: no other invocation drives
	keep  step = "keep"  // say that this one lives
	look  step = "look"  // again: the other one may live
	yield step = "yield" // the other one lives
)

// watchman remembers what one invocation has seen of the mark.
type watchman struct {
	me   string
	seen lease.Still[Mark]
}

// next returns what to do about a mark that was read. It is pure but for what it
// remembers.
func (w *watchman) next(m Mark, now lease.Instant) step {
	switch {
	case m.Number == 0 || m.Released:
		return take
	case m.Driver == w.me:
		return keep
	}
	before := w.seen
	w.seen = before.Observe(m, now)
	switch {
	case !before.Known || before.Value.Driver == w.me:
		return look // what it says at the first look may be the last word of one that has died
	case w.seen != before:
		return yield
	case w.seen.Unchanged(now) >= deadAfter:
		return take
	}
	return look
}

// duty is one invocation's watch over the mark.
type duty struct {
	marks   Marks
	man     watchman
	timeout time.Duration
	mine    Mark
	has     bool
	begun   time.Time // the origin of its instants
}

// first looks whether another invocation drives, and returns at once when the mark is its
// own, or can't be read.
func (d *duty) first(ctx context.Context) bool {
	for begun := time.Now(); ; {
		if d.step(ctx) {
			return true
		}
		if d.has || !d.man.seen.Known || time.Since(begun) >= lookFor || pause(ctx, lookEvery) != nil {
			return false
		}
	}
}

// run keeps the mark until ctx ends, or until another invocation has been seen to drive:
// true then.
func (d *duty) run(ctx context.Context) bool {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		if d.step(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// step looks and acts once. It reports whether another invocation drives.
func (d *duty) step(ctx context.Context) bool {
	call, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	if d.has { // one write says both: that it lives, and that the mark is still its own
		next := d.mine
		next.Beat++
		switch err := d.marks.WriteMark(call, d.mine, next); {
		case err == nil:
			d.mine = next
			return false
		case !errors.Is(err, ErrMarkMoved):
			return false
		}
		d.has = false
	}
	m, err := d.marks.ReadMark(call)
	if err != nil {
		return false
	}
	next := m
	switch d.man.next(m, time.Since(d.begun)) {
	case yield:
		return true
	case look:
		return false
	case take:
		next = Mark{Driver: d.man.me, Number: m.Number + 1}
	case keep: // its own write, whose answer was lost
		next.Beat++
	}
	if d.marks.WriteMark(call, m, next) == nil {
		d.mine, d.has = next, true
		d.man.seen = d.man.seen.Observe(next, time.Since(d.begun))
	}
	return false
}

// release says that this invocation drives no more. One that is killed or called off
// doesn't come to it, and then deadAfter passes.
func (d *duty) release(ctx context.Context) {
	if !d.has || ctx.Err() != nil {
		return
	}
	call, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	next := d.mine
	next.Released = true
	_ = d.marks.WriteMark(call, d.mine, next)
}
