package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting, so that a hostile body can't exhaust the stack.
// DynamoDB itself allows 32 levels of attribute values.
const maxDepth = 128

var errTooDeep = errors.New("wire: JSON nested too deeply")

// Decoder is a pull parser for JSON. encoding/json costs several microseconds
// of reflection per request, and a drill makes hundreds of requests.
//
// Its strings are parts of the text as long as nothing in them is escaped: they
// cost nothing, and keep the text in memory.
type Decoder struct {
	data  string
	pos   int
	depth int
}

// NewDecoder returns a Decoder of a text.
func NewDecoder[T string | []byte](data T) *Decoder { return &Decoder{data: string(data)} }

func (d *Decoder) syntax(want string) error {
	if d.pos >= len(d.data) {
		return fmt.Errorf("wire: JSON ends where %s was expected", want)
	}
	return fmt.Errorf("wire: JSON has %q at byte %d where %s was expected", d.data[d.pos], d.pos, want)
}

func (d *Decoder) space() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func (d *Decoder) next(c byte) bool {
	d.space()
	if d.pos < len(d.data) && d.data[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

// End reports an error unless only white space is left.
func (d *Decoder) End() error {
	if d.space(); d.pos < len(d.data) {
		return d.syntax("the end")
	}
	return nil
}

// Object reads an object and calls field for each key; field must read the
// value. A null counts as an absent object.
func (d *Decoder) Object(field func(key string) error) error {
	const want = "an object"
	if d.Null() {
		return nil
	}
	more, err := d.open('{', '}', want)
	for more && err == nil {
		var key string
		if key, err = d.key(); err == nil {
			err = field(key)
		}
		if err == nil {
			more, err = d.more('}', want)
		}
	}
	return err
}

func (d *Decoder) key() (string, error) {
	key, err := d.String()
	if err == nil && !d.next(':') {
		err = d.syntax("a colon")
	}
	return key, err
}

// Array reads an array and calls element before each of its values. A null
// counts as an absent array.
func (d *Decoder) Array(element func() error) error {
	const want = "an array"
	if d.Null() {
		return nil
	}
	more, err := d.open('[', ']', want)
	for more && err == nil {
		if err = element(); err == nil {
			more, err = d.more(']', want)
		}
	}
	return err
}

// open reads the begin of an object or an array, and its end if it is empty.
func (d *Decoder) open(begin, end byte, want string) (more bool, err error) {
	if !d.next(begin) {
		return false, d.syntax(want)
	}
	if d.depth++; d.depth > maxDepth {
		return false, errTooDeep
	}
	if d.next(end) {
		d.depth--
		return false, nil
	}
	return true, nil
}

// more reads what follows an element: a comma before the next one, or the end.
func (d *Decoder) more(end byte, want string) (bool, error) {
	switch {
	case d.next(','):
		return true, nil
	case d.next(end):
		d.depth--
		return false, nil
	}
	return false, d.syntax("a comma or the end of " + want)
}

// Null reads a null if one is next.
func (d *Decoder) Null() bool { return d.literal("null") }

// Bool reads a boolean.
func (d *Decoder) Bool() (bool, error) {
	switch {
	case d.literal("true"):
		return true, nil
	case d.literal("false"):
		return false, nil
	}
	return false, d.syntax("a boolean")
}

func (d *Decoder) literal(s string) bool {
	d.space()
	if strings.HasPrefix(d.data[d.pos:], s) {
		d.pos += len(s)
		return true
	}
	return false
}

// Int reads an integer.
func (d *Decoder) Int() (int, error) {
	start := d.pos
	s, err := d.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		d.pos = start
		return 0, d.syntax("an integer")
	}
	return n, nil
}

func (d *Decoder) number() (string, error) {
	d.space()
	start := d.pos
	digits := func() bool {
		from := d.pos
		for d.pos < len(d.data) && d.data[d.pos] >= '0' && d.data[d.pos] <= '9' {
			d.pos++
		}
		return d.pos > from
	}
	at := func(set string) bool {
		for i := range len(set) {
			if d.pos < len(d.data) && d.data[d.pos] == set[i] {
				d.pos++
				return true
			}
		}
		return false
	}
	at("-")
	if !at("0") && !digits() {
		return "", d.syntax("a number")
	}
	if at(".") && !digits() {
		return "", d.syntax("a digit")
	}
	if at("eE") {
		at("+-")
		if !digits() {
			return "", d.syntax("a digit")
		}
	}
	return d.data[start:d.pos], nil
}

// Skip reads and drops one value.
func (d *Decoder) Skip() error {
	d.space()
	if d.pos >= len(d.data) {
		return d.syntax("a value")
	}
	switch d.data[d.pos] {
	case '{':
		return d.Object(func(string) error { return d.Skip() })
	case '[':
		return d.Array(d.Skip)
	case '"':
		_, err := d.String()
		return err
	case 't', 'f':
		_, err := d.Bool()
		return err
	case 'n':
		if d.Null() {
			return nil
		}
		return d.syntax("a value")
	default:
		_, err := d.number()
		return err
	}
}

// String reads a string. Invalid UTF-8 and lone surrogates become U+FFFD, as
// in encoding/json.
func (d *Decoder) String() (string, error) {
	if !d.next('"') {
		return "", d.syntax("a string")
	}
	start := d.pos
	switch d.plain(); {
	case d.pos == len(d.data):
		return "", d.syntax("the end of a string")
	case d.data[d.pos] == '"':
		d.pos++
		return d.data[start : d.pos-1], nil
	}
	return d.slowString(start)
}

// plain goes on to the next byte that means more than itself.
func (d *Decoder) plain() {
	for d.pos < len(d.data) {
		if c := d.data[d.pos]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return
		}
		d.pos++
	}
}

func (d *Decoder) slowString(start int) (string, error) {
	out := append(make([]byte, 0, 2*(d.pos-start)+16), d.data[start:d.pos]...)
	for d.pos < len(d.data) {
		switch c := d.data[d.pos]; {
		case c == '"':
			d.pos++
			return string(out), nil
		case c < ' ':
			return "", d.syntax("a character of a string")
		case c == '\\':
			d.pos++
			var err error
			if out, err = d.escape(out); err != nil {
				return "", err
			}
		case c < utf8.RuneSelf:
			from := d.pos
			d.plain()
			out = append(out, d.data[from:d.pos]...)
		default:
			r, n := utf8.DecodeRuneInString(d.data[d.pos:])
			out = utf8.AppendRune(out, r)
			d.pos += n
		}
	}
	return "", d.syntax("the end of a string")
}

func (d *Decoder) escape(out []byte) ([]byte, error) {
	if d.pos >= len(d.data) {
		return nil, d.syntax("an escape")
	}
	c := d.data[d.pos]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		d.pos++
		r, ok := d.hex()
		if !ok {
			return nil, d.syntax("four hexadecimal digits")
		}
		if utf16.IsSurrogate(r) {
			back := d.pos
			low := rune(utf8.RuneError)
			if d.pos+1 < len(d.data) && d.data[d.pos] == '\\' && d.data[d.pos+1] == 'u' {
				d.pos += 2
				if low, ok = d.hex(); !ok {
					return nil, d.syntax("four hexadecimal digits")
				}
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				d.pos = back
			}
		}
		return utf8.AppendRune(out, r), nil
	default:
		return nil, d.syntax("an escape")
	}
	d.pos++
	return append(out, c), nil
}

func (d *Decoder) hex() (rune, bool) {
	if len(d.data)-d.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(d.data[d.pos:d.pos+4], 16, 16)
	if err != nil {
		return 0, false
	}
	d.pos += 4
	return rune(n), true
}

// AppendString appends s as a JSON string.
func AppendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= utf8.RuneSelf:
			b = append(b, "\uFFFD"...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
