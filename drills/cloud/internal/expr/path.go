package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

// step is one part of a document path: a map key, or a list index when key is
// false.
type step struct {
	name  string
	index int
	key   bool
}

// Path is a document path such as state.members[0].
type Path []step

// Name returns the top-level attribute.
func (p Path) Name() string { return p[0].name }

// String writes the path the way DynamoDB's messages do: [a, b, [0]].
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		if parts[i] = s.name; !s.key {
			parts[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func (p Path) get(it attr.Item) (attr.Value, bool) {
	v, ok := it[p[0].name]
	for _, s := range p[1:] {
		if !ok {
			return v, false
		}
		switch {
		case s.key && v.Kind == attr.M:
			v, ok = v.Map[s.name]
		case !s.key && v.Kind == attr.L && s.index < len(v.List):
			v = v.List[s.index]
		default:
			return v, false
		}
	}
	return v, ok
}

// overlap reports whether two paths can't stand in one expression: one
// contains the other, or they treat one node as map and as list.
func overlap(a, b Path) error {
	n := min(len(a), len(b))
	for i := range n {
		if a[i].key != b[i].key {
			return refuse("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %v, path two: %v", a, b)
		}
		if a[i] != b[i] {
			return nil
		}
	}
	return refuse("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %v, path two: %v", a, b)
}

func distinct(paths []Path) error {
	for i, a := range paths {
		for _, b := range paths[:i] {
			if err := overlap(b, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// Projection is the set of paths that a read returns.
type Projection []Path

// Apply returns the projected part of an item. A list keeps only the selected
// elements, in their order.
func (pr Projection) Apply(it attr.Item) attr.Item {
	if it == nil {
		return nil
	}
	root := node{}
	for _, p := range pr {
		root.add(p)
	}
	return root.project(attr.Value{Kind: attr.M, Map: it}).Map
}

// node is a trie of paths; a node without children selects everything below.
type node struct {
	keys    map[string]*node
	indexes map[int]*node
}

func (n *node) add(p Path) {
	for _, s := range p {
		var next *node
		if s.key {
			if n.keys == nil {
				n.keys = map[string]*node{}
			}
			if next = n.keys[s.name]; next == nil {
				next = &node{}
				n.keys[s.name] = next
			}
		} else {
			if n.indexes == nil {
				n.indexes = map[int]*node{}
			}
			if next = n.indexes[s.index]; next == nil {
				next = &node{}
				n.indexes[s.index] = next
			}
		}
		n = next
	}
}

func (n *node) covers(v attr.Value) bool {
	switch {
	case n.keys != nil:
		if v.Kind != attr.M {
			return false
		}
		for name, child := range n.keys {
			if e, ok := v.Map[name]; ok && child.covers(e) {
				return true
			}
		}
		return false
	case n.indexes != nil:
		if v.Kind != attr.L {
			return false
		}
		for i, child := range n.indexes {
			if i < len(v.List) && child.covers(v.List[i]) {
				return true
			}
		}
		return false
	}
	return true
}

func (n *node) project(v attr.Value) attr.Value {
	switch {
	case n.keys != nil:
		out := attr.Item{}
		for name, child := range n.keys {
			if e, ok := v.Map[name]; ok && child.covers(e) {
				out[name] = child.project(e)
			}
		}
		return attr.Value{Kind: attr.M, Map: out}
	case n.indexes != nil:
		order := make([]int, 0, len(n.indexes))
		for i := range n.indexes {
			order = append(order, i)
		}
		slices.Sort(order)
		out := []attr.Value{}
		for _, i := range order {
			if i < len(v.List) && n.indexes[i].covers(v.List[i]) {
				out = append(out, n.indexes[i].project(v.List[i]))
			}
		}
		return attr.Value{Kind: attr.L, List: out}
	}
	return v
}
