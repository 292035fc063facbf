package expr

import "github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"

// KeyCondition is a parsed KeyConditionExpression: one partition, and
// optionally a condition on the sort key.
type KeyCondition struct {
	Partition attr.Value
	sort      predicate
	values    attr.Item
}

// MatchSort reports whether an item's sort key satisfies the condition.
func (k *KeyCondition) MatchSort(it attr.Item) bool {
	return k.sort == nil || k.sort.match(row{it, k.values})
}

// Key parses a KeyConditionExpression for a table with the given key names;
// sortKey is empty when the table has none.
func (p *Params) Key(src, partitionKey, sortKey string) (*KeyCondition, error) {
	const kind = "KeyConditionExpression"
	c, err := p.Condition(kind, src)
	if err != nil {
		return nil, err
	}
	parts := []predicate{c.root}
	if a, ok := c.root.(and); ok {
		parts = []predicate{a.left, a.right}
	}
	k := &KeyCondition{values: p.values}
	found := false
	for _, part := range parts {
		name, err := keyOf(part)
		if err != nil {
			return nil, refuse("Invalid %s: %v", kind, err)
		}
		switch {
		case name == partitionKey && !found:
			t, ok := part.(test)
			if !ok || t.op != "=" {
				return nil, refuse("Query key condition not supported")
			}
			k.Partition, found = p.values[t.right.literal.token], true
		case name == sortKey && sortKey != "" && k.sort == nil:
			k.sort = part
		default:
			return nil, refuse("Query condition missed key schema element: %s", partitionKey)
		}
	}
	if !found {
		return nil, refuse("Query condition missed key schema element: %s", partitionKey)
	}
	return k, nil
}

// keyOf returns the attribute that one key condition is about, or refuses what
// can't be a key condition.
func keyOf(part predicate) (string, error) {
	var x operand
	var rest []operand
	switch c := part.(type) {
	case test:
		if x, rest = c.left, []operand{c.right}; c.op == "<>" {
			return "", refuse("Unsupported operator in KeyConditionExpression: <>")
		}
	case between:
		x, rest = c.x, []operand{c.lo, c.hi}
	case function:
		if x, rest = c.x, []operand{c.arg}; c.name != "begins_with" {
			return "", refuse("Invalid operator used in KeyConditionExpression: %s", c.name)
		}
	case in:
		return "", refuse("Invalid operator used in KeyConditionExpression: IN")
	case or:
		return "", refuse("Invalid operator used in KeyConditionExpression: OR")
	case not:
		return "", refuse("Invalid operator used in KeyConditionExpression: NOT")
	case exists:
		return "", refuse("Invalid operator used in KeyConditionExpression: attribute_exists")
	default:
		return "", refuse("Conditions can be of length 1 or 2 only")
	}
	if x.path == nil || x.size || len(x.path) != 1 {
		return "", refuse("KeyConditionExpressions must have a key attribute as first operand")
	}
	for _, o := range rest {
		if o.path != nil {
			return "", refuse("KeyConditionExpressions cannot contain nested operations")
		}
	}
	return x.path.Name(), nil
}
