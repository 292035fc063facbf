package failover

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
)

// Rows of the heartbeat table that are not a guard's own: of a guard whose grants are old
// and of one that stays behind.
const (
	unrenewed = "/unrenewed"
	behindRow = "/rear"
)

// PromiseRow is the end of the name of the row in which a member promises to leave the
// lease alone. In place of an epoch it holds the generation of the process that promises,
// so that the database refuses an older one, and its number is that of the heartbeat write
// that is named.
const PromiseRow = "/promise"

// perform does what the machine has asked for, within its deadline, and returns what came
// of it.
func (g *Guard) perform(ctx context.Context, e guard.Effect) guard.Input {
	in := guard.Input{Kind: guard.Answered, ID: e.ID, Seq: e.Seq}
	call, cancel := context.WithDeadline(ctx, g.origin.Add(e.Until))
	defer cancel()
	var err error
	op := performs[e.Kind]
	switch e.Kind {
	case guard.Beat:
		err = g.cfg.Beater.Beat(call, Beat{Region: g.row(e.Row), Epoch: e.Epoch, Seq: g.base + e.Seq})
		if e.Quiet || errors.Is(err, ErrReadOnly) || errors.Is(err, ErrNotWriter) {
			op = "" // the machine sees to it
		}
	case guard.Renew:
		in.Lease, err = g.cfg.Leaser.RenewLease(call, e.Lease)
	case guard.Release:
		in.Lease, err = g.cfg.Releaser.ReleaseLease(call, e.Lease)
	case guard.ReadLease:
		in.Lease, err = g.cfg.Leaser.ReadLease(call)
		if errors.Is(err, ErrNoLease) {
			err = nil // the store has answered
		}
		op = ""
	case guard.Fence:
		err = g.cfg.Fencer.Fence(call, e.Epoch)
		if e.Quiet {
			op = "keep the database read-only"
		}
	case guard.Isolate:
		err = g.cfg.Isolator.Isolate(call, e.Epoch)
	case guard.Open:
		err = g.cfg.Fencer.Open(call, e.Epoch)
		if errors.Is(err, ErrNotWriter) {
			op = ""
		}
	case guard.AskRole:
		var role Role
		role, err = g.cfg.Roles.Role(call)
		in.Server = guard.Secondary
		if role == RoleWriter {
			in.Server = guard.Writer
		}
	case guard.AskPlane:
		in.Here, in.Moved, err = placed(call, g.cfg.Plane, g.cfg.Region)
	case guard.ReadPromise:
		in.Epoch, in.Seq, err = g.read(call, g.cfg.Promises, g.cfg.Peer+PromiseRow)
	case guard.ReadReplica:
		in.Epoch, in.Seq, err = g.read(call, g.cfg.Replica, g.row(e.Row))
		op = ""
	case guard.InstallWatchdog:
		err = g.cfg.Fencer.(Watchdog).InstallWatchdog(call, g.cfg.Policy.WatchdogAfter())
	case guard.CheckWatchdog:
		in.Awake, err = g.cfg.Fencer.(WatchdogKeeper).CheckWatchdog(call, g.cfg.Policy.WatchdogAfter())
	case guard.RemoveWatchdog:
		err = g.cfg.Fencer.(WatchdogKeeper).RemoveWatchdog(call)
	}
	in.Result = result(err)
	switch e.Kind {
	case guard.Beat, guard.Fence, guard.Open, guard.AskRole:
		g.hear(in.Result)
	}
	if e.Kind == guard.Renew && in.Result == guard.Silent && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		in.Result = guard.Refused // the store has answered that it does not renew now
	}
	if err == nil && (e.Kind == guard.Renew || e.Kind == guard.Release) {
		g.cfg.Watch.Observe(in.Lease, time.Now())
	}
	if err != nil && in.Result != guard.Moved && op != "" && ctx.Err() == nil {
		g.problem(op, err)
	}
	return in
}

// hear notes an answer of the local server from which its guard learns that it can act on it.
func (g *Guard) hear(r guard.Result) {
	switch r {
	case guard.Done, guard.ReadOnly, guard.NotWriter:
		g.mu.Lock()
		g.heard = g.now()
		g.mu.Unlock()
	}
}

// performs are the operations of a guard as people read them.
var performs = map[guard.Does]string{
	guard.Beat: "heartbeat write", guard.Renew: "renew lease", guard.Release: "release lease", guard.Fence: "fence writer",
	guard.Isolate: "isolate writer", guard.Open: "open writer", guard.AskRole: "ask the server for its role",
	guard.AskPlane:    "ask where the writer is",
	guard.ReadPromise: "read the peer's promise", guard.InstallWatchdog: "install the watchdog",
	guard.CheckWatchdog: "check the watchdog", guard.RemoveWatchdog: "remove the watchdog",
}

// read reads a row of heartbeats. Its number is one of this process's, or 0.
func (g *Guard) read(ctx context.Context, from ReplicaReader, row dr.Region) (dr.Epoch, uint64, error) {
	got, err := from.Replicated(ctx, row)
	if got.Seq <= g.base {
		return got.Epoch, 0, err
	}
	return got.Epoch, got.Seq - g.base, err
}

func (g *Guard) row(r guard.Row) dr.Region {
	switch r {
	case guard.RowUnrenewed:
		return g.cfg.Region + unrenewed
	case guard.RowBehind:
		return g.cfg.Region + behindRow
	}
	return g.cfg.Region
}

// result is what the machine learns of an error.
func result(err error) guard.Result {
	if errors.Is(err, ErrLeaseMoved) {
		return guard.Moved
	}
	switch ReplyOf(err) {
	case ReplyCommitted:
		return guard.Done
	case ReplyNotAsked:
		return guard.NotAsked
	case ReplyAnswered:
		return guard.Refused
	case ReplyReadOnly:
		return guard.ReadOnly
	case ReplyNotWriter:
		return guard.NotWriter
	case ReplyRefusesWrites:
		return guard.NoWrites
	}
	return guard.Silent
}

// refreshEvery is how often an isolator looks up what it would act on.
const refreshEvery = time.Minute

func (g *Guard) refreshLoop(ctx context.Context, r Refresher) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		call, cancel := context.WithTimeout(ctx, g.cfg.Policy.CallTimeout)
		err := r.Refresh(call)
		cancel()
		if err != nil && ctx.Err() == nil {
			g.problem("look up the writer instance", err)
		}
		if !next(ctx, tick) {
			return
		}
	}
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
