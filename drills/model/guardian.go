package model

import "github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"

// guardian is a guard.State without what no later step reads: its instants are ages
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
	Rounded, Enforced, Asked, Promise, Between bool
	Fencing                                    uint8 // toClose or toEnforce while it is under way
	FencingCurrent                             bool
	Isolating, Opening, Releasing              bool
	MayOpen                                    bool
	Watched                                    uint8
	Renewal                                    [3]renewal
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

// forget clears what no later step reads.
func (g *guardian) forget(r guard.Rules) {
	g.Role = guard.RoleUnknown // it is looked at once in a tick either way
	if !g.Armed {
		g.Inherited, g.Store, g.Peer, g.Looked = false, mostGrant, mostGrant, 0
		if !g.Closing.On && !g.MayOpen && !g.renewing() && !g.Opening {
			g.Failed = false
		}
	}
	if !r.Peer {
		g.Peer, g.Promise, g.Between = mostGrant, false, false
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

// older lets a tick of the guard's clock pass.
func (g *guardian) older() {
	older := func(age *uint8, most uint8) { *age = min(most, *age+1) }
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

// rest lets the time between two rounds of the guard pass.
func (g *guardian) rest() {
	g.Starting, g.Rounded, g.Enforced, g.Asked, g.Promise, g.Between = false, false, false, false, false, false
}

// newGuard is the guard of a monitor that starts.
func (w *step) newGuard(r uint8) guardian {
	rules := w.rulesOf(r)
	s := guard.New(rules, now)
	if w.Without == Inheritance {
		s.Armed, s.Inherited = false, false
	}
	if w.real != nil {
		x := w.real
		x.row[r], x.beat[r], x.guard[r] = 0, 0, guard.New(rules, x.now[r])
		x.guard[r].Armed, x.guard[r].Inherited = s.Armed, s.Inherited
	}
	k := key{Region: r}
	return k.compact(rules, &s)
}
