package model

import "slices"

// live looks for a run in which nothing breaks any more and which never comes to a good
// end, although no party that can act all the time waits for ever: weak fairness of every
// party on its own. Such a run stays, from some moment on, among states that reach each
// other, none of which is good. So it is enough to look at the strongly connected parts of
// the graph without faults and without good ends. A run can stay in one of them unless
// one party can act in all its states and leaves it with each of its actions.
func (e *explorer) live(r *Result) {
	n := len(e.parent)
	for _, good := range e.good {
		if good {
			r.Ends++
		}
	}
	const unseen, done = 0, ^uint32(0)
	var (
		order = make([]uint32, n) // when a state was met; done once its part is complete
		low   = make([]uint32, n)
		at    = make([]uint32, n) // the next edge to follow
		stack []uint32            // states whose part is not complete
		calls []uint32            // the way to the state at hand
		clock uint32
		worst = done
		part  []uint32
	)
	for root := range uint32(n) {
		if e.good[root] || order[root] != unseen {
			continue
		}
		calls = append(calls, root)
		for len(calls) > 0 {
			s := calls[len(calls)-1]
			if order[s] == unseen {
				clock++
				order[s], low[s], at[s] = clock, clock, e.firstOf[s]
				stack = append(stack, s)
			}
			deeper := false
			for at[s] < e.firstOf[s+1] {
				t := e.edges[at[s]]
				if !e.good[t] && order[t] == unseen {
					calls, deeper = append(calls, t), true
					break // and come back to this edge
				}
				if !e.good[t] && order[t] != done {
					low[s] = min(low[s], low[t])
				}
				at[s]++
			}
			if deeper {
				continue
			}
			calls = calls[:len(calls)-1]
			if low[s] != order[s] {
				continue
			}
			from := lastIndex(stack, s)
			members := stack[from:]
			stack = stack[:from]
			if first := slices.Min(members); first < worst && e.endless(members, order) {
				worst, part = first, slices.Clone(members)
			}
			for _, m := range members {
				order[m] = done
			}
		}
	}
	if part != nil {
		r.Err, r.Trace = ErrEndless, append(e.way(worst), e.lap(worst, part)...)
	}
}

func lastIndex(in []uint32, x uint32) int {
	i := len(in) - 1
	for in[i] != x {
		i--
	}
	return i
}

// labelSet is a set of labels.
type labelSet [4]uint64

func (l *labelSet) add(n uint8) { l[n>>6] |= 1 << (n & 63) }

func (l *labelSet) has(n uint8) bool { return l[n>>6]>>(n&63)&1 != 0 }

// endless reports whether a run may stay in a part of the graph for ever.
func (e *explorer) endless(part, order []uint32) bool {
	var inside, all labelSet
	for i := range all {
		all[i] = ^uint64(0)
	}
	const done = ^uint32(0)
	within := order[part[0]]
	for _, s := range part {
		within = min(within, order[s])
	}
	for _, s := range part {
		var enabled labelSet
		for i := e.firstOf[s]; i < e.firstOf[s+1]; i++ {
			n, t := e.label[i], e.edges[i]
			if e.labels.actions[n-1].fair() {
				enabled.add(n)
			}
			// What was met since the part's first state and is not done belongs to it.
			if !e.good[t] && order[t] != done && order[t] >= within {
				inside.add(n)
			}
		}
		for i := range all {
			all[i] &= enabled[i]
		}
	}
	for i := range all {
		if all[i]&^inside[i] != 0 {
			return false
		}
	}
	return true
}

// fair reports whether an action happens at last if it can happen all the time. That a
// clock drifts, that a late message arrives, that a person wishes for something or that an
// invocation is doubled need never happen.
func (x action) fair() bool {
	switch x.what {
	case zombie, wantsBack:
		return false
	case tick:
		return x.which == 0
	case begin:
		return x.which == 0 || x.which == 3<<1 // the first process, and an execution that has to be
	}
	return !x.fault()
}

// lap tells a way from a state back to itself within a part of the graph, which shows why
// nothing leads out of it: whatever would is impossible in one of the states that it passes.
func (e *explorer) lap(first uint32, part []uint32) []string {
	in := make(map[uint32]bool, len(part))
	for _, s := range part {
		in[s] = true
	}
	var leads labelSet // out of the part, from any state and whatever was to happen
	var inside labelSet
	for _, s := range part {
		for i := e.firstOf[s]; i < e.firstOf[s+1]; i++ {
			if n := e.label[i]; in[e.edges[i]] {
				inside.add(n)
			} else if e.labels.actions[n-1].fair() {
				leads.add(n)
			}
		}
	}
	var ids []uint32
	var labels []uint8
	at := first
	// walk goes the shortest way to a state that is as wanted, at least one step.
	walk := func(wanted func(uint32) bool) bool {
		way, by, ok := e.shortest(at, in, wanted)
		if ok {
			ids, labels, at = append(ids, way...), append(labels, by...), way[len(way)-1]
		}
		return ok
	}
	possible := func(s uint32, n uint8) bool { return slices.Contains(e.label[e.firstOf[s]:e.firstOf[s+1]], n) }
	for n := uint8(1); int(n) <= len(e.labels.actions); n++ {
		passed := func(s uint32) bool { return !possible(s, n) }
		if !leads.has(n) || inside.has(n) || passed(at) || slices.ContainsFunc(ids, passed) {
			continue
		}
		walk(passed)
	}
	if !walk(func(s uint32) bool { return s == first }) {
		return []string{"and here it stands still"}
	}
	_, told := e.tell(e.at(first), ids, labels)
	return append([]string{"and from here round and round:"}, told...)
}

// shortest returns the shortest way from a state to one that is wanted, within a part of
// the graph.
func (e *explorer) shortest(from uint32, in map[uint32]bool, wanted func(uint32) bool) (ids []uint32, labels []uint8, ok bool) {
	type by struct {
		from  uint32
		label uint8
	}
	came := make(map[uint32]by)
	queue := []uint32{from}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for i := e.firstOf[s]; i < e.firstOf[s+1]; i++ {
			t := e.edges[i]
			if _, known := came[t]; known || !in[t] {
				continue
			}
			came[t] = by{s, e.label[i]}
			queue = append(queue, t)
			if !wanted(t) {
				continue
			}
			for x := t; len(ids) == 0 || x != from; x = came[x].from {
				ids, labels = append(ids, x), append(labels, came[x].label)
			}
			slices.Reverse(ids)
			slices.Reverse(labels)
			return ids, labels, true
		}
	}
	return nil, nil, false
}

// at returns a state by its number.
func (e *explorer) at(id uint32) State {
	var ids []uint32
	for ; id != 0; id = e.parent[id] {
		ids = append(ids, id)
	}
	slices.Reverse(ids)
	s, _ := e.tell(e.start(), ids, nil)
	return s
}
