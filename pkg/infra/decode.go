package infra

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// decoder fills a Config from YAML by reflection, because dr.Policy has no tags:
// package dr needs nothing but the standard library.
type decoder struct {
	file string
	errs []error
}

func (d *decoder) config(root *yaml.Node, c *Config) {
	if root.Kind == yaml.MappingNode {
		d.structure(root, reflect.ValueOf(c).Elem(), reflect.ValueOf(Config{}.WithDefaults()), "")
		return
	}
	d.fail(root, "is "+kind(root)+" and no list of keys", `begin with "environment_suffix: ..."`)
}

func (d *decoder) fail(n *yaml.Node, problem, hint string) {
	d.errs = append(d.errs, &ParseError{File: d.file, Line: n.Line, Column: n.Column, Problem: problem, Hint: hint})
}

// pairs calls yield for every key that is a plain name and stands there once.
func (d *decoder) pairs(n *yaml.Node, path string, yield func(key, value *yaml.Node)) {
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first := seen[key.Value]; {
		case key.Kind == yaml.AliasNode || key.ShortTag() == "!!merge":
			d.alias(key)
		case key.Kind != yaml.ScalarNode:
			d.fail(key, "a key is "+kind(key), "a key is a name")
		case first != nil:
			d.fail(key, fmt.Sprintf("%s is there twice", join(path, clip(key.Value))), fmt.Sprintf("the first is in line %d; keep one", first.Line))
		default:
			seen[key.Value] = key
			yield(key, value)
		}
	}
}

// structure takes the defaults beside the value, to say what a 0 would become.
func (d *decoder) structure(n *yaml.Node, v, def reflect.Value, path string) {
	fields := map[string]int{}
	var known []string
	for i := range v.NumField() {
		key := snake(v.Type().Field(i).Name)
		fields[key] = i
		known = append(known, key)
	}
	d.pairs(n, path, func(key, value *yaml.Node) {
		i, ok := fields[key.Value]
		if !ok {
			d.fail(key, "unknown key "+join(path, clip(key.Value)), suggest(key.Value, path, known))
			return
		}
		d.value(value, v.Field(i), def.Field(i), join(path, key.Value))
	})
}

func (d *decoder) value(n *yaml.Node, v, def reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		d.alias(n)
		return
	}
	if null(n) {
		return
	}
	_, duration := v.Interface().(time.Duration)
	switch {
	case v.Kind() == reflect.Struct:
		if d.expect(n, path, n.Kind == yaml.MappingNode, "a group of keys", "indent its keys below it") {
			d.structure(n, v, def, path)
		}
	case v.Kind() == reflect.Map:
		if d.expect(n, path, n.Kind == yaml.MappingNode, "a group of keys", "write key: value, indented below it") {
			d.texts(n, v, path)
		}
	case v.Kind() == reflect.Slice:
		if d.expect(n, path, n.Kind == yaml.SequenceNode, "a list", `write each entry as "- entry", indented below it`) {
			d.list(n, v, path)
		}
	case v.Kind() == reflect.Pointer: // what is there and zero is not what is left out
		p := reflect.New(v.Type().Elem())
		before := len(d.errs)
		if p.Elem().Kind() == reflect.Bool {
			d.truth(n, p.Elem(), path)
		} else {
			d.number(n, p.Elem(), def, path)
		}
		if len(d.errs) == before {
			v.Set(p)
		}
	case v.Kind() == reflect.Bool:
		d.truth(n, v, path)
	case v.Kind() == reflect.String:
		if s, ok := d.text(n, path); ok {
			v.SetString(s)
		}
	case duration:
		d.duration(n, v, def, path)
	default:
		d.number(n, v, def, path)
	}
}

func (d *decoder) alias(n *yaml.Node) {
	d.fail(n, "anchors, aliases and merges are not supported", "write the value out, so that a reader sees it where it counts")
}

func (d *decoder) expect(n *yaml.Node, path string, ok bool, want, hint string) bool {
	if !ok {
		d.fail(n, fmt.Sprintf("%s is %s and not %s", path, kind(n), want), hint)
	}
	return ok
}

// text takes strings only: YAML would read 012 as ten and 3.10 as 3.1.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	ok := d.expect(n, path, n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str", "text", "put it in quotes")
	return n.Value, ok
}

func (d *decoder) texts(n *yaml.Node, v reflect.Value, path string) {
	m := map[string]string{}
	d.pairs(n, path, func(key, value *yaml.Node) {
		at := join(path, clip(key.Value))
		if value.Kind == yaml.AliasNode {
			d.alias(value)
		} else if s, ok := d.text(value, at); ok {
			m[key.Value] = s
		}
	})
	if len(m) > 0 {
		v.Set(reflect.ValueOf(m))
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	for i, item := range n.Content {
		if item.Kind == yaml.AliasNode {
			d.alias(item)
		} else if s, ok := d.text(item, fmt.Sprintf("%s[%d]", path, i)); ok {
			v.Set(reflect.Append(v, reflect.ValueOf(s)))
		}
	}
}

func (d *decoder) truth(n *yaml.Node, v reflect.Value, path string) bool {
	b, err := strconv.ParseBool(strings.ToLower(n.Value))
	ok := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" && err == nil
	if d.expect(n, path, ok, "a switch", "write true or false") {
		v.SetBool(b)
	}
	return ok
}

func (d *decoder) duration(n *yaml.Node, v, def reflect.Value, path string) {
	const hint = `write a number with its unit, such as 500ms, 2s or 10m`
	value, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil && n.ShortTag() != "!!str" {
		d.expect(n, path, false, "a duration", hint)
		return
	}
	if err != nil {
		d.fail(n, fmt.Sprintf("%s %q is no duration", path, clip(n.Value)), hint)
		return
	}
	if d.nonzero(n, value == 0, def, path) {
		v.SetInt(int64(value))
	}
}

// number takes plain decimals: 0x10, 1_000 and 010 are typing errors here.
func (d *decoder) number(n *yaml.Node, v, def reflect.Value, path string) {
	such := def
	if def.Kind() == reflect.Pointer {
		such = def.Elem()
	}
	tag, whole := n.ShortTag(), v.Kind() != reflect.Float64
	if n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" || whole && tag == "!!float" {
		want := "a number"
		if whole {
			want = "a whole number"
		}
		d.expect(n, path, false, want, "write one without quotes, such as "+fmt.Sprint(such))
		return
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	digits := strings.TrimLeft(n.Value, "-")
	odd := strings.ContainsAny(n.Value, "_xXoObBiInN+") || len(digits) > 1 && digits[0] == '0' && digits[1] != '.'
	if err != nil || odd || math.Abs(f) > math.MaxInt32 {
		d.fail(n, fmt.Sprintf("%s %q is no plain number", path, clip(n.Value)), "write one such as "+fmt.Sprint(such))
		return
	}
	if def.Kind() != reflect.Pointer && !d.nonzero(n, f == 0, def, path) {
		return
	}
	if whole {
		v.SetInt(int64(f))
	} else {
		v.SetFloat(f)
	}
}

// nonzero refuses what the zero value can't say.
func (d *decoder) nonzero(n *yaml.Node, zero bool, def reflect.Value, path string) bool {
	if zero {
		d.fail(n, fmt.Sprintf("%s %s would become the default %v", path, n.Value, def), "leave the key out for the default, or give the value")
	}
	return !zero
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kind names what stands there, for people.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!str":
		return fmt.Sprintf("the text %q", clip(n.Value))
	case "!!int", "!!float":
		return "the number " + clip(n.Value)
	case "!!bool":
		return "the switch " + clip(n.Value)
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "the date " + clip(n.Value)
	}
	return fmt.Sprintf("%s %q", n.ShortTag(), clip(n.Value))
}

// clip keeps a wrong file from filling the terminal.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
