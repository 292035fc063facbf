package infra

import (
	"errors"
	"reflect"
	"regexp"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// policy reports what the policy says about itself, its own share of the RTO
// included, in the words of a file.
func (p *problems) policy(policy dr.Policy, topology dr.Topology) {
	err := policy.ValidateFor(topology)
	if err == nil {
		return
	}
	all := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		all = joined.Unwrap()
	}
	for _, err := range all {
		text := strings.TrimPrefix(err.Error(), "dr: policy: ")
		field := "policy"
		if name := goName.FindString(text); strings.HasPrefix(text, name) && policyKeys[name] != "" {
			field = "policy." + policyKeys[name]
			text = strings.TrimPrefix(text, name+" ")
		}
		text = goName.ReplaceAllStringFunc(text, func(name string) string {
			if key := policyKeys[name]; key != "" {
				return key
			}
			return name
		})
		p.add(field, text, "")
	}
}

var goName = regexp.MustCompile(`\b[A-Z][A-Za-z]*(\.[A-Z][A-Za-z]*)?`)

// policyKeys maps the fields of dr.Policy, as its errors name them, to their keys.
var policyKeys = func() map[string]string {
	keys := map[string]string{}
	var walk func(t reflect.Type, name, key string)
	walk = func(t reflect.Type, name, key string) {
		for f := range t.Fields() {
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type, name+f.Name+".", key+snake(f.Name)+".")
				continue
			}
			keys[name+f.Name] = key + snake(f.Name)
		}
	}
	walk(reflect.TypeFor[dr.Policy](), "", "")
	return keys
}()
