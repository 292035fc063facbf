package model

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"
)

// What a search can find.
var (
	ErrDual  = errors.New("model: an old writer acknowledges after a new one has")
	ErrStuck = errors.New("model: no good end can be reached, although nothing breaks any more")
	ErrLimit = errors.New("model: there are more states than the limit")
)

// Result is what a search came to.
type Result struct {
	States, Steps int
	Depth         int // of the farthest state: the longest shortest way
	Ends          int // good ends among the states
	Took          time.Duration
	// Err wraps what was found, Trace is the shortest way there.
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
func (s State) good() bool {
	w := s.Member[s.Writer]
	return s.Journal.ended() && s.Lease.Holder == s.Writer && s.Moving == none && w.serves() && !s.Member[peer(s.Writer)].serves()
}

func (s State) dual() bool {
	old := s.Member[peer(s.Acknowledged)]
	return old.serves()
}

// Explore visits every state within the bounds, breadth first, and then looks from every
// state for a way to a good end. limit bounds the states, 0 means none.
func (c Config) Explore(limit int) Result {
	c = c.withDefaults()
	began := time.Now()
	e := &explorer{Config: c, seed: maphash.MakeSeed(), ids: make(map[[2]uint64]uint32)}
	r := e.explore(limit)
	if r.Err == nil {
		e.live(&r)
	}
	r.Took = time.Since(began)
	return r
}

// explorer remembers of a state what it needs to find the way back: 128 bits of a hash
// to know it by, who came before, and where its steps begin. Two states of ten million
// share 128 bits with a probability of less than 1e-24.
type explorer struct {
	Config
	seed    maphash.Seed
	ids     map[[2]uint64]uint32
	parent  []uint32
	came    []action
	good    []bool
	edges   []uint32 // successors without a fault, of one state after the other
	firstOf []uint32 // where they begin
}

func (e *explorer) id(s State) (uint32, bool) {
	h := [2]uint64{maphash.Comparable(e.seed, s), 0}
	h[1] = maphash.Comparable(e.seed, struct {
		s State
		x uint64
	}{s, h[0]})
	if id, ok := e.ids[h]; ok {
		return id, false
	}
	id := uint32(len(e.ids))
	e.ids[h] = id
	return id, true
}

func (e *explorer) explore(limit int) (r Result) {
	start := e.start()
	e.id(start)
	e.parent, e.came, e.good = []uint32{0}, []action{{}}, []bool{start.good()}
	level := []State{start}
	at := uint32(0) // the number of the level's first state: they are numbered in order
	for len(level) > 0 {
		var next []State
		for _, s := range level {
			me := at
			at++
			e.firstOf = append(e.firstOf, uint32(len(e.edges)))
			e.next(s, func(x action, t State) {
				r.Steps++
				id, fresh := e.id(t)
				if !x.fault() {
					e.edges = append(e.edges, id)
				}
				if !fresh {
					return
				}
				e.parent, e.came, e.good = append(e.parent, me), append(e.came, x), append(e.good, t.good())
				next = append(next, t)
				if t.dual() && r.Err == nil {
					r.Err = ErrDual
					r.Trace = e.way(id)
				}
			})
			if r.Err == nil && limit > 0 && len(e.ids) > limit {
				r.Err = fmt.Errorf("%w %d", ErrLimit, limit)
			}
			if r.Err != nil {
				r.States = len(e.ids)
				return r
			}
		}
		if len(next) > 0 {
			r.Depth++
		}
		level = next
	}
	e.firstOf = append(e.firstOf, uint32(len(e.edges)))
	r.States = len(e.ids)
	return r
}

// live walks back from the good ends.
func (e *explorer) live(r *Result) {
	n := len(e.parent)
	// Predecessors by counting sort.
	first := make([]uint32, n+1)
	for _, to := range e.edges {
		first[to+1]++
	}
	for i := range n {
		first[i+1] += first[i]
	}
	before := make([]uint32, len(e.edges))
	fill := make([]uint32, n)
	for from := range n {
		for _, to := range e.edges[e.firstOf[from]:e.firstOf[from+1]] {
			before[first[to]+fill[to]] = uint32(from)
			fill[to]++
		}
	}
	reached := make([]bool, n)
	var queue []uint32
	for i, good := range e.good {
		if good {
			r.Ends++
			reached[i] = true
			queue = append(queue, uint32(i))
		}
	}
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, from := range before[first[at]:first[at+1]] {
			if !reached[from] {
				reached[from] = true
				queue = append(queue, from)
			}
		}
	}
	for i, ok := range reached {
		if !ok {
			r.Err, r.Trace = ErrStuck, e.way(uint32(i))
			return
		}
	}
}

// way tells the shortest way to a state, with what everything looks like after each step.
func (e *explorer) way(id uint32) []string {
	var back []uint32
	for ; id != 0; id = e.parent[id] {
		back = append(back, id)
	}
	s := e.start()
	out := []string{s.String()}
	for i := len(back) - 1; i >= 0; i-- {
		want := e.came[back[i]]
		e.next(s, func(x action, t State) {
			if got, _ := e.id(t); got == back[i] && x == want {
				s = t
			}
		})
		out = append(out, want.String(), "    "+s.String())
	}
	return out
}
