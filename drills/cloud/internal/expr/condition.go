package expr

import (
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

// Condition is a parsed condition, filter or key condition.
type Condition struct {
	root   predicate
	values attr.Item
}

// Match evaluates the condition. A nil item is an item without attributes.
func (c *Condition) Match(it attr.Item) bool { return c.root.match(row{it, c.values}) }

// row is what an expression is evaluated with: an item, and the request's values.
type row struct{ item, values attr.Item }

type predicate interface{ match(row) bool }

type (
	and  struct{ left, right predicate }
	or   struct{ left, right predicate }
	not  struct{ inner predicate }
	test struct { // comparison
		op          string
		left, right operand
	}
	between struct{ x, lo, hi operand }
	in      struct {
		x    operand
		list []operand
	}
	exists struct {
		path Path
		want bool
	}
	function struct {
		name   string
		x, arg operand
	}
)

func (c and) match(r row) bool { return c.left.match(r) && c.right.match(r) }
func (c or) match(r row) bool  { return c.left.match(r) || c.right.match(r) }
func (c not) match(r row) bool { return !c.inner.match(r) }

func (c exists) match(r row) bool {
	_, ok := c.path.get(r.item)
	return ok == c.want
}

// match compares. An absent attribute equals nothing and has no order, so only
// <> is true for it.
func (c test) match(r row) bool {
	left, okLeft := c.left.get(r)
	right, okRight := c.right.get(r)
	if !okLeft || !okRight {
		return c.op == "<>"
	}
	switch c.op {
	case "=":
		return attr.Equal(left, right)
	case "<>":
		return !attr.Equal(left, right)
	}
	order, ok := attr.Compare(left, right)
	if !ok {
		return false
	}
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (c between) match(r row) bool {
	return test{">=", c.x, c.lo}.match(r) && test{"<=", c.x, c.hi}.match(r)
}

func (c in) match(r row) bool {
	return slices.ContainsFunc(c.list, func(o operand) bool { return test{"=", c.x, o}.match(r) })
}

func (c function) match(r row) bool {
	x, okX := c.x.get(r)
	arg, okArg := c.arg.get(r)
	if !okX || !okArg {
		return false
	}
	switch c.name {
	case "attribute_type":
		return x.Kind.String() == arg.Str
	case "begins_with":
		return x.Kind == arg.Kind && (x.Kind == attr.S || x.Kind == attr.B) && strings.HasPrefix(x.Str, arg.Str)
	default: // contains
		return contains(x, arg)
	}
}

func contains(x, arg attr.Value) bool {
	switch x.Kind {
	case attr.S, attr.B:
		return arg.Kind == x.Kind && strings.Contains(x.Str, arg.Str)
	case attr.SS, attr.NS, attr.BS:
		element := map[attr.Kind]attr.Kind{attr.SS: attr.S, attr.NS: attr.N, attr.BS: attr.B}[x.Kind]
		return arg.Kind == element && slices.Contains(x.Set, arg.Str)
	case attr.L:
		return slices.ContainsFunc(x.List, func(e attr.Value) bool { return attr.Equal(e, arg) })
	}
	return false
}

// operand is a path, a literal or the size of a path.
type operand struct {
	path    Path // nil for a literal
	literal literal
	size    bool
}

// literal is a :value, which the request has.
type literal struct {
	token string
	kind  attr.Kind
}

func (o operand) get(r row) (attr.Value, bool) {
	if o.path == nil {
		return r.values[o.literal.token], true
	}
	v, ok := o.path.get(r.item)
	if !ok || !o.size {
		return v, ok
	}
	n, ok := v.Length()
	return attr.Int(n), ok
}

// Condition parses a condition; kind is the request parameter's name.
func (p *Params) Condition(kind, src string) (*Condition, error) {
	root, err := compile(p, kind, src, (*parser).or)
	if err != nil {
		return nil, err
	}
	return &Condition{root, p.values}, nil
}

func (ps *parser) or() (predicate, error) {
	left, err := ps.and()
	for err == nil && ps.accept("OR") {
		var right predicate
		right, err = ps.and()
		left = or{left, right}
	}
	return left, err
}

func (ps *parser) and() (predicate, error) {
	left, err := ps.not()
	for err == nil && ps.accept("AND") {
		var right predicate
		right, err = ps.not()
		left = and{left, right}
	}
	return left, err
}

func (ps *parser) not() (predicate, error) {
	if ps.accept("NOT") {
		inner, err := ps.not()
		return not{inner}, err
	}
	if ps.peek().text == "(" {
		return ps.group()
	}
	if name, ok := ps.call(); ok && name != "size" {
		return ps.function(name)
	} else if ok {
		ps.at -= 2
	}
	return ps.comparison()
}

// group parses a parenthesised condition. DynamoDB refuses a pair of
// parentheses around nothing but another pair.
func (ps *parser) group() (predicate, error) {
	open := ps.at
	ps.next()
	inner, err := ps.or()
	if err != nil {
		return nil, err
	}
	closing := ps.at
	if err := ps.expect(")"); err != nil {
		return nil, err
	}
	if ps.tokens[open+1].text == "(" && ps.match(open+1) == closing-1 {
		return nil, refuse("The expression has redundant parentheses;")
	}
	return inner, nil
}

// match returns the index of the parenthesis that closes the one at open.
func (ps *parser) match(open int) int {
	depth := 0
	for i := open; i < len(ps.tokens); i++ {
		switch ps.tokens[i].text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
