package failover_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// auditor writes to every database that accepts, as clients in both Regions do,
// and judges every acknowledgement.
type auditor struct {
	s      *sim
	nextID int64

	acked map[int64]ack
	// newAcked is when the current writer acknowledged its first write since it was
	// promoted; zero when it has not.
	writer   dr.Region
	newAcked time.Time
	epoch    dr.Epoch
	// unheard counts by Region what keeps its clients from their own database, and
	// deafNow what keeps its agent from it.
	unheard, deafNow map[dr.Region]int
	// excused are dual acknowledgements under an assumption that the documentation
	// names: 1 for each that this world has met.
	excused map[string]int
	broken  []string
	// deaf and dead are when a Region's agent last could not reach its own database,
	// and when it last did not run.
	deaf, dead map[dr.Region]time.Time
	lease      failover.Lease
	renewed    map[dr.Region]time.Time     // when a Region's lease was last seen to be renewed
	promise    map[dr.Region]failover.Beat // the newest of the other member
}

type ack struct {
	region dr.Region
	at     time.Time
	excuse string // the assumption under which its loss is not judged
}

func newAuditor(s *sim) *auditor {
	a := &auditor{
		s: s, acked: make(map[int64]ack), writer: east, unheard: make(map[dr.Region]int), excused: make(map[string]int),
		deaf: make(map[dr.Region]time.Time), dead: make(map[dr.Region]time.Time), deafNow: make(map[dr.Region]int),
		renewed: map[dr.Region]time.Time{east: s.begun}, promise: make(map[dr.Region]failover.Beat),
	}
	if s.unbootstrapped {
		clear(a.renewed) // no Region may acknowledge anything yet
	} else {
		a.epoch, a.lease = 1, failover.Lease{Epoch: 1, Holder: east}
	}
	return a
}

// silence notes the begin (1) or the end (-1) of a blackout in a Region, in which
// pinned clients still reach their database.
func (a *auditor) silence(r dr.Region, pinned bool, by int) {
	a.deafNow[r] += by
	if !pinned {
		a.unheard[r] += by
	}
}

// tick lets the clients write and looks at everything that must always hold.
func (a *auditor) tick() {
	now := time.Now()
	for _, r := range topology.Members {
		if !a.s.running(r) {
			a.dead[r] = now
		}
		if a.deafNow[r] > 0 {
			a.deaf[r] = now
		}
	}
	if l, ok := a.s.Store.Lease(); ok {
		if l.Epoch < a.epoch || l.Epoch > a.epoch+1 {
			a.fail("the epoch went from %d to %d", a.epoch, l.Epoch)
		}
		if a.epoch == 0 {
			a.s.visit("bootstrapped by " + l.Holder.String())
		}
		if l.Epoch == a.epoch && (l.Holder != a.lease.Holder || l.Execution != a.lease.Execution) {
			a.fail("epoch %d belonged to %s and belongs to %s", l.Epoch, a.lease.Holder, l.Holder)
		}
		if l.Rev != a.lease.Rev && l.Rev > l.TakenRev && !l.Released {
			a.renewed[l.Holder] = now
		}
		a.epoch, a.lease = l.Epoch, l
	}
	// A promise of the other member counts from before it was written.
	for _, r := range topology.Members {
		p := a.s.Pair.DB(r).Row(topology.Peer(r) + "/promise")
		if p != a.promise[r] && a.lease.Holder == r {
			a.renewed[r] = now
		}
		a.promise[r] = p
	}
	for _, r := range topology.Members {
		if a.unheard[r] > 0 || !a.s.Pair.DB(r).Accepts() {
			continue
		}
		a.nextID++
		id := a.nextID
		if err := a.s.Pair.DB(r).Write(context.Background(), id); err == nil {
			a.acknowledged(r, id)
		}
	}
}

// pending starts a client whose write is in flight when a server freezes.
func (a *auditor) pending(r dr.Region, got chan<- func()) {
	a.nextID++
	id := a.nextID
	a.s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(a.s.ctx, 90*time.Second)
		defer cancel()
		if err := a.s.Pair.DB(r).Write(ctx, id); err == nil {
			got <- func() { a.acknowledged(r, id) }
		}
	})
}

func (a *auditor) acknowledged(r dr.Region, id int64) {
	now := time.Now()
	excuse := a.excuse(r)
	a.acked[id] = ack{r, now, excuse}
	if silent := now.Sub(a.renewed[r]); silent > a.s.policy.WithDefaults().LeaseTTL && excuse == "" && !a.unopened(r) {
		a.fail("%s acknowledged a write %v after its lease was last renewed", r, silent)
	}
	if writer, _ := a.s.Pair.Following(); writer != a.writer {
		a.writer, a.newAcked = writer, time.Time{}
	}
	switch {
	case r == a.writer && a.newAcked.IsZero():
		a.newAcked = now
		a.s.note("first write acknowledged by %s", r)
	case r != a.writer && !a.newAcked.IsZero():
		a.dual(r, now)
	}
}

// unopened reports whether a Region's term has just begun: its server may have come
// up open before its guard could renew for the first time, and the other Region holds
// no claim.
func (a *auditor) unopened(r dr.Region) bool {
	return a.lease.Holder == r && a.lease.Rev == a.lease.TakenRev
}

// excuse names the documented assumption that does not hold for a Region, if any:
// without the watchdog, its monitor must not die and must reach its own database
// from its last renewal on.
func (a *auditor) excuse(r dr.Region) string {
	switch since := a.renewed[r]; {
	case a.s.Pair.DB(r).Watched():
		return ""
	case !a.dead[r].Before(since):
		return "the old writer's monitor was not running since its last renewal"
	case !a.deaf[r].Before(since):
		return "the old writer's monitor could not reach its own Region, and clients could"
	case !a.s.helplessAt(r).Before(since):
		return "the old writer's Region could neither fence nor cut off its writer"
	}
	return ""
}

// dual judges a write that the old writer acknowledged after the new one had.
func (a *auditor) dual(old dr.Region, now time.Time) {
	if why := a.excuse(old); why != "" {
		a.excused[why] = 1
		return
	}
	a.fail("%s acknowledged a write %v after %s did", old, now.Sub(a.newAcked), a.writer)
}

func (a *auditor) fail(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	a.s.note("VIOLATION %s", what)
	if len(a.broken) < 5 {
		a.broken = append(a.broken, what)
	}
}

// closing judges what must hold once everything is over.
func (a *auditor) closing() {
	entries := a.s.Store.Entries()
	byID := make(map[string][]failover.Entry)
	for _, e := range entries {
		byID[e.Execution.ID] = append(byID[e.Execution.ID], e)
	}
	for id, run := range byID {
		a.judge(id, run)
	}
	a.losses(entries)
}

// judge walks one execution as the journal tells it.
func (a *auditor) judge(id string, run []failover.Entry) {
	slices.SortFunc(run, func(x, y failover.Entry) int { return x.Execution.Seq - y.Execution.Seq })
	from := failover.Steady
	happened := make(map[failover.Kind]bool)
	for i, e := range run {
		x := e.Execution
		if x.Seq != i+1 {
			a.fail("%s: entry %d has number %d", id, i+1, x.Seq)
		}
		if _, ok := failover.Table()[from][e.Event]; !ok {
			a.fail("%s: %s in state %s is not in the table", id, e.Event, from)
		}
		a.s.visit(fmt.Sprintf("edge %s %s", from, e.Event))
		happened[e.Event] = true
		from = x.State
	}
	last := run[len(run)-1].Execution
	if happened[failover.EvPromoted] {
		if last.Proof == "" {
			a.fail("%s promoted without a fence proof", id)
		}
		if last.Mode == failover.ModeFailover && !happened[failover.EvRequested] && (len(last.Evidence.Dark) < 2 || len(last.Evidence.Vantages) < 2) {
			a.fail("%s promoted on evidence %v from %v", id, last.Evidence.Dark, last.Evidence.Vantages)
		}
	}
	if last.Mode == failover.ModeFailover && happened[failover.EvRequested] && last.Ack == nil {
		a.fail("%s became a failover, and no person has consented", id)
	}
	if last.State == failover.Settled && !(happened[failover.EvPromoted] && happened[failover.EvVerified] && happened[failover.EvRedirected]) {
		a.fail("%s settled without promotion, a verified write and a redirect", id)
	}
	if !last.State.Ended() && last.State != failover.AwaitingApproval {
		a.fail("%s was left in state %s", id, last.State)
	}
}

// losses holds every lost write against what the policy and the operator accepted.
func (a *auditor) losses(entries []failover.Entry) {
	writer, _ := a.s.Pair.Following()
	kept := make(map[int64]bool)
	for _, id := range a.s.Pair.DB(writer).Rows() {
		kept[id] = true
	}
	var windows [][2]time.Time
	for _, e := range entries {
		x := e.Execution
		if e.Event != failover.EvPromoted || x.Mode != failover.ModeFailover {
			continue
		}
		if x.Ack != nil {
			windows = append(windows, [2]time.Time{{}, e.At}) // a person accepted any loss
			continue
		}
		p := a.s.policy.WithDefaults()
		windows = append(windows, [2]time.Time{x.Evidence.DarkSince.Add(-p.MaxLagAge - p.MaxDataLoss), e.At})
	}
	for id, w := range a.acked {
		if kept[id] || w.excuse != "" {
			continue
		}
		if !slices.ContainsFunc(windows, func(in [2]time.Time) bool { return !w.at.Before(in[0]) && !w.at.After(in[1]) }) {
			a.fail("write %d, acknowledged by %s at %v, is lost outside every declared window", id, w.region, w.at.Sub(a.s.begun))
		}
	}
}
