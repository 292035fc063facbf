package drill

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// comeback is how long after a heal a Region's monitor may need to be at work again
// and to have fenced or opened its writer: a tick of the drills' schedule, which is
// 10 s, a start, and what a guard waits when it starts.
const comeback = 15 * time.Second

// fast is an RTO that leaves no room for a slow controller: Lifeboat's own share, and
// twice the longest promotion that the targets draw.
var fast = dr.DefaultPolicy().Objectives.OwnShare + 10*time.Second

// everywhere is one fault in each Region.
func everywhere(at time.Duration, f fault.Fault) fault.Plan {
	var p fault.Plan
	for _, r := range Topology().Vantages() {
		f.Region = r
		p = append(p, fault.Step{Fault: f, At: at})
	}
	return p
}

// with adds a blackout of the writer's Region at the fault instant to what was
// prepared.
func withBlackout(p fault.Plan) fault.Plan {
	return append(p, fault.Step{Fault: fault.Fault{Kind: fault.Blackout, Region: East}})
}

// watchdogWindow is how long a writer whose monitor has died inside a cut may go on
// acknowledging to its own side, until its watchdog stops it: the lease's time, less
// what the watchdog leaves for a heartbeat that commits late.
func watchdogWindow(p dr.Policy) time.Duration {
	p = p.WithDefaults()
	return p.LeaseTTL - min(p.CallTimeout, p.LeaseTTL/6)
}

// functions are the scenarios in which the functions are broken, alone or together
// with a Region. The databases of these Regions are fine until a Region goes.
func functions() []Scenario {
	watched := dr.Policy{Watchdog: true}
	crash := fault.Plan{
		{Fault: fault.Fault{Kind: fault.Isolate, Region: East}},
		{Fault: fault.Fault{Kind: fault.StopMonitor, Region: East}, At: time.Second},
	}
	unseen := measure.Expect{Behaviour: measure.MustNotFailOver, NoOutage: true, Suspects: true}
	return []Scenario{{
		Name:    "monitor-crash-inside-partition",
		Summary: "the writer's Region is cut off and its monitor dies inside the cut: the watchdog stops the writer",
		Plan:    crash, Faulted: East, Clients: []Client{outside, inside}, Policy: watched, AfterHeal: comeback,
		Expect: measure.Expect{Behaviour: measure.MustFailOver, PartitionWindow: watchdogWindow(watched), Unguarded: true},
	}, {
		// The one exception of invariant 1: without the watchdog no process is left that
		// could stop the writer. What it acknowledges must be found, counted and listed.
		Name:    "monitor-crash-unwatched",
		Summary: "the same without the watchdog: what the old writer acknowledges until the heal is counted and listed",
		Plan:    crash, Faulted: East, Clients: []Client{outside, inside}, AfterHeal: comeback + 5*time.Second,
		Expect: measure.Expect{Behaviour: measure.MustFailOver, Unfenced: comeback, Unguarded: true},
	}, {
		Name:    "missed-ticks",
		Summary: "every Region's schedule loses its ticks, and the writer's Region falls silent while they are missing",
		Plan:    withBlackout(everywhere(-35*time.Second, fault.Fault{Kind: fault.LoseTicks})),
		Faulted: East, Clients: []Client{outside, insideEndpoint}, AfterHeal: comeback,
		Expect: measure.Expect{Behaviour: measure.MustFailOver, MaxRTO: fast},
	}, {
		Name:    "doubled-ticks",
		Summary: "every tick comes twice in every Region, and the writer's Region falls silent",
		Plan:    withBlackout(everywhere(-25*time.Second, fault.Fault{Kind: fault.DoubleTicks})),
		Faulted: East, Clients: []Client{outside, insideEndpoint}, AfterHeal: comeback,
		Expect: measure.Expect{Behaviour: measure.MustFailOver, MaxRTO: fast},
	}, {
		Name:    "lambda-cold-everywhere",
		Summary: "every new process takes a second longer to start in every Region, and the writer's Region falls silent",
		Plan:    withBlackout(everywhere(-25*time.Second, fault.Fault{Kind: fault.ColdStart, Duration: time.Second})),
		Faulted: East, Clients: []Client{outside, insideEndpoint}, AfterHeal: comeback,
		Expect: measure.Expect{Behaviour: measure.MustFailOver, MaxRTO: fast + time.Second},
	}, {
		Name:    "lambda-service-down-in-writer-region",
		Summary: "no function runs in the writer's Region; its lease runs out, its database serves, and clients see nothing",
		Plan:    fault.All(fault.Fault{Kind: fault.LambdaDown, Region: East}),
		Clients: []Client{outside, inside}, AfterHeal: comeback, Expect: unseen,
	}, {
		Name:    "lambda-down-watched",
		Summary: "the same with the watchdog: the writer stops itself, until a failover or, when a person is asked, the heal",
		Plan:    fault.All(fault.Fault{Kind: fault.LambdaDown, Region: East}),
		Clients: []Client{outside, insideEndpoint}, Policy: watched, AfterHeal: comeback + 10*time.Second,
		Expect: measure.Expect{Behaviour: measure.MayFailOver, NoLoss: true, Suspects: true},
	}, {
		Name:    "monitor-killed-mid-loop",
		Summary: "the monitor in the writer's Region is killed and the ticks after it are lost, for longer than its lease lasts",
		Plan: fault.Plan{
			{Fault: fault.Fault{Kind: fault.LoseTicks, Region: East}, At: -time.Millisecond},
			{Fault: fault.Fault{Kind: fault.KillMonitor, Region: East}},
		},
		Clients: []Client{outside, inside}, AfterHeal: comeback, Expect: unseen,
	}, {
		Name:    "trigger-killed-after-each-step",
		Summary: "the writer's Region falls silent, and the trigger that moves the writer is killed after every step",
		Plan:    withBlackout(fault.Plan{{Fault: fault.Fault{Kind: fault.KillSteps, Region: West}, At: -time.Second}}),
		Faulted: East, Clients: []Client{outside, insideEndpoint}, Expect: automatic,
	}, {
		Name:    "duplicate-trigger",
		Summary: "the writer's Region falls silent, and every invocation of the trigger is carried out twice at once",
		Plan:    withBlackout(fault.Plan{{Fault: fault.Fault{Kind: fault.DoubleTrigger, Region: West}, At: -time.Second}}),
		Faulted: East, Clients: []Client{outside, insideEndpoint},
		Expect: measure.Expect{Behaviour: measure.MustFailOver, MaxRTO: fast},
	}, {
		Name:    "throttled-rds-api",
		Summary: "the writer's Region falls silent, and the RDS API that must promote is throttled for 10 s when it is asked",
		// The promotion is asked for 6 to 10 s after the fault.
		Plan: append(withBlackout(nil), fault.Step{
			Fault: fault.Fault{Kind: fault.ThrottleRDS, Region: West, Duration: throttled}, At: throttledAt,
		}),
		Faulted: East, Clients: []Client{outside, insideEndpoint},
		Expect: measure.Expect{Behaviour: measure.MustFailOver, MaxRTO: fast + throttled, HeldUntil: throttledAt + throttled},
	}, {
		Name:    "rds-api-throttled-everywhere",
		Summary: "the RDS API of both members is throttled and nothing else is wrong: an error is not a dead Region",
		Plan: fault.All(
			fault.Fault{Kind: fault.ThrottleRDS, Region: East, Duration: time.Minute},
			fault.Fault{Kind: fault.ThrottleRDS, Region: West, Duration: time.Minute},
		),
		Clients: []Client{outside, inside},
		Expect:  measure.Expect{Behaviour: measure.MustNotFailOver, NoOutage: true},
	}}
}

// throttledAt and throttled are when the RDS API is throttled, and for how long.
const (
	throttledAt = 4 * time.Second
	throttled   = 10 * time.Second
)
