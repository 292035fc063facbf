package failover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// When people are told of what fails without stopping anything.
const (
	// lastsFor is how long something must have failed.
	lastsFor = 15 * time.Second
	// lapsesAfter is after how long without a failure it counts as over. It is longer than
	// the longest pace at which anything is tried.
	lapsesAfter = 65 * time.Second
	// toldEvery is the least time between two messages, so that no outage is a flood.
	toldEvery = time.Minute
)

// Trouble is something that fails in a Region's monitor and is worked around.
type Trouble struct {
	Op string
	// For is how long it has failed, Quiet how long ago it failed last, when the report was
	// published. Told says that people have accepted a message about it, and Ago how long ago
	// they accepted the last one of this Region's.
	For, Quiet, Ago time.Duration
	Times           int
	Told            bool
	Error           string
}

// Failures remembers what fails in a process, until people were told. What nothing else
// tells them is that the automation is blind while the database serves. The zero value is
// ready, and safe for concurrent use.
type Failures struct {
	mu   sync.Mutex
	all  map[string]*trouble
	told time.Time
}

type trouble struct {
	first, last time.Time
	times       int
	told        bool
	text        string
}

// Note takes in one failure. That the policy lets the automation only observe is none: see
// [agent.observes].
func (l *Failures) Note(p dr.Problem) {
	var denied *Denied
	if errors.As(p.Err, &denied) && denied.Code == DenyObserveOnly {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[string]*trouble)
	}
	t := l.all[p.Op]
	if t == nil || p.At.Sub(t.last) > lapsesAfter {
		t = &trouble{first: p.At}
		l.all[p.Op] = t
	}
	t.last, t.text = p.At, p.Err.Error()
	t.times++
}

// adopt goes on with what the predecessor has seen.
func (l *Failures) adopt(all []Trouble, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[string]*trouble)
	}
	for _, s := range all {
		t := l.all[s.Op]
		if t == nil {
			t = &trouble{last: now.Add(-s.Quiet), text: s.Error}
			l.all[s.Op] = t
		}
		t.first, t.times, t.told = now.Add(-s.For), t.times+s.Times, t.told || s.Told
		if told := now.Add(-min(max(s.Ago, 0), toldEvery)); s.Told && told.After(l.told) {
			l.told = told // a handover is no reason to tell them sooner of what comes next
		}
	}
}

// report is what a successor goes on with.
func (l *Failures) report(now time.Time) []Trouble {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Trouble
	for op, t := range l.all {
		if quiet := now.Sub(t.last); quiet <= lapsesAfter {
			s := Trouble{Op: op, For: now.Sub(t.first), Quiet: quiet, Times: t.times, Told: t.told, Error: short(t.text)}
			if t.told {
				s.Ago = max(0, now.Sub(l.told))
			}
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Trouble) int { return cmp.Compare(a.Op, b.Op) })
	return all
}

// due returns what people are to be told of now.
func (l *Failures) due(now time.Time) []Trouble {
	var due []Trouble
	for _, t := range l.report(now) {
		switch {
		case t.Told || t.Times < 2:
		case t.Op == opObserve: // a verdict is confirmed already
			return []Trouble{t}
		case t.For-t.Quiet >= lastsFor:
			due = append(due, t)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.told.IsZero() && now.Sub(l.told) < toldEvery {
		return nil
	}
	return due
}

// accepted notes that people were told.
func (l *Failures) accepted(all []Trouble, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = now
	for _, t := range all {
		if known := l.all[t.Op]; known != nil {
			known.told = true
		}
	}
}

func short(s string) string {
	const most = 300
	if s = strings.ToValidUTF8(s, "?"); len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// tellPeople tells people of what lasts, until they have accepted it.
func (a *agent) tellPeople(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval)
	defer tick.Stop()
	for next(ctx, tick) {
		a.tellOwed(ctx)
		now := time.Now()
		due := a.lasting.due(now)
		if len(due) == 0 {
			continue
		}
		call, cancel := context.WithTimeout(ctx, 2*a.cfg.Policy.CallTimeout)
		m := troubleMessage(a.cfg.Region, due)
		if due[0].Op == opObserve {
			m = observed(a.cfg.Topology.Peer(a.cfg.Region), a.cfg.Region, due[0])
		}
		err := a.cfg.Notifier.Notify(call, m)
		cancel()
		if err == nil {
			a.lasting.accepted(due, time.Now())
		}
	}
}

// troubleMessage says what fails, what it means and what to do.
func troubleMessage(r dr.Region, due []Trouble) Message {
	var b strings.Builder
	fmt.Fprintf(&b, "The monitor of %s works, and this fails:\n\n", r)
	for _, t := range due {
		fmt.Fprintf(&b, "  %s: for %v, %d times, last: %s\n", t.Op, t.For.Round(time.Second), t.Times, t.Error)
	}
	b.WriteString("\nNothing was stopped or moved for it. As long as it lasts, a failover may have to ask a person, or may not be possible.\n" +
		"What to do: mend the cause above; a status request to the trigger of either Region says what the automation sees.\n")
	subject := fmt.Sprintf("%s: %s fails", r, due[0].Op)
	if len(due) > 1 {
		subject += fmt.Sprintf(" and %d more", len(due)-1)
	}
	return Message{Subject: subject, Body: b.String()}
}
