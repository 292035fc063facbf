package failover

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// GuardConfig says what a guard keeps and by what means.
type GuardConfig struct {
	Region dr.Region
	Policy dr.Policy
	Leaser Leaser
	Watch  *Watch
	// Beater, Fencer and Isolator act on the database of the guard's own Region.
	Beater   Beater
	Fencer   Fencer
	Isolator Isolator
	// Replica tells what has arrived in the other Region; needed by RPOGuard only.
	Replica ReplicaReader
	Trace   *dr.Trace
}

// Guard keeps the lease of the writer's Region, and keeps the writer from
// outliving it.
//
// While its Region holds the lease it renews it, each time after a heartbeat write
// of its own has committed. When it can't, it makes the writer read-only
// LeaseMargin before the lease runs out, and cuts the writer off when the writer
// doesn't answer. While another Region holds the lease, or its own has taken it and
// the promotion is not done, it keeps the local database read-only.
type Guard struct {
	cfg GuardConfig

	mu sync.Mutex
	// lease is the last renewal of this Region's own term; renewedAt was taken
	// before its request was sent. armed: the writer may be open under it. inherited:
	// it may be open since before this process, which has not renewed yet.
	lease      Lease
	renewedAt  time.Time
	armed      bool
	inherited  bool
	fence      fenceState
	trials     int
	triedAt    time.Time
	told       dr.Epoch             // the term of which the controller says that its writer is promoted
	watched    dr.Epoch             // the term for which the watchdog is as the policy says
	checkedAt  time.Time            // when it was last known to be
	beat       uint64               // the last one sent
	committed  uint64               // the last one that committed
	sent       map[uint64]time.Time // by beat, for the RPO guard
	answered   map[uint64]time.Time // by beat that has committed
	safeAt     time.Time            // everything acknowledged before this has arrived
	guarded    dr.Epoch             // the term in which a predecessor has confirmed the lag
	unanswered uint64               // renewals since the last answer to one
	rear       bool                 // Run has returned
	wake       chan struct{}        // tells the fence loop that its deadline has moved
	look       chan struct{}        // tells Run that the promotion is done
	admin      chan struct{}        // held while the writer is being opened or fenced
	problems   problems
}

// fenceState is what the guard knows of its own writer.
type fenceState struct {
	closed   bool // must not be open: being fenced, or fenced
	acked    bool // the server confirmed it
	byRPO    bool // closed by the RPO guard, with the lease still held
	epoch    dr.Epoch
	rev      uint64
	isolated bool
	misses   int // calls in a row that did not cut it off
	failed   bool
}

// NewGuard returns a guard, or everything that its configuration lacks.
func NewGuard(cfg GuardConfig) (*Guard, error) {
	errs := []error{cfg.Policy.Validate()}
	if cfg.Region == "" {
		errs = append(errs, errors.New("failover: guard: Region is empty"))
	}
	if cfg.Leaser == nil || cfg.Watch == nil || cfg.Beater == nil || cfg.Fencer == nil || cfg.Isolator == nil {
		errs = append(errs, errors.New("failover: guard: Leaser, Watch, Beater, Fencer and Isolator are required"))
	}
	if cfg.Policy.RPOGuard && cfg.Replica == nil {
		errs = append(errs, errors.New("failover: guard: Policy.RPOGuard needs a Replica to ask"))
	}
	errs = append(errs, watchable(cfg))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = cfg.Policy.WithDefaults()
	return &Guard{
		cfg:  cfg,
		beat: uint64(time.Now().UnixMicro()), // so that no two processes number alike
		sent: make(map[uint64]time.Time), answered: make(map[uint64]time.Time),
		wake: make(chan struct{}, 1), look: make(chan struct{}, 1), admin: make(chan struct{}, 1),
	}, nil
}

// Run keeps the lease until ctx ends, and returns after its loops have. It leaves
// the writer as it is: a successor has LeaseTTL to take over, and Rear sees whether one
// does.
//
// A guard that starts can't know when its predecessor last renewed. Unless it
// renews within half the time that a renewal lasts, it closes the writer.
func (g *Guard) Run(ctx context.Context) error {
	g.mu.Lock()
	g.inherit(time.Now())
	g.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { g.fenceLoop(ctx) })
	if g.cfg.Policy.RPOGuard {
		wg.Go(func() { g.rpoLoop(ctx) })
	}
	if r, ok := g.cfg.Isolator.(Refresher); ok {
		wg.Go(func() { g.refreshLoop(ctx, r) })
	}
	tick := time.NewTicker(g.cfg.Policy.RenewInterval)
	defer tick.Stop()
	begun, enforced := time.Now(), time.Time{}
	for {
		var soon <-chan time.Time // who takes over must not lose an interval to the first look
		if lease, known := g.cfg.Watch.Lease(); !known {
			soon = time.After(firstLook)
		} else {
			switch {
			case g.serves(lease):
				g.keep(ctx, lease)
			case lease.Holder == g.cfg.Region && time.Since(begun) < g.cfg.Policy.RenewInterval:
				// The journal is being read, which may say that the promotion is done: the
				// new writer must not be closed. What may be open under an older lease of
				// this Region is closed by the deadline that Run inherits.
			case g.dethroned(lease):
				g.wakeFence()
			case time.Since(enforced) >= g.cfg.Policy.ProbeInterval:
				enforced = time.Now()
				g.enforce(ctx, lease)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-soon:
		case <-g.look:
		case <-tick.C:
		}
	}
}

// firstLook is the time between two looks whether the lease has been read at last.
const firstLook = 25 * time.Millisecond

// inherit counts the writer as open under a lease of unknown age, of which half is
// left at best. The lock must be held.
func (g *Guard) inherit(now time.Time) {
	g.armed, g.inherited = true, true
	g.renewedAt = now.Add(-(g.cfg.Policy.LeaseTTL - g.cfg.Policy.LeaseMargin) / 2)
	g.wakeFence()
}

// keep renews the lease if the writer deserves it.
func (g *Guard) keep(ctx context.Context, seen Lease) {
	g.mu.Lock()
	switch {
	case g.inherited && g.lease.Epoch == 0:
		g.lease = seen // the first look after a start; what was open stays to be fenced
		g.adopt()
	case seen.Epoch != g.lease.Epoch:
		g.lease, g.trials = seen, 0
		g.safeAt = time.Time{} // what arrived in an earlier term says nothing of this one
		// A writer that is open since an earlier term of this Region stays to be fenced.
		g.inherited = g.armed && !(g.fence.closed && g.fence.acked)
		g.fence.byRPO = false // its lag can't be confirmed in a term that has committed nothing
		if !g.inherited {
			g.armed, g.fence = false, fenceState{}
		}
	}
	if seen.Rev > g.lease.Rev {
		g.lease = seen
	}
	start := time.Now()
	fence, held, renewed := g.fence, g.lease, g.armed && !g.inherited
	try := g.trials < maxTrials || start.Sub(g.triedAt) >= 2*g.cfg.Policy.LeaseTTL
	// One that was opened in vain is left to settle before it is opened once more.
	again := try && (g.trials == 0 || start.Sub(g.triedAt) >= g.cfg.Policy.LeaseTTL/2)
	g.mu.Unlock()

	if fence.closed && !fence.byRPO {
		if fence.acked && try {
			g.reopen(ctx, held, start, false)
		}
		return
	}
	err := g.heartbeat(ctx, held.Epoch, fence.byRPO)
	switch {
	case err == nil:
		g.mu.Lock()
		g.trials = 0
		if !g.armed {
			g.inherit(start) // it is open, and no renewal of this term has said for how long
		}
		g.mu.Unlock()
		if g.renew(ctx, held, start) && !renewed {
			g.event(dr.LeaseHeld, held.Epoch, "")
		}
		g.watchdog(ctx, held.Epoch)
	case errors.Is(err, ErrReadOnly) && (again || !renewed && try):
		g.reopen(ctx, held, start, false) // booted, or stopped by its watchdog or by a predecessor
	case ctx.Err() == nil:
		g.problem("heartbeat write", err)
	}
}

// maxTrials bounds how often in a row a server is opened that then commits nothing.
// Every trial renews the lease, and a lease that is renewed looks like a Region that
// serves. After that many it is tried once in two TTLs, which leaves the others time
// to see it silent.
const maxTrials = 3

// serves reports whether a lease lets this Region's writer be open. An epoch that was
// taken by an execution does not yet: the old writer may still be open, and a member
// that has not rejoined takes itself for the writer. A renewal of the epoch, or the
// controller's word, shows that the promotion is done.
func (g *Guard) serves(l Lease) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return l.Holder == g.cfg.Region && (l.Execution == "" || l.Rev > l.TakenRev || g.told == l.Epoch)
}

// promoted tells the guard that its server is the writer of an epoch, so that one
// that came up read-only is opened at once.
func (g *Guard) promoted(e dr.Epoch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.told != e {
		select {
		case g.look <- struct{}{}:
		default:
		}
	}
	g.told, g.trials = e, 0
}

// heartbeat commits a write. While the RPO guard holds the writer closed, its
// confirmed answer that it is read-only stands in for the write.
func (g *Guard) heartbeat(ctx context.Context, e dr.Epoch, closed bool) error {
	call, cancel := context.WithTimeout(ctx, g.callTimeout())
	defer cancel()
	if closed {
		return g.cfg.Fencer.Fence(call, e)
	}
	return g.commit(call, e)
}

func (g *Guard) commit(ctx context.Context, e dr.Epoch) error {
	g.mu.Lock()
	g.beat++
	seq, row := g.beat, g.row()
	g.sent[seq] = time.Now()
	delete(g.sent, seq-256)
	delete(g.answered, seq-256)
	g.mu.Unlock()
	if err := g.cfg.Beater.Beat(ctx, Beat{Region: row, Epoch: e, Seq: seq}); err != nil {
		return err
	}
	if row != g.cfg.Region {
		return nil // the other Region looks at the guard's own row
	}
	g.mu.Lock()
	g.committed, g.answered[seq] = max(g.committed, seq), time.Now()
	g.mu.Unlock()
	return nil
}

// renew extends the lease; start is from before anything was sent. It reports
// whether the lease is held from start on.
func (g *Guard) renew(ctx context.Context, held Lease, start time.Time) bool {
	call, cancel := context.WithTimeout(ctx, g.cfg.Policy.RenewalTimeout())
	defer cancel()
	l, err := g.ask(call, held)
	switch {
	case errors.Is(err, ErrLeaseMoved):
		g.mu.Lock()
		lost := g.armed && !g.fence.closed
		if g.armed {
			g.fence.closed = true
		}
		g.mu.Unlock()
		if lost {
			g.event(dr.LeaseLost, held.Epoch, "another Region holds a newer epoch")
		}
		g.wakeFence()
		return false
	case err != nil:
		if ctx.Err() == nil {
			g.problem("renew lease", err)
		}
		return false
	}
	g.cfg.Watch.Observe(l, time.Now())
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fence.closed && !g.fence.acked && !g.fence.byRPO {
		// The fence has begun meanwhile and must be finished before anything is
		// reopened, but the acknowledgement it will give must name this revision.
		g.lease = l
		return false
	}
	g.lease, g.renewedAt, g.armed, g.inherited = l, start, true, false
	g.wakeFence()
	return true
}

// reopen renews the lease of a writer that is confirmed read-only and opens it.
// The lease comes first: nothing is opened on an epoch that may be gone. A writer that
// the RPO guard has closed is opened by the RPO guard and by nobody else: byRPO.
//
// It does not ask who has made the server read-only. Whoever it was (a boot, the
// watchdog, the late fence of a predecessor, a person), the lease says that this Region
// writes, and letting it run out would end in the same opening. A person who wants the
// writes stopped must stop the monitor first.
func (g *Guard) reopen(ctx context.Context, held Lease, start time.Time, byRPO bool) {
	if !g.renew(ctx, held, start) {
		return
	}
	call, cancel := context.WithTimeout(ctx, g.callTimeout())
	defer cancel()
	// A fence that begins now must come after this opening, not overtake it.
	g.admin <- struct{}{}
	defer func() { <-g.admin }()
	// From here on the writer may be open, so the fence loop must count it as such.
	g.mu.Lock()
	if !g.armed || g.lease.Epoch != held.Epoch || g.fence.closed && !g.fence.acked || g.fence.byRPO != byRPO {
		g.mu.Unlock()
		return // the term has ended meanwhile, or somebody else closes or opens
	}
	if g.fence.closed && !g.safeAt.IsZero() {
		g.safeAt = start // while it was closed, nothing was acknowledged
	}
	g.fence = fenceState{}
	g.trials++
	g.triedAt = start
	g.watched = 0 // Open may install one with a time of its own
	// The fence loop may have looked since the renewal, seen a closed writer, and
	// gone to sleep without a deadline.
	g.wakeFence()
	g.mu.Unlock()
	if err := g.cfg.Fencer.Open(call, held.Epoch); err != nil {
		if errors.Is(err, ErrNotWriter) {
			g.mu.Lock()
			g.armed, g.inherited = false, false // a secondary: nothing is open that could need a fence
			g.mu.Unlock()
			return
		}
		g.problem("open writer", err)
		return
	}
	if g.cfg.Policy.Watchdog && g.commit(call, held.Epoch) == nil {
		g.watchdog(ctx, held.Epoch)
	}
	g.event(dr.LeaseOpened, held.Epoch, "")
}

// dethroned reports whether a newer lease has ended a term of this Region whose
// writer may still be open.
func (g *Guard) dethroned(seen Lease) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.armed || seen.Epoch <= g.lease.Epoch {
		return false
	}
	if g.fence.closed && g.fence.acked {
		g.armed, g.inherited = false, false
		return false
	}
	g.fence.closed = true
	return true
}

// enforce keeps a database read-only that no lease lets be open.
func (g *Guard) enforce(ctx context.Context, lease Lease) {
	call, cancel := context.WithTimeout(ctx, g.callTimeout())
	defer cancel()
	if now, _ := g.cfg.Watch.Lease(); g.serves(now) {
		return
	}
	if err := g.cfg.Fencer.Fence(call, lease.Epoch); err != nil && ctx.Err() == nil {
		g.problem("keep the database read-only", err)
	}
}

// Report adds what the guard knows of its writer to a heartbeat.
func (g *Guard) Report(h *Heartbeat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fence.acked && !g.fence.byRPO {
		h.FencedEpoch, h.FencedRev = g.fence.epoch, g.fence.rev
	}
	if g.fence.failed && !g.fence.acked {
		h.FenceFailed = g.fence.epoch
	}
	if !g.safeAt.IsZero() {
		h.Guarded = g.lease.Epoch
	}
}

func (g *Guard) callTimeout() time.Duration { return g.cfg.Policy.GuardTimeout() }

func (g *Guard) event(what string, e dr.Epoch, detail string) {
	g.cfg.Trace.OnLease(dr.LeaseChange{At: time.Now(), Region: g.cfg.Region, Epoch: e, What: what, Detail: detail})
}

func (g *Guard) problem(op string, err error) {
	g.problems.report(g.cfg.Trace, g.cfg.Region, op, err)
}
