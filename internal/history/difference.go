package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Difference is something that one of the two guards did and the other didn't.
type Difference struct {
	At    time.Duration
	Guard string
	// How is "only before" for what the recorded guard alone did, and "only now".
	How, What string
	Phase     string
}

// Key is the kind of a difference: what is to be explained once.
func (d Difference) Key() string { return fmt.Sprintf("%s | %s | %s", d.How, d.What, d.Phase) }

// compared are the kinds of what is done, and how far apart in time the two guards may do
// it. What is repeated at a pace has half of that pace.
func compared(g *Guard) map[string]time.Duration {
	return map[string]time.Duration{
		"beat": g.Policy.RenewInterval / 2, "renew": g.Policy.RenewInterval / 2, "fence": 250 * time.Millisecond, "fence again": 2 * time.Second,
		"open": 250 * time.Millisecond, "isolate": time.Second, "read": 200 * time.Millisecond,
		"install": time.Second, "check": time.Second, "remove": time.Second, "replicated": 125 * time.Millisecond,
		"tell fenced": 300 * time.Millisecond, "tell held": 300 * time.Millisecond, "tell opened": 300 * time.Millisecond,
		"tell isolated": 500 * time.Millisecond, "tell lost": 500 * time.Millisecond, "rested": 500 * time.Millisecond,
	}
}

// kind is under what name an event is compared.
func (e *Event) kind() string {
	if e.What == "tell" && len(e.Args) > 0 {
		return "tell " + e.Args[0]
	}
	return e.What
}

// play is a recorded event, and whether the machine has done the same.
type play struct {
	*Event
	used bool
}

// same finds the recorded event that an effect stands for.
func (p *player) same(at time.Duration, e Effect) *Event {
	if _, ok := p.tolerance[e.What]; !ok && e.What != "release" && e.What != "tell released" { // which no recorded guard did
		return nil
	}
	tolerance := p.within(at, e.What)
	for _, r := range p.recorded[e.What] {
		if !r.used && r.At >= at-tolerance && r.At <= at+tolerance {
			r.used = true
			return r.Event
		}
	}
	if !p.interrupted(at, tolerance) {
		p.differ(at, "only now", e.What)
	}
	return nil
}

// within is how far apart in time the two guards may do something.
func (p *player) within(at time.Duration, what string) time.Duration {
	if what == "fence" && (p.phase(at) == "another Region holds the lease" || p.promoting) {
		return p.g.Policy.ProbeInterval / 2 // the server is looked at once in that time
	}
	return p.tolerance[what]
}

// interrupted reports whether a process stopped, was killed, or its test was over before
// the other guard had the time in which it may do the same.
func (p *player) interrupted(at, tolerance time.Duration) bool {
	over := func(end time.Duration) bool { return at <= end && at+tolerance >= end }
	rested := false
	for i := range p.g.Events {
		switch p.g.Events[i].What {
		case "stop":
			if over(p.g.Events[i].At) {
				return true
			}
		case "rested":
			rested = true // it ended by itself
		}
	}
	return (p.cut || !rested) && over(p.end)
}

// differ notes a difference. What is done at the pace of the guard of the lag is a kind of
// its own.
func (p *player) differ(at time.Duration, how, what string) {
	if p.g.Policy.RPOGuard && (what == "beat" || what == "replicated") {
		what += ", the lag guarded"
	}
	p.found = append(p.found, Difference{at, p.g.Name, how, what, p.phase(at)})
}

// settle adds what only the recorded guard did.
func (p *player) settle() []Difference {
	for what, all := range p.recorded {
		for _, r := range all {
			if !r.used && !p.interrupted(r.At, p.within(r.At, what)) && !p.stopping(r.At) {
				p.differ(r.At, "only before", what)
			}
		}
	}
	slices.SortStableFunc(p.found, func(x, y Difference) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Key(), y.Key()))
	})
	return p.found
}

// stopping reports whether the recorded guard's loops were ending: it waited for calls
// that it had called off.
func (p *player) stopping(at time.Duration) bool {
	stop := time.Duration(-1)
	for i := range p.g.Events {
		switch e := &p.g.Events[i]; e.What {
		case "stop":
			stop = e.At
		case "rear":
			if stop >= 0 && at >= stop && at < e.At {
				return true
			}
		}
	}
	return false
}
