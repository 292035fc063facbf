package history

import (
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// prepare lists what the machine will be told, and what it is compared with.
func (p *player) prepare() error {
	p.recorded = make(map[string][]*play)
	begun, renewed := false, make(map[string]bool)
	var early []Learnt
	retried, dead := false, false
	if len(p.g.Events) == 0 {
		return nil
	}
	p.end = p.g.Events[len(p.g.Events)-1].At
	for i := range p.g.Events {
		e := &p.g.Events[i]
		if e.At > p.end || dead && e.At == p.end {
			break
		}
		if e.Outcome == "dead" {
			p.end, dead, p.cut = min(p.end, e.At+e.Took), true, true // the process was killed, and does nothing any more
		}
		if e.What == "renew" && e.Outcome == "ok" && len(e.Answer) > 0 {
			renewed[e.Answer[0]] = true
			l, err := lease(e.Answer)
			if err != nil {
				return err
			}
			p.at(e.At+e.Took, func() error { p.rev = max(p.rev, l.Rev); return nil })
		}
		if e.What == "fence" && e.Call() {
			e.What, retried = again(e, retried)
		}
		if _, ok := p.tolerance[e.kind()]; ok {
			p.recorded[e.kind()] = append(p.recorded[e.kind()], &play{Event: e})
		}
		l := Learnt{What: e.What}
		switch e.What {
		case "run":
			begun = true
			p.learn(e.At, l)
			for _, l := range early {
				p.learn(e.At, l)
			}
			continue
		case "see":
			if renewed[e.Args[0]] {
				continue // it comes with the answer
			}
			var err error
			if l.Lease, err = lease(e.Args); err != nil {
				return err
			}
		case "same":
			l.What = "see" // and nothing new
		case "told", "recall":
			var n uint64
			if _, err := fmt.Sscanf(e.Args[0], map[string]string{"told": "%d", "recall": "guarded=%d"}[e.What], &n); err != nil {
				return err
			}
			l.Epoch = dr.Epoch(n)
		case "rear":
			if len(e.Args) > 0 {
				var ms float64
				if _, err := fmt.Sscanf(e.Args[0], "deadline=%g", &ms); err != nil {
					return err
				}
				l.Until = e.At + time.Duration(ms*float64(time.Millisecond))
			}
		case "stop":
			if !p.handsOver(i) {
				p.end = e.At // the test is over
				continue
			}
		case "rested":
			if i > 0 && p.g.Events[i-1].Outcome == "cancelled" {
				p.end, p.cut = e.At, true // the test is over
				continue
			}
			p.end = e.At + p.tolerance["rested"] // a guard that stays a moment longer
			continue
		default:
			continue
		}
		if !begun {
			early = append(early, l)
			continue
		}
		p.learn(e.At, l)
	}
	return nil
}

// again names a fence that follows one which was not confirmed: how soon it is tried again
// is a matter of pace.
func again(e *Event, retries bool) (string, bool) {
	if retries {
		return "fence again", e.Outcome != "ok"
	}
	return "fence", e.Outcome != "ok"
}

// handsOver reports whether a guard stays behind after an event.
func (p *player) handsOver(after int) bool {
	return slices.ContainsFunc(p.g.Events[after:], func(e Event) bool { return e.What == "rear" })
}

func (p *player) learn(at time.Duration, l Learnt) {
	p.at(at, func() error {
		switch l.What {
		case "see":
			if l.Lease == (Lease{}) {
				l.Lease = p.lease
				return p.did(at, p.m.Learn(at, l))
			}
			if l.Lease = p.now(l.Lease); p.known && l.Lease.Rev == p.lease.Rev && l.Lease.Epoch == p.lease.Epoch {
				return nil // it knows that
			}
			p.promoting = l.Lease.Holder == p.g.Region && l.Lease.By != "" && l.Lease.Rev == l.Lease.TakenRev
			p.saw(at, l.Lease)
		case "told":
			p.promoting = false
		case "run":
			p.begun, p.due = true, at
		case "rear":
			p.behind = true
			p.enter(at)
		}
		return p.did(at, p.m.Learn(at, l))
	})
}
