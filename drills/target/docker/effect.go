package docker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clients"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// effect is the watch that is to see a fault.
type effect struct {
	from  dr.Region // where it asks
	name  string
	since time.Duration // when the injection began
	done  time.Duration // when all of it had been carried out
}

// vantage returns where the effect of a fault on a server is seen from, and whose
// server it is. It is false for faults that no client of a server could see. The witness
// has no server: what is cut off there can't see the writer's.
func (w *world) vantage(f fault.Fault) (from, server dr.Region, visible bool) {
	t := w.setup.Topology
	server = f.Region
	switch f.Kind {
	case fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate:
		from = t.Witness
		if server == t.Witness {
			server = w.setup.Writer
			if f.Kind == fault.Kill {
				return "", "", false // its functions alone
			}
		}
	case fault.Database:
		from = f.Region // new sessions are refused, wherever they come from
	case fault.CutLink:
		from = f.Peer
		if server == t.Witness {
			from, server = server, f.Peer
		}
	default:
		return "", "", false
	}
	return from, server, true
}

// expect starts the watch for a fault that is about to be injected, and waits
// until its question has been answered once.
func (w *world) expect(ctx context.Context, f fault.Fault) error {
	from, server, visible := w.vantage(f)
	e := effect{from: from, name: "effect " + f.String()}
	if visible {
		err := w.watch(ctx, from, clients.Watch{
			Name: e.name, Kind: clients.Answers, Address: w.database(server).Endpoint().String(), Timeout: answerTimeout,
		})
		if err != nil {
			return err
		}
		if err := w.answered(ctx, e); err != nil {
			return err
		}
	}
	e.since = w.Clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[f.String()] = e
	return nil
}

// injected notes that a fault has been carried out everywhere.
func (w *world) injected(f fault.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.faults[f.String()]
	e.done = w.Clock()
	w.faults[f.String()] = e
}

// answered waits for the first answer to a watch. One that says no is good
// enough: then an earlier fault has the same effect.
func (w *world) answered(ctx context.Context, e effect) error {
	for {
		turns, err := w.turns(ctx, e.from, e.name)
		if err != nil || len(turns) > 0 {
			return err
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("docker: %s from %s: no answer: %w", e.name, e.from, err)
		}
	}
}

// Effective implements drill.Observer.
func (w *world) Effective(ctx context.Context, f fault.Fault) (time.Duration, error) {
	w.mu.Lock()
	e, injected := w.faults[f.String()]
	w.mu.Unlock()
	if !injected {
		return 0, fmt.Errorf("docker: %s has not been injected", f)
	}
	if e.done == 0 {
		return 0, fmt.Errorf("docker: %s was injected in part only", f)
	}
	for {
		at, seen, err := w.look(ctx, f, e)
		if err != nil || seen {
			return at, err
		}
		if err := pauseFor(ctx, lookEvery); err != nil {
			return 0, fmt.Errorf("docker: %s has had no effect: %w", f, err)
		}
	}
}

// lookEvery is how often an effect is looked for. What tells has noted when it was.
const lookEvery = 100 * time.Millisecond

// look asks once whether a fault has had its effect, and since when. What the switch of
// a fault says is no answer: a fault that does nothing is to show nothing.
func (w *world) look(ctx context.Context, f fault.Fault, e effect) (at time.Duration, seen bool, err error) {
	switch {
	case e.from != "":
		turns, err := w.turns(ctx, e.from, e.name)
		for _, t := range turns {
			// The question may have been under way when the fault struck.
			if t.Outcome != ProbeOK && t.Told >= e.since && (f.Kind != fault.Database || full(t)) {
				return max(t.Asked, e.done), true, nil
			}
		}
		return 0, false, err
	case f.Kind == fault.ReplicationLag:
		asked := w.Clock()
		lag, err := w.lag(ctx, f.Peer)
		return asked, err == nil && lag >= f.Duration/2, err
	case f.Kind == fault.ThrottleRDS:
		return w.throttled(ctx, f.Region, e)
	case f.Kind == fault.Dependency:
		return w.refused(ctx, f, e)
	case f.Kind == fault.Console:
		return w.moved(ctx, f, e)
	case f.Kind == fault.Kill, byLambda(f.Kind):
		return w.noted(ctx, f, e)
	case f.Kind == fault.None:
		return e.since, true, nil
	}
	return 0, false, fmt.Errorf("docker: nothing could see %s", f)
}

// throttled asks when a Region's RDS API has last throttled a caller.
func (w *world) throttled(ctx context.Context, r dr.Region, e effect) (time.Duration, bool, error) {
	return w.counted(ctx, "/cloud/throttled", e, func(other dr.Region) bool { return r == other })
}

// noted reads what a Region's functions have noted, and looks for what shows a fault.
func (w *world) noted(ctx context.Context, f fault.Fault, e effect) (time.Duration, bool, error) {
	if err := w.readMarks(ctx, f.Region); err != nil {
		return 0, false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at, seen := shown(f, e.since, w.marks)
	return at, seen, nil
}

// shown returns when a fault of a Region's functions first showed in their notes, at
// since at the earliest. Two faults of one Region that do the same, such as kill its
// monitor, can't be told apart.
func shown(f fault.Fault, since time.Duration, notes []measure.Mark) (at time.Duration, seen bool) {
	for _, m := range notes {
		if m.At >= since && m.Source == functions.NotedBy(f.Region) && shows(f, m) {
			return m.At, true
		}
	}
	return 0, false
}

// shows reports whether a note is of what a fault does.
func shows(f fault.Fault, m measure.Mark) bool {
	function, how, _ := strings.Cut(m.Detail, ": ")
	monitor, trigger := function == functions.Monitor, function == functions.Trigger
	killed := m.Name == functions.NoteEnded && how == functions.ByKill
	refused := m.Name == functions.NoteRefused
	switch f.Kind {
	case fault.KillMonitor:
		return monitor && killed
	case fault.StopMonitor:
		return monitor && (killed || refused)
	case fault.Kill, fault.LambdaDown:
		return killed || refused
	case fault.KillController:
		return trigger && killed
	case fault.KillSteps:
		return trigger && m.Name == functions.NoteKilled
	case fault.LoseTicks:
		return monitor && m.Name == functions.NoteLost && how == functions.ByLoss
	case fault.DoubleTicks:
		return monitor && m.Name == functions.NoteDuplicated
	case fault.DoubleTrigger:
		return trigger && m.Name == functions.NoteTwice
	case fault.ColdStart:
		late, err := time.ParseDuration(how)
		return m.Name == functions.NoteStarted && err == nil && late >= f.Duration
	}
	return false
}

// lag returns how long the newest transaction that a server has received was on
// its way there.
func (w *world) lag(ctx context.Context, to dr.Region) (time.Duration, error) {
	rows, err := w.database(to).Query(ctx, "SELECT TIMESTAMPDIFF(MICROSECOND, last_queued_transaction_original_commit_timestamp, "+
		"last_queued_transaction_end_queue_timestamp) FROM performance_schema.replication_connection_status")
	if err != nil {
		return 0, err
	}
	if len(rows.Rows) != 1 || rows.Rows[0][0] == nil {
		return 0, nil // nothing has arrived yet
	}
	micros, err := strconv.ParseInt(*rows.Rows[0][0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("docker: lag of %s: %w", to, err)
	}
	return time.Duration(micros) * time.Microsecond, nil
}
