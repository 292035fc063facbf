package failover

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// AgentConfig says what one Region's agent consists of.
type AgentConfig struct {
	Region     dr.Region
	Topology   dr.Topology
	Policy     dr.Policy
	Leaser     Leaser
	Heartbeats Reports
	// Probers ask about the writer's Region; the LeaseProber's evidence is added.
	Probers []health.Prober
	// Guard and Controller are for member Regions; the witness only observes. Their
	// Region, Policy, Watch, Leaser, Heartbeats and Trace are the agent's.
	Guard      *GuardConfig
	Controller *ControllerConfig
	// Peer is the writer's database in the other member Region: by a row there the monitor
	// promises to leave the lease alone, which keeps the writer open when the lease store
	// fails. For a member's agent that has a Journal or a Controller.
	Peer PeerDatabase
	// Bootstrapper takes the first epoch when no lease has ever existed; for an agent with a
	// Guard. Without one somebody else must take it.
	Bootstrapper Bootstrapper
	// Trigger has the trigger move the writer in another process, for a member's agent without a
	// Controller; Journal is that process's.
	Trigger TriggerInvoker
	Journal Journal
	// Silent keeps heartbeats from being published: another process of this Region
	// publishes its own, and two would overtake each other.
	Silent bool
	// OnOutcome is told of every execution that the controller has brought to an end,
	// or why it could not. It is called by one goroutine and must not block.
	OnOutcome func(Execution, error)
	// Notifier tells people of what fails for long although nothing stops for it. Optional; a
	// Silent agent tells nothing.
	Notifier Notifier
	// Failures takes in what fails outside the agent, such as one replica of the store. It
	// outlives the agent. Optional.
	Failures *Failures
	Trace    *dr.Trace
}

// Agent is everything that runs in one Region: it watches the writer, keeps the
// lease when its Region holds it, reports to the other Regions, and moves the
// writer here when the other Region is lost.
type Agent struct {
	cfg        AgentConfig
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

	mu     sync.Mutex
	claims bool
	// followed is the newest epoch in which the own server was seen to be a secondary.
	followed dr.Epoch
	latest   health.Verdict
	asked    time.Time // when the trigger was asked last
	former   *Report   // the predecessor's last, until there is a latest; nil when there is none
}

// NewAgent returns an agent, or everything that its configuration lacks.
func NewAgent(cfg AgentConfig) (*Agent, error) {
	errs := []error{cfg.Topology.Validate(), cfg.Policy.ValidateFor(cfg.Topology)}
	if cfg.Leaser == nil || cfg.Heartbeats == nil {
		errs = append(errs, errors.New("failover: agent: Leaser and Heartbeats are required"))
	}
	if cfg.Trigger != nil && (cfg.Controller != nil || cfg.Journal == nil) {
		errs = append(errs, errors.New("failover: agent: a Trigger takes the place of a Controller, and needs the Journal that it writes"))
	}
	if cfg.Bootstrapper != nil && cfg.Guard == nil {
		errs = append(errs, errors.New("failover: agent: a Bootstrapper needs a Guard, which keeps what was bootstrapped"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = cfg.Policy.WithDefaults()
	a := &Agent{cfg: cfg, watch: &Watch{}, verdicts: make(chan health.Verdict, 1), news: make(chan struct{}, 1), adopts: make(chan struct{}, 1)}
	if a.lasting = cfg.Failures; a.lasting == nil {
		a.lasting = &Failures{}
	}
	if cfg.Notifier != nil && !cfg.Silent {
		cfg.Trace = dr.Join(cfg.Trace, &dr.Trace{Failure: a.lasting.Note})
		a.cfg.Trace = cfg.Trace
	}
	a.leases = NewLeaseProber(cfg.Region, cfg.Policy, cfg.Heartbeats, a.watch)
	if cfg.Silent && cfg.Controller != nil {
		a.leases.claimed = a.adopts // by this Region's monitor
	}
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
		c.Leaser, c.Heartbeats = cfg.Leaser, cfg.Heartbeats
		c.Promises = c.Promises || cfg.Peer != nil
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
func (a *Agent) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	pace := a.cfg.Policy
	if a.controller == nil && a.guard == nil {
		// A witness promotes nobody: its word on the lease need not be as fresh.
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
	}
	if a.cfg.Bootstrapper != nil {
		wg.Go(func() { a.bootstrap(ctx) })
	}
	if a.guard != nil && a.cfg.Guard.Plane != nil && a.cfg.Guard.Roles != nil {
		wg.Go(func() { a.own(ctx) })
	}
	if a.cfg.Notifier != nil && !a.cfg.Silent {
		wg.Go(func() { a.tellPeople(ctx) })
	}
	if a.mayPromise() && !a.cfg.Silent {
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
func (a *Agent) Explain() Explanation {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Explain(a.cfg.Policy, a.cfg.Topology, a.latest, 0)
}

// verdict is the latest one.
func (a *Agent) verdict() health.Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.latest
}

// subject is the Region to watch: the holder of the lease.
func (a *Agent) subject() dr.Region {
	l, _ := a.watch.Lease()
	return l.Holder
}

func (a *Agent) onVerdict(v health.Verdict) {
	a.mu.Lock()
	a.latest = v
	a.mu.Unlock()
	if a.cfg.Trigger != nil && !worthAsking(v) || a.cfg.Trigger == nil && (v.State != health.Impaired || a.controller == nil) {
		return
	}
	select {
	case <-a.verdicts: // void: this one is newer
	default:
	}
	a.verdicts <- v // there is room: nobody else sends
}

// control acts on verdicts, and continues what the journal holds open: its own after
// a restart, and an operator's whose process has died.
func (a *Agent) control(ctx context.Context) {
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

func (a *Agent) outcome(ctx context.Context, op string, x Execution, err error) {
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

// report publishes this Region's heartbeat twice per probe interval, at once when there is
// news, and for the last time when ctx has ended: then nothing is promised any more.
func (a *Agent) report(ctx context.Context) {
	tick := time.NewTicker(a.cfg.Policy.ProbeInterval / 2)
	defer tick.Stop()
	seq := uint64(time.Now().UnixMicro()) // so that a restart is news too
	for last := false; ; {
		seq++
		h := Report{Region: a.cfg.Region, Seq: seq}
		a.repeat(&h)
		if l, known := a.watch.Lease(); known {
			h.LeaseRev, h.LeaseUnchanged = l.Rev, a.watch.Unchanged()
		}
		if a.guard != nil {
			a.guard.Report(&h)
		}
		a.promises.state(&h, !last && a.wantPromise(), time.Now())
		h.Troubles = a.lasting.report(time.Now())
		a.mu.Lock()
		h.Claims, h.Followed = a.claims, a.followed
		a.mu.Unlock()
		h.At = time.Now().UTC()
		base, limit := ctx, a.cfg.Policy.CallTimeout
		if last {
			base, limit = context.WithoutCancel(ctx), lastReport
		}
		call, cancel := context.WithTimeout(base, limit)
		err := a.cfg.Heartbeats.Publish(call, h)
		cancel()
		if last {
			return
		}
		if err != nil && ctx.Err() == nil {
			a.problem("publish heartbeat", err)
		}
		if err == nil && a.promises.offered() {
			a.clear(ctx)
		}
		if err == nil || ctx.Err() == nil {
			a.tell(err == nil)
		}
		select {
		case <-ctx.Done():
			if last = a.mayPromise(); !last {
				return
			}
		case <-tick.C:
		case <-a.news:
		}
	}
}

// lastReport is how long a report may take that is published when the work has ended: a
// handover must not wait for it.
const lastReport = 300 * time.Millisecond

// nudge has the next report published at once.
func (a *Agent) nudge() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// taken has the next report published at once when this Region has taken an epoch: its
// trigger waits for the statement that nothing is promised any more.
func (a *Agent) taken() func(Lease) {
	var seen atomic.Uint64 // the watch and the guard tell of leases at the same time
	return func(l Lease) {
		if seen.Swap(uint64(l.Epoch)) == uint64(l.Epoch) {
			return
		}
		if l.Holder == a.cfg.Region && l.Execution != "" && a.mayPromise() {
			a.promises.abstain(a.cfg.Policy.ProbeInterval)
			a.nudge()
		}
	}
}

// abstain ends what the monitor promises, before anything may take the lease.
func (a *Agent) abstain() {
	if a.mayPromise() {
		a.promises.abstain(3 * a.cfg.Policy.ProbeInterval)
		a.nudge()
	}
}

// tell traces a report.
func (a *Agent) tell(delivered bool) {
	r := dr.Report{At: time.Now(), Region: a.cfg.Region, Delivered: delivered}
	if l, known := a.watch.Lease(); known {
		r.Holder, r.Epoch, r.LeaseAge = l.Holder, l.Epoch, a.watch.Unchanged()+a.watch.ReadAge(r.At)
	}
	a.commits.fill(&r, a.guard)
	a.cfg.Trace.OnReport(r)
}

// repeat puts what the Region has seen into its report. An agent that has just taken over
// has seen nothing; until it has, its predecessor's word stands, because a report without
// it would take away what a trigger that starts in this moment goes by: the samples, and
// the lag from before the fault.
func (a *Agent) repeat(h *Report) {
	h.Observations, h.Lag = a.observations()
	a.mu.Lock()
	defer a.mu.Unlock()
	h.MonitorDiedFirst = a.latest.MonitorDiedFirst
	if a.former == nil || !a.latest.At.IsZero() {
		return
	}
	h.LeaseRev, h.LeaseUnchanged, h.Lag = a.former.LeaseRev, a.former.LeaseUnchanged, a.former.Lag
	age := max(0, time.Since(a.former.At))
	if age > 3*a.cfg.Policy.ProbeInterval {
		return // the lag has an age of its own; the rest is too old
	}
	h.Observations, h.MonitorDiedFirst = slices.Clone(a.former.Observations), a.former.MonitorDiedFirst
	for i := range h.Observations {
		h.Observations[i].Age += age
	}
}

// observations are this Region's own observations of the writer's Region, and the
// newest lag among them.
func (a *Agent) observations() ([]Observation, *health.Lag) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Observation
	for _, o := range a.latest.Votes {
		if o.Vantage != a.cfg.Region {
			continue
		}
		out = append(out, Observation{
			Subject: o.Subject, Family: o.Family, Method: o.Method, Answer: o.Answer, Cause: o.Cause,
			Age: time.Since(o.At), Samples: max(1, a.latest.Samples[o.Family]), RegionAnswers: o.RegionAnswers,
		})
	}
	return out, a.latest.Lag
}

// recall hands the monitor what its predecessor had seen, if that is fresh: a
// crash in the middle of a detection must not begin it anew.
func (a *Agent) recall(ctx context.Context) {
	all, err := a.heartbeats(ctx)
	if a.cfg.Silent && err == nil {
		all, err = a.newer(ctx, all)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.problem("read the predecessor's heartbeat", err)
		}
		return
	}
	for _, h := range all {
		a.watch.Adopt(h.LeaseRev, h.LeaseUnchanged, time.Now())
		if h.Region == a.cfg.Region {
			if a.guard != nil {
				a.guard.recall(h, time.Now())
			}
			a.promises.adopt(h, time.Now())
			a.mu.Lock()
			a.followed = max(a.followed, h.Followed)
			a.mu.Unlock()
			if !a.cfg.Silent {
				a.lasting.adopt(h.Troubles, time.Now())
			}
			a.monitor.Recall(predecessor(a.cfg.Policy, h, time.Now()))
			a.mu.Lock()
			a.former = &h
			a.mu.Unlock()
		}
	}
}

// newer waits for the next heartbeat of this Region's other process, for as long as
// one is due. The last one may be from before the sample that it asked because of, and
// a sample that is not recalled costs a probe interval.
func (a *Agent) newer(ctx context.Context, all []Report) ([]Report, error) {
	own := func(all []Report) (seq uint64) {
		for _, h := range all {
			if h.Region == a.cfg.Region {
				seq = h.Seq
			}
		}
		return seq
	}
	tick := time.NewTicker(a.cfg.Policy.PollInterval)
	defer tick.Stop()
	for begun, first := time.Now(), own(all); time.Since(begun) < a.cfg.Policy.ProbeInterval*3/4 && next(ctx, tick); {
		now, err := a.heartbeats(ctx)
		if err != nil || own(now) != first {
			return now, err
		}
		all = now
	}
	return all, nil
}

func (a *Agent) heartbeats(ctx context.Context) ([]Report, error) {
	call, cancel := context.WithTimeout(ctx, a.cfg.Policy.CallTimeout)
	defer cancel()
	return a.cfg.Heartbeats.Reports(call)
}

// predecessor turns a Region's last heartbeat back into the samples it stood for.
func predecessor(p dr.Policy, h Report, now time.Time) health.Window {
	w := health.Window{Vantage: h.Region}
	if len(h.Observations) == 0 {
		return w
	}
	w.Subject = h.Observations[0].Subject
	if h.Lag != nil {
		// A lag that was seen proves that the writer committed then, also when the lease
		// had been renewed for the last time a moment before.
		w.Rounds = append(w.Rounds, health.Round{At: h.Lag.At, Observations: []health.Observation{{
			Subject: w.Subject, Vantage: h.Region, Family: health.Replication, Method: "predecessor", Answer: health.Alive,
			At: h.Lag.At, OtherInstances: -1, Lag: h.Lag,
		}}})
	}
	if now.Sub(h.At) > 3*p.ProbeInterval {
		return w // the lag has an age of its own; the rest is too old
	}
	most := 0
	for _, s := range h.Observations {
		most = max(most, s.Samples)
	}
	for ago := min(most, p.Confirm); ago >= 1; ago-- {
		r := health.Round{At: now.Add(-time.Duration(ago) * p.ProbeInterval), SelfCheck: health.Alive}
		if h.Lag != nil && r.At.Before(h.Lag.At) {
			// Samples lie closer together where one process takes over from another. The
			// lag is from before the writer stopped, and must not be dated after it.
			r.At = h.Lag.At
		}
		for _, s := range h.Observations {
			if s.Samples >= ago && s.Subject == w.Subject {
				r.Observations = append(r.Observations, health.Observation{
					Subject: s.Subject, Vantage: h.Region, Family: s.Family, Method: s.Method, Answer: s.Answer, Cause: s.Cause,
					At: r.At, RegionAnswers: s.RegionAnswers, OtherInstances: -1,
				})
			}
		}
		w.Rounds = append(w.Rounds, r)
	}
	if h.MonitorDiedFirst && len(w.Rounds) > 0 {
		at := w.Rounds[0].At
		say := func(f health.Family, a health.Answer) health.Observation {
			return health.Observation{Subject: w.Subject, Vantage: h.Region, Family: f, Method: "predecessor", Answer: a, At: at, OtherInstances: -1}
		}
		w.Rounds = slices.Insert(w.Rounds, 0, health.Round{At: at, SelfCheck: health.Alive, Observations: []health.Observation{
			say(health.Heartbeat, health.Dead), say(health.SQL, health.Alive),
		}})
	}
	return w
}

func (a *Agent) problem(op string, err error) {
	a.problems.report(a.cfg.Trace, a.cfg.Region, op, err)
}
