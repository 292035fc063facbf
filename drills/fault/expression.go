package fault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The words that put plans together. Each stands for the steps that it comes to, and a plan
// prints as those:
//
//	all(a, b)             both at the same instant
//	sequence(2s, a, b)    each 2 s after the one before
//	after(2s, a)          2 s later
//	flap(1s, 5s, 20, a)   for 1 s, every 5 s, 20 times
//
// A part is a fault, one of these words, or several joined by "+". After each may stand
// "@offset" and "for length": the offset moves all of it, and the length ends all of it.
const (
	wordAll      = "all"
	wordSequence = "sequence"
	wordAfter    = "after"
	wordFlap     = "flap"
)

// What bounds an expression: how many steps it comes to, how deep its words stand in each
// other, and how long anything in it lasts.
const (
	mostSteps = 10_000
	mostDeep  = 20
	mostTime  = 1000 * time.Hour
)

// ParsePlan reads what Plan.String prints, and the words that put plans together. A fault
// without an offset is at the fault instant. An error names the position of what it is about,
// counted in bytes from 1. An expression comes to 10,000 steps at most, its words stand in each
// other 20 deep at most, and nothing in it lasts longer than 1000h.
func ParsePlan(text string) (Plan, error) {
	e := expression{text: text}
	p, err := e.plan()
	switch {
	case err != nil:
	case e.at < len(text):
		err = e.wrong(e.at, "%q: use + between faults", rest(text[e.at:]))
	case len(p) > mostSteps:
		err = fmt.Errorf("%d steps: use %d at most", len(p), mostSteps)
	}
	if err != nil {
		return nil, fmt.Errorf("fault: plan %q: %w", text, err)
	}
	return p, nil
}

// expression is a text that is being read.
type expression struct {
	text string
	at   int // the next byte
	deep int
}

func (e *expression) wrong(at int, format string, args ...any) error {
	return fmt.Errorf("position %d: %w", at+1, fmt.Errorf(format, args...))
}

// rest is the beginning of what is left, for an error.
func rest(s string) string {
	const most = 30
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

func (e *expression) blanks() {
	for e.at < len(e.text) && strings.ContainsRune(" \t\n", rune(e.text[e.at])) {
		e.at++
	}
}

// take reads a token if it comes next, after blanks.
func (e *expression) take(token string) bool {
	e.blanks()
	if !strings.HasPrefix(e.text[e.at:], token) {
		return false
	}
	e.at += len(token)
	return true
}

// until reads up to one of some bytes, or to the end, and returns it without blanks.
func (e *expression) until(ends string) (text string, at int) {
	e.blanks()
	at = e.at
	for e.at < len(e.text) && !strings.ContainsRune(ends, rune(e.text[e.at])) {
		e.at++
	}
	return strings.TrimSpace(e.text[at:e.at]), at
}

// plan reads parts that are joined by "+".
func (e *expression) plan() (Plan, error) {
	var out Plan
	for {
		p, err := e.part()
		if err != nil {
			return nil, err
		}
		out = append(out, p...)
		if !e.take("+") {
			return out, nil
		}
	}
}

// part reads a fault or a word, with its offset and its length.
func (e *expression) part() (Plan, error) {
	p, begin, err := e.what()
	if err != nil {
		return nil, err
	}
	what := strings.TrimSpace(e.text[begin:e.at])
	offset := time.Duration(0)
	if e.take("@") {
		text, at := e.until(" \t\n+,)")
		if offset, err = time.ParseDuration(text); err != nil || offset.Abs() > mostTime {
			return nil, e.wrong(at, "offset %q of %s: write it like -8s or 500ms, up to %v", text, what, mostTime)
		}
	}
	if e.take("for ") {
		text, at := e.until(" \t\n+,)")
		length, err := time.ParseDuration(text)
		if err != nil || length <= 0 || length > mostTime {
			return nil, e.wrong(at, "length %q of %s: write it like 5s, above zero and up to %v", text, what, mostTime)
		}
		if p, err = p.ends(length); err != nil {
			return nil, e.wrong(at, "%w", err)
		}
	}
	return p.later(offset), nil
}

// what reads a fault, or a word with its arguments.
func (e *expression) what() (Plan, int, error) {
	name, begin := e.until("(@+,) \t\n")
	word := map[string]func(int) (Plan, error){
		wordAll: e.all, wordSequence: e.sequence, wordAfter: e.after, wordFlap: e.flap,
	}[name]
	if word != nil {
		if !e.take("(") {
			return nil, begin, e.wrong(e.at, "%s has no arguments: write it like %s", name, shape[name])
		}
		if e.deep++; e.deep > mostDeep {
			return nil, begin, e.wrong(begin, "more than %d words in each other: write it flatter", mostDeep)
		}
		p, err := word(begin)
		e.deep--
		return p, begin, err
	}
	if e.take("(") {
		if e.until(")"); e.at < len(e.text) {
			e.at++
		}
	}
	f, err := Parse(e.text[begin:e.at])
	if err != nil {
		return nil, begin, e.wrong(begin, "%w", err)
	}
	return All(f), begin, nil
}

// shape is how a word is written.
var shape = map[string]string{
	wordAll: "all(a, b)", wordSequence: "sequence(2s, a, b)", wordAfter: "after(2s, a)", wordFlap: "flap(1s, 5s, 20, a)",
}

// parts reads the plans up to the closing parenthesis.
func (e *expression) parts(word string, begin int) ([]Plan, error) {
	var out []Plan
	for {
		p, err := e.plan()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
		switch {
		case e.take(","):
		case e.take(")"):
			return out, nil
		default:
			return nil, e.wrong(begin, "%s: its closing parenthesis is missing: write it like %s", word, shape[word])
		}
	}
}

// length reads a duration above zero and the comma behind it.
func (e *expression) length(word string) (time.Duration, error) {
	text, at := e.until(",)")
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > mostTime || !e.take(",") {
		return 0, e.wrong(at, "%s: %q is no duration above zero and up to %v with something behind it: write it like %s", word, text, mostTime, shape[word])
	}
	return d, nil
}

func (e *expression) all(begin int) (Plan, error) {
	parts, err := e.parts(wordAll, begin)
	if err != nil {
		return nil, err
	}
	var out Plan
	for _, p := range parts {
		out = append(out, p...)
	}
	return out, nil
}

func (e *expression) sequence(begin int) (Plan, error) {
	every, err := e.length(wordSequence)
	if err != nil {
		return nil, err
	}
	parts, err := e.parts(wordSequence, begin)
	if err != nil {
		return nil, err
	}
	if every > mostTime/time.Duration(len(parts)) {
		return nil, e.wrong(begin, "sequence: %d parts every %v take longer than %v", len(parts), every, mostTime)
	}
	var out Plan
	for i, p := range parts {
		out = append(out, p.later(time.Duration(i)*every)...)
	}
	return out, nil
}

func (e *expression) after(begin int) (Plan, error) {
	by, err := e.length(wordAfter)
	if err != nil {
		return nil, err
	}
	parts, err := e.parts(wordAfter, begin)
	if err != nil {
		return nil, err
	}
	if len(parts) != 1 {
		return nil, e.wrong(begin, "after takes one part, got %d: write it like %s", len(parts), shape[wordAfter])
	}
	return parts[0].later(by), nil
}

func (e *expression) flap(begin int) (Plan, error) {
	lasts, err := e.length(wordFlap)
	if err != nil {
		return nil, err
	}
	every, err := e.length(wordFlap)
	if err != nil {
		return nil, err
	}
	if every <= lasts {
		return nil, e.wrong(begin, "flap: it lasts %v of every %v: it must last less, or it never heals", lasts, every)
	}
	text, at := e.until(",)")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || !e.take(",") {
		return nil, e.wrong(at, "flap: %q is no number of times above zero: write it like %s", text, shape[wordFlap])
	}
	parts, err := e.parts(wordFlap, begin)
	if err != nil {
		return nil, err
	}
	if len(parts) != 1 {
		return nil, e.wrong(begin, "flap takes one part, got %d: write it like %s", len(parts), shape[wordFlap])
	}
	switch {
	case n > mostSteps/len(parts[0]):
		return nil, e.wrong(at, "flap: more than %d steps: use fewer", mostSteps)
	case every > mostTime/time.Duration(n):
		return nil, e.wrong(begin, "flap: %d times every %v take longer than %v", n, every, mostTime)
	}
	out, err := Flap(lasts, every, n, parts[0])
	if err != nil {
		return nil, e.wrong(begin, "flap: %w", err)
	}
	return out, nil
}
