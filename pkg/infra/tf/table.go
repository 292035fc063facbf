package tf

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// Table shows what is running as a table that it draws over, and prints what has
// happened above it, once.
type Table struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int
	now   func() time.Time
	board board
	drawn int // lines of the table on the screen
	done  chan struct{}
	ended chan struct{}
}

// NewTable returns a renderer for a terminal of that width in columns.
func NewTable(w io.Writer, width func() int) *Table {
	t := &Table{w: w, width: width, now: time.Now, done: make(chan struct{}), ended: make(chan struct{})}
	go t.tick()
	return t
}

// tick keeps the elapsed times moving: terraform speaks every 10 s only.
func (t *Table) tick() {
	defer close(t.ended)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.mu.Lock()
			t.draw("")
			t.mu.Unlock()
		case <-t.done:
			return
		}
	}
}

// Event takes an event.
func (t *Table) Event(unit string, e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.board.take(unit, e, t.now())
	above := ""
	switch e.(type) {
	case Applying, Progress, UnitStarted: // the table shows them
	default:
		if text := Describe(e); text != "" {
			above = unit + ": " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"
		}
	}
	t.draw(above)
}

// Close takes the table off the screen.
func (t *Table) Close() error {
	close(t.done)
	<-t.ended
	t.mu.Lock()
	defer t.mu.Unlock()
	t.board = board{}
	t.draw("")
	return nil
}

// draw writes in one piece, so that the screen does not flicker.
func (t *Table) draw(above string) {
	var b strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", t.drawn)
	}
	b.WriteString(above)
	lines := t.board.view(t.now(), t.width())
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	t.drawn = len(lines)
	if b.Len() > 0 {
		_, _ = io.WriteString(t.w, b.String()) // progress must not stop terraform
	}
}

// board is what the table shows.
type board struct {
	unit      string
	op        Op
	since     time.Time
	planned   int
	refreshed int
	applied   int
	rows      []row
}

type row struct {
	address string
	action  Action
	since   time.Time
}

func (b *board) take(unit string, e Event, now time.Time) {
	switch e := e.(type) {
	case UnitStarted:
		*b = board{unit: unit, op: e.Op, since: now}
	case UnitFinished:
		*b = board{}
	case Refreshed:
		b.refreshed++
	case Planned:
		if e.Action != "noop" && e.Action != "move" {
			b.planned++
		}
	case Applying:
		b.rows = append(b.rows, row{address: e.Address, action: e.Action, since: now})
	case Progress:
		for i := range b.rows { // terraform's own clock is the right one
			if b.rows[i].address == e.Address {
				b.rows[i].since = now.Add(-e.Elapsed)
			}
		}
	case Applied:
		b.applied++
		b.settle(e.Address)
	case Failed:
		b.settle(e.Address)
	}
}

func (b *board) settle(address string) {
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return r.address == address })
}

// most is how many rows a table has: a terminal that scrolls can't be drawn over.
const most = 12

func (b *board) view(now time.Time, width int) []string {
	if b.unit == "" {
		return nil
	}
	head := fmt.Sprintf("%s  %s  %s", b.unit, b.op, seconds(now.Sub(b.since)))
	switch {
	case b.op == OpPlan:
		head += fmt.Sprintf("  %d read", b.refreshed)
	case b.planned > 0:
		head += fmt.Sprintf("  %d of %d", b.applied, b.planned)
	}
	lines := []string{clip(head, width)}
	longest := 0
	shown := b.rows[:min(len(b.rows), most)]
	for _, r := range shown {
		longest = max(longest, len([]rune(r.address)))
	}
	longest = min(longest, max(width-24, 10))
	for _, r := range shown {
		lines = append(lines, clip(fmt.Sprintf("  %-*s  %-8s %7s", longest, clip(r.address, longest), r.action, seconds(now.Sub(r.since))), width))
	}
	if more := len(b.rows) - len(shown); more > 0 {
		lines = append(lines, clip(fmt.Sprintf("  and %d more", more), width))
	}
	return lines
}

// clip shortens in front: the end of an address is what tells it apart.
func clip(s string, width int) string {
	r := []rune(printable(s))
	if len(r) <= width {
		return string(r)
	}
	if width < 2 {
		return string(r[:width])
	}
	return "…" + string(r[len(r)-width+1:])
}
