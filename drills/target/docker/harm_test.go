package docker_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// harmCase is something that is no loss of a Region.
type harmCase struct {
	name  string
	fault fault.Fault
	moves bool // AWS moves the writer; otherwise nothing may change at all
	lossy bool // AWS itself may lose writes
}

func harmCases() []harmCase {
	return []harmCase{
		{name: "console-switchover", fault: fault.Fault{Kind: fault.Console, Region: drill.West, How: fault.Switchover}, moves: true},
		{name: "console-failover", fault: fault.Fault{Kind: fault.Console, Region: drill.West, How: fault.Forced}, moves: true, lossy: true},
		{name: "store-refused-in-the-writers-region", fault: fault.Fault{Kind: fault.Dependency, Region: drill.East, Service: fault.DynamoDB, How: fault.Refuse}},
		{name: "store-refused-everywhere", fault: fault.Fault{Kind: fault.Dependency, Region: fault.Everywhere, Service: fault.DynamoDB, How: fault.Refuse}},
		{name: "too-many-connections", fault: fault.Fault{Kind: fault.Database, Region: drill.East, How: fault.Full}},
	}
}

// The parts of a run: before the fault, under it, and after the heal.
const (
	harmBefore = 4 * time.Second
	harmUnder  = 25 * time.Second // more than twice the tick, so that every monitor hands over
	harmMoved  = 20 * time.Second // the same where AWS moves the writer: twice harmAdopt
	harmAfter  = 6 * time.Second
	// harmAdopt is within what a server accepts writes after AWS's own move has ended.
	harmAdopt = 10 * time.Second
)

// TestHarmOnMySQL plays what AWS's services, applications and people do to a healthy
// deployment, on two real servers. DRILL_REPEAT is how many runs each case gets,
// DRILL_SEED the seed of the first; make drills-docker plays each once.
func TestHarmOnMySQL(t *testing.T) {
	needDocker(t)
	settings, err := drill.FromEnv(os.Getenv)
	require.NoError(t, err)
	// With one session, kept, a client opens no other one because its server is slow.
	target := docker.New(docker.Options{Keep: true, Sessions: 1})
	t.Cleanup(func() { require.NoError(t, target.Close(context.WithoutCancel(t.Context()))) })
	for _, c := range harmCases() {
		t.Run(c.name, func(t *testing.T) {
			for i := range uint64(settings.Repeat) {
				seed := settings.Seed + i
				t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
					h := sufferOnMySQL(t, target, c, seed)
					t.Logf("%s: %s", c.name, h)
					for _, wrong := range h.wrong(c) {
						t.Errorf("%s: %s", c.name, wrong)
					}
					if t.Failed() {
						t.Logf("%s\n%s", h.story(), h.outputs)
					}
				})
			}
		})
	}
}

// harmed is what came of a run. Times are on the run's clock.
type harmed struct {
	at        time.Duration // the injection
	effective time.Duration
	ops       []workload.Op
	marks     []measure.Mark
	survivors map[int64]bool
	promoted  time.Duration // the end of AWS's own move; zero for none
	accepted  time.Duration // its beginning
	reboots   int
	messages  []string
	told      time.Duration // the first message after the injection; zero for none
	writer    dr.Region     // as the control plane has it
	open      []dr.Region   // the servers that accept writes at the end
	lease     map[string]string
	outputs   string
}

func sufferOnMySQL(t *testing.T, target *docker.Target, c harmCase, seed uint64) *harmed {
	t.Helper()
	f, under := c.fault, harmUnder
	if c.moves {
		under = harmMoved
	}
	w, err := target.Up(t.Context(), drill.Setup{
		Topology: drill.Topology(), Writer: drill.East, Seed: seed,
		Clients: []drill.Client{{Name: "outside", Region: drill.Witness, Rate: 10}, {Name: "inside", Region: drill.East, Rate: 10, Pinned: true}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close(context.WithoutCancel(t.Context()))) })
	load, stop := context.WithCancel(t.Context())
	defer stop()
	type loaded struct {
		ops []workload.Op
		err error
	}
	ended := make(chan loaded, 1)
	go func() {
		ops, err := w.Load(load, nil)
		ended <- loaded{ops, err}
	}()
	<-time.NewTimer(harmBefore).C
	h := &harmed{at: w.Clock()}
	set := fault.NewSet(w, 0)
	injected := set.Inject(t.Context(), f)
	h.effective, err = w.Effective(t.Context(), f)
	<-time.NewTimer(under - (w.Clock() - h.at)).C
	healed := set.Heal(context.WithoutCancel(t.Context()))
	<-time.NewTimer(harmAfter).C
	stop()
	done := <-ended
	require.NoError(t, injected)
	require.NoError(t, err)
	require.NoError(t, healed)
	require.NoError(t, done.err)
	h.ops = done.ops
	h.gather(t, w, f)
	return h
}

// gather reads what is left of a run.
func (h *harmed) gather(t *testing.T, w drill.World, f fault.Fault) {
	t.Helper()
	ctx, inside := t.Context(), docker.Look(w)
	var err error
	h.marks, err = w.Marks(ctx)
	require.NoError(t, err)
	slices.SortStableFunc(h.marks, func(a, b measure.Mark) int { return cmp.Compare(a.At, b.At) })
	events, origin, err := inside.Events(ctx)
	require.NoError(t, err)
	for _, op := range events.Operations {
		if f.Kind == fault.Console && op.To == f.Region && op.Promote > 0 && h.promoted == 0 {
			h.accepted = time.Duration(op.Accepted - origin)
			h.promoted = h.accepted + op.Promote
		}
	}
	for _, e := range events.Events {
		if e.ID == "RDS-EVENT-0004" { // DB instance restarted
			h.reboots++
		}
	}
	for _, m := range events.Messages {
		at := time.Duration(m.At - origin)
		h.messages = append(h.messages, fmt.Sprintf("%8.3f s  %s: %s", at.Seconds(), m.Region, m.Subject))
		if at >= h.at && (h.told == 0 || at < h.told) {
			h.told = at
		}
	}
	h.writer, err = w.Writer(ctx)
	require.NoError(t, err)
	for _, r := range drill.Topology().Members {
		open, err := inside.Accepts(ctx, r)
		require.NoError(t, err)
		if open {
			h.open = append(h.open, r)
		}
	}
	h.lease, err = inside.Lease(ctx)
	require.NoError(t, err)
	ids, err := w.Survivors(ctx, h.writer)
	require.NoError(t, err)
	h.survivors = make(map[int64]bool, len(ids))
	for _, id := range ids {
		h.survivors[id] = true
	}
	h.outputs = inside.Outputs()
}

// wrong returns what must not be.
func (h *harmed) wrong(c harmCase) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	writer := drill.East
	if c.moves {
		writer = c.fault.Region
	}
	if h.writer != writer || !slices.Equal(h.open, []dr.Region{writer}) || dr.Region(h.lease["holder"]) != writer {
		bad("the control plane has the writer in %s, writes are accepted in %v, the lease is with %s: all must be %s", h.writer, h.open, h.lease["holder"], writer)
	}
	if n := len(h.dual()); n > 0 {
		bad("%d writes were acknowledged by %s after the first one by %s", n, drill.East, writer)
	}
	if n := h.lost(); n > 0 && !c.lossy {
		bad("%d acknowledged writes are lost", n)
	}
	if h.reboots > 0 {
		bad("%d reboots", h.reboots)
	}
	if c.moves {
		if h.promoted == 0 {
			bad("AWS has not moved the writer")
		}
		if first := h.firstWrite(); first < 0 || first > harmAdopt {
			bad("the first accepted write came %v after AWS's own move, at most %v are allowed", first, harmAdopt)
		}
		if h.told == 0 {
			bad("no message tells people of the move")
		}
		return out
	}
	for _, client := range []string{"outside", "inside"} {
		if failed := h.failed(client); len(failed) > 0 {
			bad("%d writes of client %s failed, the first at %v: %s", len(failed), client, failed[0].Intended, failed[0].Error)
		}
	}
	if n := h.fences(); n > 0 {
		bad("%d fences", n)
	}
	return out
}

// String is the run on one line.
func (h *harmed) String() string {
	first := "-"
	if h.promoted > 0 {
		first = fmt.Sprintf("%.3f s (AWS took %.3f s)", h.firstWrite().Seconds(), (h.promoted - h.accepted).Seconds())
	}
	told := "-"
	if h.told > 0 {
		told = fmt.Sprintf("%.1f s", (h.told - h.at).Seconds())
	}
	return fmt.Sprintf("effect after %.3f s; failed writes outside %d inside %d of %d; longest gap outside %.3f s; fences %d; reboots %d; writer %s, open %v, lease %s of %s; both acknowledged %d; lost %d; first write after AWS's move %s; people told after %s, %d messages",
		(h.effective - h.at).Seconds(), len(h.failed("outside")), len(h.failed("inside")), len(h.ops), h.gap("outside").Seconds(), h.fences(), h.reboots, h.writer, h.open,
		h.lease["epoch"], h.lease["holder"], len(h.dual()), h.lost(), first, told, len(h.messages))
}

// failed returns the writes of a client that were not acknowledged.
func (h *harmed) failed(client string) []workload.Op {
	return slices.DeleteFunc(slices.Clone(h.ops), func(op workload.Op) bool {
		return op.Client != client || op.Outcome == workload.OK
	})
}

// acknowledged returns the writes that were, in the order of their acknowledgements.
func (h *harmed) acknowledged() []workload.Op {
	out := slices.DeleteFunc(slices.Clone(h.ops), func(op workload.Op) bool { return op.Outcome != workload.OK })
	slices.SortFunc(out, func(a, b workload.Op) int { return cmp.Compare(a.End, b.End) })
	return out
}

// gap is the longest time between two acknowledgements to a client, from the fault on.
func (h *harmed) gap(client string) (longest time.Duration) {
	last := time.Duration(-1)
	for _, op := range h.acknowledged() {
		if op.Client != client {
			continue
		}
		if last >= 0 && op.End >= h.at {
			longest = max(longest, op.End-last)
		}
		last = op.End
	}
	return longest
}

// firstWrite is when a server accepted the first client's write after AWS's own move of the
// writer had ended, counted from that end; negative if none did.
func (h *harmed) firstWrite() time.Duration {
	for _, op := range h.acknowledged() {
		if op.Server == h.writer && op.Server != drill.East {
			return max(0, op.End-h.promoted)
		}
	}
	return -1
}

// dual returns the writes that the old writer acknowledged after the new one's first.
func (h *harmed) dual() (out []workload.Op) {
	moved := false
	for _, op := range h.acknowledged() {
		moved = moved || op.Server != drill.East
		if moved && op.Server == drill.East {
			out = append(out, op)
		}
	}
	return out
}

func (h *harmed) lost() (n int) {
	for _, op := range h.acknowledged() {
		if !h.survivors[op.ID] {
			n++
		}
	}
	return n
}

func (h *harmed) fences() (n int) {
	for _, m := range h.marks {
		if m.At >= h.at && (m.Name == "lease."+dr.LeaseFenced || m.Name == "lease."+dr.LeaseIsolated) {
			n++
		}
	}
	return n
}

// story is what happened, for the day a run fails.
func (h *harmed) story() string {
	var out strings.Builder
	fmt.Fprintf(&out, "injected at %v\n", h.at)
	for _, m := range h.marks {
		if m.At >= h.at-time.Second {
			fmt.Fprintf(&out, "%8.3f s  %-22s %-24s %s %s\n", m.At.Seconds(), m.Source, m.Name, m.Region, m.Detail)
		}
	}
	for _, m := range h.messages {
		fmt.Fprintf(&out, "message %s\n", m)
	}
	return out.String()
}
