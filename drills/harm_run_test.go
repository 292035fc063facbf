package drills_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// harm is one case: what goes wrong, and what must be true of what came of it.
type harm struct {
	name   string
	plan   string // as fault.ParsePlan reads it; the fault instant is harmLead after the start
	policy dr.Policy
	third  dr.Region
	length time.Duration // from the fault instant on; a minute by default
	brief  time.Duration // the same unless DRILL_HARM asks for the whole length; the length by default
	person []act
	want   []check
	// was says what happened before it was mended; empty where nothing was wrong.
	was string
	// long leaves the case to DRILL_HARM=all.
	long bool
}

// act is something that a person does at a time after the fault instant.
type act struct {
	at time.Duration
	do func(*told) string // the payload for West's trigger; empty for none
}

// check is one demand on a case; it returns what is wrong, or nothing.
type check struct {
	name  string
	holds func(*told) string
}

// told is everything that came of a case. Times are offsets from the fault instant.
type told struct {
	ops      []workload.Op
	marks    []measure.Mark
	messages []message
	moves    []move
	reboots  []time.Duration
	journal  []failover.Entry
	answers  []embedded.Answer
	samples  []sample
	calls    []cloud.Exchange // to RDS
	lease    failover.Lease
	writer   dr.Region // as the control plane has it, at the end
	kept     map[int64]bool
	start    time.Time // the fault instant
	inside   embedded.Inside
	reads    int // journal entries that were there at the fault instant
}

type message struct {
	at            time.Duration
	subject, body string
}

// move is one failover or switchover of the control plane's.
type move struct {
	cloud.Operation
	console bool // asked for by a person, past Lifeboat
}

// sample says who would accept a write at a time.
type sample struct {
	at         time.Duration
	east, west bool
	endpoint   dr.Region
}

// harmLead is how long a case runs well before its fault instant.
const harmLead = 15 * time.Second

// The clients of every case.
var (
	harmOutside = drill.Client{Name: "outside", Region: drill.Witness, Rate: 5}
	harmInside  = drill.Client{Name: "inside", Region: drill.East, Rate: 5, Pinned: true}
	harmWest    = drill.Client{Name: "west", Region: drill.West, Rate: 5, Pinned: true}
)

// suffer plays a case in a bubble of its own.
func suffer(t *testing.T, h harm, seed uint64) *told {
	t.Helper()
	plan, err := fault.ParsePlan(h.plan)
	require.NoError(t, err)
	require.NoError(t, plan.Validate())
	if h.length == 0 {
		h.length = time.Minute
	}
	out := &told{}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		target := embedded.New(embedded.Config{Third: h.third, Probe: time.Second, Observe: func(e cloud.Exchange) {
			if e.Service == cloud.RDS {
				mu.Lock()
				defer mu.Unlock()
				out.calls = append(out.calls, e)
			}
		}})
		w, err := target.Up(t.Context(), drill.Setup{
			Topology: drill.Topology(), Policy: h.policy.WithDefaults(), Writer: drill.East, Seed: seed,
			Clients: []drill.Client{harmOutside, harmInside, harmWest},
		})
		require.NoError(t, err)
		out.inside, err = embedded.Look(w)
		require.NoError(t, err)
		require.NoError(t, plan.Supports(w))
		load, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			ops, err := w.Load(load, nil)
			require.NoError(t, err)
			out.ops = ops
		})
		base := w.Clock()
		out.start = time.Now().Add(harmLead)
		out.play(t, w, plan, h)
		stop()
		wg.Wait()
		out.gather(t, w, base)
		require.NoError(t, w.Close(t.Context()))
		mu.Lock()
		defer mu.Unlock()
		for i, m := range out.moves {
			// What Lifeboat asks for comes from a Region; what a person does from none.
			out.moves[i].console = !slices.ContainsFunc(out.calls, func(e cloud.Exchange) bool {
				return strings.HasSuffix(e.Operation, "GlobalCluster") && !strings.HasPrefix(e.Operation, "Describe") && e.From != "" && e.Status == 200 &&
					m.AcceptedAt.Sub(e.At).Abs() < time.Second
			})
		}
	})
	return out
}

// harmTick is how often a case looks.
const harmTick = 100 * time.Millisecond

// play injects, heals, asks and looks until the case is over.
func (o *told) play(t *testing.T, w drill.World, plan fault.Plan, h harm) {
	t.Helper()
	type step struct {
		fault.Step
		set            *fault.Set
		injected, over bool
	}
	var steps []*step
	for _, s := range plan {
		steps = append(steps, &step{Step: s, set: fault.NewSet(w, 0)})
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	asked := make([]bool, len(h.person))
	time.Sleep(harmTick*3/8 + 137*time.Nanosecond) // never at the moment of a client's write
	for now := -harmLead; now < h.length; now = time.Since(o.start) {
		for _, s := range steps {
			if !s.injected && now >= s.At {
				s.injected = true
				if err := s.set.Inject(ctx, s.Fault); err != nil {
					t.Logf("%v: %v", now, err)
				}
			}
			if s.injected && !s.over && s.For > 0 && now >= s.At+s.For {
				s.over = true
				require.NoError(t, s.set.Heal(ctx))
			}
		}
		for i, a := range h.person {
			if asked[i] || now < a.at {
				continue
			}
			asked[i] = true
			var err error
			o.journal, err = o.inside.Journal()
			require.NoError(t, err)
			payload := a.do(o)
			if payload == "" {
				continue
			}
			wg.Go(func() {
				answer, err := o.inside.Ask(ctx, drill.West, []byte(payload))
				if err != nil {
					answer.Failed = "no answer until the end of the case: " + err.Error()
				}
				mu.Lock()
				defer mu.Unlock()
				o.answers = append(o.answers, answer)
			})
		}
		endpoint, _, _ := o.inside.Cloud.Resolve(drill.Witness)
		o.samples = append(o.samples, sample{now, o.inside.Accepts(drill.East), o.inside.Accepts(drill.West), endpoint})
		time.Sleep(harmTick)
	}
	for _, s := range steps {
		require.NoError(t, s.set.Heal(ctx))
	}
}

// gather reads what is left of a case; base is the world's clock at its start.
func (o *told) gather(t *testing.T, w drill.World, base time.Duration) {
	t.Helper()
	var err error
	o.marks, err = w.Marks(t.Context())
	require.NoError(t, err)
	for i := range o.marks {
		o.marks[i].At -= base + harmLead
	}
	slices.SortStableFunc(o.marks, func(a, b measure.Mark) int { return int(a.At - b.At) })
	for i := range o.ops {
		op := &o.ops[i]
		op.Intended, op.Start, op.End = op.Intended-base-harmLead, op.Start-base-harmLead, op.End-base-harmLead
	}
	for _, p := range o.inside.Cloud.Published() {
		o.messages = append(o.messages, message{p.At.Sub(o.start), p.Subject, p.Message})
	}
	for _, op := range o.inside.Cloud.Operations() {
		o.moves = append(o.moves, move{Operation: op})
	}
	for _, e := range o.inside.Cloud.Events() {
		if e.ID == "RDS-EVENT-0004" {
			o.reboots = append(o.reboots, e.At.Sub(o.start))
		}
	}
	o.journal, err = o.inside.Journal()
	require.NoError(t, err)
	o.lease, _ = o.inside.Lease()
	o.writer = o.inside.Cloud.Writer()
	o.kept = make(map[int64]bool)
	writer, _ := o.inside.Pair.Following()
	for _, id := range o.inside.Pair.DB(writer).Rows() {
		o.kept[id] = true
	}
}

// story is what happened, for people.
func (o *told) story() string {
	var lines []string
	add := func(at time.Duration, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("%10.3f s  %s", at.Seconds(), fmt.Sprintf(format, args...)))
	}
	for _, m := range o.marks {
		if m.At > -2*time.Second {
			add(m.At, "%-20s %s %s %s", m.Source, m.Name, m.Region, m.Detail)
		}
	}
	for _, m := range o.messages {
		add(m.at, "MESSAGE %s", m.subject)
	}
	for _, m := range o.moves {
		add(m.AcceptedAt.Sub(o.start), "MOVE %s to %s by console %v, promoted at %v", m.Kind, m.To, m.console, m.PromotedAt.Sub(o.start))
	}
	for i, s := range o.samples {
		if i == 0 || s.east != o.samples[i-1].east || s.west != o.samples[i-1].west || s.endpoint != o.samples[i-1].endpoint {
			add(s.at, "accepts: east %v, west %v; endpoint %s", s.east, s.west, s.endpoint)
		}
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		var x, y float64
		_, _ = fmt.Sscan(a, &x)
		_, _ = fmt.Sscan(b, &y)
		return int((x - y) * 1e4)
	})
	for _, a := range o.answers {
		lines = append(lines, fmt.Sprintf("ANSWER %s %s %q failed %q", a.State, a.Code, a.Detail, a.Failed))
	}
	return strings.Join(lines, "\n")
}

// figures sums a case up on one line.
func (o *told) figures() string {
	failed := len(o.failed("outside", 0, 1<<62))
	return fmt.Sprintf("%d outside and %d inside writes failed, no server accepted for %v, both for %v, %d lost; %d fences, %d reboots, %d moves by Lifeboat (%d asked for), %d executions, %d questions, %d messages, lease %d of %s, writer %s",
		failed, len(o.failed("inside", 0, 1<<62)), o.dark(0), o.dual(), len(o.lost()), o.count("lease.fenced")+o.count("lease.isolated"), len(o.reboots), len(o.own()), o.orders(),
		len(o.executions()), o.count(measure.MarkOperator), len(o.messages), o.lease.Epoch, o.lease.Holder, o.writer)
}

// failed returns a client's writes that were not acknowledged, of those that were due in
// a time.
func (o *told) failed(client string, from, to time.Duration) []workload.Op {
	var out []workload.Op
	for _, op := range o.ops {
		if op.Client == client && op.Intended >= from && op.Intended < to && op.Outcome != workload.OK {
			out = append(out, op)
		}
	}
	return out
}

// count counts the marks of a name after the fault instant.
func (o *told) count(name string) int {
	n := 0
	for _, m := range o.marks {
		if m.Name == name && m.At >= 0 {
			n++
		}
	}
	return n
}

// dark is for how long the writer of the control plane accepted nothing, after a time.
func (o *told) dark(from time.Duration) time.Duration {
	var d time.Duration
	for _, s := range o.samples {
		if s.at >= from && !s.east && !s.west {
			d += harmTick
		}
	}
	return d
}

// dual is for how long both servers accepted writes.
func (o *told) dual() time.Duration {
	var d time.Duration
	for _, s := range o.samples {
		if s.east && s.west {
			d += harmTick
		}
	}
	return d
}

// lost returns the acknowledged writes that the writer at the end doesn't have.
func (o *told) lost() []workload.Op {
	var out []workload.Op
	for _, op := range o.ops {
		if op.Outcome == workload.OK && (op.Server == drill.East || op.Server == drill.West) && !o.kept[op.ID] {
			out = append(out, op)
		}
	}
	return out
}

// own returns the moves that Lifeboat asked for.
func (o *told) own() []move {
	return slices.DeleteFunc(slices.Clone(o.moves), func(m move) bool { return m.console })
}

// orders counts what Lifeboat asked RDS to promote, accepted or not.
func (o *told) orders() int {
	n := 0
	for _, e := range o.calls {
		if e.From != "" && (e.Operation == "FailoverGlobalCluster" || e.Operation == "SwitchoverGlobalCluster") {
			n++
		}
	}
	return n
}

// executions returns the last entry of each execution, oldest first.
func (o *told) executions() []failover.Execution {
	var out []failover.Execution
	for _, e := range o.journal {
		if n := len(out); n > 0 && out[n-1].ID == e.Execution.ID {
			out[n-1] = e.Execution
			continue
		}
		out = append(out, e.Execution)
	}
	return out
}
