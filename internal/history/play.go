package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Machine is a guard that is played: it keeps its own state, and asks nobody for the time.
type Machine interface {
	// Learn gives it something that is no answer: run, see, told, recall or rear.
	Learn(at time.Duration, l Learnt) []Effect
	// Answer tells how one of its calls has ended. Each ends exactly once, at its deadline at
	// the latest.
	Answer(at time.Duration, id uint32, a Answer) []Effect
	// Tick says that time has passed.
	Tick(at time.Duration) []Effect
}

// Learnt is what a guard was told.
type Learnt struct {
	What  string
	Lease Lease         // of see
	Epoch dr.Epoch      // of told and recall
	Until time.Duration // of rear: the process's deadline, or zero
}

// Effect is what a machine does. It is a call if it has an ID.
type Effect struct {
	ID    uint32
	What  string // as in a recording
	Row   string // of a beat: own, unrenewed or rear
	Epoch dr.Epoch
	Seq   uint64        // of a beat
	Until time.Duration // the deadline of a call
}

// Answer is how a call has ended.
type Answer struct {
	Outcome string // as in a recording
	Lease   Lease
	Epoch   dr.Epoch // of what has arrived in the other Region
	Seq     uint64   // of a beat, or of what has arrived; zero if it was no beat of this guard
	Writer  bool     // of role: the server takes itself for the writer
	Awake   bool     // of check
}

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
		"beat": g.Policy.RenewInterval / 2, "renew": g.Policy.RenewInterval / 2, "fence": 250 * time.Millisecond,
		"open": 250 * time.Millisecond, "isolate": 500 * time.Millisecond, "read": 200 * time.Millisecond,
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

// step is the time between two ticks.
const step = 25 * time.Millisecond

// Play plays a recorded guard through a machine and returns what differs, in order.
func Play(g *Guard, m Machine) ([]Difference, error) {
	p := &player{g: g, m: m, tolerance: compared(g), sent: make(map[uint64]int64), own: make(map[int64]uint64), phases: []phase{{0, "before the lease is known"}}}
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("history: %s: %w", g.Name, err)
	}
	if err := p.play(); err != nil {
		return nil, fmt.Errorf("history: %s: %w", g.Name, err)
	}
	return p.settle(), nil
}

type player struct {
	g         *Guard
	m         Machine
	tolerance map[string]time.Duration
	found     []Difference

	recorded  map[string][]*play // by kind, in order
	queue     []task             // sorted
	number    int
	end       time.Duration
	behind    bool
	closed    bool
	known     bool
	lease     Lease
	phases    []phase
	sent      map[uint64]int64 // machine's beats: the recorded number, or -1
	own       map[int64]uint64 // recorded beats: the machine's number
	lastBeats []uint64
}

// play is a recorded event, and whether the machine has done the same.
type play struct {
	*Event
	used bool
}

type task struct {
	at     time.Duration
	number int
	do     func() error
}

type phase struct {
	from time.Duration
	name string
}

// prepare lists what the machine will be told, and what it is compared with.
func (p *player) prepare() error {
	p.recorded = make(map[string][]*play)
	begun, renewed := false, make(map[string]bool)
	var early []Learnt
	if len(p.g.Events) == 0 {
		return nil
	}
	p.end = p.g.Events[len(p.g.Events)-1].At
	for i := range p.g.Events {
		e := &p.g.Events[i]
		if e.At > p.end {
			break
		}
		if e.Outcome == "dead" {
			p.end = min(p.end, e.At+e.Took) // the process was killed, and does nothing any more
		}
		if e.What == "renew" && e.Outcome == "ok" && len(e.Answer) > 0 {
			renewed[e.Answer[0]] = true
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
			}
			continue
		case "rested":
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

// handsOver reports whether a guard stays behind after an event.
func (p *player) handsOver(after int) bool {
	return slices.ContainsFunc(p.g.Events[after:], func(e Event) bool { return e.What == "rear" })
}

func (p *player) learn(at time.Duration, l Learnt) {
	p.at(at, func() error {
		switch l.What {
		case "see":
			if p.known && l.Lease.Epoch == p.lease.Epoch && l.Lease.Rev <= p.lease.Rev {
				return nil // its own renewals have come further
			}
			p.saw(at, l.Lease)
		case "rear":
			p.behind = true
			p.enter(at)
		}
		return p.did(at, p.m.Learn(at, l))
	})
}

func (p *player) at(at time.Duration, do func() error) {
	p.number++
	t := task{at, p.number, do}
	i, _ := slices.BinarySearchFunc(p.queue, t, func(x, y task) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.number, y.number)) })
	p.queue = slices.Insert(p.queue, i, t)
}

func (p *player) saw(at time.Duration, l Lease) {
	p.known, p.lease = true, l
	p.enter(at)
}

// enter notes in which phase the guard is.
func (p *player) enter(at time.Duration) {
	name := "before the lease is known"
	switch {
	case p.behind:
		name = "behind its successor"
	case p.known && p.lease.Holder != p.g.Region:
		name = "another Region holds the lease"
	case p.known && p.closed:
		name = "its Region holds the lease, its writer is closed"
	case p.known:
		name = "its Region holds the lease"
	}
	if last := p.phases[len(p.phases)-1]; last.name != name {
		p.phases = append(p.phases, phase{at, name})
	}
}

func (p *player) phase(at time.Duration) string {
	name := p.phases[0].name
	for _, x := range p.phases {
		if x.from <= at {
			name = x.name
		}
	}
	return name
}

func (p *player) play() error {
	var ticks func(at time.Duration)
	ticks = func(at time.Duration) {
		p.at(at, func() error {
			ticks(at + step)
			return p.did(at, p.m.Tick(at))
		})
	}
	if len(p.queue) == 0 {
		return nil
	}
	ticks(p.queue[0].at + step)
	for n := 0; len(p.queue) > 0; n++ {
		t := p.queue[0]
		p.queue = p.queue[1:]
		if t.at > p.end {
			return nil
		}
		if n > 1_000_000 {
			return fmt.Errorf("at %v: a million steps: the machine doesn't come to rest", t.at)
		}
		if err := t.do(); err != nil {
			return err
		}
	}
	return nil
}

// did compares what the machine does, and answers what it asks.
func (p *player) did(at time.Duration, all []Effect) error {
	for _, e := range all {
		same := p.same(at, e)
		if e.ID == 0 {
			continue
		}
		if e.What == "beat" {
			p.sent[e.Seq], p.lastBeats = -1, append(p.lastBeats, e.Seq)
			if same != nil && same.Call() {
				if _, n, err := pair(same.Args[1]); err == nil {
					p.sent[e.Seq], p.own[n] = n, e.Seq
				}
			}
		}
		a, took, err := p.answer(at, e, same)
		if err != nil {
			return err
		}
		end := at + took
		if e.Until > 0 && end > e.Until {
			end, a.Outcome = e.Until, "timeout"
		}
		p.at(end, func() error {
			a := a
			switch {
			case a.Outcome != "ok":
			case e.What == "fence":
				p.closed = true
				p.enter(end)
			case e.What == "open":
				p.closed = false
				p.enter(end)
			case e.What == "renew":
				if p.lease.Epoch != e.Epoch || p.lease.Holder != p.g.Region {
					a.Outcome = "moved"
					break
				}
				a.Lease = p.lease
				a.Lease.Rev++
				p.saw(end, a.Lease)
			case e.What == "read" && a.Lease.Rev < p.lease.Rev:
				a.Lease = p.lease
			}
			return p.did(end, p.m.Answer(end, e.ID, a))
		})
	}
	return nil
}

// same finds the recorded event that an effect stands for.
func (p *player) same(at time.Duration, e Effect) *Event {
	tolerance, ok := p.tolerance[e.What]
	if !ok {
		return nil
	}
	for _, r := range p.recorded[e.What] {
		if !r.used && r.At >= at-tolerance && r.At <= at+tolerance {
			r.used = true
			return r.Event
		}
	}
	p.found = append(p.found, Difference{at, p.g.Name, "only now", e.What, p.phase(at)})
	return nil
}

// answer says how a call ends: as the same one ended, or the nearest of its kind.
func (p *player) answer(at time.Duration, e Effect, same *Event) (Answer, time.Duration, error) {
	a := Answer{Outcome: "ok", Seq: e.Seq, Writer: p.known && p.lease.Holder == p.g.Region && !p.secondary(at), Awake: true}
	if same != nil && !same.Call() {
		same = nil
	}
	if same == nil {
		same = p.nearest(at, e.What)
		switch {
		case same == nil:
			return a, 0, nil // nobody has asked that; AskRole, or a fence where none was needed
		case e.What == "beat" && same.Outcome == "ok" && p.closed:
			a.Outcome = "readonly"
			return a, same.Took, nil
		case e.What == "beat" && same.Outcome == "readonly" && !p.closed:
			return a, same.Took, nil
		}
	}
	a.Outcome = same.Outcome
	if a.Outcome == "cancelled" || a.Outcome == "never" || a.Outcome == "dead" {
		a.Outcome = "timeout"
		return a, max(same.Took, e.Until-at), nil
	}
	if a.Outcome != "ok" || len(same.Answer) == 0 {
		return a, same.Took, nil
	}
	var err error
	switch e.What {
	case "read":
		a.Lease, err = lease(same.Answer)
	case "check":
		a.Awake = same.Answer[0] == "true"
	case "replicated":
		var epoch uint64
		var n int64
		epoch, n, err = pair(same.Answer[0])
		a.Epoch, a.Seq = dr.Epoch(epoch), p.own[n]
	}
	return a, same.Took, err
}

// nearest returns the recorded call of a kind that began nearest to a time.
func (p *player) nearest(at time.Duration, what string) *Event {
	var best *Event
	for _, r := range p.recorded[what] {
		if r.Call() && (best == nil || (r.At-at).Abs() < (best.At-at).Abs()) {
			best = r.Event
		}
	}
	return best
}

// secondary reports whether the server has last said that it is no writer.
func (p *player) secondary(at time.Duration) bool {
	said := false
	for _, r := range p.recorded["open"] {
		if r.At <= at {
			said = r.Outcome == "notwriter"
		}
	}
	return said
}

// settle adds what only the recorded guard did.
func (p *player) settle() []Difference {
	// What was cut short, by the end of a test or the death of a process, may have been about to.
	rested := slices.ContainsFunc(p.g.Events, func(e Event) bool { return e.What == "rested" })
	for what, all := range p.recorded {
		for _, r := range all {
			if !r.used && (r.At+p.tolerance[what] < p.end || rested) && !p.stopping(r.At) {
				p.found = append(p.found, Difference{r.At, p.g.Name, "only before", what, p.phase(r.At)})
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
