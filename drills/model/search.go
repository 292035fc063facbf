package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a search can find.
var (
	ErrDual       = errors.New("model: an old writer acknowledges after a new one has")
	ErrUnfenced   = errors.New("model: the fence is proven, and the old writer acknowledges")
	ErrUnasked    = errors.New("model: a promotion that needs a person's consent has none")
	ErrUnverified = errors.New("model: verified, and the new writer has acknowledged nothing")
	ErrHarm       = errors.New("model: a writer that serves is closed, and a grant holds")
	ErrEndless    = errors.New("model: nothing breaks any more, and it need not end")
	ErrLimit      = errors.New("model: there are more states than the limit")
)

// Result is what a search came to.
type Result struct {
	States, Steps int
	Depth         int // of the farthest state: the longest shortest way
	Ends          int // good ends among the states
	// Distinct is how many states differ in values that a later step reads. It
	// differs from States only with [Config].Remember.
	Distinct int
	Took     time.Duration
	// Err wraps what was found, Trace is the shortest way there. A search goes on until it
	// has found [ErrDual], or seen everything; of the rest it tells what it has met first.
	Err   error
	Trace []string
}

func (r Result) String() string {
	t := fmt.Sprintf("%d states, %d steps, depth %d, %d good ends, %v", r.States, r.Steps, r.Depth, r.Ends, r.Took.Round(time.Millisecond))
	if r.Err != nil {
		t += "\n" + r.Err.Error() + ", after:\n\t" + strings.Join(r.Trace, "\n\t")
	}
	return t
}

// good reports whether everything has come to its end: exactly one database serves, with
// lease and control plane behind it, and no execution is open.
func (s *State) good() bool {
	w := &s.Member[s.Writer]
	return s.Journal.ended() && s.Lease.Holder == s.Writer && s.Moving == none && w.serves() && !s.Member[peer(s.Writer)].serves()
}

// broken returns the invariant that a state breaks.
func (s *State) broken() error {
	j := &s.Journal
	at := j.at()
	switch {
	case s.Member[peer(s.Acknowledged)].serves():
		return ErrDual
	case (at == fenced || at == gated) && !j.Switchover && s.Member[peer(j.To)].serves():
		return ErrUnfenced
	case (at == fenced || at == gated) && !j.Proven:
		return ErrUnfenced
	case j.State == gated && j.needed()&^j.Allowed != 0:
		return ErrUnasked
	case (at == verified || at == redirected) && s.Acknowledged != j.To:
		return ErrUnverified
	case s.Harmed:
		return ErrHarm
	}
	return nil
}

// Explore visits every state within the bounds, breadth first, and then looks for a way
// to go on for ever without an end. limit bounds the states, 0 means none.
func (c Config) Explore(limit int) Result {
	c = c.withDefaults()
	began := time.Now()
	e := &explorer{Config: c, known: newSet(), steps: make(map[key]stepped)}
	r := e.explore(limit)
	if r.Err == nil {
		e.live(&r)
	}
	r.Took = time.Since(began)
	return r
}

// explorer remembers of a state its number, which state came before, and its steps
// without a fault.
type explorer struct {
	Config
	steps   map[key]stepped
	known   *set
	labels  labels
	parent  []uint32
	came    []uint8 // label of the step from the parent
	good    []bool
	edges   []uint32 // where those steps lead to, of one state after the other
	label   []uint8
	firstOf []uint32 // where the edges of a state begin
}

// level is the states of one depth. They are kept in pieces, so that none is moved.
type level [][]State

const piece = 1 << 12

func (l *level) add(s *State) {
	if n := len(*l); n == 0 || len((*l)[n-1]) == piece {
		*l = append(*l, make([]State, 0, piece))
	}
	last := &(*l)[len(*l)-1]
	*last = append(*last, *s)
}

func (e *explorer) explore(limit int) (r Result) {
	start := e.start()
	e.known.id(&start)
	e.parent, e.came, e.good = []uint32{0}, []uint8{0}, []bool{start.good()}
	var now, next level
	now.add(&start)
	me := uint32(0) // states are numbered in the order in which they are visited
	found := func(err error, id uint32) {
		r.Err, r.Trace = err, e.way(id)
	}
	distinct := newSet()
	w := newStep(e.Config, e.steps)
	w.emit = func(x action, t *State) {
		r.Steps++
		id, fresh := e.known.id(t)
		number := e.labels.number(x)
		if !x.fault() {
			e.edges, e.label = append(e.edges, id), append(e.label, number)
		}
		if !fresh {
			return
		}
		e.parent, e.came, e.good = append(e.parent, me), append(e.came, number), append(e.good, t.good())
		next.add(t)
		if e.Remember {
			less := *t
			less.forget()
			distinct.id(&less)
		}
		if err := t.broken(); err != nil && (r.Err == nil || errors.Is(err, ErrDual) && !errors.Is(r.Err, ErrDual)) {
			found(err, id)
		}
	}
	for len(now) > 0 {
		for _, states := range now {
			for i := range states {
				e.firstOf = append(e.firstOf, uint32(len(e.edges)))
				w.s = states[i]
				w.next()
				over := limit > 0 && len(e.parent) > limit
				if over && r.Err == nil {
					r.Err = fmt.Errorf("%w %d", ErrLimit, limit)
				}
				if over || errors.Is(r.Err, ErrDual) || errors.Is(r.Err, ErrHarm) || e.Until != nil && errors.Is(r.Err, e.Until) {
					r.States = len(e.parent)
					return r
				}
				me++
			}
		}
		if len(next) > 0 {
			r.Depth++
		}
		now, next = next, nil
	}
	e.firstOf = append(e.firstOf, uint32(len(e.edges)))
	r.States, r.Distinct = len(e.parent), len(e.parent)
	if e.Remember {
		start.forget()
		distinct.id(&start)
		r.Distinct = int(distinct.n)
	}
	return r
}

// way tells the shortest way to a state, with what everything looks like after each step.
func (e *explorer) way(id uint32) []string {
	var ids []uint32
	for ; id != 0; id = e.parent[id] {
		ids = append(ids, id)
	}
	slices.Reverse(ids)
	start := e.start()
	out := []string{start.String()}
	_, told := e.tell(start, ids, nil)
	return append(out, told...)
}

// tell walks from a state over others, by the steps that led to them first or, where
// labels are given, by those.
func (e *explorer) tell(s State, ids []uint32, labels []uint8) (State, []string) {
	var out []string
	for i, id := range ids {
		want := e.came[id]
		if labels != nil {
			want = labels[i]
		}
		var to State
		var by action
		w := newStep(e.Config, e.steps)
		w.s = s
		w.emit = func(x action, t *State) {
			if e.labels.number(x) == want && e.known.is(t, id) {
				to, by = *t, x
			}
		}
		w.next()
		s = to
		out = append(out, by.String(), "    "+s.String())
	}
	return s, out
}

// labels numbers the actions that occur.
type labels struct {
	numbers [1 << 12]uint8 // 0 is none
	actions []action
}

func (l *labels) number(x action) uint8 {
	n := &l.numbers[int(x.what)<<6|int(x.who&3)<<4|int(x.which)]
	if *n == 0 {
		if len(l.actions) == 255 {
			panic("model: more than 255 kinds of actions")
		}
		l.actions = append(l.actions, x)
		*n = uint8(len(l.actions))
	}
	return *n
}
