package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

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
