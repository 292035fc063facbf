package infra

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// MarshalYAML writes the fields that are not zero, in the order and under the keys of
// a file: [Parse] reads the same Config from them.
func (c Config) MarshalYAML() (any, error) {
	return encode(reflect.ValueOf(c)), nil
}

func encode(v reflect.Value) *yaml.Node {
	scalar := func(tag, value string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
	}
	if d, ok := v.Interface().(time.Duration); ok {
		return scalar("!!str", d.String())
	}
	switch v.Kind() {
	case reflect.Struct:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			n.Content = append(n.Content, scalar("!!str", snake(v.Type().Field(i).Name)), encode(v.Field(i)))
		}
		return n
	case reflect.Map:
		n := &yaml.Node{Kind: yaml.MappingNode}
		m := v.Interface().(map[string]string)
		for _, key := range sortedKeys(m) {
			n.Content = append(n.Content, scalar("!!str", key), scalar("!!str", m[key]))
		}
		return n
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			n.Content = append(n.Content, encode(v.Index(i)))
		}
		return n
	case reflect.Pointer:
		return encode(v.Elem())
	case reflect.Bool:
		return scalar("!!bool", strconv.FormatBool(v.Bool()))
	case reflect.String:
		return scalar("!!str", v.String())
	case reflect.Float64:
		text := strconv.FormatFloat(v.Float(), 'f', -1, 64)
		if !strings.Contains(text, ".") {
			return scalar("!!int", text) // as !!float it would be written with its tag
		}
		return scalar("!!float", text)
	default:
		return scalar("!!int", fmt.Sprint(v.Int()))
	}
}
