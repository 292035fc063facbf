package model

import (
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	record "github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// guardian is a guard.State without what nobody will look at again: its instants are ages
// in ticks, clipped where nothing asks for more, and a revision is the last one of its
// epoch or not.
type guardian struct {
	Starting         bool
	Looked           uint8 // since the lease was read
	Failed           bool  // a renewal has failed since
	Told             uint8
	Term             uint8
	TermCurrent      bool
	Armed, Inherited bool
	Store, Peer      uint8 // what the grants count from
	Closing          closing
	Trials, Tried    uint8
	Demoted          bool
	Displaced        bool
	Role             guard.Role
	// What has been done in this tick.
	Rounded, Enforced, Asked, Promise bool
	Fencing                           uint8 // toClose or toEnforce while it is under way
	FencingCurrent                    bool
	Isolating, Opening, Releasing     bool
	MayOpen                           bool
	Watched                           uint8
	Renewal                           [3]renewal
}

type closing struct {
	On, Acked, Forced, Isolated, Failed, Withheld bool
	Epoch                                         uint8
	Current                                       bool // at the last revision of its epoch
	Misses                                        uint8
}

// renewal is one that is under way.
type renewal struct {
	Stage          uint8 // idle, asked, granted or refused
	Age            uint8
	Epoch          uint8
	Blind, Opening bool
	Current        bool // nothing was renewed after it
}

// The stages of a renewal.
const (
	idle    uint8 = iota
	asked         // the store has not seen it
	granted       // and the answer is on its way
	refused
)

// What a fence by SQL is for.
const (
	toClose uint8 = 1 + iota
	toEnforce
)

// A tick is a second of the guard's clock: the constants that no policy sets are shorter.
const (
	unit = time.Second
	now  = 1000 * unit
	// longAgo is for what has never been; everything has passed since.
	longAgo = now - 100*unit
)

// rulesOf are a guard's, in ticks. Renew is a third of one, as in the default policy, and
// no less: three of them are the age of a young grant.
func (w *Config) rulesOf(r uint8) guard.Rules {
	return guard.Rules{
		Region: regions[r], Valid: (ttl - margin) * unit, TTL: ttl * unit, Drift: drift * unit,
		Renew: unit/3 + 1, Resend: unit, Look: unit, ControlCall: unit,
		Watchdog: w.Watchdog, Peer: w.Promises && w.Without != PeerGrant, Roles: true, Releases: true,
	}
}

var regions = [2]dr.Region{"a", "b"}

// Revisions of an epoch: the one that it was taken with, any that is not the last, the last.
const (
	revTaken = 1
	revStale = 50
	revLast  = 51
	revs     = 100
)

func (l *lease) record(current bool) record.Record {
	out := record.Record{Epoch: dr.Epoch(l.Epoch), Holder: regions[l.Holder], TakenRev: uint64(l.Epoch)*revs + revTaken, Released: l.Released}
	switch {
	case !l.Renewed:
		out.Rev = out.TakenRev
	case current:
		out.Rev = uint64(l.Epoch)*revs + revLast
	default:
		out.Rev = uint64(l.Epoch)*revs + revStale
	}
	if l.By != 0 {
		out.Execution = string(rune('0' + l.By))
	}
	return out
}

// key is all on which a step of a guard hangs, with the answers of its own server and of
// the row that it reads there.
type key struct {
	Region uint8
	G      guardian
	Seen   lease
	Known  bool
	Is     bool // Seen is the current revision
	In     input
	Server server
	Row    promise
}

// server is what the own database says when it is asked.
type server struct {
	Primary, Open, Silent, Deaf bool
	Mute                        bool // it never says that it is a secondary
}

// input is a guard.Input.
type input struct {
	Kind   guard.Learns
	Call   call
	Result guard.Result
	Lease  lease
	Is     bool // it is the current revision
	Epoch  uint8
	Moved  bool
}

// call names the call that is answered.
type call uint8

const (
	theFence call = iota
	theIsolation
	theOpening
	theRelease
	theRenewal // and one after it for each of the others
)

const firstID = 1 << 20

func (c call) id() uint32 { return firstID + uint32(c) }

// stepped is what a step came to.
type stepped struct {
	G     guardian
	Seen  lease
	Known bool
	Is    bool
	// Beaten: a heartbeat write has committed; Row is its row.
	Beaten bool
	Row    guard.Row
	// Closes: it has decided to make the server read-only or to have it rebooted, although
	// no other Region is known to have the epoch and the server is no secondary.
	Closes bool
}

// run makes a step of the real guard, and the steps that follow from the answers of its own
// server, which come at once or not at all.
func (w *step) run(k key) stepped {
	if out, known := w.steps[k]; known {
		return out
	}
	rules := w.rulesOf(k.Region)
	s := k.state(rules)
	queue := []guard.Input{k.In.input(k)}
	var out stepped
	for len(queue) > 0 {
		in := queue[0]
		queue = queue[1:]
		var effects []guard.Effect
		s, effects = guard.Step(rules, s, in)
		for _, e := range effects {
			if e.Kind == guard.Fence && !s.Enforces && !s.Closing.Forced || e.Kind == guard.Isolate && !s.Closing.Forced {
				out.Closes = true
			}
			answer := guard.Input{Kind: guard.Answered, Now: now, ID: e.ID, Seq: e.Seq}
			switch e.Kind {
			case guard.Beat:
				answer.Result = k.Server.write()
				if answer.Result == guard.Done {
					out.Beaten, out.Row = true, e.Row
				}
			case guard.AskRole:
				answer.Result, answer.Server = k.Server.says()
			case guard.ReadPromise:
				if k.Server.Silent || k.Server.Deaf || !k.Row.Own || k.Row.Age >= ttl-margin {
					answer.Result = guard.Silent
					break
				}
				const seq = 40
				s.Sent[seq] = guard.Written{Seq: seq, Epoch: dr.Epoch(k.Row.Epoch), Sent: now - time.Duration(k.Row.Age)*unit, Answered: now}
				answer.Result, answer.Epoch, answer.Seq = guard.Done, dr.Epoch(k.Row.Epoch), seq
			case guard.Fence:
				if !s.Enforces || k.Server.Open {
					continue
				}
				if answer.Result = guard.Done; k.Server.Silent || k.Server.Deaf { // it stays as it is: closed
					answer.Result = guard.Silent
				}
			case guard.InstallWatchdog, guard.RemoveWatchdog, guard.CheckWatchdog:
				answer.Result, answer.Awake = guard.Done, true
			default:
				continue
			}
			queue = append(queue, answer)
		}
	}
	out.G = k.compact(rules, &s)
	out.Seen, out.Known, out.Is = k.seen(&s)
	w.steps[k] = out
	return out
}

// write is what comes of a heartbeat write.
func (s server) write() guard.Result {
	switch {
	case s.Silent:
		return guard.Silent
	case s.Deaf:
		return guard.NotAsked
	case !s.Primary && !s.Mute:
		return guard.NotWriter
	case !s.Open || !s.Primary:
		return guard.ReadOnly
	}
	return guard.Done
}

func (s server) says() (guard.Result, guard.Role) {
	switch {
	case s.Silent:
		return guard.Silent, guard.RoleUnknown
	case s.Deaf:
		return guard.NotAsked, guard.RoleUnknown
	case s.Primary:
		return guard.Done, guard.Writer
	case s.Mute:
		return guard.Refused, guard.RoleUnknown
	}
	return guard.Done, guard.Secondary
}

func (i *input) input(k key) guard.Input {
	out := guard.Input{Kind: i.Kind, Now: now, Result: i.Result, Epoch: dr.Epoch(i.Epoch), Moved: i.Moved, ID: i.Call.id()}
	if i.Lease.Epoch != 0 {
		out.Lease = i.Lease.record(i.Is)
	}
	return out
}

// at is the instant of an age, clipped.
func at(age, most uint8) guard.Instant {
	if age >= most {
		return longAgo
	}
	return now - guard.Instant(age)*unit
}

// age is the age of an instant, clipped.
func age(t guard.Instant, most uint8) uint8 {
	if t > now {
		panic(fmt.Sprintf("model: an instant in the future: %v", t-now))
	}
	return uint8(min(guard.Instant(most), (now-t)/unit))
}

func done(in bool) guard.Instant {
	if in {
		return now
	}
	return longAgo
}

// The ages after which nothing asks any more.
const (
	mostGrant  = ttl - margin
	mostLooked = 3
	mostTried  = 2 * ttl
)

// last is the last revision of an epoch, as far as the guard's view goes.
func (k *key) last(e uint8) uint64 {
	if e == 0 {
		return 0
	}
	if e == k.Seen.Epoch && k.Known && k.Is && !k.Seen.Renewed {
		return uint64(e)*revs + revTaken
	}
	return uint64(e)*revs + revLast
}

// rev is a revision that the guard keeps.
func (k *key) rev(e uint8, current bool) uint64 {
	switch {
	case e == 0:
		return 0
	case current:
		return k.last(e)
	case e == k.Seen.Epoch && !k.Seen.Renewed:
		return uint64(e)*revs + revTaken
	}
	return uint64(e)*revs + revStale
}

// state returns the guard's state.
func (k *key) state(r guard.Rules) guard.State {
	g := &k.G
	s := guard.New(r, longAgo)
	if g.Starting {
		s.Begun = now
	}
	if k.Known {
		s.Known, s.Seen, s.SeenAt = true, k.Seen.record(k.Is), at(g.Looked, mostLooked)
	}
	if g.Failed {
		s.FailedAt = max(s.SeenAt, longAgo)
	}
	s.Told = dr.Epoch(g.Told)
	if g.Term != 0 {
		s.Term = record.Record{Epoch: dr.Epoch(g.Term), Holder: r.Region, Rev: k.rev(g.Term, g.TermCurrent)}
		if g.Term == k.Seen.Epoch && k.Known {
			rev := s.Term.Rev
			s.Term = s.Seen
			s.Term.Rev, s.Term.Released = rev, false
		}
	}
	s.Armed, s.Inherited = g.Armed, g.Inherited
	s.StoreAt, s.PeerAt = at(g.Store, mostGrant), at(g.Peer, mostGrant)
	c := g.Closing
	s.Closing = guard.Closing{
		On: c.On, Since: longAgo, Acked: c.Acked, Forced: c.Forced, Epoch: dr.Epoch(c.Epoch), Rev: k.rev(c.Epoch, c.Current),
		Isolated: c.Isolated, Misses: c.Misses, Failed: c.Failed, Withheld: c.Withheld, RetryAt: longAgo,
	}
	s.Trials, s.TriedAt = g.Trials, at(g.Tried, mostTried)
	if g.Demoted {
		s.Demoted = s.Term.Epoch
	}
	s.Displaced, s.Role = g.Displaced, g.Role
	s.RoundAt, s.EnforcedAt, s.AskedAt, s.PromisedAt = done(g.Rounded), done(g.Enforced), done(g.Asked), done(g.Promise)
	running := func(on bool, c call) guard.Call {
		if !on {
			return guard.Call{}
		}
		return guard.Call{ID: c.id(), Sent: now}
	}
	s.Fencing, s.Isolating = running(g.Fencing != 0, theFence), running(g.Isolating, theIsolation)
	s.Opening, s.Releasing = running(g.Opening, theOpening), running(g.Releasing, theRelease)
	s.Enforces, s.MayOpen = g.Fencing == toEnforce, g.MayOpen
	s.FencingRev = k.rev(g.Term, g.FencingCurrent)
	s.Watched = dr.Epoch(g.Watched)
	for i, x := range g.Renewal {
		if x.Stage != idle {
			s.Renewals[i] = guard.Renewal{
				ID: (theRenewal + call(i)).id(), Sent: at(x.Age, mostGrant), Epoch: dr.Epoch(x.Epoch), Blind: x.Blind, Opening: x.Opening,
			}
		}
	}
	return s
}

// compact returns what is remembered of a state.
func (k *key) compact(r guard.Rules, s *guard.State) guardian {
	after := *k
	after.Seen, after.Known, after.Is = k.seen(s)
	current := func(e dr.Epoch, rev uint64) bool { return e != 0 && rev == after.last(uint8(e)) }
	g := guardian{
		Starting: s.Begun == now, Failed: s.FailedAt >= s.SeenAt && s.FailedAt > longAgo-unit, Told: uint8(s.Told),
		Term: uint8(s.Term.Epoch), TermCurrent: current(s.Term.Epoch, s.Term.Rev), Armed: s.Armed, Inherited: s.Inherited,
		Store: age(s.StoreAt, mostGrant), Peer: age(max(s.PeerAt, longAgo), mostGrant),
		Trials: min(3, s.Trials), Tried: age(max(s.TriedAt, longAgo), mostTried), Demoted: s.Demoted != 0, Displaced: s.Displaced, Role: s.Role,
		Rounded: s.RoundAt == now, Enforced: s.EnforcedAt == now, Asked: s.AskedAt == now, Promise: s.PromisedAt == now,
		Isolating: s.Isolating.ID != 0, Opening: s.Opening.ID != 0, Releasing: s.Releasing.ID != 0, MayOpen: s.MayOpen, Watched: uint8(s.Watched),
		Closing: closing{
			On: s.Closing.On, Acked: s.Closing.Acked, Forced: s.Closing.Forced, Isolated: s.Closing.Isolated, Failed: s.Closing.Failed,
			Withheld: s.Closing.Withheld, Epoch: uint8(s.Closing.Epoch), Current: current(s.Closing.Epoch, s.Closing.Rev), Misses: min(3, s.Closing.Misses),
		},
	}
	if after.Known {
		g.Looked = age(max(s.SeenAt, longAgo), mostLooked)
	}
	switch {
	case s.Fencing.ID == 0:
	case s.Enforces:
		g.Fencing = toEnforce
	default:
		g.Fencing, g.FencingCurrent = toClose, current(s.Term.Epoch, s.FencingRev)
	}
	for i, x := range s.Renewals {
		if x.ID == 0 {
			continue
		}
		y := renewal{Stage: asked, Age: age(max(x.Sent, longAgo), mostGrant), Epoch: uint8(x.Epoch), Blind: x.Blind, Opening: x.Opening}
		if x.ID >= firstID {
			y.Stage, y.Current = k.G.Renewal[i].Stage, k.G.Renewal[i].Current
		}
		g.Renewal[i] = y
	}
	if s.Demoted != 0 && s.Demoted != s.Term.Epoch {
		panic("model: demoted in another term")
	}
	g.forget(r)
	return g
}

// seen returns the lease that a guard has seen.
func (k *key) seen(s *guard.State) (l lease, known, current bool) {
	if !s.Known {
		return lease{}, false, false
	}
	l = lease{Epoch: uint8(s.Seen.Epoch), Renewed: s.Seen.Rev > s.Seen.TakenRev, Released: s.Seen.Released}
	if s.Seen.Holder == regions[b] {
		l.Holder = b
	}
	if s.Seen.Execution != "" {
		l.By = s.Seen.Execution[0] - '0'
	}
	switch {
	case l.Renewed:
		current = s.Seen.Rev == uint64(l.Epoch)*revs+revLast
	case k.In.Lease.Epoch == l.Epoch && !k.In.Lease.Renewed:
		current = k.In.Is
	default:
		current = k.Is
	}
	return l, true, current
}

// forget clears what nobody will look at again.
func (g *guardian) forget(r guard.Rules) {
	g.Role = guard.RoleUnknown // it is looked at once in a tick either way
	if !g.Armed {
		g.Inherited, g.Store, g.Peer, g.Looked = false, mostGrant, mostGrant, 0
		if !g.Closing.On && !g.MayOpen && !g.renewing() && !g.Opening {
			g.Failed = false
		}
	}
	if !r.Peer {
		g.Peer, g.Promise = mostGrant, false
	}
	if g.Trials == 0 {
		g.Tried = mostTried
	} else if g.Trials < 3 {
		g.Tried = min(g.Tried, ttl/2)
	}
	if !g.Closing.On {
		g.Closing = closing{}
	} else if g.Closing.Acked {
		g.Closing.Isolated, g.Closing.Misses, g.Closing.Withheld = false, 0, false
	}
	if !r.Watchdog {
		g.Watched = 0
	}
}

// renewing reports whether a renewal is under way.
func (g *guardian) renewing() bool {
	for _, x := range g.Renewal {
		if x.Stage != idle {
			return true
		}
	}
	return false
}

// pass lets a tick of the guard's clock pass.
func (g *guardian) pass() {
	older := func(age *uint8, most uint8) { *age = min(most, *age+1) }
	g.Starting, g.Rounded, g.Enforced, g.Asked, g.Promise = false, false, false, false, false
	older(&g.Looked, mostLooked)
	older(&g.Store, mostGrant)
	older(&g.Peer, mostGrant)
	older(&g.Tried, mostTried)
	for i := range g.Renewal {
		if g.Renewal[i].Stage != idle {
			older(&g.Renewal[i].Age, mostGrant)
		}
	}
}

// newGuard is the guard of a monitor that starts.
func (w *step) newGuard(r uint8) guardian {
	rules := w.rulesOf(r)
	s := guard.New(rules, now)
	if w.Without == Inheritance {
		s.Armed, s.Inherited = false, false
	}
	k := key{Region: r}
	return k.compact(rules, &s)
}
