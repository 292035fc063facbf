package expr

import (
	"slices"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

func (ps *parser) operand() (operand, error) {
	t := ps.peek()
	if t.text[0] == ':' {
		l, err := ps.literal()
		return operand{literal: l}, err
	}
	if name, ok := ps.call(); ok {
		if name != "size" {
			return operand{}, refuse("The function is not allowed to be used this way in an expression; function: %s", name)
		}
		p, err := ps.pathArgument(name)
		if err != nil {
			return operand{}, err
		}
		return operand{path: p, size: true}, ps.expect(")")
	}
	p, err := ps.path()
	return operand{path: p}, err
}

func (ps *parser) pathArgument(function string) (Path, error) {
	if ps.peek().text[0] == ':' {
		return nil, refuse("Operator or function requires a document path; operator or function: %s", function)
	}
	return ps.path()
}

func (ps *parser) comparison() (predicate, error) {
	x, err := ps.operand()
	if err != nil {
		return nil, err
	}
	t := ps.peek()
	switch {
	case slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, t.text):
		ps.next()
		y, err := ps.operand()
		if err != nil {
			return nil, err
		}
		return test{op: t.text, left: x, right: y}, orderable(t.text, x, y)
	case ps.accept("BETWEEN"):
		return ps.between(x)
	case ps.accept("IN"):
		return ps.in(x)
	}
	if x.size {
		return nil, refuse("The function is not allowed to be used this way in an expression; function: size")
	}
	return nil, ps.syntax()
}

func (ps *parser) between(x operand) (predicate, error) {
	lo, err := ps.operand()
	if err != nil {
		return nil, err
	}
	if err := ps.expect("AND"); err != nil {
		return nil, err
	}
	hi, err := ps.operand()
	if err != nil {
		return nil, err
	}
	if err := orderable("BETWEEN", x, lo, hi); err != nil {
		return nil, err
	}
	if lo.path == nil && hi.path == nil {
		ps.weighed = true
		lo, hi := ps.params.values[lo.literal.token], ps.params.values[hi.literal.token]
		order, ok := attr.Compare(lo, hi)
		if !ok {
			return nil, refuse("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
				show(lo), show(hi))
		}
		if order > 0 {
			return nil, refuse("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
				show(lo), show(hi))
		}
	}
	return between{x, lo, hi}, nil
}

func show(v attr.Value) string { return string(attr.Append(nil, v)) }

func (ps *parser) in(x operand) (predicate, error) {
	if err := ps.expect("("); err != nil {
		return nil, err
	}
	c := in{x: x}
	err := ps.list(func() error {
		o, err := ps.operand()
		c.list = append(c.list, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(c.list) > 100 {
		return nil, refuse("The IN operator is provided with too many operands; number of operands: %d", len(c.list))
	}
	return c, ps.expect(")")
}

// orderable checks what DynamoDB checks before it looks at an item: literals
// that have no order, and a path compared with itself.
func orderable(op string, operands ...operand) error {
	for i, o := range operands {
		if o.path == nil && op != "=" && op != "<>" {
			switch o.literal.kind {
			case attr.S, attr.N, attr.B:
			default:
				return refuse("Incorrect operand type for operator or function; operator: %s, operand type: %s", op, o.literal.kind)
			}
		}
		if i > 0 && o.path != nil && !o.size && !operands[0].size && slices.Equal(o.path, operands[0].path) {
			return refuse("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %v", op, o.path)
		}
	}
	return nil
}

// function parses the arguments of a boolean function, after its parenthesis.
func (ps *parser) function(name string) (predicate, error) {
	switch name {
	case "attribute_exists", "attribute_not_exists":
		p, err := ps.pathArgument(name)
		if err != nil {
			return nil, err
		}
		return exists{path: p, want: name == "attribute_exists"}, ps.expect(")")
	case "attribute_type", "begins_with", "contains":
	case "if_not_exists", "list_append":
		return nil, refuse("The function is not allowed in a condition; function: %s", name)
	default:
		return nil, refuse("Invalid function name; function: %s", name)
	}
	x, err := ps.operand()
	if err != nil {
		return nil, err
	}
	if err := ps.expect(","); err != nil {
		return nil, err
	}
	arg, err := ps.operand()
	if err != nil {
		return nil, err
	}
	if arg.path == nil {
		kind := arg.literal.kind
		if name == "attribute_type" && kind != attr.S || name == "begins_with" && kind != attr.S && kind != attr.B {
			return nil, refuse("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, kind)
		}
	}
	return function{name: name, x: x, arg: arg}, ps.expect(")")
}
