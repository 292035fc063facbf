package monitorlease

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Step is what a process does next.
type Step string

// The steps. Only Keep lets it work.
const (
	Wait  Step = "wait"  // look again
	Claim Step = "claim" // say that it waits
	Take  Step = "take"  // the lease is its own: work
	Keep  Step = "keep"  // renew, and go on working
	Yield Step = "yield" // stop working, then release
	Leave Step = "leave" // another process has the lease
)

// View is what a process knows.
type View struct {
	Me      string
	Lease   Lease // as last seen
	Working bool
	// Behind is the holder that this process waits for: the first that it saw, or
	// itself once it has held the lease. Any other one came later.
	Behind string
	// Alive tells that this process has seen the present holder renew within 2 Renew.
	Alive bool
	// Unchanged is how long the holder has provably said nothing, on the process's own
	// monotonic clock. See Watch.
	Unchanged time.Duration
}

// Decide returns the next step. Config must have its defaults.
func Decide(v View, c Config) Step {
	t := v.Lease
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
		return Yield // its work has lapsed, and another process waits for TTL: spare it that
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

// Watch is what a process knows of the holder's silence. Its instants are the process's own. It
// counts from after it first saw the holder's last word, while the holder counts from before it
// sent it.
type Watch struct {
	lease Lease
	word  lease.Still[word]
	heard lease.Instant // before the last look that did not show the holder's last word yet
	asked lease.Instant // before the last look
	spoke lease.Instant // before the last look that did not show the latest renewal yet; Never if there was none
}

// word is what the holder changes when it says something. A claim is not the holder's.
type word struct {
	number, beat uint64
	released     bool
}

// Observe notes that a call showed this lease, from before it was sent until after it
// returned.
func (w *Watch) Observe(l Lease, sent, now lease.Instant) {
	before := w.word
	w.word = before.Observe(word{l.Number, l.Beat, l.Released}, now)
	if w.word != before {
		w.heard = sent
		if before.Known {
			w.heard = w.asked
		}
	}
	switch {
	case !before.Known || l.Number != before.Value.number:
		w.spoke = lease.Never // of this holder nothing is known but its take
	case l.Beat != before.Value.beat:
		w.spoke = w.asked
	}
	w.lease, w.asked = l, sent
}

// Alive reports whether the present holder has been seen to renew within a time. Two looks
// that are far apart don't show that: it may have renewed, and died since.
func (w *Watch) Alive(now lease.Instant, within time.Duration) bool {
	return w.word.Known && now-w.spoke <= within
}

// Unchanged returns the holder's silence. It is proven by a compare-and-swap on the lease
// that was observed: when that succeeds, the holder has said nothing until then.
func (w *Watch) Unchanged(now lease.Instant) time.Duration { return w.word.Unchanged(now) }

// Gap returns at most how long ago the holder said its last word: it was not there yet at
// the look before. Of what was there at the first look nothing more is known.
func (w *Watch) Gap(now lease.Instant) time.Duration { return now - w.heard }
