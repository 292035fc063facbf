package expr

import (
	"strconv"
	"strings"
)

type parser struct {
	params  *Params
	src     string
	tokens  []token
	at      int
	program program
	weighed bool // the content of a value has counted, not only its kind
}

// parse runs a grammar over one expression.
func parse[T any](ps *parser, grammar func(*parser) (T, error)) (tree T, err error) {
	if strings.TrimSpace(ps.src) == "" {
		return tree, refuse("The expression can not be empty;")
	}
	if len(ps.src) > maxSize {
		return tree, refuse("Expression size has exceeded the maximum allowed size; expression size: %d", len(ps.src))
	}
	if ps.tokens, err = lex(ps.src); err != nil {
		return tree, err
	}
	if tree, err = grammar(ps); err != nil {
		return tree, err
	}
	if ps.peek().text != end {
		return tree, ps.syntax()
	}
	return tree, nil
}

func (ps *parser) peek() token { return ps.tokens[ps.at] }

func (ps *parser) next() token {
	t := ps.tokens[ps.at]
	if t.text != end {
		ps.at++
	}
	return t
}

// accept takes the next token if it is the given punctuation or keyword.
func (ps *parser) accept(text string) bool {
	if ps.peek().is(text) {
		ps.next()
		return true
	}
	return false
}

func (ps *parser) expect(text string) error {
	if !ps.accept(text) {
		return ps.syntax()
	}
	return nil
}

func (ps *parser) syntax() error { return syntax(ps.src, ps.peek()) }

// call reports whether a function call comes next, and takes its name and
// parenthesis.
func (ps *parser) call() (name string, ok bool) {
	t := ps.peek()
	if !t.word() || ps.tokens[min(ps.at+1, len(ps.tokens)-1)].text != "(" {
		return "", false
	}
	if t.is("NOT") || t.is("AND") || t.is("OR") || t.is("IN") || t.is("BETWEEN") {
		return "", false
	}
	ps.at += 2
	return t.text, true
}

// path parses a document path.
func (ps *parser) path() (Path, error) {
	s, err := ps.key(true)
	if err != nil {
		return nil, err
	}
	p := Path{s}
	for {
		switch {
		case ps.accept("."):
			if s, err = ps.key(false); err != nil {
				return nil, err
			}
			p = append(p, s)
		case ps.accept("["):
			t := ps.peek()
			n, err := strconv.Atoi(t.text)
			if !digit(t.text[0]) || err != nil || n > 1<<20 {
				return nil, ps.syntax()
			}
			ps.next()
			if err := ps.expect("]"); err != nil {
				return nil, err
			}
			p = append(p, step{index: n})
		default:
			return p, nil
		}
	}
}

// key parses one name of a path. Only names may be reserved words; a name may
// start with a digit nowhere but after a dot.
func (ps *parser) key(first bool) (step, error) {
	t := ps.peek()
	switch {
	case t.text == end:
		return step{}, ps.syntax()
	case t.text[0] == '#':
		ps.next()
		name, err := ps.params.name(t.text)
		name = strings.Clone(name) // as the program, it outlives the request
		ps.program.names = append(ps.program.names, nameUse{t.text, name})
		return step{name: name, key: true}, err
	case t.word() && t.text[0] != '_', !first && digit(t.text[0]):
		if reserved(t.text) {
			return step{}, refuse("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		ps.next()
		return step{name: t.text, key: true}, nil
	}
	return step{}, ps.syntax()
}

// literal takes a :value.
func (ps *parser) literal() (literal, error) {
	t := ps.peek()
	if t.text[0] != ':' {
		return literal{}, ps.syntax()
	}
	ps.next()
	v, err := ps.params.value(t.text)
	ps.program.values = append(ps.program.values, valueUse{t.text, v.Kind})
	return literal{t.text, v.Kind}, err
}

// list parses items separated by commas.
func (ps *parser) list(item func() error) error {
	for {
		if err := item(); err != nil {
			return err
		}
		if !ps.accept(",") {
			return nil
		}
	}
}

// Projection parses a ProjectionExpression.
func (p *Params) Projection(src string) (Projection, error) {
	return compile(p, "ProjectionExpression", src, func(ps *parser) (out Projection, err error) {
		err = ps.list(func() error {
			path, err := ps.path()
			out = append(out, path)
			return err
		})
		if err != nil {
			return nil, err
		}
		return out, distinct(out)
	})
}
