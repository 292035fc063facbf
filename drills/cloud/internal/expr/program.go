package expr

import (
	"errors"
	"strings"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

// program is an expression that was parsed, and all that parsing it has looked at
// besides its text: the names, and of the values their kinds. It holds no value, so
// it serves every request of which these are the same.
type program struct {
	tree   any // what the grammar has made
	names  []nameUse
	values []valueUse
}

type nameUse struct{ token, name string }

type valueUse struct {
	token string
	kind  attr.Kind
}

// source is where a program comes from: the request parameter, which has one grammar,
// and its text.
type source struct{ kind, text string }

// maxPrograms bounds the cache. A program of ours sends a dozen expressions.
const maxPrograms = 256

// programs are kept, because clients send the same few expressions all the time, and
// to parse one costs as much as the rest of a write.
var programs = cache{kept: map[source]*program{}}

type cache struct {
	mu   sync.Mutex
	kept map[source]*program
}

func (c *cache) get(s source) *program {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[s]
}

func (c *cache) put(s source, p *program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxPrograms {
		clear(c.kept)
	}
	c.kept[s] = p
}

// fits reports whether a program is what parsing would give with these parameters,
// and marks the parameters as used if it is.
func (p *Params) fits(prog *program) bool {
	for _, n := range prog.names {
		if name, ok := p.names[n.token]; !ok || name != n.name {
			return false
		}
	}
	for _, v := range prog.values {
		if value, ok := p.values[v.token]; !ok || value.Kind != v.kind {
			return false
		}
	}
	for _, n := range prog.names {
		p.use(n.token)
	}
	for _, v := range prog.values {
		p.use(v.token)
	}
	return true
}

// compile returns what a grammar makes of an expression, parsing it only if it was not
// parsed before. kind is the request parameter, which starts every message.
func compile[T any](p *Params, kind, src string, grammar func(*parser) (T, error)) (T, error) {
	if prog := programs.get(source{kind, src}); prog != nil && p.fits(prog) {
		return prog.tree.(T), nil
	}
	src = strings.Clone(src) // a program outlives the request
	ps := &parser{params: p, src: src}
	tree, err := parse(ps, grammar)
	if e, ok := errors.AsType[*Error](err); ok {
		return tree, refuse("Invalid %s: %s", kind, e.Message)
	}
	if err == nil && !ps.weighed {
		ps.program.tree = tree
		programs.put(source{kind, src}, &ps.program)
	}
	return tree, err
}
