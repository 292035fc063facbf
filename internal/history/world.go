package history

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// World is one recording: what the guards of all Regions and the controllers did.
type World struct {
	Name   string
	Guards []*Guard
	// Journal is what controllers wrote, one line an entry.
	Journal []Event
}

// Guard is one process's guard, from its start to its end.
type Guard struct {
	Name   string // Region and number, as us-east-1#2
	Region dr.Region
	Policy dr.Policy
	// RenewalTimeout was the deadline of a call that renews.
	RenewalTimeout time.Duration
	Events         []Event
}

// Event is one line: something that the guard learnt, or a call that it made.
type Event struct {
	At   time.Duration // since the world began
	What string        // see the README of the recordings
	Args []string
	// A call has an Outcome: ok, readonly, notwriter, moved, none, timeout, cancelled, error,
	// dead (the process was killed) or never. Answer is what came with an ok, Took how long
	// the call took.
	Outcome string
	Answer  []string
	Took    time.Duration
}

// Call reports whether the event is a call.
func (e *Event) Call() bool { return e.Outcome != "" }

// Lease is a lease as it was recorded.
type Lease struct {
	Epoch    dr.Epoch
	Holder   dr.Region
	Rev      uint64
	TakenRev uint64
	By       string // the execution that took the epoch, or nothing
	// Released is never recorded: no guard gave a lease back then.
	Released bool
}

// ReadAll reads every recording of a folder.
func ReadAll(dir fs.FS) ([]*World, error) {
	names, err := fs.Glob(dir, "*.txt.gz")
	if err != nil {
		return nil, err
	}
	var all []*World
	for _, name := range names {
		f, err := dir.Open(name)
		if err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("history: %s: %w", name, err)
		}
		worlds, err := Read(z)
		if err != nil {
			return nil, fmt.Errorf("history: %s: %w", name, err)
		}
		all = append(all, worlds...)
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Read reads recordings in plain text.
func Read(r io.Reader) ([]*World, error) {
	var (
		worlds []*World
		world  *World
		guards map[string]*Guard
		lines  = bufio.NewScanner(r)
	)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "== "); ok {
			world, guards = &World{Name: name}, make(map[string]*Guard)
			worlds = append(worlds, world)
			continue
		}
		if world == nil {
			return nil, fmt.Errorf("line %d: %q stands before the first world", n, line)
		}
		who, e, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", n, line, err)
		}
		switch g := guards[who]; {
		case e.What == "journal":
			world.Journal = append(world.Journal, e)
		case e.What == "guard" && g == nil:
			if g, err = newGuard(who, e.Args); err != nil {
				return nil, fmt.Errorf("line %d: %q: %w", n, line, err)
			}
			guards[who] = g
			world.Guards = append(world.Guards, g)
		case g == nil:
			return nil, fmt.Errorf("line %d: %q: %s has not been introduced", n, line, who)
		default:
			g.Events = append(g.Events, e)
		}
	}
	return worlds, lines.Err()
}

// needs is how many words follow the name of what happens, at least.
var needs = map[string]int{
	"guard": 0, "run": 0, "stop": 0, "stopped": 0, "rear": 0, "rested": 0, "see": 1, "same": 0, "told": 1, "recall": 1, "report": 3,
	"tell": 2, "problem": 1, "journal": 6,
	"beat": 2, "renew": 1, "read": 0, "fence": 1, "open": 1, "isolate": 1, "replicated": 1,
	"install": 1, "check": 1, "remove": 0, "refresh": 0,
}

func parse(line string) (who string, e Event, err error) {
	said, answered, call := strings.Cut(line, " -> ")
	words := strings.Fields(said)
	if len(words) < 3 {
		return "", e, fmt.Errorf("%d words are too few", len(words))
	}
	if e.At, err = millis(words[0]); err != nil {
		return "", e, err
	}
	who, e.What, e.Args = words[1], words[2], words[3:]
	if few, known := needs[e.What]; !known || len(e.Args) < few {
		return "", e, fmt.Errorf("it is unknown, or says too little")
	}
	if !call {
		return who, e, nil
	}
	if e.What == "journal" { // its arrow is that from a Region to another
		e.Args = strings.Fields(strings.TrimPrefix(line, strings.Join(words[:3], " ")))
		return who, e, nil
	}
	words = strings.Fields(answered)
	if len(words) == 0 {
		return "", e, fmt.Errorf("a call without an outcome")
	}
	if took, ok := strings.CutPrefix(words[len(words)-1], "+"); ok {
		if e.Took, err = millis(took); err != nil {
			return "", e, err
		}
		words = words[:len(words)-1]
	}
	if len(words) == 0 {
		return "", e, fmt.Errorf("a call without an outcome")
	}
	e.Outcome, e.Answer = words[0], words[1:]
	return who, e, nil
}

func newGuard(who string, args []string) (*Guard, error) {
	region, _, _ := strings.Cut(who, "#")
	g := &Guard{Name: who, Region: dr.Region(region)}
	times := map[string]*time.Duration{
		"ttl": &g.Policy.LeaseTTL, "margin": &g.Policy.LeaseMargin, "drift": &g.Policy.LeaseDrift, "renew": &g.Policy.RenewInterval,
		"timeout": &g.RenewalTimeout, "observe": &g.Policy.ObserveInterval, "probe": &g.Policy.ProbeInterval,
		"call": &g.Policy.CallTimeout, "poll": &g.Policy.PollInterval, "loss": &g.Policy.MaxDataLoss,
	}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch into := times[name]; {
		case name == "rpoguard":
			g.Policy.RPOGuard = true
		case name == "watchdog":
			g.Policy.Watchdog = true
		case into == nil:
			return nil, fmt.Errorf("%q is no part of a policy", arg)
		default:
			var err error
			if *into, err = millis(value); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

func millis(s string) (time.Duration, error) {
	ms, err := strconv.ParseFloat(s, 64)
	if most := float64(time.Hour / time.Millisecond); err != nil || !(ms >= 0 && ms <= most) {
		return 0, fmt.Errorf("%q is no time in milliseconds", s)
	}
	return time.Duration(ms*1000+0.5) * time.Microsecond, nil
}

// lease reads a lease that begins a list of words.
func lease(words []string) (Lease, error) {
	var l Lease
	if len(words) == 0 {
		return l, fmt.Errorf("no lease")
	}
	parts := strings.Split(words[0], "/")
	if len(parts) != 3 {
		return l, fmt.Errorf("%q is no lease", words[0])
	}
	epoch, err1 := strconv.ParseUint(parts[0], 10, 64)
	rev, err2 := strconv.ParseUint(parts[2], 10, 64)
	if err1 != nil || err2 != nil {
		return l, fmt.Errorf("%q is no lease", words[0])
	}
	l.Epoch, l.Holder, l.Rev = dr.Epoch(epoch), dr.Region(parts[1]), rev
	for _, w := range words[1:] {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "taken":
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return l, fmt.Errorf("%q is no revision", w)
			}
			l.TakenRev = n
		case "by":
			l.By = value
		default:
			return l, fmt.Errorf("%q is no part of a lease", w)
		}
	}
	return l, nil
}

// pair reads two numbers, as 2/17.
func pair(s string) (x uint64, y int64, err error) {
	left, right, ok := strings.Cut(s, "/")
	x, err1 := strconv.ParseUint(left, 10, 64)
	y, err2 := strconv.ParseInt(right, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%q is no pair of numbers", s)
	}
	return x, y, nil
}
