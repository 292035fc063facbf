package failover_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// fault is something that breaks at a time and is healed at another.
type fault struct {
	name     string
	at, heal time.Duration
	inject   func()
	undo     func()
}

var errRefused = errors.New("refused")

// draw makes a schedule of faults.
func (s *sim) draw(a *auditor, got chan<- func(), rng *rand.Rand) []fault {
	members := topology.Members
	pick := func() dr.Region { return members[rng.IntN(2)] }
	vantage := func() dr.Region { return topology.Vantages()[rng.IntN(3)] }
	var out []fault
	earliest := 12 * time.Second // by then a lag is known
	if s.unbootstrapped {
		earliest = 0
	}
	for i := range 1 + rng.IntN(4) {
		at := between(rng, earliest, 50*time.Second)
		lasts := between(rng, 200*time.Millisecond, 8*time.Second)
		if rng.IntN(2) == 0 {
			lasts = between(rng, 8*time.Second, 45*time.Second)
		}
		r := pick()
		if rng.IntN(3) > 0 {
			r = east
		}
		f := fault{at: at, heal: at + lasts}
		rule := fmt.Sprintf("rule-%d", i)
		calls := func(name string, match func(drtest.Call) bool, bad drtest.Fault) {
			f.name = name
			f.inject = func() {
				s.breakCalls(rule, func(c drtest.Call, rng *rand.Rand) drtest.Fault {
					if !match(c) {
						return drtest.Fault{}
					}
					b := bad
					b.Delay = between(rng, 0, bad.Delay)
					b.Acts = bad.Acts && rng.IntN(2) == 0
					return b
				})
			}
			f.undo = func() { s.mend(rule) }
		}
		switch rng.IntN(18) {
		case 0:
			b := vantage()
			for b == r {
				b = vantage()
			}
			f.name, f.inject, f.undo = fmt.Sprintf("cut %s-%s", r, b), func() { s.Cut(r, b, true) }, func() { s.Cut(r, b, false) }
		case 1, 2, 3:
			f.name, f.inject, f.undo = "partition "+r.String(), func() { s.CutRegion(r, true) }, func() { s.CutRegion(r, false) }
		case 4, 5:
			pinned := rng.IntN(3) == 0
			f.name = fmt.Sprintf("blackout %s, pinned clients %v", r, pinned)
			f.inject = func() {
				s.CutRegion(r, true)
				a.silence(r, pinned, 1)
				s.breakCalls(rule, func(c drtest.Call, _ *rand.Rand) drtest.Fault {
					return drtest.Fault{Hang: c.From == r}
				})
			}
			f.undo = func() { s.CutRegion(r, false); a.silence(r, pinned, -1); s.mend(rule) }
		case 6, 7:
			f.name = "kill everything in " + r.String()
			f.inject = func() { s.Pair.DB(r).Kill(); s.kill(r) }
			f.undo = func() { s.Pair.DB(r).Start(); s.start(r) }
		case 8:
			f.name, f.inject, f.undo = "kill database "+r.String(), s.Pair.DB(r).Kill, s.Pair.DB(r).Start
		case 9:
			f.name = "freeze database " + r.String()
			f.inject = func() {
				if s.Pair.DB(r).Accepts() {
					s.Pair.DB(r).Freeze()
					a.pending(r, got)
					return
				}
				s.Pair.DB(r).Freeze()
			}
			f.undo = s.Pair.DB(r).Thaw
		case 10:
			v := vantage()
			f.name, f.inject, f.undo = "kill agent "+v.String(), func() { s.kill(v) }, func() { s.start(v) }
		case 11:
			v := vantage()
			store := func(c drtest.Call) bool { return c.From == v && c.To == "" }
			switch rng.IntN(3) {
			case 0:
				calls("store hangs for "+v.String(), store, drtest.Fault{Hang: true, Acts: true})
			case 1:
				calls("store refuses "+v.String(), store, drtest.Fault{Err: errRefused, Acts: true})
			default:
				calls("store is slow for "+v.String(), store, drtest.Fault{Delay: 4 * time.Second})
			}
		case 12:
			api := func(c drtest.Call) bool { return c.From == r && strings.HasPrefix(string(c.Op), "cluster.") }
			switch rng.IntN(3) {
			case 0:
				calls("control plane hangs in "+r.String(), api, drtest.Fault{Hang: true, Acts: true})
			case 1:
				calls("control plane refuses in "+r.String(), api, drtest.Fault{Err: errRefused, Acts: true})
			default:
				calls("control plane is slow in "+r.String(), api, drtest.Fault{Delay: 3 * time.Second})
			}
		case 13:
			db := func(c drtest.Call) bool {
				return c.From == r && c.To == r && strings.HasPrefix(string(c.Op), "db.")
			}
			name := "agent can't reach its database in " + r.String()
			if rng.IntN(2) == 0 {
				calls(name+" in time", db, drtest.Fault{Delay: 2 * time.Second})
			} else {
				calls(name, db, drtest.Fault{Err: errRefused, Acts: true})
			}
		case 14:
			lag := between(rng, 500*time.Millisecond, 6*time.Second)
			f.name, f.inject, f.undo = fmt.Sprintf("lag up to %v", lag), func() { s.setShip(lag) }, func() { s.setShip(100 * time.Millisecond) }
		case 15:
			if rng.IntN(2) == 0 {
				route := func(c drtest.Call) bool {
					return c.From == r && (strings.HasPrefix(string(c.Op), "router.") || c.Op == drtest.OpNotify)
				}
				calls("endpoint and topic refuse "+r.String(), route, drtest.Fault{Err: errRefused})
				break
			}
			f.name = "slow promotions"
			f.inject = func() { s.setPromotion(10*time.Second, 40*time.Second) }
			f.undo = func() { s.setPromotion(2*time.Second, 5*time.Second) }
		case 16:
			// A person takes the lease past every controller, but not from one that has
			// taken it: a promotion that is under way can't be called back.
			f.name = "the lease is taken by hand for " + r.String()
			f.inject = func() {
				x := s.last().Execution
				if x.ID == "" || x.State.Ended() || x.State == failover.AwaitingApproval && x.Asked == failover.Confirmed {
					s.takeByHand(r)
				}
			}
			f.undo = func() {}
		case 17:
			if rng.IntN(2) == 0 {
				lease := func(c drtest.Call) bool { return c.Op == drtest.OpTakeLease }
				calls("no Region can take the lease", lease, drtest.Fault{Err: errRefused})
				break
			}
			verify := func(c drtest.Call) bool { return c.From == west && c.To == west && c.Op == drtest.OpBeat }
			calls("heartbeats fail in the west", verify, drtest.Fault{Err: errRefused})
		}
		out = append(out, f)
	}
	return out
}
