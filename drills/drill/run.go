package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// Outcome is a drill that has been judged.
type Outcome struct {
	Result  measure.Result
	Verdict measure.Verdict
	Run     measure.Run
	Folder  string // empty when nothing was written
	Summary string
}

// Run runs one scenario on one target. An error means that there is nothing to
// judge; a drill that went badly is an outcome. Whatever happens, the end of ctx
// included, every fault is healed and the world is closed, in a context of its own.
func Run(ctx context.Context, t Target, s Scenario, o Options) (out Outcome, err error) {
	s.Policy = s.Policy.WithDefaults()
	if err := s.Validate(); err != nil {
		return Outcome{}, err
	}
	o.Timing = o.Timing.withDefaults(s.Policy.Objectives)
	if o.Started.IsZero() {
		o.Started = time.Now()
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	o.Progress(Progress{Status: "bringing up the " + t.Name() + " target"})
	w, err := t.Up(ctx, Setup{
		Topology: Topology(), Policy: s.Policy, Clients: s.Clients, Writer: East, Seed: o.Seed,
		Progress: func(text string) { o.Progress(Progress{Status: text}) },
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("drill: bring up the %s target: %w", t.Name(), err)
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, w.Close(end))
	}()
	if err := s.Plan.Supports(w); err != nil {
		return Outcome{}, fmt.Errorf("drill: scenario %s on the %s target: %w", s.Name, t.Name(), err)
	}
	d := &run{world: w, scenario: s, opt: o, faults: fault.NewSet(w, 0), blind: make(chan struct{})}
	history, err := d.play(ctx)
	if err != nil {
		return Outcome{}, err
	}
	return d.judge(t, history)
}

const closeTimeout = time.Minute

// run is one drill under way.
type run struct {
	world    World
	scenario Scenario
	opt      Options
	faults   *fault.Set

	mu    sync.Mutex
	own   []measure.Mark // made by the drill itself
	shown int

	seeing sync.WaitGroup // who waits to see what prepared faults do
	blind  chan struct{}  // closed when they may stop
}

// play goes from steady state to the end of the load.
func (d *run) play(ctx context.Context) (h measure.Run, err error) {
	before, err := d.world.Writer(ctx)
	if err != nil {
		return h, fmt.Errorf("drill: find the writer: %w", err)
	}
	load, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	var loadErr error
	wg.Go(func() {
		h.Ops, loadErr = d.world.Load(load, func(op workload.Op) { d.opt.Progress(Progress{At: op.End, Op: &op}) })
	})
	finish := func() {
		stop()
		wg.Wait()
	}
	defer finish()
	defer func() {
		d.stopSeeing()
		err = errors.Join(err, d.faults.Heal(ctx))
	}()

	if err := d.breakAndRecover(ctx); err != nil {
		return h, err
	}
	if err := d.heal(ctx); err != nil {
		return h, err
	}
	if err := d.watch(ctx, max(d.opt.Timing.AfterHeal, d.scenario.AfterHeal)); err != nil {
		return h, err
	}
	finish()
	if loadErr != nil {
		return h, fmt.Errorf("drill: load: %w", loadErr)
	}
	after, err := d.world.Writer(ctx)
	if err != nil {
		return h, fmt.Errorf("drill: find the writer after the drill: %w", err)
	}
	h.OldWriter, h.NewWriter = before, after
	if h.Survivors, err = d.world.Survivors(ctx, after); err != nil {
		return h, fmt.Errorf("drill: read what survived on %s: %w", after, err)
	}
	h.Marks, err = d.marks(ctx)
	return h, err
}

// breakAndRecover proves steady state, injects the plan at a random moment of the
// detectors' phases, and waits for what the scenario expects.
func (d *run) breakAndRecover(ctx context.Context) error {
	if err := wait(ctx, warmUp); err != nil {
		return err
	}
	d.mark(measure.MarkSteady, "", "the load has run for "+warmUp.String())
	rng := rand.New(rand.NewPCG(d.opt.Seed, 0x1f))
	phase := time.Duration(rng.Int64N(int64(d.scenario.Policy.ProbeInterval)))
	if err := wait(ctx, d.opt.Timing.Steady+phase); err != nil {
		return err
	}
	if len(d.scenario.Plan) > 0 {
		if err := d.scenario.Plan.Run(ctx, d.inject); err != nil {
			return err
		}
	}
	switch d.scenario.Expect.Behaviour {
	case measure.MustFailOver:
		return d.recovered(ctx)
	case measure.MustRefuse:
		asked, err := d.until(ctx, measure.MarkOperator, measure.MarkSettled)
		if err != nil || !asked {
			return err
		}
		if err := wait(ctx, d.opt.Timing.Ask); err != nil {
			return err
		}
		if err := d.world.Acknowledge(ctx, "drill", "the loss is accepted for this drill"); err != nil {
			return fmt.Errorf("drill: acknowledge: %w", err)
		}
		d.mark(measure.MarkAcknowledged, "", "by the drill")
		return d.recovered(ctx)
	case measure.MayFailOver:
		asked, err := d.until(ctx, measure.MarkOperator, measure.MarkSettled)
		if err != nil {
			return err
		}
		if asked {
			return d.watch(ctx, d.opt.Timing.Ask)
		}
		return d.recovered(ctx)
	}
	return d.watch(ctx, d.opt.Timing.Quiet)
}

// warmUp is how long connections, caches and agents get before anything counts.
const warmUp = 2 * time.Second

func (d *run) inject(ctx context.Context, s fault.Step) error {
	injected, effect := measure.MarkInjected, measure.MarkEffective
	if s.At < 0 {
		injected, effect = measure.MarkPrepared, measure.MarkSeen
	}
	d.mark(injected, s.Fault.Region, s.Fault.String())
	if err := d.faults.Inject(ctx, s.Fault); err != nil {
		return err
	}
	if s.At < 0 || s.Fault.Kind.Latent() {
		d.see(ctx, s.Fault, effect)
		return nil
	}
	bound, cancel := context.WithTimeout(ctx, effectTimeout)
	defer cancel()
	at, err := d.world.Effective(bound, s.Fault)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return nil // no mark: the verdict will say that nothing was proven
	}
	d.add(measure.Mark{At: at, Source: "drill", Name: effect, Region: s.Fault.Region, Detail: s.Fault.String()})
	return nil
}

// see marks when a fault shows that is prepared or latent. That may be long after the
// fault instant: a trigger that is killed at every step must be asked to take one
// first. What has not shown at the first heal has not shown: the verdict says so.
func (d *run) see(ctx context.Context, f fault.Fault, effect string) {
	ctx, stop := context.WithCancel(ctx)
	d.seeing.Go(func() {
		defer stop()
		if at, err := d.world.Effective(ctx, f); err == nil {
			d.add(measure.Mark{At: at, Source: "drill", Name: effect, Region: f.Region, Detail: f.String()})
		}
	})
	d.seeing.Go(func() {
		defer stop()
		select {
		case <-ctx.Done():
		case <-d.blind:
		}
	})
}

// stopSeeing ends every see. It is called before the first heal, and is idempotent.
func (d *run) stopSeeing() {
	d.mu.Lock()
	select {
	case <-d.blind:
	default:
		close(d.blind)
	}
	d.mu.Unlock()
	d.seeing.Wait()
}

// effectTimeout is how long an independent probe may take to see a fault.
const effectTimeout = 5 * time.Second

// recovered waits until the execution has settled and the load has gone well for
// long enough to be measured.
func (d *run) recovered(ctx context.Context) error {
	if _, err := d.until(ctx, measure.MarkSettled, measure.MarkAborted); err != nil {
		return err
	}
	// Clients may need the endpoint's TTL and one timeout more to get there.
	return d.watch(ctx, d.scenario.Policy.EndpointTTL+workload.DefaultTimeout+d.opt.Timing.Sustain)
}

func (d *run) heal(ctx context.Context) error {
	if len(d.faults.Active()) == 0 {
		return nil
	}
	d.stopSeeing()
	err := d.faults.Heal(ctx)
	d.mark(measure.MarkHealed, "", "")
	return err
}
