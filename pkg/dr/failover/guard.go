package failover

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
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
	// Releaser gives the lease back when the server is no writer any more. Without one the
	// other Region waits for the lease to run out.
	Releaser Releaser
	// Roles asks the local server whether it is the writer. Without one a writer that was moved
	// here by other hands than Lifeboat's is not adopted.
	Roles RoleReader
	// Plane is the Region's own control plane, asked where the writer is before a closed one
	// is opened, and when another Region claims it. Without one the server alone is believed.
	Plane Plane
	// Promises reads the rows of the local database, and Peer is the other member, whose row
	// holds what it promises. Without them the store alone keeps the writer open.
	Promises ReplicaReader
	Peer     dr.Region
	Trace    *dr.Trace
}

// Guard keeps the lease of the writer's Region, and keeps the writer from outliving its
// grants. It performs what [guard.Advance] decides; that package says what it is that keeps a
// writer open.
type Guard struct {
	cfg    GuardConfig
	rules  guard.Rules
	origin time.Time
	base   uint64 // the numbers of this process's heartbeat writes begin above it

	mu       sync.Mutex
	state    guard.State
	heard    guard.Instant // when the local server last did what it was asked to, or said what it is
	due      []guard.Effect
	problems problems
	wake     chan struct{} // the loop has something to do, or its deadline has moved
}

// NewGuard returns a guard, or everything that its configuration lacks.
func NewGuard(cfg GuardConfig) (*Guard, error) {
	errs := []error{cfg.Policy.Validate()}
	if cfg.Region == "" {
		errs = append(errs, errors.New("failover: guard: Region is empty"))
	}
	errs = append(errs, required("guard", append(cfg.parts(""), part{"Leaser", cfg.Leaser == nil}, part{"Watch", cfg.Watch == nil})...))
	if (cfg.Promises == nil) != (cfg.Peer == "") {
		errs = append(errs, errors.New("failover: guard: Promises and Peer belong together: give both or neither"))
	}
	errs = append(errs, cfg.capable())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = cfg.Policy.WithDefaults()
	g := &Guard{
		cfg: cfg, rules: guard.NewRules(cfg.Region, cfg.Policy), origin: time.Now(),
		base: uint64(time.Now().UnixMicro()), // so that no two processes number alike
		wake: make(chan struct{}, 1),
	}
	_, g.rules.Keeper = cfg.Fencer.(WatchdogKeeper)
	g.rules.Peer, g.rules.Roles, g.rules.Releases = cfg.Promises != nil, cfg.Roles != nil, cfg.Releaser != nil
	g.rules.Plane = cfg.Plane != nil
	g.state = guard.New(g.rules, 0)
	return g, nil
}

// parts are what every guard needs besides what the role that runs it brings along.
func (c GuardConfig) parts(prefix string) []part {
	return []part{{prefix + "Beater", c.Beater == nil}, {prefix + "Fencer", c.Fencer == nil}, {prefix + "Isolator", c.Isolator == nil}}
}

// capable refuses a guard whose parts can't do what the policy asks for.
func (c GuardConfig) capable() error {
	var errs []error
	if c.Policy.RPOGuard && c.Replica == nil {
		errs = append(errs, errors.New("failover: guard: Policy.RPOGuard needs a Replica to ask"))
	}
	if _, ok := c.Fencer.(Watchdog); c.Policy.Watchdog && !ok {
		errs = append(errs, errors.New("failover: guard: Policy.Watchdog needs a Fencer whose database can fence itself; this one can't"))
	}
	return errors.Join(errs...)
}

// Run keeps the lease until ctx ends, and returns after every call has. It leaves the
// writer as it is: a successor has the grants' time to take over, and StayBehind sees whether one
// does.
func (g *Guard) Run(ctx context.Context) error {
	g.mu.Lock()
	g.state, g.heard = guard.New(g.rules, g.now()), guard.Never
	g.mu.Unlock()
	forget := g.cfg.Watch.tell(func(l Lease) { g.learn(guard.Input{Kind: guard.LeaseSeen, Lease: l}) })
	defer forget()
	var lookups sync.WaitGroup
	defer lookups.Wait()
	if r, ok := g.cfg.Isolator.(Refresher); ok {
		lookups.Go(func() { g.refreshLoop(ctx, r) })
	}
	g.drive(ctx)
	g.learn(guard.Input{Kind: guard.Stopped})
	return nil
}

// StayBehind stays behind after Run has returned, for a writer that may be open, until another
// process guards it. When ctx ends it leaves the writer as it is. See package guard.
func (g *Guard) StayBehind(ctx context.Context) {
	until := guard.Never
	if deadline, ok := ctx.Deadline(); ok {
		until = deadline.Sub(g.origin)
	}
	g.learn(guard.Input{Kind: guard.HandedOver, Until: until})
	g.drive(ctx)
}

// BehindTime is how long StayBehind takes at most when the store answers: see [guard.BehindTime].
func BehindTime(p dr.Policy) time.Duration { return guard.BehindTime(p) }

// now is the guard's own clock.
func (g *Guard) now() guard.Instant { return time.Since(g.origin) }

// learn hands the machine an input.
func (g *Guard) learn(in guard.Input) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in.Now = g.now()
	g.due = append(g.due, guard.Advance(&g.rules, &g.state, in)...)
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// drive performs what is due until ctx ends or the machine has finished, and waits for
// every call.
func (g *Guard) drive(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var calls sync.WaitGroup
	defer calls.Wait()
	defer cancel() // before the wait
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		g.mu.Lock()
		due, state := g.due, &g.state
		g.due = nil
		next := guard.Next(&g.rules, state, g.now()) - g.now()
		g.mu.Unlock()
		for _, e := range due {
			if ctx.Err() != nil {
				return
			}
			switch e.Kind {
			case guard.Finish:
				return
			case guard.Tell:
				g.tell(e)
			case guard.Complain:
				g.problem(complaints[e.Why], errors.New(e.Why.String()))
			default:
				calls.Go(func() { g.learn(g.perform(ctx, e)) })
			}
		}
		timer.Reset(max(next, time.Millisecond))
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		case <-timer.C:
			g.learn(guard.Input{Kind: guard.Tick})
		}
	}
}

// promoted tells the guard that its server is the writer of an epoch, so that one
// that came up read-only is opened at once.
func (g *Guard) promoted(e dr.Epoch, back bool) {
	g.learn(guard.Input{Kind: guard.PromotionDone, Epoch: e, Back: back})
}

// recall has the guard go on with what a predecessor has begun, as told by its last
// report. A cut that comes right after a handover would else find the lag unguarded.
func (g *Guard) recall(h Report, now time.Time) {
	if now.Sub(h.At) <= 3*g.cfg.Policy.ProbeInterval {
		g.learn(guard.Input{Kind: guard.Recalled, Epoch: h.Guarded, Granted: h.Granted})
	}
}

// Report adds what the guard knows of its writer to a heartbeat.
func (g *Guard) Report(h *Report) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := &g.state
	if c := s.Closing; c.Acked && !c.ByRPO {
		h.FencedEpoch, h.FencedRev = c.Epoch, c.Rev
	}
	if c := s.Closing; c.Failed && !c.Acked {
		h.FenceFailed = c.Epoch
	}
	if s.SafeAt != guard.Never {
		h.Guarded = s.Term.Epoch
	}
	if s.Open() && s.Youngest() != guard.Never {
		h.Granted = max(1, g.now()-s.Youngest())
	}
	switch lately := g.now() - 2*g.cfg.Policy.ProbeInterval; {
	case g.heard > lately && s.Role != guard.Secondary:
		h.Server = health.Alive
	case s.Begun < lately || s.Role == guard.Secondary:
		h.Server = health.Dead
	}
}

// role is what the local server last reported.
func (g *Guard) role() guard.Role {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Role
}

// sinceCommit is how long no heartbeat write of this guard has committed, from its start
// when none has.
func (g *Guard) sinceCommit() (d time.Duration, committed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state.CommittedAt == guard.Never {
		return g.now() - g.state.Begun, false
	}
	return g.now() - g.state.CommittedAt, true
}

func (g *Guard) tell(e guard.Effect) {
	detail := e.Why.String()
	if e.What == dr.LeaseFenced {
		g.mu.Lock()
		detail = "lease revision " + utoa(g.state.Closing.Rev)
		g.mu.Unlock()
	}
	g.cfg.Trace.OnLease(dr.LeaseChange{At: time.Now(), Region: g.cfg.Region, Epoch: e.Epoch, What: e.What, Detail: detail})
}

func (g *Guard) problem(op string, err error) {
	g.problems.report(g.cfg.Trace, g.cfg.Region, op, err)
}

// complaints are the operations that a machine's own problems are reported under.
var complaints = map[guard.Why]string{
	guard.NoSuccessor: "hand the guard over", guard.KeptBecauseSeen: "isolate writer", guard.WatchdogGone: "check the watchdog",
}
