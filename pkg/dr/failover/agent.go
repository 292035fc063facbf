package failover

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// parts are what an agent consists of. The constructors of the roles fill them in: see
// [NewMonitor], [NewTrigger] and [NewWitness].
type parts struct {
	Region   dr.Region
	Topology dr.Topology
	Policy   dr.Policy
	Leaser   Leaser
	Reports  Reports
	Probers  []health.Prober // about the writer's Region; the LeaseProber's evidence is added
	Notifier Notifier
	Failures *Failures
	Trace    *dr.Trace

	// A monitor's.
	Guard        *GuardConfig
	Peer         PeerDatabase
	Bootstrapper Bootstrapper
	Trigger      TriggerInvoker
	Journal      Journal

	// A trigger's, and a monitor's that moves the writer in its own process.
	Controller *ControllerConfig
	OnOutcome  func(Execution, error)
	Silent     bool // another process of the Region publishes the reports
}

// agent is what a monitor, a trigger and a witness have in common: it watches the writer's
// Region, keeps the lease when its own Region holds it, reports to the other Regions, and
// moves the writer to its Region when the other one is lost. What it has no part for, it
// leaves out.
type agent struct {
	cfg        parts
	watch      *Watch
	leases     *LeaseProber
	monitor    *health.Monitor
	guard      *Guard
	controller *Controller
	verdicts   chan health.Verdict

	problems problems
	promises promises
	commits  commits
	lasting  *Failures
	news     chan struct{} // the next report is not to wait for its time
	adopts   chan struct{} // the writer was moved here and is to be adopted
	begun    chan struct{} // the first promise is not to wait for its time

	away away // of the writer, while its Region has the lease

	mu     sync.Mutex
	claims bool
	writer bool // the local server has said that it is the writer, while no lease was known
	// followed is the newest epoch in which the local server was seen to be a secondary.
	followed dr.Epoch
	latest   health.Verdict
	owed     []Message // what people are to be told besides what fails
	asked    time.Time // when the trigger was asked last
	former   *Report   // the predecessor's last, until there is a latest; nil when there is none
}

// newAgent puts parts together that their role's constructor has checked.
func newAgent(cfg parts) (*agent, error) {
	cfg.Policy = cfg.Policy.WithDefaults()
	a := &agent{cfg: cfg, watch: &Watch{}, verdicts: make(chan health.Verdict, 1), news: make(chan struct{}, 1), adopts: make(chan struct{}, 1), begun: make(chan struct{}, 1)}
	if a.lasting = cfg.Failures; a.lasting == nil {
		a.lasting = &Failures{}
	}
	if cfg.Notifier != nil {
		cfg.Trace = dr.Join(cfg.Trace, &dr.Trace{Failure: a.lasting.Note})
		a.cfg.Trace = cfg.Trace
	}
	cfg.Reports = &members{all: cfg.Reports, topology: cfg.Topology, refused: func(err error) { a.problem("read reports", err) }}
	a.cfg.Reports = cfg.Reports
	a.leases = NewLeaseProber(cfg.Region, cfg.Policy, cfg.Reports, a.watch)
	if cfg.Silent {
		a.leases.claimed = a.adopts // by this Region's monitor
	}
	var errs []error
	var err error
	a.monitor, err = health.NewMonitor(health.Config{
		Vantage: cfg.Region, Policy: cfg.Policy, Probers: append([]health.Prober{a.leases}, cfg.Probers...),
		Self: a.leases, Subject: a.subject, OnVerdict: a.onVerdict, Trace: cfg.Trace,
	})
	errs = append(errs, err)
	if cfg.Guard != nil {
		g := *cfg.Guard
		g.Region, g.Policy, g.Watch, g.Leaser, g.Trace = cfg.Region, cfg.Policy, a.watch, cfg.Leaser, cfg.Trace
		a.guard, err = NewGuard(g)
		errs = append(errs, err)
	}
	if cfg.Controller != nil {
		c := *cfg.Controller
		c.Region, c.Topology, c.Policy, c.Watch, c.Trace = cfg.Region, cfg.Topology, cfg.Policy, a.watch, cfg.Trace
		c.Leaser, c.Reports = cfg.Leaser, cfg.Reports
		c.Promises = true // of the Region's monitor, which has a peer
		if c.Verdict == nil {
			c.Verdict = a.verdict
		}
		a.controller, err = NewController(c)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if a.guard != nil && a.controller != nil {
		a.controller.onPromoted = a.guard.promoted
	}
	return a, nil
}

// Run works until ctx ends, and returns after every part has.
func (a *agent) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	pace := a.cfg.Policy
	if a.controller == nil && a.guard == nil {
		// A witness promotes no Region: its report on the lease need not be as fresh.
		pace.ObserveInterval = max(pace.ObserveInterval, pace.ProbeInterval/2)
	}
	a.promises.start(time.Now())
	defer a.watch.tell(a.taken())()
	wg.Go(func() { _ = a.watch.Run(ctx, pace, a.cfg.Leaser, a.cfg.Region, a.cfg.Trace) })
	wg.Go(func() {
		a.recall(ctx) // before the first report takes the predecessor's place
		if !a.cfg.Silent {
			wg.Go(func() { a.report(ctx) })
		}
		_ = a.monitor.Run(ctx)
	})
	if a.guard != nil {
		wg.Go(func() { _ = a.guard.Run(ctx) })
		wg.Go(func() { a.bootstrap(ctx) })
		wg.Go(func() { a.own(ctx) })
	}
	if a.cfg.Notifier != nil {
		wg.Go(func() { a.tellPeople(ctx) })
	}
	if a.mayPromise() {
		wg.Go(func() { a.promise(ctx) })
	}
	if a.controller != nil {
		wg.Go(func() { a.control(ctx) })
	}
	if a.cfg.Trigger != nil {
		wg.Go(func() { a.trigger(ctx) })
		wg.Go(func() { a.follow(ctx) })
	}
	<-ctx.Done()
	return nil
}

// Explain tells what the agent would do now.
func (a *agent) Explain() Explanation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Explain(a.cfg.Policy, a.cfg.Topology, a.latest, Known{Blind: a.watch.blind(a.cfg.Policy)})
}

// verdict is the latest one.
func (a *agent) verdict() health.Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.latest
}

// subject is the Region to watch: the holder of the lease.
func (a *agent) subject() dr.Region {
	l, _ := a.watch.Lease()
	return l.Holder
}

func (a *agent) onVerdict(v health.Verdict) {
	a.mu.Lock()
	a.latest = v
	a.mu.Unlock()
	a.observes(v)
	if a.cfg.Trigger != nil && !worthAsking(v) || a.cfg.Trigger == nil && (v.State != health.Impaired || a.controller == nil) {
		return
	}
	select {
	case <-a.verdicts: // void: this one is newer
	default:
	}
	a.verdicts <- v // there is room: only this goroutine sends
}

// control acts on verdicts, and continues what the journal holds open: its own after
// a restart, and an operator's whose process has died.
func (a *agent) control(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval)
	defer tick.Stop()
	for {
		if x, open, err := a.controller.Resume(ctx); open || err != nil {
			a.outcome(ctx, "resume", x, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.adopts:
			a.abstain()
			x, err := a.controller.Adopt(ctx)
			a.outcome(ctx, "adopt", x, err)
		case v := <-a.verdicts:
			if time.Since(v.At) > a.cfg.Policy.ProbeInterval {
				continue // it waited behind an execution and may be void
			}
			a.abstain()
			x, err := a.controller.Failover(ctx, v)
			a.outcome(ctx, "failover", x, err)
		}
	}
}

func (a *agent) outcome(ctx context.Context, op string, x Execution, err error) {
	if ctx.Err() != nil {
		return // it goes on in another process
	}
	if err != nil {
		a.problem(op, err)
	}
	if a.cfg.OnOutcome != nil {
		a.cfg.OnOutcome(x, err)
	}
}

func (a *agent) problem(op string, err error) {
	a.problems.report(a.cfg.Trace, a.cfg.Region, op, err)
}
