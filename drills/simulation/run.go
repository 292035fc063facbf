package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Outcome is what came of a world.
type Outcome struct {
	// Violations are what must never be, each with when it was seen: the first of each rule.
	Violations []string
	// Rules are the names of the invariants that they violate.
	Rules []string
	// Excused counts acknowledgements by two Regions under an assumption that the
	// documentation names, by its words.
	Excused map[string]int
	// Seen counts what was visited: states, codes, kinds of faults.
	Seen map[string]int
	// Story is everything that happened, in the order of time.
	Story string
	// Writable is how long a due failover took until the other Region's server accepted
	// a write; zero where none was due.
	Writable time.Duration
}

// Same reports whether two outcomes violate the same invariant, whatever else they do.
func Same(a, b Outcome) bool {
	return slices.ContainsFunc(a.Rules, func(rule string) bool { return slices.Contains(b.Rules, rule) })
}

// game is one world under way.
type game struct {
	World
	world  drill.World
	inside embedded.Inside
	begun  time.Time
	audit  *auditor

	steps  []step
	healed time.Time // when the last fault was
	asked  time.Time // since when a question waits for the operator
	split  time.Time // since when lease and control plane name two writers
	good   time.Time // since when there is a writer that clients reach
	away   []cloud.Exchange
	mu     sync.Mutex // guards away
	wg     sync.WaitGroup
}

// step is one fault of the plan, with a set of its own, so that it heals alone.
type step struct {
	fault.Step
	set            *fault.Set
	injected, over bool
}

// tick is how often the world is looked at, and both databases are written to.
const tick = 100 * time.Millisecond

// clients write through the endpoint, as an application would; the auditor's own
// writes go to both servers.
var clients = []drill.Client{
	{Name: "witness/endpoint", Region: drill.Witness, Rate: 1},
	{Name: "east/endpoint", Region: drill.East, Rate: 1},
	{Name: "east/pinned", Region: drill.East, Rate: 1, Pinned: true},
	{Name: "west/pinned", Region: drill.West, Rate: 1, Pinned: true},
}

// Run plays the world. An error means that there is nothing to judge. It must be
// called in a testing/synctest bubble.
func (w World) Run(ctx context.Context) (out Outcome, err error) {
	g := &game{World: w, begun: time.Now()}
	target := embedded.New(embedded.Config{BootReadOnly: w.BootReadOnly, Tick: w.Tick, Probe: time.Second, Observe: g.observe, Trace: &dr.Trace{Problem: g.problem, Lease: g.closed}})
	g.world, err = target.Up(ctx, drill.Setup{
		Topology: drill.Topology(), Policy: w.Policy, Clients: clients, Writer: drill.East, Seed: w.Seed,
	})
	if err != nil {
		return out, fmt.Errorf("simulation: seed %d: %w", w.Seed, err)
	}
	defer func() { err = errors.Join(err, g.world.Close(ctx)) }()
	if g.inside, err = embedded.Look(g.world); err != nil {
		return out, err
	}
	if err := w.Plan.Supports(g.world); err != nil {
		return out, fmt.Errorf("simulation: seed %d: %w", w.Seed, err)
	}
	g.audit = newAuditor(g)
	for _, s := range w.Plan {
		g.steps = append(g.steps, step{Step: s, set: fault.NewSet(g.world, 0)})
	}
	if err := g.play(ctx); err != nil {
		return out, err
	}
	if err := g.judge(); err != nil {
		return out, err
	}
	return g.outcome()
}

// play lets the ten minutes pass.
func (g *game) play(ctx context.Context) error {
	load, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	g.wg.Go(func() {
		_, failed = g.world.Load(load, g.audit.done)
	})
	// Never at the very moment of a client's write, which would come first or last as the
	// scheduler likes.
	offset := time.NewTimer(tick*3/8 + 137*time.Nanosecond)
	defer offset.Stop()
	<-offset.C
	t := time.NewTicker(tick)
	defer t.Stop()
	for n := 0; time.Since(g.begun) < Length; {
		if err := g.faults(ctx); err != nil {
			return err
		}
		g.audit.tick()
		if n++; n%10 == 0 {
			if err := g.operate(ctx); err != nil {
				return err
			}
			g.live()
			g.owner()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
	stop()
	g.wg.Wait()
	return failed
}

// faults injects and heals what is due.
func (g *game) faults(ctx context.Context) error {
	since, left := time.Since(g.begun), 0
	for i := range g.steps {
		s := &g.steps[i]
		if !s.injected && since >= s.At {
			s.injected = true
			g.audit.note("FAULT %s", s.Step)
			g.audit.visit("fault " + string(s.Fault.Kind))
			g.audit.before(s.Fault)
			if err := s.set.Inject(ctx, s.Fault); err != nil {
				g.audit.note("the fault does nothing: %v", err) // no process was running that it could kill
			}
			if s.Fault.Kind == fault.FreezeDatabase {
				g.pending(ctx, s.Fault.Region)
			}
			g.audit.tick()
		}
		if s.injected && !s.over && since >= s.At+s.For {
			s.over = true
			g.audit.tick()
			if err := s.set.Heal(ctx); err != nil {
				return fmt.Errorf("simulation: seed %d: %w", g.Seed, err)
			}
			g.audit.note("HEAL %s", s.Step)
		}
		if !s.over {
			left++
		}
	}
	if left == 0 && g.healed.IsZero() {
		g.healed = time.Now()
		g.audit.note("all is healed")
	}
	return nil
}

// pending is a client whose write is in flight when a server freezes, and who waits
// for longer than a failover takes.
func (g *game) pending(ctx context.Context, r dr.Region) {
	id := g.audit.id()
	g.wg.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		if err := g.inside.Pair.DB(r).Write(ctx, id); err == nil {
			g.audit.look(time.Now())
			g.audit.acknowledged(r, id, time.Now())
		}
	})
}

// operate answers the questions of executions, after a while. Where the question is the
// fence, the operator first makes sure that the old writer is stopped.
func (g *game) operate(ctx context.Context) error {
	x, err := g.last()
	if err != nil || x.State != failover.AwaitingApproval {
		g.asked = time.Time{}
		return err
	}
	if g.asked.IsZero() {
		g.asked = time.Now()
	}
	if time.Since(g.asked) < g.Patience {
		return nil
	}
	g.asked = time.Time{}
	if x.Code == failover.CodeNoFenceProof || x.Code == failover.CodeFenceFailed {
		db := g.inside.Pair.DB(x.From)
		if writer, _ := g.inside.Pair.Following(); writer == x.From {
			db.Kill()
			db.Start()
		}
	}
	g.audit.note("OPERATOR acknowledges epoch %d (%s)", x.Epoch, x.Code)
	reason := fmt.Sprintf("answer at %v", time.Since(g.begun))
	if err := g.inside.Consent(ctx, x, "operator", reason); err != nil {
		g.audit.note("the answer is refused: %v", err)
	}
	return nil
}

// last returns the newest execution; the zero one when there is none.
func (g *game) last() (failover.Execution, error) {
	all, err := g.inside.Journal()
	if err != nil || len(all) == 0 {
		return failover.Execution{}, err
	}
	return all[len(all)-1].Execution, nil
}

// serves reports whether there is a writer that clients reach, and no execution under
// way.
func (g *game) serves() (bool, string) {
	writer, following := g.inside.Pair.Following()
	accepts := g.inside.Pair.DB(writer).Accepts()
	endpoint, _, _ := g.inside.Cloud.Resolve(drill.Witness)
	x, err := g.last()
	l, _ := g.inside.Lease()
	why := fmt.Sprintf("writer %s (followed %v, accepts %v), endpoint %s, lease epoch %d of %s, execution %q %s %s %v",
		writer, following, accepts, endpoint, l.Epoch, l.Holder, x.ID, x.State, x.Code, err)
	return err == nil && accepts && endpoint == writer && (x.ID == "" || x.State.Ended()), why
}

// live holds the time after the heal against its bound.
func (g *game) live() {
	if g.healed.IsZero() {
		return
	}
	ok, why := g.serves()
	switch since := time.Since(g.healed); {
	case ok && g.good.IsZero():
		g.good = time.Now()
	case !ok && since > Bound:
		g.good = time.Time{}
		g.audit.fail("liveness", "no writer %v after the last heal: %s", Bound, why)
	case !ok:
		g.good = time.Time{}
	}
}

// observe keeps what a Region's functions ask of another Region.
func (g *game) observe(e cloud.Exchange) {
	if e.From == "" || e.From == e.To {
		return
	}
	if e.Service == cloud.DynamoDB {
		return // a replica of the lease store, which every member may ask
	}
	if e.Service == cloud.RDS && (e.Operation == "DescribeDBClusters" || e.Operation == "DescribeDBInstances") {
		return // a probe, which may ask anywhere
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = append(g.away, e)
}

// problem notes when a Region could not cut its writer off.
func (g *game) problem(p dr.Problem) {
	if p.Op != "isolate writer" || g.audit == nil {
		return
	}
	g.audit.mu.Lock()
	defer g.audit.mu.Unlock()
	g.audit.helpless[p.Region] = p.At
}

// outcome sums up.
func (g *game) outcome() (Outcome, error) {
	marks, err := g.world.Marks(context.Background())
	if err != nil {
		return Outcome{}, err
	}
	a := g.audit
	lines := slices.Clone(a.log)
	offset := time.Since(g.begun) - g.world.Clock() // zero, unless Up has taken time before
	for _, m := range marks {
		lines = append(lines, line{m.At + offset, fmt.Sprintf("%-22s %s %s  %s", m.Source, m.Name, m.Region, m.Detail)})
	}
	// What ends at one deadline ends in no order of its own.
	slices.SortFunc(lines, func(x, y line) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.text, y.text)) })
	var story strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&story, "%9.3fs  %s\n", l.at.Seconds(), l.text)
	}
	out := Outcome{Violations: a.broken, Rules: a.rules, Excused: a.excused, Seen: a.seen, Story: story.String()}
	if Due(g.Plan) {
		out.Writable = g.audit.writable
	}
	return out, nil
}
