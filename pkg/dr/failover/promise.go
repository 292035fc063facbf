package failover

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// PeerDatabase is the writer's database in the other member Region, as this Region's
// monitor reaches it. It answers as the writer only: what a secondary or a reader says
// would name old heartbeats.
type PeerDatabase interface {
	Beater
	ReplicaReader
}

// stance is what a member's monitor does about its peer's writer.
type stance uint8

const (
	// abstaining: it promises nothing, and its report says so.
	abstaining stance = iota
	// offering: its next report says that it no longer abstains.
	offering
	// promising: that report was published, and the journal read after it holds no open
	// execution that would promote this Region.
	promising
)

// promises are what a member's monitor has promised: not to take the lease for LeaseTTL +
// LeaseDrift from the moment at which it sent the newest one. A promise names a heartbeat
// write of the writer's guard that was read before.
//
// A trigger takes an epoch by the statement in its monitor's report. So the order of two
// writes and two reads matters: a monitor publishes that it no longer abstains, and only
// then reads that no execution is open; a trigger journals its execution, and only then
// reads the report. One of the two sees the other.
//
// A process of this Region that was lost without a last report may be alive, cut off from
// the store alone, and promise on. Its successor has a higher generation, and with its
// first promise the writer's database refuses every lower one: then it is settled.
type promises struct {
	mu         sync.Mutex
	stance     stance
	sent       time.Time // of the newest promise, by this process or perhaps by its predecessor
	held       time.Time // nothing is offered before
	generation uint64
	settled    bool
	kept       named // by the newest promise of this process that the writer's database holds
}

// named is the heartbeat write of the writer's guard that a promise names.
type named struct {
	epoch dr.Epoch
	seq   uint64
}

// start notes that a process has begun, of which no predecessor is known yet.
func (p *promises) start(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent, p.generation, p.settled = now, uint64(now.UnixMicro()), true
}

// state puts into the next report whether the monitor abstains, and how long ago at least
// the newest promise was sent. want says whether there is anything to promise.
func (p *promises) state(h *Report, want bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !want || now.Before(p.held):
		p.stance = abstaining
	case p.stance == abstaining:
		p.stance = offering
	}
	h.Abstains, h.Promised, h.Generation, h.Settled = p.stance == abstaining, now.Sub(p.sent), p.generation, p.settled
}

// abstain ends every promise that was not sent yet. Nothing is offered for a while.
func (p *promises) abstain(hold time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stance, p.held = abstaining, time.Now().Add(hold)
}

// offered reports whether a report was published that says that the monitor no longer
// abstains, and the journal is to be read.
func (p *promises) offered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stance == offering
}

// begin has promises sent, if the monitor has not abstained meanwhile.
func (p *promises) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stance == offering {
		p.stance = promising
	}
}

// send notes that a promise that names a heartbeat write is being sent now, or says that it
// must not be, or would be in vain: a guard counts a promise from when it had sent the write,
// so a second one for the same write gives it nothing. When that guard's process is gone, its
// last promise is waited out from the first one, and not from when this Region gave it up.
func (p *promises) send(n named) (generation uint64, may bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stance != promising || p.kept.epoch == n.epoch && p.kept.seq >= n.seq {
		return 0, false
	}
	p.sent = time.Now()
	return p.generation, true
}

// adopt takes over what the predecessor has stated. Its word holds only if it abstained:
// no process of the Region has promised anything since.
func (p *promises) adopt(h Report, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation = max(p.generation, h.Generation+1)
	if sent := now.Add(-h.Promised); h.Abstains && sent.Before(p.sent) {
		p.sent = sent
	}
	p.settled = h.Abstains && h.Settled
}

// has reports whether the writer's database holds a promise of this process that names n, or a
// later heartbeat write.
func (p *promises) has(n named) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept.epoch == n.epoch && p.kept.seq >= n.seq
}

// keep notes that the writer's database holds a promise of this process.
func (p *promises) keep(n named) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled, p.kept = true, n
}

// mayPromise reports whether the agent is a monitor's: a trigger and a witness promise
// nothing.
func (a *agent) mayPromise() bool { return a.cfg.Peer != nil }

// wantPromise reports whether the peer holds the lease, and nothing suggests to take it.
func (a *agent) wantPromise() bool {
	l, known := a.watch.Lease()
	if !known || l.Holder != a.cfg.Topology.Peer(a.cfg.Region) || l.Released || !a.mayPromise() {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return !worthAsking(a.latest)
}

// clear reads, after a report was published that says that this Region no longer abstains,
// whether an execution is open that would promote it.
func (a *agent) clear(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := a.cfg.Journal.Latest(call)
	switch {
	case errors.Is(err, ErrNoEntry), err == nil && (e.Execution.State.Ended() || e.Execution.To != a.cfg.Region):
		a.promises.begin()
		select {
		case a.begun <- struct{}{}:
		default:
		}
	case err == nil:
		a.promises.abstain(a.cfg.Policy.ProbeInterval)
	}
}

// promiseTimeout is the deadline of one promise, its read included: as long as the peer's
// guard can use it. Slow is not down: a shorter one would close a healthy writer whose link
// is slow while the lease store is away (patroni/patroni#3550).
func promiseTimeout(p dr.Policy) time.Duration { return p.LeaseTTL - p.LeaseMargin }

// unheard is after how long a report without an answer is looked for in the store: early enough
// that the answer to the look comes within the call.
func unheard(p dr.Policy) time.Duration { return min(400*time.Millisecond, p.CallTimeout/3) }

var errUnheard = errors.New("the report is in the store, and the answer to its write did not arrive")

// publish publishes a report, and tells whether the store has it. When no answer arrives it
// reads: a monitor that takes over while answers to writes are lost could promise nothing
// else, and the other Region's writer may be open by promises alone.
func (a *agent) publish(call context.Context, h Report) (there bool, err error) {
	sent, cancel := context.WithCancel(call)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.cfg.Reports.Publish(sent, h) }()
	tick := time.NewTicker(unheard(a.cfg.Policy))
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err == nil, err
		case <-tick.C:
			select {
			case err := <-done: // at the same time: the answer is what counts
				return err == nil, err
			default:
			}
			all, err := a.heartbeats(call)
			if err == nil && slices.ContainsFunc(all, func(got Report) bool {
				return got.Region == h.Region && got.Seq == h.Seq && got.Generation == h.Generation
			}) {
				cancel()
				if <-done == nil {
					return true, nil // it came while the store was read
				}
				return true, errUnheard
			}
		}
	}
}

// promiseEvery is the time between two promises: half a ProbeInterval at most, so that one that
// is lost or slow costs the writer nothing, and as little as the guard's own paces ask for
// (guard.Rules, lookForPromise). A guard that has just taken over from another process waits
// for its first one.
func promiseEvery(p dr.Policy) time.Duration {
	return min(p.ProbeInterval/2, p.RenewInterval, promiseTimeout(p)/5)
}

// promise sends what the monitor promises.
func (a *agent) promise(ctx context.Context) {
	every := promiseEvery(a.cfg.Policy)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	room := make(chan struct{}, 1+promiseTimeout(a.cfg.Policy)/every)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			select {
			case <-a.begun:
			default:
			}
		case <-a.begun: // the writer may have been without a promise since the predecessor's last
			select {
			case <-tick.C: // at the same time, which is one promise
			default:
			}
		}
		select {
		case room <- struct{}{}:
			calls.Go(func() {
				defer func() { <-room }()
				a.promiseOnce(ctx)
			})
		default: // all that may be under way hang
		}
	}
}

func (a *agent) promiseOnce(ctx context.Context) {
	l, known := a.watch.Lease()
	peer := a.cfg.Topology.Peer(a.cfg.Region)
	if !known || l.Holder != peer || l.Released {
		return
	}
	call, cancel := context.WithTimeout(ctx, promiseTimeout(a.cfg.Policy))
	defer cancel()
	asked := time.Now()
	got, err := a.newestBeat(call, peer)
	if err != nil || got.Epoch != l.Epoch || got.Seq == 0 {
		return // the SQL prober tells what is wrong
	}
	if now := time.Now(); now.Sub(asked) <= a.cfg.Policy.ProbeTimeout {
		a.leases.beaten(got, now) // a later answer is no news of the writer, as for the prober
	}
	n := named{got.Epoch, got.Seq}
	// Only now: what is named was read before the promise is counted.
	generation, may := a.promises.send(n)
	if !may {
		return
	}
	err = a.cfg.Peer.Beat(call, Beat{Region: a.cfg.Region + PromiseRow, Epoch: dr.Epoch(generation), Seq: got.Seq})
	switch {
	case err == nil:
		a.promises.keep(n)
	case !errors.Is(err, ErrReadOnly) && ctx.Err() == nil:
		a.problem("promise to leave the lease", err)
	}
}

// newestBeat reads the newest heartbeat write of the peer's guard. Under Watchdog a guard that
// knows of no grant writes to a row of its own, and a process that has taken over while the
// lease store is away knows of none until its writes there are named: that row is read when the
// first one tells nothing new.
func (a *agent) newestBeat(ctx context.Context, peer dr.Region) (Beat, error) {
	got, err := a.cfg.Peer.Replicated(ctx, peer)
	if err != nil || !a.cfg.Policy.Watchdog || !a.promises.has(named{got.Epoch, got.Seq}) {
		return got, err
	}
	if other, err := a.cfg.Peer.Replicated(ctx, peer+unrenewed); err == nil && other.Epoch == got.Epoch && other.Seq > got.Seq {
		got.Seq = other.Seq
	}
	return got, nil
}

// unsaidLimit is how long a controller waits for its own monitor's statement, beyond the
// time in which the lease runs out, before it asks a person.
const unsaidLimit = 30 * time.Second

// stated is what a controller knows of its own monitor's promises.
type stated struct{ sent time.Time }

// hear takes in the monitor's report. A monitor that abstains has sent no promise since; one
// that has died after it said so keeps its word, so the time goes on.
func (s *stated) hear(h Report, now time.Time) {
	sent := now.Add(-h.Promised)
	switch {
	case !h.Abstains || !h.Settled:
		s.sent = time.Time{}
	case s.sent.IsZero() || sent.Before(s.sent):
		s.sent = sent
	}
}

// left returns how long a promise may still hold, and false while nothing is known.
func (s *stated) left(holds time.Duration, now time.Time) (time.Duration, bool) {
	return holds - now.Sub(s.sent), !s.sent.IsZero()
}
