package turn

import "time"

// Step is what a process does next.
type Step string

// The steps. Only Keep lets it work.
const (
	Wait  Step = "wait"  // look again
	Claim Step = "claim" // say that it waits
	Take  Step = "take"  // the turn is its own: work
	Keep  Step = "keep"  // renew, and go on working
	Yield Step = "yield" // stop working, then release
	Leave Step = "leave" // another process has the turn
)

// View is what a process knows.
type View struct {
	Me      string
	Turn    Turn // as last seen
	Working bool
	// Behind is the holder that this process waits for: the first that it saw, or
	// itself once it has held the turn. Any other one came later.
	Behind string
	// Alive tells that this process has seen the present holder renew.
	Alive bool
	// Unchanged is how long the holder has provably said nothing, on the process's own
	// monotonic clock. See Watch.
	Unchanged time.Duration
}

// Decide returns the next step. Config must have its defaults.
func Decide(v View, c Config) Step {
	t := v.Turn
	if v.Working {
		switch {
		case t.Holder != v.Me || t.Released:
			return Leave
		case t.Next != "" && t.Next != v.Me:
			return Yield
		}
		return Keep
	}
	switch {
	case t.Number == 0:
		return Take
	case t.Holder != v.Behind && t.Holder != v.Me && !t.Released && v.Alive:
		return Leave
	case t.Holder == v.Me && !t.Released && t.Next != "":
		return Yield // its work has lapsed, and somebody waits for TTL: spare them that
	case t.Holder == v.Me && !t.Released:
		return Take
	case t.Released && (t.Next == "" || t.Next == v.Me):
		return Take
	case t.Released && v.Unchanged >= c.Patience:
		return Take // who claimed it has died
	case t.Holder != v.Me && v.Unchanged >= c.TTL+c.Drift:
		return Take // who held it has died
	case t.Holder != v.Me && t.Holder == v.Behind && t.Next == "":
		return Claim
	}
	return Wait // also until a successor has shown that it lives
}

// Watch remembers since when the holder has said nothing. It counts from after it first
// saw the holder's last word, while the holder counts from before it sent it.
type Watch struct {
	turn  Turn
	known bool
	alive bool
	since time.Time
}

// Observe notes that a call which has just returned showed this turn.
func (w *Watch) Observe(t Turn, now time.Time) {
	if !w.known || !t.sameBeat(w.turn) {
		w.since = now
	}
	w.alive = w.known && t.Number == w.turn.Number && (w.alive || t.Beat != w.turn.Beat)
	w.turn, w.known = t, true
}

// Alive reports whether the present holder has been seen to renew.
func (w *Watch) Alive() bool { return w.alive }

// Unchanged returns the holder's silence. It is proven by a compare-and-swap on the turn
// that was observed: when that succeeds, the holder has said nothing until then.
func (w *Watch) Unchanged(now time.Time) time.Duration { return now.Sub(w.since) }
