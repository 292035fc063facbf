// Package attr models DynamoDB attribute values and items: their JSON form,
// their decimal numbers, equality, order and size.
package attr

import (
	"cmp"
	"slices"
	"strings"
)

// Kind is the type of a value. The zero Kind is none.
type Kind uint8

// The kinds of DynamoDB.
const (
	S Kind = 1 + iota
	N
	B
	Bool
	Null
	M
	L
	SS
	NS
	BS
)

// descriptors are the names of the kinds.
var descriptors = [...]string{S: "S", N: "N", B: "B", Bool: "BOOL", Null: "NULL", M: "M", L: "L", SS: "SS", NS: "NS", BS: "BS"}

// String returns DynamoDB's type descriptor.
func (k Kind) String() string { return descriptors[k] }

// KindOf returns the kind of a type descriptor; the zero Kind when there is none.
func KindOf(descriptor string) Kind {
	for k := S; k <= BS; k++ {
		if descriptors[k] == descriptor {
			return k
		}
	}
	return 0
}

// Value is one attribute value. Values are immutable once built, so they may
// be shared; code that changes a Map or a List makes a new one.
type Value struct {
	Kind Kind
	Bool bool   // BOOL and NULL
	Str  string // S, the canonical decimal of N, the raw bytes of B
	Map  Item
	List []Value
	Set  []string // SS, NS, BS: sorted, without duplicates
}

// Item is an item, or the map of a Value.
type Item map[string]Value

// String returns a value of kind S.
func String(s string) Value { return Value{Kind: S, Str: s} }

// Int returns a value of kind N.
func Int(n int) Value { return Value{Kind: N, Str: formatInt(int64(n))} }

// Equal reports whether two values have the same kind and content.
func Equal(a, b Value) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Bool, Null:
		return a.Bool == b.Bool
	case M:
		return EqualItem(a.Map, b.Map)
	case L:
		return slices.EqualFunc(a.List, b.List, Equal)
	case SS, NS, BS:
		return slices.Equal(a.Set, b.Set)
	default: // canonical numbers are equal exactly when their texts are
		return a.Str == b.Str
	}
}

// EqualItem reports whether two items are the same.
func EqualItem(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		w, ok := b[k]
		if !ok || !Equal(v, w) {
			return false
		}
	}
	return true
}

// Compare orders two values of the same kind S, N or B. ok is false for any
// other pair: DynamoDB has no order there.
func Compare(a, b Value) (order int, ok bool) {
	if a.Kind != b.Kind {
		return 0, false
	}
	switch a.Kind {
	case S, B: // both compare by bytes
		return cmp.Compare(a.Str, b.Str), true
	case N:
		return CompareNumbers(a.Str, b.Str), true
	}
	return 0, false
}

// Length returns what the size function counts: characters would be wrong for
// strings, AWS counts UTF-8 bytes; elements for sets, lists and maps. ok is
// false for kinds without a size.
func (v Value) Length() (n int, ok bool) {
	switch v.Kind {
	case S, B:
		return len(v.Str), true
	case M:
		return len(v.Map), true
	case L:
		return len(v.List), true
	case SS, NS, BS:
		return len(v.Set), true
	}
	return 0, false
}

// Size estimates the bytes an item counts against the 400 KB limit: names and
// contents in UTF-8, numbers at about one byte per two digits
// (AWS: developer guide, item sizes and formats).
func (it Item) Size() int {
	n := 0
	for name, v := range it {
		n += len(name) + v.size()
	}
	return n
}

func (v Value) size() int {
	switch v.Kind {
	case S, B:
		return len(v.Str)
	case N:
		return (len(v.Str)+1)/2 + 1
	case M:
		return 3 + v.Map.Size() + len(v.Map)
	case L:
		n := 3 + len(v.List)
		for _, e := range v.List {
			n += e.size()
		}
		return n
	case SS, BS:
		return len(strings.Join(v.Set, ""))
	case NS:
		n := 0
		for _, e := range v.Set {
			n += (len(e)+1)/2 + 1
		}
		return n
	}
	return 1
}
