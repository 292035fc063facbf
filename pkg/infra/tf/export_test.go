package tf

import "fmt"

// What reads the answers of terraform and of its own files.
var (
	ParseMark = parseMark
	Identify  = identify
	Locked    = locked
)

// MarkText is what is written beside a plan.
func MarkText(plan, inputs string, destroy, changes bool) ([]byte, error) {
	return mark{plan, inputs, destroy, changes}.text()
}

// Told is all that a stream makes of what is written to it, in pieces that end where cut
// says, as text; and whether that was an apply that came to its end.
func Told(text []byte, cut func(i int) bool) (out string, finished bool) {
	s := newStream(func(e Event) { out += fmt.Sprintf("%T%+v\n", e, e) }, func(state []byte) { out += fmt.Sprintf("kept %q\n", state) }, func() { out += "refused\n" })
	from := 0
	for i := range text {
		if cut(i) {
			_, _ = s.Write(text[from:i])
			from = i
		}
	}
	_, _ = s.Write(text[from:])
	r := s.report()
	format := fmt.Sprint(r.format)
	r.format = nil // it prints as an address
	return fmt.Sprintf("%s%+v %s", out, r, format), r.finished
}
