package expr

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

// Update is a parsed UpdateExpression.
type Update struct {
	*clauses
	values attr.Item
}

type clauses struct {
	sets    []assignment
	removes []Path // from the highest index down
	adds    []change
	deletes []change
	paths   []Path // all of them
}

type assignment struct {
	path  Path
	value term
}

type change struct {
	path  Path
	value literal
}

// Update parses an UpdateExpression.
func (p *Params) Update(src string) (*Update, error) {
	c, err := compile(p, "UpdateExpression", src, (*parser).clauses)
	if err != nil {
		return nil, err
	}
	return &Update{c, p.values}, nil
}

func (ps *parser) clauses() (*clauses, error) {
	u := &clauses{}
	seen := map[string]bool{}
	for {
		section := strings.ToUpper(ps.peek().text)
		var grammar func(*parser) error
		switch section {
		case "SET":
			grammar = u.set
		case "REMOVE":
			grammar = u.remove
		case "ADD":
			grammar = u.add
		case "DELETE":
			grammar = u.delete
		default:
			return nil, ps.syntax()
		}
		if seen[section] {
			return nil, refuse(`The "%s" section can only be used once in an update expression;`, section)
		}
		seen[section] = true
		ps.next()
		if err := ps.list(func() error { return grammar(ps) }); err != nil {
			return nil, err
		}
		if ps.peek().text == end {
			return u, u.close()
		}
	}
}

// close brings the clauses into the order in which they are applied.
func (u *clauses) close() error {
	u.paths = slices.Clone(u.removes)
	for _, a := range u.sets {
		u.paths = append(u.paths, a.path)
	}
	for _, c := range slices.Concat(u.adds, u.deletes) {
		u.paths = append(u.paths, c.path)
	}
	// Downwards, so that a removal never shifts a later one.
	slices.SortStableFunc(u.removes, func(a, b Path) int { return cmp.Compare(b[len(b)-1].index, a[len(a)-1].index) })
	return distinct(u.paths)
}

// Names returns the top-level attributes that the update touches.
func (u *Update) Names() []string {
	var names []string
	for _, p := range u.paths {
		names = append(names, p.Name())
	}
	return names
}

func (u *clauses) set(ps *parser) error {
	p, err := ps.path()
	if err != nil {
		return err
	}
	if err := ps.expect("="); err != nil {
		return err
	}
	v, err := ps.sum()
	u.sets = append(u.sets, assignment{p, v})
	return err
}

func (u *clauses) remove(ps *parser) error {
	p, err := ps.path()
	u.removes = append(u.removes, p)
	return err
}

func (u *clauses) add(ps *parser) error {
	c, err := ps.change("ADD", attr.N, attr.SS, attr.NS, attr.BS)
	u.adds = append(u.adds, c)
	return err
}

func (u *clauses) delete(ps *parser) error {
	c, err := ps.change("DELETE", attr.SS, attr.NS, attr.BS)
	u.deletes = append(u.deletes, c)
	return err
}

func (ps *parser) change(section string, allowed ...attr.Kind) (change, error) {
	p, err := ps.path()
	if err != nil {
		return change{}, err
	}
	v, err := ps.literal()
	if err != nil {
		return change{}, err
	}
	if !slices.Contains(allowed, v.kind) {
		return change{}, refuse("Incorrect operand type for operator or function; operator: %s, operand type: %s", section, v.kind)
	}
	return change{p, v}, nil
}

// Apply returns the updated copy of an item. Every right-hand side sees the
// item as it was before the update.
func (u *Update) Apply(it attr.Item) (attr.Item, error) {
	out := maps.Clone(it)
	if out == nil {
		out = attr.Item{}
	}
	for _, a := range u.sets {
		v, err := a.value.eval(row{it, u.values})
		if err != nil {
			return nil, err
		}
		if err := put(out, a.path, v); err != nil {
			return nil, err
		}
	}
	for _, c := range u.adds {
		old, ok := c.path.get(it)
		v := u.values[c.value.token]
		if ok {
			var err error
			if v, err = union(old, v); err != nil {
				return nil, err
			}
		}
		if err := put(out, c.path, v); err != nil {
			return nil, err
		}
	}
	for _, c := range u.deletes {
		if err := subtract(out, it, c.path, u.values[c.value.token]); err != nil {
			return nil, err
		}
	}
	for _, p := range u.removes {
		if err := drop(out, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var errType = &Error{Message: "An operand in the update expression has an incorrect data type"}

func union(old, v attr.Value) (attr.Value, error) {
	if old.Kind != v.Kind {
		return v, errType
	}
	if v.Kind == attr.N {
		n, err := attr.Add(old.Str, v.Str, false)
		if err != nil {
			return v, refuse("%v", err)
		}
		return attr.Value{Kind: attr.N, Str: n}, nil
	}
	return attr.Value{Kind: v.Kind, Set: attr.NormalSet(slices.Concat(old.Set, v.Set))}, nil
}

// subtract takes the elements of a set from the one at a path.
func subtract(out, it attr.Item, p Path, set attr.Value) error {
	old, ok := p.get(it)
	if !ok {
		return nil
	}
	if old.Kind != set.Kind {
		return errType
	}
	left := slices.DeleteFunc(slices.Clone(old.Set), func(e string) bool { return slices.Contains(set.Set, e) })
	if len(left) == 0 { // DynamoDB has no empty sets: the attribute goes
		return drop(out, p)
	}
	return put(out, p, attr.Value{Kind: old.Kind, Set: left})
}

// Touched returns the paths that the update changes.
func (u *Update) Touched() Projection { return u.paths }
