package report

import (
	"bufio"
	"encoding/json"
	"io"
)

// lines writes text and lines of JSON through a buffer.
type lines struct {
	buffer *bufio.Writer
	enc    *json.Encoder
}

func newLines(w io.Writer) *lines {
	b := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return &lines{buffer: b, enc: enc}
}

func (l *lines) text(s string) error {
	_, err := l.buffer.WriteString(s)
	return err
}

// json writes one value and a line end.
func (l *lines) json(v any) error { return l.enc.Encode(v) }

func (l *lines) flush() error { return l.buffer.Flush() }
