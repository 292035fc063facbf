package health

import (
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Refuses says why an observation does not count in this window, and "" when it does. Age
// is another matter: an answer that was right becomes old.
func (w Window) Refuses(o Observation, now time.Time) string {
	switch {
	case o.Subject != w.Subject:
		return fmt.Sprintf("%s from %s is about %q, not about %s", o.Family, o.Vantage, o.Subject, w.Subject)
	case !o.Family.Known():
		return fmt.Sprintf("family %q from %s is unknown", o.Family, o.Vantage)
	case o.Vantage == "":
		return fmt.Sprintf("%s has no vantage", o.Family)
	case o.Vantage == w.Subject:
		return fmt.Sprintf("%s is what %s says of itself", o.Family, o.Vantage)
	case o.Vantage == Store && o.Family != Heartbeat:
		return fmt.Sprintf("%s from %s: the lease store sees heartbeats only", o.Family, o.Vantage)
	case o.At.After(now):
		return fmt.Sprintf("%s from %s is %v from the future", o.Family, o.Vantage, o.At.Sub(now))
	}
	return ""
}

// unfit says why no verdict can be had from a window, whatever it holds.
func (w Window) unfit() string {
	switch {
	case w.Subject == "":
		return "a Region to judge"
	case w.Vantage == "":
		return "a vantage to judge from"
	case w.Vantage == w.Subject:
		return "another vantage: a Region doesn't judge itself"
	}
	return ""
}

// counted returns the rounds up to now, oldest first, with the answers that count.
func (w Window) counted(maxAge time.Duration, now time.Time) []Round {
	rounds := make([]Round, 0, len(w.Rounds))
	for _, r := range w.Rounds {
		if !r.At.After(now) {
			rounds = append(rounds, w.valid(r, maxAge, now))
		}
	}
	slices.SortStableFunc(rounds, func(a, b Round) int { return a.At.Compare(b.At) })
	return rounds
}

// valid drops what does not count or is too old, and mutes a vantage that may be blind.
func (w Window) valid(r Round, maxAge time.Duration, now time.Time) Round {
	kept := make([]Observation, 0, len(r.Observations))
	for _, o := range r.Observations {
		if r.At.Sub(o.At) > maxAge || w.Refuses(o, now) != "" {
			continue
		}
		// What the store did not hear was read through the same blind vantage.
		if o.Answer == Dead && r.SelfCheck != Alive && (o.Vantage == w.Vantage || o.Vantage == Store) {
			o.Answer, o.Cause = Unknown, "own control target not reached: "+o.Cause
		}
		if o.Lag != nil && (o.Lag.Value < 0 || o.Lag.At.After(now)) {
			o.Lag = nil // no lag is negative, nor known before its time
		}
		kept = append(kept, o)
	}
	r.Observations = kept
	return r
}

// refused says what of the latest round does not count, without repetitions.
func (w Window) refused(now time.Time) []string {
	var all []string
	if len(w.Rounds) == 0 {
		return nil
	}
	for _, o := range w.Rounds[len(w.Rounds)-1].Observations {
		if why := w.Refuses(o, now); why != "" && !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	return all
}

// fit reports whether a predecessor's window can be gone on with.
func (w Window) fit(subject, vantage dr.Region) bool {
	return w.Subject == subject && w.Vantage == vantage
}
