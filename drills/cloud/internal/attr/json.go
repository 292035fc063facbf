package attr

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// maxNesting is DynamoDB's limit on nested lists and maps (AWS: developer
// guide, service quotas).
const maxNesting = 32

// Invalid is a value that is well-formed JSON but not a DynamoDB value. Its
// text is what DynamoDB says in the ValidationException.
type Invalid struct{ Reason string }

// Error returns the reason.
func (e *Invalid) Error() string { return e.Reason }

func invalid(format string, args ...any) error {
	return &Invalid{Reason: "One or more parameter values were invalid: " + fmt.Sprintf(format, args...)}
}

// DecodeItem reads an item such as {"id":{"S":"lease"},"epoch":{"N":"7"}}.
func DecodeItem(d *wire.Decoder) (Item, error) {
	it := Item{}
	return it, it.Decode(d)
}

// Decode reads an item into one that may have been used before.
func (it Item) Decode(d *wire.Decoder) error {
	clear(it)
	return it.decode(d, 1)
}

func (it Item) decode(d *wire.Decoder, depth int) error {
	return d.Object(func(name string) error {
		v, err := decode(d, depth)
		if err != nil {
			return err
		}
		it[name] = v
		return nil
	})
}

// Decode reads a value such as {"N":"7"}.
func Decode(d *wire.Decoder) (Value, error) { return decode(d, 1) }

func decode(d *wire.Decoder, depth int) (Value, error) {
	var v Value
	if depth > maxNesting {
		return v, &Invalid{Reason: "Nesting Levels have exceeded supported limits"}
	}
	members := 0
	err := d.Object(func(kind string) error {
		members++
		if v.Kind = KindOf(kind); v.Kind == 0 {
			return fmt.Errorf("attr: decode value: unknown type descriptor %q", kind)
		}
		return v.content(d, depth)
	})
	if err != nil {
		return v, err
	}
	if members != 1 {
		return v, &Invalid{Reason: "Supplied AttributeValue has more than one datatypes set or is empty, must contain exactly one of the supported datatypes"}
	}
	return v, nil
}

func (v *Value) content(d *wire.Decoder, depth int) (err error) {
	switch v.Kind {
	case S, N, B:
		if v.Str, err = d.String(); err != nil {
			return err
		}
		v.Str, err = scalar(v.Kind, v.Str)
		return err
	case Bool:
		v.Bool, err = d.Bool()
		return err
	case Null:
		if v.Bool, err = d.Bool(); err == nil && !v.Bool {
			err = invalid("Null attribute value types must have the value of true")
		}
		return err
	case M:
		v.Map = Item{}
		return v.Map.decode(d, depth+1)
	case L:
		v.List = []Value{}
		return d.Array(func() error {
			e, err := decode(d, depth+1)
			v.List = append(v.List, e)
			return err
		})
	}
	return v.set(d) // SS, NS, BS
}

// scalar turns the wire text of S, N or B into a Value's Str.
func scalar(kind Kind, s string) (string, error) {
	switch kind {
	case N, NS:
		n, err := Number(s)
		if err != nil {
			return "", &Invalid{Reason: fmt.Sprintf("%v: %s", err, s)}
		}
		return n, nil
	case B, BS:
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "", fmt.Errorf("attr: decode binary value: %w", err)
		}
		return string(raw), nil
	}
	return s, nil
}

func (v *Value) set(d *wire.Decoder) error {
	err := d.Array(func() error {
		s, err := d.String()
		if err != nil {
			return err
		}
		s, err = scalar(v.Kind, s)
		v.Set = append(v.Set, s)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(v.Set) == 0:
		return invalid("An string set  may not be empty")
	}
	n := len(v.Set)
	v.Set = NormalSet(v.Set)
	if len(v.Set) < n {
		return invalid("Input collection contains duplicates.")
	}
	return nil
}

// NormalSet sorts and removes duplicates, in place.
func NormalSet(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// AppendItem appends the JSON of an item, names sorted so that equal items
// have equal bytes.
func AppendItem(b []byte, it Item) []byte {
	names := make([]string, 0, 16) // of most items, and then on the stack
	for name := range it {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = wire.AppendString(b, name)
		b = append(b, ':')
		b = Append(b, it[name])
	}
	return append(b, '}')
}

// Append appends the JSON of a value.
func Append(b []byte, v Value) []byte {
	b = append(append(append(b, `{"`...), v.Kind.String()...), `":`...)
	switch v.Kind {
	case S, N, B:
		b = appendScalar(b, v.Kind, v.Str)
	case Bool, Null:
		b = strconv.AppendBool(b, v.Bool)
	case M:
		b = AppendItem(b, v.Map)
	case L:
		b = append(b, '[')
		for i, e := range v.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = Append(b, e)
		}
		b = append(b, ']')
	default:
		b = append(b, '[')
		for i, e := range v.Set {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendScalar(b, v.Kind, e)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendScalar(b []byte, kind Kind, s string) []byte {
	switch kind {
	case N, NS:
		return append(append(append(b, '"'), s...), '"')
	case B, BS:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, []byte(s))
		return append(b, '"')
	}
	return wire.AppendString(b, s)
}

// IsInvalid reports whether err says that a value breaks DynamoDB's rules, and
// returns the rule; other decoding errors are malformed requests.
func IsInvalid(err error) (reason string, ok bool) {
	e, ok := errors.AsType[*Invalid](err)
	if !ok {
		return "", false
	}
	return e.Reason, true
}
