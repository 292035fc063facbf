package docker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
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
// server it is. It is false for faults that no client of a server could see.
func (w *world) vantage(f fault.Fault) (from, server dr.Region, visible bool) {
	t := w.setup.Topology
	server = f.Region
	switch f.Kind {
	case fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate:
		from = t.Witness
		if server == t.Witness {
			return "", "", false
		}
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
		if err := pause(ctx); err != nil {
			return 0, fmt.Errorf("docker: %s has had no effect: %w", f, err)
		}
	}
}

// look asks once whether a fault has had its effect, and since when.
func (w *world) look(ctx context.Context, f fault.Fault, e effect) (at time.Duration, seen bool, err error) {
	switch {
	case e.from != "":
		turns, err := w.turns(ctx, e.from, e.name)
		for _, t := range turns {
			// The question may have been under way when the fault struck.
			if t.Outcome != ProbeOK && t.Told >= e.since {
				return max(t.Asked, e.done), true, nil
			}
		}
		return 0, false, err
	case f.Kind == fault.ReplicationLag:
		asked := w.Clock()
		lag, err := w.lag(ctx, f.Peer)
		return asked, err == nil && lag >= f.Duration/2, err
	case f.Kind == fault.KillMonitor:
		return w.ended(ctx, f.Region, functions.Monitor, e)
	case f.Kind == fault.StopMonitor, f.Kind == fault.LambdaDown:
		at, ended, err := w.ended(ctx, f.Region, functions.Monitor, e)
		if err != nil || ended {
			return at, ended, err
		}
		return e.done, true, nil // none ran between two ticks, and none comes
	case f.Kind == fault.KillController:
		return w.ended(ctx, f.Region, functions.Trigger, e)
	case f.Kind == fault.ThrottleRDS, byLambda(f.Kind):
		return e.done, true, nil // who throttles, loses or delays says that it does
	}
	return e.since, true, nil // a Region without a server: nothing could tell
}

// ended asks when the last process of a function has ended, and whether that was
// since the injection began.
func (w *world) ended(ctx context.Context, r dr.Region, function string, e effect) (time.Duration, bool, error) {
	var st functions.Status
	err := w.fleet.byName[lambdaName(r)].Get(ctx, "/lambda/status", &st)
	at := time.Duration(st[function].Ended)
	return at, err == nil && at >= e.since, err
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
