package failover_test

import (
	"strings"
	"testing"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// The ways in which a call of an interface may go wrong, beside those of every layer.
var (
	unheard   = crashpoint.Way{Name: "unheard", Done: true, End: crashpoint.Refusal}
	hangsDone = crashpoint.Way{Name: "hangs-done", Done: true, End: crashpoint.Silence}
)

// TestCrashPoints lets, in one world each, the n-th call of every port of the acting Region
// go wrong, for every n from the fault on and in every way: refused, carried out but
// unheard, hanging, throttled, and the process killed before, after and on the answer.
// Whatever it is, the same execution settles with one promotion and one epoch, at most
// five seconds later (after a burst of throttling: than the burst).
//
// LIFEBOAT_POINTS=all tries every point, LIFEBOAT_POINTS=n every n-th, and
// LIFEBOAT_POINT=course:process/call/n/way replays one. Under the race detector, which
// makes a world ten times as slow, the default is every 23rd, else every fifth.
func TestCrashPoints(t *testing.T) {
	crashpoint.Suite{
		Replay: "go test ./pkg/dr/failover -run TestCrashPoints -v",
		Ways: []crashpoint.Way{
			crashpoint.Refused, unheard, crashpoint.Hangs, hangsDone, crashpoint.Throttled,
			crashpoint.Killed, crashpoint.KilledDone, crashpoint.KilledHeard,
		},
		Stride:  defaultStride,
		Message: func(p crashpoint.Port) bool { return strings.HasSuffix(string(p), "/"+string(drtest.OpNotify)) },
		Build:   crashWorld,
	}.Run(t)
}

func crashWorld(s *crashpoint.Stage) crashpoint.World {
	r := newRig(s.T, s.Policy)
	r.breaks(latency)
	return crashpoint.World{
		Topology: topology, Pair: r.Pair, Newest: r.Store.Newest, Entries: r.Store.Entries, Close: r.end,
		Monitor: func(region dr.Region, process string) failover.MonitorConfig {
			cfg := r.Monitor(region, s.Policy, s.Trace)
			cfg.Notifier = crashpoint.Quiet{}
			if process == "" {
				return cfg
			}
			return monitorThrough(s.Wires, process, cfg)
		},
		Trigger: func(process string) failover.TriggerConfig {
			return triggerThrough(s.Wires, process, r.Trigger(west, s.Policy, s.Trace))
		},
		Witness: func() failover.WitnessConfig { return r.Witness(s.Policy, s.Trace) },
		Controller: func(process string) failover.ControllerConfig {
			return controllerThrough(s.Wires, process, r.World.Controller(west, s.Policy, nil, s.Trace))
		},
		Cut:         func(cut bool) { r.CutRegion(east, cut) },
		Acknowledge: r.Store.At(witness).Acknowledge,
		Ending: func() crashpoint.Ending {
			l, _ := r.Store.Lease()
			return crashpoint.Ending{Moves: r.Cluster.Moves(), Lease: l, Lands: r.Router.Target(), Told: r.Notifiers[west].Messages()}
		},
	}
}
