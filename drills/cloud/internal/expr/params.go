// Package expr parses and evaluates DynamoDB expressions: condition, filter,
// key condition, update and projection expressions with #names and :values.
//
// It is a recursive-descent parser over the grammar of the developer guide
// (AWS: "Condition and filter expressions, operators, and functions" and
// "Update expressions"). It refuses what DynamoDB refuses before it runs:
// reserved words, undefined and unused placeholders, operands of a wrong type,
// overlapping paths, redundant parentheses. Messages follow DynamoDB's.
package expr

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
)

// maxSize is the longest expression DynamoDB takes (AWS: developer guide,
// quotas). It also bounds the parser's recursion.
const maxSize = 4096

// Error is an expression that DynamoDB refuses with a ValidationException.
type Error struct{ Message string }

// Error returns DynamoDB's words.
func (e *Error) Error() string { return e.Message }

func refuse(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// Params are the placeholders that the expressions of one request share.
type Params struct {
	names  map[string]string
	values attr.Item
	used   []string // without duplicates; each is in names or in values
}

// NewParams takes ExpressionAttributeNames and ExpressionAttributeValues. Keys
// carry their # or :.
func NewParams(names map[string]string, values attr.Item) (*Params, error) {
	for k := range names {
		if !placeholder(k, '#') {
			return nil, refuse(`ExpressionAttributeNames contains invalid key: Syntax error; key: "%s"`, k)
		}
	}
	for k := range values {
		if !placeholder(k, ':') {
			return nil, refuse(`ExpressionAttributeValues contains invalid key: Syntax error; key: "%s"`, k)
		}
	}
	p := &Params{names: names, values: values}
	if n := len(names) + len(values); n > 0 {
		p.used = make([]string, 0, min(n, maxSize))
	}
	return p, nil
}

func placeholder(s string, prefix byte) bool {
	if len(s) < 2 || s[0] != prefix {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !wordChar(s[i]) {
			return false
		}
	}
	return true
}

func (p *Params) name(token string) (string, error) {
	v, ok := p.names[token]
	if !ok {
		return "", refuse("An expression attribute name used in the document path is not defined; attribute name: %s", token)
	}
	p.use(token)
	return v, nil
}

func (p *Params) value(token string) (attr.Value, error) {
	v, ok := p.values[token]
	if !ok {
		return v, refuse("An expression attribute value used in expression is not defined; attribute value: %s", token)
	}
	p.use(token)
	return v, nil
}

func (p *Params) use(token string) {
	if !slices.Contains(p.used, token) {
		p.used = append(p.used, token)
	}
}

// Unused refuses placeholders that no expression of the request has used, as
// DynamoDB does. Call it after every expression has been parsed.
func (p *Params) Unused() error {
	if len(p.used) == len(p.names)+len(p.values) {
		return nil
	}
	if left := unused(maps.Keys(p.names), p.used); left != "" {
		return refuse("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", left)
	}
	if left := unused(maps.Keys(p.values), p.used); left != "" {
		return refuse("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", left)
	}
	return nil
}

func unused(keys func(func(string) bool), used []string) string {
	var left []string
	for k := range keys {
		if !slices.Contains(used, k) {
			left = append(left, k)
		}
	}
	slices.Sort(left)
	return strings.Join(left, ", ")
}
