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
	// Tick says that time has passed. It comes at the latest when it is due.
	Tick(at time.Duration) []Effect
	// Due returns when the next tick must come, after an instant.
	Due(at time.Duration) time.Duration
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

// Play plays a recorded guard through a machine and returns what differs, in order.
func Play(g *Guard, m Machine) ([]Difference, error) {
	p := &player{g: g, m: m, tolerance: compared(g), phases: []phase{{0, "before the lease is known"}}}
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
	cut       bool // the recording ends before the guard does
	closed    bool
	known     bool
	lease     Lease  // as the machine's world has it
	rev       uint64 // the revision that was recorded last: the machine may have renewed more or less often
	retries   bool   // its last fence was not confirmed
	phases    []phase
	promoting bool // its Region has taken the epoch, and the promotion is not done
	begun     bool
	due       time.Duration // the machine's next tick
	ticked    bool          // it has had one at that instant
	sent      []sent
}

// play is a recorded event, and whether the machine has done the same.
type play struct {
	*Event
	used bool
}

// sent is a heartbeat write of the machine.
type sent struct {
	at  time.Duration
	seq uint64
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
			p.end, dead = min(p.end, e.At+e.Took), true // the process was killed, and does nothing any more
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
			}
			continue
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

// now returns a recorded lease with the revision that it has in the machine's world.
func (p *player) now(l Lease) Lease {
	more := l.Rev - min(l.Rev, p.rev)
	p.rev = max(p.rev, l.Rev)
	if more == 0 && l.Epoch == p.lease.Epoch {
		return p.lease // an older answer
	}
	at := p.lease.Rev + more
	if l.TakenRev != 0 {
		if l.Epoch == p.lease.Epoch {
			l.TakenRev = p.lease.TakenRev
		} else {
			l.TakenRev = at - min(at, l.Rev-min(l.Rev, l.TakenRev))
		}
	}
	l.Rev = at
	return l
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
	for n := 0; p.begun || len(p.queue) > 0; n++ {
		at := p.end + 1
		if len(p.queue) > 0 {
			at = p.queue[0].at
		}
		// What is due at an instant is done before what is learnt at it.
		tick := p.begun && (p.due < at || p.due == at && !p.ticked)
		if tick {
			at = p.due
		}
		switch {
		case at > p.end:
			return nil
		case n > 1_000_000:
			return fmt.Errorf("at %v: a million steps: the machine doesn't come to rest", at)
		case tick:
			p.ticked = true
			if err := p.did(at, p.m.Tick(at)); err != nil {
				return err
			}
			if p.due <= at {
				p.due, p.ticked = max(at+time.Millisecond, p.m.Due(at)), false
			}
		default:
			t := p.queue[0]
			p.queue = p.queue[1:]
			if err := t.do(); err != nil {
				return err
			}
		}
	}
	return nil
}

// did compares what the machine does, and answers what it asks.
func (p *player) did(at time.Duration, all []Effect) error {
	if due := p.m.Due(at); p.begun && due > at && due < p.due {
		p.due, p.ticked = due, false
	}
	for _, e := range all {
		if e.What == "fence" && p.retries {
			e.What = "fence again"
		}
		same := p.same(at, e)
		if e.ID == 0 {
			continue
		}
		if e.What == "beat" {
			p.sent = append(p.sent, sent{at, e.Seq})
		}
		a, took, err := p.answer(at, e, same)
		if err != nil {
			return err
		}
		end := at + took
		if e.Until > 0 && end > e.Until {
			end, a.Outcome = e.Until, "timeout"
		}
		if e.What == "fence" || e.What == "fence again" {
			p.retries = a.Outcome != "ok"
		}
		p.at(end, func() error {
			a := a
			switch {
			case a.Outcome != "ok":
			case e.What == "fence", e.What == "fence again":
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
			case e.What == "release":
				a.Lease = p.lease
				a.Lease.Rev++
				a.Lease.Released = true
				p.saw(end, a.Lease)
			case e.What == "read":
				a.Lease = p.now(a.Lease)
				p.saw(end, a.Lease)
			}
			return p.did(end, p.m.Answer(end, e.ID, a))
		})
	}
	return nil
}

// same finds the recorded event that an effect stands for.
func (p *player) same(at time.Duration, e Effect) *Event {
	tolerance, ok := p.tolerance[e.What]
	if !ok && e.What != "release" && e.What != "tell released" { // which no recorded guard did
		return nil
	}
	if e.What == "fence" && (p.phase(at) == "another Region holds the lease" || p.promoting) {
		tolerance = p.g.Policy.ProbeInterval / 2 // the server is looked at once in that time
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
	a := Answer{Outcome: "ok", Seq: e.Seq, Awake: true}
	if e.What == "role" {
		var known bool
		if a.Writer, known = p.writer(at); !known {
			a.Outcome = "error"
		}
		return a, 0, nil
	}
	if same != nil && !same.Call() {
		same = nil
	}
	if same == nil {
		if same = p.nearest(at, e.What); e.What == "beat" {
			// What comes of a heartbeat write hangs on what was opened and closed before.
			same = p.next(at, e.What)
		}
		switch {
		case same == nil:
			return a, 0, nil // the recorded guard never asked that
		case e.What == "beat" && same.Outcome == "ok" && p.closed:
			a.Outcome = "readonly"
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
		a.Epoch, a.Seq = dr.Epoch(epoch), p.arrived(n)
	}
	return a, same.Took, err
}

// arrived returns the machine's newest heartbeat write that was sent no later than the one
// that was recorded to have arrived, or zero if that was none of this guard.
func (p *player) arrived(recorded int64) (seq uint64) {
	for _, r := range p.recorded["beat"] {
		if _, n, err := pair(r.Args[1]); err != nil || n != recorded {
			continue
		}
		for _, s := range p.sent {
			if s.at <= r.At {
				seq = max(seq, s.seq)
			}
		}
	}
	return seq
}

// next returns the first recorded call of a kind that began no earlier than at a time, or
// the last one.
func (p *player) next(at time.Duration, what string) (next *Event) {
	for _, r := range p.recorded[what] {
		if r.Call() && (next == nil || next.At < at) {
			next = r.Event
		}
	}
	return next
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

// writer reports whether the server takes itself for the writer, as it has shown, or as
// another Region's lease lets expect. Before it has shown it, nothing is known.
func (p *player) writer(at time.Duration) (is, known bool) {
	if !p.known || p.lease.Holder != p.g.Region {
		return false, p.known
	}
	shown := time.Duration(-1)
	for _, what := range []string{"open", "beat"} {
		for _, r := range p.recorded[what] {
			if end := r.At + r.Took; end <= at && end > shown && (r.Outcome == "ok" || r.Outcome == "notwriter") {
				is, shown = r.Outcome == "ok", end
			}
		}
	}
	return is, shown >= 0
}

// settle adds what only the recorded guard did.
func (p *player) settle() []Difference {
	// What was cut short, by the end of a test or the death of a process, may have been about to.
	rested := !p.cut && slices.ContainsFunc(p.g.Events, func(e Event) bool { return e.What == "rested" })
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
