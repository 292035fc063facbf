package wire

import "strconv"

// XML builds an answer of the query protocol without reflection. The zero
// value is ready.
type XML struct{ buf []byte }

// NewXML returns an XML with room for size bytes.
func NewXML(size int) *XML { return &XML{buf: make([]byte, 0, size)} }

// Bytes returns what was written.
func (x *XML) Bytes() []byte { return x.buf }

// Open starts an element.
func (x *XML) Open(name string) {
	x.buf = append(append(append(x.buf, '<'), name...), '>')
}

// OpenNS starts an element with a default namespace.
func (x *XML) OpenNS(name, ns string) {
	x.buf = append(append(x.buf, '<'), name...)
	x.buf = append(append(append(x.buf, ` xmlns="`...), ns...), `">`...)
}

// Close ends an element.
func (x *XML) Close(name string) {
	x.buf = append(append(append(x.buf, '<', '/'), name...), '>')
}

// Text writes an element that holds s.
func (x *XML) Text(name, s string) {
	x.Open(name)
	x.escape(s)
	x.Close(name)
}

// Bool writes an element that holds v.
func (x *XML) Bool(name string, v bool) { x.Text(name, strconv.FormatBool(v)) }

// Int writes an element that holds v.
func (x *XML) Int(name string, v int) {
	x.Open(name)
	x.buf = strconv.AppendInt(x.buf, int64(v), 10)
	x.Close(name)
}

// escape writes s as character data. XML 1.0 has no way to write most control
// characters; like encoding/xml it puts the replacement character instead.
func (x *XML) escape(s string) {
	if plain(s) {
		x.buf = append(x.buf, s...)
		return
	}
	for _, r := range s {
		switch {
		case r == '&':
			x.buf = append(x.buf, "&amp;"...)
		case r == '<':
			x.buf = append(x.buf, "&lt;"...)
		case r == '>':
			x.buf = append(x.buf, "&gt;"...)
		case r == '"':
			x.buf = append(x.buf, "&#34;"...)
		case r == '\r':
			x.buf = append(x.buf, "&#xD;"...)
		case r < ' ' && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF:
			x.buf = append(x.buf, "\uFFFD"...)
		default:
			x.buf = append(x.buf, string(r)...)
		}
	}
}

// plain reports whether s needs no escaping, which is nearly always.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '&' || c == '<' || c == '>' || c == '"' {
			return false
		}
	}
	return true
}
