package model

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	record "github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// ErrForgets says that what is remembered of a state is not enough: what follows from it
// hangs on something that was forgotten.
var ErrForgets = errors.New("model: what was forgotten makes a difference")

// Forgets plays both what the searches play and what they have forgotten. Each guard is
// there twice: as the guardian that the searches remember, and as the guard.State that was
// never cut down, with a clock and with the revisions of a store of its own. After every
// step both must come to the same. It does so in the first states of a search, and then in
// walks of a length from the start, drawn by seed. And in as many states that were never
// cleared by State.forget it compares what may follow with what may follow once they are.
//
// The order of two revisions of which neither is the last of its epoch is not remembered,
// so a store that carries out late renewals ([Config].Lost) is out of its bounds.
func (c Config) Forgets(states, walks, length int, seed uint64) Result {
	c = c.withDefaults()
	began := time.Now()
	f := &forgetter{Config: c, w: newStep(c, make(map[key]stepped))}
	f.w.real = &real{}
	f.search(states)
	for i := range walks {
		if f.Err == nil {
			f.walk(length, rand.New(rand.NewPCG(seed, uint64(i))))
		}
	}
	if f.Err == nil {
		f.uncleared(states)
	}
	f.Took = time.Since(began)
	return f.Result
}

type forgetter struct {
	Config
	Result
	w *step
}

// place is a state with its two guards as they are, and how it was reached.
type place struct {
	s    State
	real real
	from *place
	by   action
}

func (p *place) way() (out []string) {
	for ; p != nil; p = p.from {
		out = append([]string{p.by.String(), "    " + p.s.String()}, out...)
	}
	return out[1:]
}

// next returns what follows a place.
func (f *forgetter) next(p *place) (out []*place) {
	f.w.s, f.w.was = p.s, &p.real
	f.w.emit = func(x action, t *State) {
		f.Steps++
		q := &place{s: *t, real: *f.w.real, from: p, by: x}
		out = append(out, q)
		if f.Err == nil {
			if diff := f.w.compare(t); diff != "" {
				f.Err, f.Trace = fmt.Errorf("%w: %s", ErrForgets, diff), q.way()
			}
		}
	}
	f.w.next()
	return out
}

func (f *forgetter) first() *place {
	p := &place{s: f.start()}
	p.real.begin(f.w, &p.s)
	return p
}

func (f *forgetter) search(states int) {
	known := map[State]bool{f.start(): true}
	queue := []*place{f.first()}
	for len(queue) > 0 && f.Err == nil {
		p := queue[0]
		queue = queue[1:]
		f.States++
		for _, q := range f.next(p) {
			if !known[q.s] && len(known) < states {
				known[q.s] = true
				queue = append(queue, q)
			}
		}
		p.real = real{} // its way is remembered, and no more
	}
}

// uncleared compares what follows states with what follows what State.forget leaves of them.
func (f *forgetter) uncleared(states int) {
	c := f.Config
	c.Remember = true
	all, less := newStep(c, f.w.steps), newStep(f.Config, f.w.steps)
	follows := func(w *step, s State) (out map[State]action, next []*place) {
		out = make(map[State]action)
		from := s
		from.forget()
		w.s = s
		w.emit = func(x action, t *State) {
			next = append(next, &place{s: *t, by: x})
			u := *t
			if u.forget(); u != from {
				out[u] = x
			}
		}
		w.next()
		return out, next
	}
	known := make(map[State]bool)
	queue := []*place{{s: c.start()}}
	for len(queue) > 0 && f.Err == nil {
		p := queue[0]
		queue = queue[1:]
		f.States++
		cleared := p.s
		cleared.forget()
		got, next := follows(all, p.s)
		want, _ := follows(less, cleared)
		for _, q := range next {
			q.from = p
			if !known[q.s] && len(known) < states {
				known[q.s] = true
				queue = append(queue, q)
			}
		}
		for _, x := range [...]struct {
			in, not map[State]action
			text    string
		}{{got, want, "not once the state is cleared"}, {want, got, "only once the state is cleared"}} {
			for u, by := range x.in {
				if _, both := x.not[u]; !both && f.Err == nil {
					f.Err, f.Trace = fmt.Errorf("%w: %q leads to what follows %s", ErrForgets, by, x.text), p.way()
				}
			}
		}
	}
}

func (f *forgetter) walk(length int, draw *rand.Rand) {
	p := f.first()
	for range length {
		f.States++
		all := f.next(p)
		if f.Err != nil || len(all) == 0 {
			return
		}
		p = all[draw.IntN(len(all))]
	}
}

// real is what the searches don't remember: the guards' states as they are, with the
// revisions of a store.
type real struct {
	guard   [2]guard.State
	now     [2]guard.Instant
	rev     uint64
	taken   [8]uint64    // the revision that each epoch began with
	last    [8]uint64    // of each epoch
	granted [2][3]uint64 // the revision of a renewal whose answer is on its way
	beat    [2]uint64    // the newest heartbeat write that has committed, whichever its row, of the process that lives
	row     [2]uint64    // the one that the peer's row names
	diff    string
}

// begin has the guards begin as the searches have them.
func (x *real) begin(w *step, s *State) {
	const e = 1
	x.rev, x.taken[e] = e*revs+revLast, e*revs+revTaken
	x.last[e] = x.rev
	for r := range uint8(2) {
		m := &s.Member[r]
		k := key{Region: r, G: m.G, Seen: m.Sees, Known: m.Known, Is: m.Current}
		x.guard[r], x.now[r] = k.state(w.rulesOf(r)), now
		if g := &x.guard[r]; m.Beat == 0 {
			g.Seq, g.Committed, x.beat[r] = 1, 1, 1
			g.Sent[1] = guard.Written{Seq: 1, Epoch: e, Sent: now, Answered: now, Keeps: true}
		}
	}
}

func (x *real) renewed(s *State) {
	x.rev++
	x.last[s.Lease.Epoch] = x.rev
}

// rest lets the time between two rounds of a guard pass whose clock stands still.
func (x *real) rest(r uint8, round time.Duration) {
	s := &x.guard[r]
	for _, at := range []*guard.Instant{&s.Begun, &s.RoundAt, &s.EnforcedAt, &s.AskedAt, &s.PromisedAt, &s.BeatAt} {
		*at -= round
	}
}

// record is a lease as the store has it, of which the searches say whether it is the
// current one; rev is the revision.
func (x *real) record(l *lease, rev uint64) record.Record {
	out := l.record(true)
	out.TakenRev, out.Rev = x.taken[l.Epoch], rev
	return out
}

// step has a guard learn what the guard of the search learns, and compares what they do.
func (x *real) step(w *step, k *key, out *stepped) {
	r := k.Region
	s := &x.guard[r]
	in := k.In.input(x.now[r])
	if k.In.Kind == guard.Answered {
		switch c := k.In.Call; c {
		case theFence:
			in.ID = s.Fencing.ID
		case theIsolation:
			in.ID = s.Isolating.ID
		case theOpening:
			in.ID = s.Opening.ID
		case theRelease:
			in.ID = s.Releasing.ID
		default:
			in.ID = s.Renewals[c-theRenewal].ID
		}
	}
	if k.In.Lease.Epoch != 0 {
		rev := x.rev
		if k.In.Kind == guard.Answered && k.In.Call >= theRenewal {
			rev = x.granted[r][k.In.Call-theRenewal]
		}
		in.Lease = x.record(&k.In.Lease, rev)
	}
	got := w.react(w.rulesOf(r), s, in, k.Server, x.row[r])
	if got.Beaten {
		x.beat[r] = s.Seq
	}
	if (got.Beaten != out.Beaten || got.Row != out.Row || got.Closes != out.Closes) && x.diff == "" {
		x.diff = fmt.Sprintf("%s: a step does %+v instead of %+v", name(r), [3]any{out.Beaten, out.Row, out.Closes}, [3]any{got.Beaten, got.Row, got.Closes})
	}
}

// compare returns what differs between a state and what the guards make of it that have
// forgotten nothing.
func (w *step) compare(t *State) string {
	if w.real.diff != "" {
		return w.real.diff
	}
	u := *t
	for r := range uint8(2) {
		if m := &u.Member[r]; m.Up {
			w.real.look(w, r, m)
		}
	}
	if !w.Remember {
		u.forget()
	}
	for r := range u.Member {
		got, want := &t.Member[r], &u.Member[r]
		if *got != *want {
			return fmt.Sprintf("%s is remembered with%s", name(uint8(r)), differ(*got, *want)+differ(got.G, want.G))
		}
	}
	return ""
}

// differ tells which fields of two structures differ.
func differ(got, want any) (out string) {
	x, y := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range x.NumField() {
		f := x.Type().Field(i)
		if f.Name != "G" && !x.Field(i).Equal(y.Field(i)) {
			out += fmt.Sprintf(" %s %+v and not %+v;", f.Name, x.Field(i), y.Field(i))
		}
	}
	return out
}

// look puts into a member what its guard comes to that has forgotten nothing.
func (x *real) look(w *step, r uint8, m *member) {
	s, rules := &x.guard[r], w.rulesOf(r)
	g := view{x.now[r], func(e dr.Epoch) uint64 { return x.last[e] }}.compact(s)
	for i := range g.Renewal {
		if y := &g.Renewal[i]; y.Stage != idle {
			was := m.G.Renewal[i]
			y.Stage, y.Current = was.Stage, was.Stage == granted && x.granted[r][i] == x.last[y.Epoch]
		}
	}
	g.forget(rules)
	w.drop(&g)
	m.G, m.Known = g, s.Known
	if !s.Known {
		return
	}
	m.Sees = lease{Epoch: uint8(s.Seen.Epoch), Holder: a, By: m.Sees.By, Renewed: s.Seen.Rev > s.Seen.TakenRev, Released: s.Seen.Released}
	if s.Seen.Holder == regions[b] {
		m.Sees.Holder = b
	}
	if s.Seen.Execution != "" {
		m.Sees.By = s.Seen.Execution[0] - '0'
	}
	m.Current = s.Seen.Rev == x.last[s.Seen.Epoch]
}
