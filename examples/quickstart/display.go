package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// display shows a drill as it runs: one line for each event, and on a terminal one
// more that moves, with the last second of writes.
type display struct {
	w        io.Writer
	terminal bool

	mu     sync.Mutex
	fault  time.Duration // when it was injected
	broken bool
	live   bool // the moving line is on the screen
	second time.Duration
	counts map[workload.Outcome]int
	seen   map[string]bool
}

func newDisplay(w io.Writer, terminal bool) *display {
	return &display{w: w, terminal: terminal, counts: make(map[workload.Outcome]int), seen: make(map[string]bool)}
}

// labels are the events worth a line, in people's words.
var labels = map[string]string{
	measure.MarkSteady:       "steady",
	measure.MarkPrepared:     "preparing",
	measure.MarkSeen:         "seen to work",
	measure.MarkInjected:     "FAULT",
	measure.MarkEffective:    "fault seen",
	measure.MarkSuspected:    "suspected",
	"verdict.Impaired":       "impaired",
	"lease.fenced":           "old writer fenced",
	"lease.isolated":         "old writer cut off",
	measure.MarkDecided:      "epoch taken",
	measure.MarkFenced:       "fence proven",
	measure.MarkPromoted:     "promoted",
	measure.MarkWritable:     "first write taken",
	measure.MarkVerified:     "write verified",
	measure.MarkRedirected:   "clients redirected",
	measure.MarkSettled:      "settled",
	measure.MarkOperator:     "ASKS A PERSON",
	measure.MarkAcknowledged: "acknowledged",
	measure.MarkAborted:      "aborted",
	measure.MarkHealed:       "healed",
}

func (d *display) title(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.w, text)
}

// progress shows one thing. It is called from many goroutines.
func (d *display) progress(p drill.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case p.Status != "":
		d.line("", "", p.Status)
	case p.Mark != nil:
		d.mark(*p.Mark)
	case p.Op != nil:
		d.op(*p.Op)
	}
}

func (d *display) mark(m measure.Mark) {
	label, known := labels[m.Name]
	once := m.Name == measure.MarkSuspected || m.Name == "verdict.Impaired"
	if !known || once && d.seen[m.Name] {
		return
	}
	d.seen[m.Name] = true
	if m.Name == measure.MarkInjected {
		d.fault, d.broken = m.At, true
	}
	d.line(d.at(m.At), label, shorten(strings.TrimSpace(m.Source+"  "+m.Detail)))
}

// at prints a time relative to the fault once there is one.
func (d *display) at(t time.Duration) string {
	if d.broken {
		return fmt.Sprintf("%+7.2f s", (t - d.fault).Seconds())
	}
	return fmt.Sprintf("%7.2f s", t.Seconds())
}

func (d *display) op(op workload.Op) {
	if !d.terminal {
		return
	}
	if second := op.End.Truncate(time.Second); second != d.second {
		d.erase()
		fmt.Fprintf(d.w, "%s  writes in the last second: %d ok, %d failed, %d unknown", d.at(second),
			d.counts[workload.OK], d.counts[workload.Fail]+d.counts[workload.Dropped], d.counts[workload.Info])
		d.live, d.second = true, second
		clear(d.counts)
	}
	d.counts[op.Outcome]++
}

func (d *display) line(at, label, text string) {
	d.erase()
	if at == "" {
		fmt.Fprintf(d.w, "%9s  %s\n", "", text)
		return
	}
	fmt.Fprintf(d.w, "%s  %-18s %s\n", at, label, text)
}

// erase takes the moving line away.
func (d *display) erase() {
	if d.live {
		fmt.Fprint(d.w, "\r\033[K")
		d.live = false
	}
}

func (d *display) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
}

// shorten keeps a line on one row of a usual terminal.
func shorten(text string) string {
	const most = 100
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
