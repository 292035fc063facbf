package wire

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Form is the body of a query-protocol request. Reading a parameter marks it
// as known, so that Unknown can name those that no handler has read.
type Form struct{ parameters []parameter }

type parameter struct {
	name, value string
	known       bool
}

// ParseForm reads a form body.
func ParseForm[T string | []byte](body T) (*Form, error) {
	text := string(body)
	refuse := func() (*Form, error) {
		_, err := url.ParseQuery(text) // for its words
		return nil, Refuse(400, "MalformedQueryString", "The query string contains a syntax error: %v", err)
	}
	if strings.Count(text, "&") >= maxParameters {
		return refuse()
	}
	f := &Form{parameters: make([]parameter, 0, 8)}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil || strings.Contains(pair, ";") {
			return refuse()
		}
		f.parameters = append(f.parameters, parameter{name, value, name == "Action" || name == "Version"})
	}
	return f, nil
}

// maxParameters is how many parameters package url takes.
const maxParameters = 10_000

// Get returns a parameter, the first one of its name, and whether it was given.
func (f *Form) Get(name string) (value string, given bool) {
	for i := range f.parameters {
		if p := &f.parameters[i]; p.name == name {
			if p.known = true; !given {
				value, given = p.value, true
			}
		}
	}
	return value, given
}

// Required returns a parameter that must be given and not be empty.
func (f *Form) Required(name string) (string, error) {
	v, _ := f.Get(name)
	if v == "" {
		return "", Refuse(400, "MissingParameter", "The request must contain the parameter %s", name)
	}
	return v, nil
}

// Bool returns a boolean parameter; false when it was not given.
func (f *Form) Bool(name string) (value, given bool, err error) {
	s, given := f.Get(name)
	if !given {
		return false, false, nil
	}
	switch strings.ToLower(s) {
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	}
	return false, true, Refuse(400, "MalformedInput", "Value %q of parameter %s is not a boolean", s, name)
}

// Int returns an integer parameter within lo and hi, or def when not given.
func (f *Form) Int(name string, def, lo, hi int) (int, error) {
	s, given := f.Get(name)
	if !given {
		return def, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		return 0, Refuse(400, "InvalidParameterValue", "Invalid value %s for %s. Must be between %d and %d", s, name, lo, hi)
	}
	return n, nil
}

// List returns the members of a list whose elements are written
// prefix.member.N.
func (f *Form) List(prefix, member string) []string {
	var out []string
	for n := 1; ; n++ {
		v, ok := f.Get(prefix + "." + member + "." + strconv.Itoa(n))
		if !ok {
			return out
		}
		out = append(out, v)
	}
}

// Filter is one entry of the Filters parameter of RDS.
type Filter struct {
	Name   string
	Values []string
}

// Filters returns the Filters parameter.
func (f *Form) Filters() []Filter {
	var out []Filter
	for n := 1; ; n++ {
		prefix := "Filters.Filter." + strconv.Itoa(n)
		name, ok := f.Get(prefix + ".Name")
		if !ok {
			return out
		}
		out = append(out, Filter{Name: name, Values: f.List(prefix+".Values", "Value")})
	}
}

// Unknown refuses the request when it has a parameter that was never read.
// InvalidQueryParameter is on AWS's list of common errors ("does not adhere to
// AWS standards"); AWS itself ignores some unknown parameters, but a drill
// gains nothing from accepting a misspelt one.
func (f *Form) Unknown() error {
	var names []string
	for _, p := range f.parameters {
		if !p.known && !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return Refuse(400, "InvalidQueryParameter", "The request has parameters that the operation does not know: %s", strings.Join(names, ", "))
}
