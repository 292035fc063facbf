package model

import (
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	record "github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// A tick is a second of the guard's clock: the constants that no policy sets are shorter.
const (
	unit = time.Second
	now  = 1000 * unit
	// longAgo is for what has never been; everything has passed since.
	longAgo = now - 100*unit
)

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

// at is the instant of an age, clipped.
func at(age, most uint8) guard.Instant {
	if age >= most {
		return longAgo
	}
	return now - guard.Instant(age)*unit
}

// view is how a state of a guard is looked at: at a moment of its own clock, and with the
// last revision of each epoch.
type view struct {
	now  guard.Instant
	last func(dr.Epoch) uint64
}

// age is the age of an instant, clipped.
func (v view) age(t guard.Instant, most uint8) uint8 {
	if t > v.now {
		panic(fmt.Sprintf("model: an instant in the future: %v", t-v.now))
	}
	return uint8(min(guard.Instant(most), (v.now-t)/unit))
}

func (v view) current(e dr.Epoch, rev uint64) bool { return e != 0 && rev == v.last(e) }

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
	s.StoreAt = at(g.Store, mostGrant)
	if g.Peer < mostGrant { // else it is as good as none
		s.PeerAt = at(g.Peer, mostGrant)
	}
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
	s.BeatAt = done(g.Between)
	running := func(on bool, c call) guard.Call {
		if !on {
			return guard.Call{}
		}
		return guard.Call{ID: c.id(), Sent: now}
	}
	s.Fencing, s.Isolating = running(g.Fencing != 0, theFence), running(g.Isolating, theIsolation)
	s.Opening, s.Releasing = running(g.Opening, theOpening), running(g.Releasing, theRelease)
	s.Enforces, s.MayOpen = g.Fencing == toEnforce, g.MayOpen
	if g.FencingCurrent { // any other is below the term's, perhaps of the term before, and counts for nothing
		s.FencingRev = k.last(g.Term)
	}
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
	v := view{now, func(e dr.Epoch) uint64 { return after.last(uint8(e)) }}
	g := v.compact(s)
	for i := range s.Renewals {
		if s.Renewals[i].ID >= firstID {
			g.Renewal[i].Stage, g.Renewal[i].Current = k.G.Renewal[i].Stage, k.G.Renewal[i].Current
		}
	}
	g.forget(r)
	return g
}

// compact returns what is remembered of a state, with every renewal as one that the store
// has not seen.
func (v view) compact(s *guard.State) guardian {
	if s.Demoted != 0 && s.Demoted != s.Term.Epoch {
		panic("model: demoted in another term")
	}
	g := guardian{
		Starting: s.Begun == v.now, Failed: s.FailedAt >= s.SeenAt && s.FailedAt > guard.Never, Told: uint8(s.Told),
		Term: uint8(s.Term.Epoch), TermCurrent: v.current(s.Term.Epoch, s.Term.Rev), Armed: s.Armed, Inherited: s.Inherited,
		Store: v.age(s.StoreAt, mostGrant), Peer: v.age(s.PeerAt, mostGrant),
		Trials: min(3, s.Trials), Tried: v.age(s.TriedAt, mostTried), Demoted: s.Demoted != 0, Displaced: s.Displaced, Role: s.Role,
		Rounded: s.RoundAt == v.now, Enforced: s.EnforcedAt == v.now, Asked: s.AskedAt == v.now, Promise: s.PromisedAt == v.now, Between: s.BeatAt == v.now,
		Isolating: s.Isolating.ID != 0, Opening: s.Opening.ID != 0, Releasing: s.Releasing.ID != 0, MayOpen: s.MayOpen, Watched: uint8(s.Watched),
		Closing: closing{
			On: s.Closing.On, Acked: s.Closing.Acked, Forced: s.Closing.Forced, Isolated: s.Closing.Isolated, Failed: s.Closing.Failed,
			Withheld: s.Closing.Withheld, Epoch: uint8(s.Closing.Epoch), Current: v.current(s.Closing.Epoch, s.Closing.Rev), Misses: min(3, s.Closing.Misses),
		},
	}
	if s.Known {
		g.Looked = v.age(s.SeenAt, mostLooked)
	}
	switch {
	case s.Fencing.ID == 0:
	case s.Enforces:
		g.Fencing = toEnforce
	default:
		g.Fencing, g.FencingCurrent = toClose, v.current(s.Term.Epoch, s.FencingRev)
	}
	for i, x := range s.Renewals {
		if x.ID != 0 {
			g.Renewal[i] = renewal{Stage: asked, Age: v.age(x.Sent, mostGrant), Epoch: uint8(x.Epoch), Blind: x.Blind, Opening: x.Opening}
		}
	}
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
