package functions

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// Tell tells a trace what a line of a function's says, and reports whether it is an event.
func Tell(text string, t *dr.Trace) bool {
	e, ok := readEvent(text)
	if ok {
		e.tell(t)
	}
	return ok
}
