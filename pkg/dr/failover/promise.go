package failover

import (
	"context"
	"errors"
	"sync"
	"time"
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
type promises struct {
	mu     sync.Mutex
	stance stance
	sent   time.Time // of the newest promise, by this process or perhaps by its predecessor
	held   time.Time // nothing is offered before
}

// statement returns what the next report says: whether the monitor abstains, and how long
// ago at least the newest promise was sent. want says whether there is anything to promise.
func (p *promises) statement(want bool, now time.Time) (abstains bool, age time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !want || now.Before(p.held):
		p.stance = abstaining
	case p.stance == abstaining:
		p.stance = offering
	}
	return p.stance == abstaining, now.Sub(p.sent)
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

// send notes that a promise is being sent now, or says that it must not be.
func (p *promises) send() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stance == promising {
		p.sent = time.Now()
	}
	return p.stance == promising
}

// adopt takes over what the predecessor has stated. Its word holds only if it abstained:
// no process of the Region has promised anything since.
func (p *promises) adopt(h Heartbeat, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent := now.Add(-h.Promised); h.Abstains && sent.Before(p.sent) {
		p.sent = sent
	}
}

// mayPromise reports whether the agent has something to promise by.
func (a *Agent) mayPromise() bool { return a.cfg.Peer != nil && a.journal() != nil }

func (a *Agent) journal() Journal {
	if a.cfg.Journal == nil && a.cfg.Controller != nil {
		return a.cfg.Controller.Journal
	}
	return a.cfg.Journal
}

// wantPromise reports whether the peer holds the lease, and nothing suggests to take it.
func (a *Agent) wantPromise() bool {
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
func (a *Agent) clear(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	e, err := a.journal().Latest(call)
	switch {
	case errors.Is(err, ErrNoEntry), err == nil && (e.Execution.State.Ended() || e.Execution.To != a.cfg.Region):
		a.promises.begin()
	case err == nil:
		a.promises.abstain(a.cfg.Policy.ProbeInterval)
	}
}

// promise sends what the monitor promises, twice in a ProbeInterval, so that one that is
// lost or slow costs the writer nothing.
func (a *Agent) promise(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval / 2)
	defer tick.Stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	room := make(chan struct{}, 2)
	for next(ctx, tick) {
		select {
		case room <- struct{}{}:
			calls.Go(func() {
				defer func() { <-room }()
				a.promiseOnce(ctx)
			})
		default: // two are under way, and hang
		}
	}
}

func (a *Agent) promiseOnce(ctx context.Context) {
	l, known := a.watch.Lease()
	peer := a.cfg.Topology.Peer(a.cfg.Region)
	if !known || l.Holder != peer || l.Released {
		return
	}
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.ProbeTimeout)
	defer cancel()
	got, err := a.cfg.Peer.Replicated(call, peer)
	if err != nil || got.Epoch != l.Epoch || got.Seq == 0 {
		return // the SQL prober tells what is wrong
	}
	a.board.beaten(got, time.Now())
	// Only now: what is named was read before the promise is counted.
	if !a.promises.send() {
		return
	}
	err = a.cfg.Peer.Beat(call, Beat{Region: a.cfg.Region + promiseRow, Epoch: got.Epoch, Seq: got.Seq})
	if err != nil && !errors.Is(err, ErrReadOnly) && ctx.Err() == nil {
		a.problem("promise to leave the lease", err)
	}
}

// stated is what a controller knows of its own monitor's promises.
type stated struct{ sent time.Time }

// hear takes in the monitor's report. A monitor that abstains has sent no promise since; one
// that has died after it said so keeps its word, so the time goes on.
func (s *stated) hear(h Heartbeat, now time.Time) {
	sent := now.Add(-h.Promised)
	switch {
	case !h.Abstains:
		s.sent = time.Time{}
	case s.sent.IsZero() || sent.Before(s.sent):
		s.sent = sent
	}
}

// left returns how long a promise may still hold, and false while nothing is known.
func (s *stated) left(holds time.Duration, now time.Time) (time.Duration, bool) {
	return holds - now.Sub(s.sent), !s.sent.IsZero()
}
