package simulation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// auditor writes to every database that accepts, as clients in both Regions do, and
// judges every acknowledgement. The rules are those of the model search in
// pkg/dr/failover.
type auditor struct {
	g *game

	mu     sync.Mutex
	nextID int64
	acked  map[int64]ack
	// newAcked is when the writer acknowledged its first write since it was promoted;
	// zero when it has not.
	writer   dr.Region
	newAcked time.Time
	lease    failover.Lease
	renewed  map[dr.Region]time.Time     // when a Region's lease was last seen to be renewed
	promise  map[dr.Region]failover.Beat // the newest of the other member
	// dead, deaf and helpless are when a Region's monitor last did not run, could not
	// reach its own database, and could not have a database cut off that doesn't answer.
	dead, deaf, helpless map[dr.Region]time.Time
	hurts                map[dr.Region][]time.Time // every moment in which a Region had a reason to lose its writer
	writable             time.Duration             // of a due failover

	excused map[string]int
	seen    map[string]int
	broken  []string
	rules   []string // of broken
	log     []line
}

type line struct {
	at   time.Duration
	text string
}

type ack struct {
	region dr.Region
	at     time.Time
	excuse string // the assumption under which its loss is not judged
}

// ownWrites is where the ids of the auditor's writes begin: above every client's.
const ownWrites = 1_000_000_000

func newAuditor(g *game) *auditor {
	a := &auditor{
		g: g, nextID: ownWrites, acked: make(map[int64]ack), writer: drill.East,
		renewed: map[dr.Region]time.Time{drill.East: time.Now()}, promise: make(map[dr.Region]failover.Beat),
		dead: make(map[dr.Region]time.Time), deaf: make(map[dr.Region]time.Time), helpless: make(map[dr.Region]time.Time),
		hurts: make(map[dr.Region][]time.Time), excused: make(map[string]int), seen: make(map[string]int),
	}
	a.lease, _ = g.inside.Lease()
	a.noted("seed %d, watchdog %v, RPO guard %v, boots read-only %v, at most %d failovers",
		g.Seed, g.Policy.Watchdog, g.Policy.RPOGuard, g.BootReadOnly, g.Policy.FailoverLimit())
	return a
}

func (a *auditor) id() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nextID++
	return a.nextID
}

// before notes what a fault is about to do that no look afterwards might see.
func (a *auditor) before(f fault.Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	switch f.Kind {
	case fault.KillMonitor, fault.StopMonitor, fault.LambdaDown, fault.Kill:
		a.dead[f.Region] = now
	}
	switch f.Kind {
	case fault.Kill, fault.FreezeDatabase, fault.Blackout:
		a.hurts[f.Region] = append(a.hurts[f.Region], now)
	}
}

// look sees how the lease stands. A renewal counts from when it is seen, so it must be
// seen before what it allows is judged.
func (a *auditor) look(now time.Time) {
	l, _ := a.g.inside.Lease()
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.Epoch < a.lease.Epoch || l.Epoch > a.lease.Epoch+1 {
		a.failed("lease", "the epoch went from %d to %d", a.lease.Epoch, l.Epoch)
	}
	if l.Epoch == a.lease.Epoch && (l.Holder != a.lease.Holder || l.Execution != a.lease.Execution) {
		a.failed("lease", "epoch %d belonged to %s and belongs to %s", l.Epoch, a.lease.Holder, l.Holder)
	}
	// A promise of the other member counts from before it was written.
	for _, r := range drill.Topology().Members {
		p := a.g.inside.Pair.DB(r).Row(drill.Topology().Peer(r) + "/promise")
		if p != a.promise[r] && l.Holder == r {
			a.renewed[r] = now
		}
		a.promise[r] = p
	}
	if l.Rev != a.lease.Rev && l.Rev > l.TakenRev && !l.Released {
		if silent := now.Sub(a.renewed[l.Holder]); silent > 2*a.g.Policy.WithDefaults().RenewInterval+tick {
			a.noted("%s renews its lease after %v", l.Holder, silent)
		}
		a.renewed[l.Holder] = now
	}
	a.lease = l
}

// tick looks at everything that must always hold, and lets clients write.
func (a *auditor) tick() {
	now := time.Now()
	in := a.g.inside
	a.look(now)
	for _, r := range drill.Topology().Members {
		accepts, silent, monitored := in.Pair.DB(r).Accepts(), in.Silent(r), in.Monitored(r)
		a.mu.Lock()
		if !monitored {
			a.dead[r] = now
		}
		if silent {
			a.deaf[r] = now
		}
		if !accepts || silent || !in.Majority(r) || !monitored && (a.g.Policy.Watchdog || !in.Linked(r)) {
			a.hurts[r] = append(a.hurts[r], now)
		}
		a.mu.Unlock()
		if !accepts || silent {
			continue
		}
		id := a.id()
		if err := in.Pair.DB(r).Write(context.Background(), id); err == nil {
			a.acknowledged(r, id, now)
		}
	}
}

// answered is the most that an answer needs from a server to its client.
const answered = 30 * time.Millisecond

// done is told every write of the load as it ends.
func (a *auditor) done(op workload.Op) {
	if op.Outcome == workload.OK {
		a.look(time.Now())
		a.acknowledged(op.Server, op.ID, time.Now().Add(-answered))
	}
}

// acknowledged judges an acknowledgement that was given at a time or a little later.
func (a *auditor) acknowledged(r dr.Region, id int64, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	excuse := a.excuse(r)
	a.acked[id] = ack{r, at, excuse}
	// Its own guard closes it at its next look. A server that boots read-only is not open until
	// then.
	const opened = "a person moved the writer to a server that does not boot read-only"
	open := a.lease.Holder != r && !a.g.BootReadOnly
	if silent := at.Sub(a.renewed[r]); silent > a.g.Policy.WithDefaults().LeaseTTL+tick && excuse == "" && !a.unopened(r) {
		if _, brought := a.g.brought(r); open && brought {
			a.excused[opened]++
		} else {
			a.failed("lease", "%s acknowledged a write %v after its lease was last renewed", r, silent)
		}
	}
	if writer, _ := a.g.inside.Pair.Following(); writer != a.writer {
		a.writer, a.newAcked = writer, time.Time{}
		if writer != drill.East && a.writable == 0 && len(a.g.steps) > 0 {
			a.writable = time.Since(a.g.begun) - a.g.steps[0].At
		}
	}
	switch {
	case r == a.writer && a.newAcked.IsZero() && open && a.g.forced(r):
		a.excused[opened]++
	case r == a.writer && a.newAcked.IsZero():
		a.newAcked = at
		a.noted("first write acknowledged by %s", r)
	case r != a.writer && !a.newAcked.IsZero() && at.After(a.newAcked):
		if excuse != "" {
			a.excused[excuse]++
			return
		}
		a.failed("dual", "%s acknowledged write %d %v after %s had acknowledged its first", r, id, at.Sub(a.newAcked), a.writer)
	}
}

// unopened reports whether a Region's term has just begun: its server may have come up
// open before its guard could renew for the first time.
func (a *auditor) unopened(r dr.Region) bool {
	return a.lease.Holder == r && a.lease.Rev == a.lease.TakenRev
}

// excuse names the documented assumption that does not hold for a Region, if any:
// without the watchdog, its monitor must not die and must reach its own database from
// its last renewal on.
func (a *auditor) excuse(r dr.Region) string {
	switch since := a.renewed[r]; {
	case a.g.inside.Pair.DB(r).Watched():
		return ""
	case !a.dead[r].Before(since):
		return "the old writer's monitor was not running since its last renewal"
	case !a.deaf[r].Before(since):
		return "the old writer's monitor could not reach its own Region, and clients could"
	case !a.helpless[r].Before(since):
		return "the old writer's Region could neither fence nor cut off its writer"
	}
	return ""
}

// hurtBefore reports whether the Region that an execution took the writer from had a
// reason to lose it, between a little before the evidence and the epoch.
func (a *auditor) hurtBefore(t trial, taken time.Time) bool {
	x := t.last()
	from := x.Evidence.DarkSince.Add(-10 * time.Second)
	return slices.ContainsFunc(a.hurts[x.From], func(at time.Time) bool { return at.After(from) && at.Before(taken) })
}

func (a *auditor) visit(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[what]++
}

func (a *auditor) note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noted(format, args...)
}

func (a *auditor) noted(format string, args ...any) {
	a.log = append(a.log, line{time.Since(a.g.begun), fmt.Sprintf(format, args...)})
}

// fail notes what must never be. rule is the invariant's name.
func (a *auditor) fail(rule, format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed(rule, format, args...)
}

func (a *auditor) failed(rule, format string, args ...any) {
	if a.seen["violation "+rule]++; a.seen["violation "+rule] > 1 {
		return // the first of its kind says it all
	}
	what := rule + ": " + fmt.Sprintf(format, args...)
	a.noted("VIOLATION %s", what)
	a.rules = append(a.rules, rule)
	a.broken = append(a.broken, fmt.Sprintf("%v %s", time.Since(a.g.begun).Round(time.Millisecond), what))
}
