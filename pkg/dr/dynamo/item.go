package dynamo

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// item is an item's attributes, or the values of an expression.
type item map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num[N ~uint64 | ~int64](n N) types.AttributeValue {
	// By its digits: a time.Duration would print its unit.
	return &types.AttributeValueMemberN{Value: fmt.Sprintf("%d", n)}
}

func truth(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

// instant is a time for people; its width is fixed so that it sorts as text.
func instant(t time.Time) types.AttributeValue {
	return str(t.UTC().Format("2006-01-02T15:04:05.000000000Z"))
}

func (s *Store) key(sk string) item {
	return item{"pk": str(s.cfg.Cluster), "sk": str(sk)}
}

// sk names the item in errors.
func (it item) sk() string {
	s, _ := it["sk"].(*types.AttributeValueMemberS)
	if s == nil {
		return "?"
	}
	return s.Value
}

// version is that of the records that this code writes and understands. A record without
// the attribute is of version 1, and so is everything that was written before there were
// versions. It rises when older code would misread a record.
const version uint64 = 1

// understood is the part of a condition by which a record that a newer version has written
// stays as it is. It needs the name #version and the value :version.
const understood = "(attribute_not_exists(#version) OR #version <= :version)"

// newer returns an error when a newer version of Lifeboat has written the item.
func newer(it item) error {
	if it["version"] == nil {
		return nil
	}
	r := reader{it: it}
	if v := r.positive("version"); r.err == nil && v > version {
		return fmt.Errorf("item %s: %w: it is of version %d and this process understands version %d: update this Region's functions",
			it.sk(), failover.ErrNewerRecord, v, version)
	}
	return r.err
}

// reader takes attributes out of an item and keeps the first error: an item that a
// person has edited by hand must not read as zeros.
type reader struct {
	it  item
	err error
}

func (r *reader) str(name string) string {
	v, ok := r.it[name].(*types.AttributeValueMemberS)
	if !ok {
		r.bad(name, "a string")
		return ""
	}
	return v.Value
}

func (r *reader) uint(name string) uint64 {
	if v, ok := r.it[name].(*types.AttributeValueMemberN); ok {
		if n, err := strconv.ParseUint(v.Value, 10, 64); err == nil {
			return n
		}
	}
	r.bad(name, "a number that is not negative")
	return 0
}

// positive is for numbers that begin with one.
func (r *reader) positive(name string) uint64 {
	n := r.uint(name)
	if n == 0 {
		r.bad(name, "a number above 0")
	}
	return n
}

// some is for texts that are never empty.
func (r *reader) some(name string) string {
	s := r.str(name)
	if s == "" {
		r.bad(name, "a text that is not empty")
	}
	return s
}

// span is a duration in nanoseconds.
func (r *reader) span(name string) time.Duration {
	n := r.uint(name)
	if n > math.MaxInt64 {
		r.bad(name, "a number of nanoseconds below 2^63")
		return 0
	}
	return time.Duration(n)
}

func (r *reader) truth(name string) bool {
	v, ok := r.it[name].(*types.AttributeValueMemberBOOL)
	if !ok {
		r.bad(name, "true or false")
		return false
	}
	return v.Value
}

func (r *reader) bad(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("item %s: attribute %s is not %s: restore it", r.it.sk(), name, want)
	}
}
