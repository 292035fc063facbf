package metrics

import (
	"fmt"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// input reads members of a request. The first mistake sticks in err; the
// readers after it return zero values.
type input struct {
	m   cbor.Map
	err *error
}

func decode(body string) (input, error) {
	var err error
	in := input{m: cbor.Map{}, err: &err}
	if len(body) == 0 {
		return in, nil
	}
	v, derr := cbor.Decode([]byte(body))
	if derr == nil {
		var ok bool
		if in.m, ok = v.(cbor.Map); ok {
			return in, nil
		}
		derr = fmt.Errorf("the body is a %T, not a map", v)
	}
	return in, wire.Refuse(400, "SerializationException", "%v", derr)
}

func (in input) fail(name, want string) {
	if *in.err == nil {
		*in.err = wire.Refuse(400, "SerializationException", "%s is not %s", name, want)
	}
}

func (in input) has(name string) bool {
	switch in.m[name].(type) {
	case nil, *cbor.Nil:
		return false
	}
	return true
}

func (in input) str(name string) string {
	if !in.has(name) {
		return ""
	}
	v, ok := in.m[name].(cbor.String)
	if !ok {
		in.fail(name, "a string")
	}
	return string(v)
}

func (in input) boolean(name string, def bool) bool {
	if !in.has(name) {
		return def
	}
	v, ok := in.m[name].(cbor.Bool)
	if !ok {
		in.fail(name, "a boolean")
	}
	return bool(v)
}

func (in input) number(name string) float64 {
	if !in.has(name) {
		return 0
	}
	return in.float(name, in.m[name])
}

func (in input) float(name string, v cbor.Value) float64 {
	switch v := v.(type) {
	case cbor.Uint:
		return float64(v)
	case cbor.NegInt:
		return -float64(v)
	}
	f, err := cbor.AsFloat64(v)
	if err != nil {
		in.fail(name, "a number")
	}
	return f
}

func (in input) integer(name string, def int) int {
	if !in.has(name) {
		return def
	}
	n, err := cbor.AsInt64(in.m[name])
	if err != nil {
		in.fail(name, "an integer")
	}
	return int(n)
}

func (in input) time(name string) time.Time {
	if !in.has(name) {
		return time.Time{}
	}
	t, err := cbor.AsTime(in.m[name])
	if err != nil {
		in.fail(name, "a timestamp")
	}
	return t
}

func (in input) list(name string) cbor.List {
	if !in.has(name) {
		return nil
	}
	v, ok := in.m[name].(cbor.List)
	if !ok {
		in.fail(name, "a list")
	}
	return v
}

func (in input) strings(name string) []string {
	var out []string
	for _, v := range in.list(name) {
		s, ok := v.(cbor.String)
		if !ok {
			in.fail(name, "a list of strings")
		}
		out = append(out, string(s))
	}
	return out
}

func (in input) structs(name string) []input {
	var out []input
	for _, v := range in.list(name) {
		m, ok := v.(cbor.Map)
		if !ok {
			in.fail(name, "a list of structures")
		}
		out = append(out, input{m: m, err: in.err})
	}
	return out
}

func (in input) structure(name string) input {
	m, ok := in.m[name].(cbor.Map)
	if in.has(name) && !ok {
		in.fail(name, "a structure")
	}
	return input{m: m, err: in.err}
}

func timestamp(t time.Time) cbor.Value {
	return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(t.UnixMilli()) / 1000)}
}

func stringList(s []string) cbor.List {
	out := make(cbor.List, len(s))
	for i, v := range s {
		out[i] = cbor.String(v)
	}
	return out
}
