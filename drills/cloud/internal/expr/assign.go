package expr

import (
	"maps"
	"slices"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

// term is the right-hand side of an assignment.
type term interface {
	eval(row) (attr.Value, error)
}

type (
	sum struct {
		left, right term
		negate      bool
	}
	fallback struct { // if_not_exists
		path  Path
		other term
	}
	concat struct{ left, right term } // list_append
)

// sum parses a term, or two joined by + or -.
func (ps *parser) sum() (term, error) {
	left, err := ps.term()
	if err != nil {
		return nil, err
	}
	negate := ps.peek().text == "-"
	if !negate && ps.peek().text != "+" {
		return left, nil
	}
	ps.next()
	right, err := ps.term()
	if err != nil {
		return nil, err
	}
	for _, t := range []term{left, right} {
		if o, ok := t.(operand); ok && o.path == nil && o.literal.kind != attr.N {
			return nil, refuse("Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
				map[bool]string{true: "-", false: "+"}[negate], o.literal.kind)
		}
	}
	return sum{left, right, negate}, nil
}

func (ps *parser) term() (term, error) {
	name, ok := ps.call()
	if !ok {
		return ps.operand()
	}
	switch name {
	case "if_not_exists":
		p, err := ps.pathArgument(name)
		if err != nil {
			return nil, err
		}
		if err := ps.expect(","); err != nil {
			return nil, err
		}
		other, err := ps.term()
		if err != nil {
			return nil, err
		}
		return fallback{p, other}, ps.expect(")")
	case "list_append":
		left, err := ps.term()
		if err != nil {
			return nil, err
		}
		if err := ps.expect(","); err != nil {
			return nil, err
		}
		right, err := ps.term()
		if err != nil {
			return nil, err
		}
		return concat{left, right}, ps.expect(")")
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size":
		return nil, refuse("The function is not allowed in an update expression; function: %s", name)
	}
	return nil, refuse("Invalid function name; function: %s", name)
}

// eval makes a path or literal a term.
func (o operand) eval(r row) (attr.Value, error) {
	v, ok := o.get(r)
	if !ok {
		return v, refuse("The provided expression refers to an attribute that does not exist in the item")
	}
	return v, nil
}

func (f fallback) eval(r row) (attr.Value, error) {
	if v, ok := f.path.get(r.item); ok {
		return v, nil
	}
	return f.other.eval(r)
}

func (s sum) eval(r row) (attr.Value, error) {
	left, err := s.left.eval(r)
	if err != nil {
		return left, err
	}
	right, err := s.right.eval(r)
	if err != nil {
		return right, err
	}
	if left.Kind != attr.N || right.Kind != attr.N {
		return left, errType
	}
	n, err := attr.Add(left.Str, right.Str, s.negate)
	if err != nil {
		return left, refuse("%v", err)
	}
	return attr.Value{Kind: attr.N, Str: n}, nil
}

func (c concat) eval(r row) (attr.Value, error) {
	left, err := c.left.eval(r)
	if err != nil {
		return left, err
	}
	right, err := c.right.eval(r)
	if err != nil {
		return right, err
	}
	if left.Kind != attr.L || right.Kind != attr.L {
		return left, errType
	}
	return attr.Value{Kind: attr.L, List: slices.Concat(left.List, right.List)}, nil
}

var errPath = &Error{Message: "The document path provided in the update expression is invalid for update"}

// put sets the value at a path of an item it may change. Containers below the
// top are copied, because values are shared.
func put(it attr.Item, p Path, v attr.Value) error {
	if len(p) == 1 {
		it[p[0].name] = v
		return nil
	}
	parent, ok := it[p[0].name]
	if !ok {
		return errPath
	}
	changed, err := replace(parent, p[1:], &v)
	if err == nil {
		it[p[0].name] = changed
	}
	return err
}

// drop removes what is at a path; nothing there is not an error, as long as
// the path's parents exist.
func drop(it attr.Item, p Path) error {
	if len(p) == 1 {
		delete(it, p[0].name)
		return nil
	}
	parent, ok := it[p[0].name]
	if !ok {
		return errPath
	}
	changed, err := replace(parent, p[1:], nil)
	if err == nil {
		it[p[0].name] = changed
	}
	return err
}

// replace returns a copy of a container with the value at p set, or removed
// when v is nil. An index past the end of a list appends.
func replace(c attr.Value, p Path, v *attr.Value) (attr.Value, error) {
	s, last := p[0], len(p) == 1
	switch {
	case s.key && c.Kind == attr.M:
		m := maps.Clone(c.Map)
		switch child, ok := m[s.name]; {
		case last && v == nil:
			delete(m, s.name)
		case last:
			m[s.name] = *v
		case !ok:
			return c, errPath
		default:
			changed, err := replace(child, p[1:], v)
			if err != nil {
				return c, err
			}
			m[s.name] = changed
		}
		return attr.Value{Kind: attr.M, Map: m}, nil
	case !s.key && c.Kind == attr.L:
		l := slices.Clone(c.List)
		inside := s.index < len(l)
		switch {
		case last && v == nil && inside:
			l = slices.Delete(l, s.index, s.index+1)
		case last && v == nil:
		case last && inside:
			l[s.index] = *v
		case last:
			l = append(l, *v)
		case !inside:
			return c, errPath
		default:
			changed, err := replace(l[s.index], p[1:], v)
			if err != nil {
				return c, err
			}
			l[s.index] = changed
		}
		return attr.Value{Kind: attr.L, List: l}, nil
	}
	return c, errPath
}
