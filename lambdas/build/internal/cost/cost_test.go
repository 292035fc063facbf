package cost_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/build/internal/cost"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

var topology = dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{"us-east-1", "us-west-2"}, Witness: "us-east-2"}

// The rates are those of running agents, for the default policy and for another.
func TestRatesAreTheAgents(t *testing.T) {
	const watched = 10 * time.Minute
	for name, policy := range map[string]dr.Policy{
		"default": {},
		"hasty": {
			ProbeInterval: time.Second, ProbeTimeout: 500 * time.Millisecond, RenewInterval: 300 * time.Millisecond,
			ObserveInterval: 200 * time.Millisecond, CallTimeout: 500 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				counted := count(t, policy, watched)
				want := cost.Loop{Policy: policy}.Rates()
				for op, rate := range map[drtest.Op]float64{
					drtest.OpRenewLease: want.Renew, drtest.OpPublish: want.Publish,
					drtest.OpReports: want.Heartbeats, drtest.OpReadLease: want.ReadLease, drtest.OpLatest: want.Journal,
				} {
					expected := rate * watched.Seconds()
					// A call that falls on an edge of what was watched counts or not: one for each that calls.
					require.InDelta(t, expected, counted[op], 0.03*expected+float64(len(topology.Vantages())), "%s", op)
					delete(counted, op)
				}
				for op := range counted {
					require.Regexp(t, `^(db|cluster)\.`, op, "the store is asked for something that the bill does not have")
				}
			})
		})
	}
}

// count runs the agents of all Regions as the monitors do, and returns what they ask.
func count(t *testing.T, policy dr.Policy, watched time.Duration) map[drtest.Op]int {
	t.Helper()
	world, err := drtest.NewWorld(drtest.WorldConfig{Topology: topology})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var agents sync.WaitGroup
	for _, region := range topology.Vantages() {
		agent, err := watching(world, region, policy)
		require.NoError(t, err)
		agents.Go(func() { _ = agent.Run(ctx) })
	}
	<-time.After(time.Minute) // the start is not what is counted
	var (
		mu      sync.Mutex
		counted = map[drtest.Op]int{}
	)
	world.Net.SetHook(func(c drtest.Call) drtest.Fault {
		mu.Lock()
		defer mu.Unlock()
		counted[c.Op]++
		return drtest.Fault{}
	})
	<-time.After(watched)
	stop()
	agents.Wait()
	return counted
}

// watching is what a Region's monitor runs. The controller is in the trigger.
func watching(world *drtest.World, region dr.Region, policy dr.Policy) (drtest.Agent, error) {
	if region == topology.Witness {
		return world.Watching(region, policy, nil)
	}
	return failover.NewMonitor(member(world, region, policy, nil))
}

func member(world *drtest.World, region dr.Region, policy dr.Policy, trace *dr.Trace) failover.MonitorConfig {
	cfg := world.Monitor(region, policy, trace)
	cfg.Mover = failover.ByTrigger{Trigger: discard{}, Journal: world.Store.At(region)}
	return cfg
}

// discard answers every request for a failover or a redirection and does nothing.
type discard struct{}

func (discard) Ask(context.Context, string) error { return nil }

// A heartbeat that has the most to say fits into the units that are billed.
func TestHeartbeatUnits(t *testing.T) {
	const key, names = "ledger/heartbeat#us-east-1", "pk sk seq report published_at 2006-01-02T15:04:05.999999999Z 1767225600000000"
	h := failover.Report{
		Region: "us-east-1", Seq: math.MaxInt64, FencedEpoch: math.MaxInt32, FencedRev: math.MaxInt64, LeaseRev: math.MaxInt64,
		LeaseUnchanged: time.Hour, Lag: &health.Lag{Value: time.Second, At: time.Now()}, At: time.Now(),
	}
	for _, f := range []health.Family{health.SQL, health.SQL, health.Heartbeat, health.Control, health.Replication, health.Witness} {
		h.Observations = append(h.Observations, failover.Observation{
			Subject: "us-west-2", Family: f, Method: strings.Repeat("m", 30), Answer: health.Dead,
			Cause: strings.Repeat("c", 80), Age: time.Second, Samples: 1000, RegionAnswers: true,
		})
	}
	report, err := json.Marshal(h)
	require.NoError(t, err)
	require.LessOrEqual(t, len(report)+len(key)+len(names), cost.Loop{}.WithDefaults().HeartbeatUnits*1024)
}

// A bill that can be worked out in the head.
func TestMonthly(t *testing.T) {
	lines := cost.Loop{
		Policy: dr.Policy{ProbeInterval: 2 * time.Second, RenewInterval: time.Second, ObserveInterval: 500 * time.Millisecond},
		Memory: 1024, Overlap: time.Minute, MonitorLeaseRenew: time.Second, MonitorLeasePoll: time.Second, HeartbeatUnits: 3, Copies: 2,
		Summary: time.Second, SummaryBytes: 1 << 29, HandoverBytes: 1 << 30, Role: time.Second,
		Prices: cost.Prices{LambdaRequest: 1, LambdaGBSecond: 1, WriteUnit: 1, ReadUnit: 1, GBBetweenRegions: 1, Trace: 1, LogGB: 1, Metric: 1, PutMetric: 1},
	}.Monthly()
	const month, ticks = 2_592_000, 3 * 43_200
	writes := []float64{month * 2, 3 * month * 3 * 2, (3*month + 4*ticks) * 2}
	want := map[string][2]float64{
		"Lambda invocations":         {ticks, 2 * ticks},
		"Lambda duration":            {2 * 3 * month, 2 * 3 * month}, // two at a time, always
		"Lease renewals":             {writes[0], writes[0]},
		"Heartbeats":                 {writes[1], writes[1]},
		"Monitor leases":             {writes[2], writes[2]},
		"Looks at the lease":         {month * (0.5 + 2 + 1), month * (0.5 + 2 + 1)},
		"Looks at heartbeats":        {3 * month / 2 * 3, 3 * month / 2 * 3}, // 9 KB are three units
		"Looks at the journal":       {2 * month / 30, 2 * month / 30},
		"Looks at the monitor lease": {ticks * 60, 2 * ticks * 60},
		"Replication":                {(writes[0] + writes[1] + writes[2]) / 2 / (1 << 20), (writes[0] + writes[1] + writes[2]) / 2 / (1 << 20)},
		"Traces":                     {ticks, 2 * ticks},
		"Logs":                       {3*month/2 + ticks, 3*month/2 + 2*ticks},
		"Metrics":                    {3*3 + 5*2 + 2 + 2 + 4, 28*3 + 4},
		"Role metric":                {2 * month, 2 * month},
	}
	var sum, most float64
	for _, l := range lines {
		require.InDelta(t, want[l.What][0], l.Cost(), 1e-6, l.What)
		require.InDelta(t, want[l.What][1], l.BoundCost(), 1e-6, l.What)
		sum, most = sum+l.Cost(), most+l.BoundCost()
	}
	require.Len(t, lines, len(want))
	total, bound := cost.Total(lines)
	require.InDelta(t, sum, total, 1e-6)
	require.InDelta(t, most, bound, 1e-6)
}

// What Terraform deploys is what is billed.
func TestDefaultsAreTerraforms(t *testing.T) {
	l := cost.Loop{}.WithDefaults()
	for file, want := range map[string]string{
		"main.tf":     `memory_size += 512 `,
		"schedule.tf": `schedule_expression = "rate\(1 minute\)"`,
	} {
		text, err := os.ReadFile("../../../../terraform/modules/failover/" + file)
		require.NoError(t, err)
		require.Regexp(t, want, string(text))
	}
	module, err := os.ReadFile("../../../../terraform/modules/failover/main.tf")
	require.NoError(t, err)
	require.Regexp(t, regexp.MustCompile(`concurrency = what == "health_monitor" \? 2 : `), string(module))
	require.Equal(t, 512, l.Memory)
	require.Equal(t, 2, l.Concurrency)
	require.Equal(t, time.Minute, l.Tick)
}

// So are its interface endpoints: those that the functions use have a private name, the
// others are for the other member.
func TestEndpointsAreTerraforms(t *testing.T) {
	network := func(file string) string {
		text, err := os.ReadFile("../../../../terraform/modules/network/" + file)
		require.NoError(t, err)
		return string(text)
	}
	l := cost.Loop{}.WithDefaults()
	services := regexp.MustCompile(`(?s)interface_services = \{(.*?)\}`).FindStringSubmatch(network("endpoints.tf"))
	require.Len(t, services, 2)
	require.Equal(t, strings.Count(services[1], "="), l.Interfaces)
	require.Equal(t, strings.Count(network("endpoints.tf"), `"Interface"`)-1, l.PeerInterfaces, "one block is for all services")
	seats := regexp.MustCompile(`seats = \{(.*?)\}`).FindStringSubmatch(network("main.tf"))
	require.Len(t, seats, 2)
	require.Equal(t, strings.Count(seats[1], "="), l.Zones)
}

// A bill of endpoints that can be worked out in the head.
func TestEndpoints(t *testing.T) {
	lines := cost.Loop{Members: 2, Interfaces: 5, PeerInterfaces: 2, Zones: 4, Prices: cost.Prices{EndpointHour: 1}}.Endpoints()
	require.Len(t, lines, 2)
	require.InDelta(t, 5*4*2*720, lines[0].Cost(), 1e-6)
	require.InDelta(t, 2*4*2*720, lines[1].Cost(), 1e-6)
	require.InDelta(t, lines[1].Cost(), lines[1].BoundCost(), 1e-6)
}

// The README prints what the code computes.
func TestReadmeHasTheBill(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	for _, want := range []string{cost.Markdown(cost.Loop{}.Monthly()), cost.Markdown(cost.Loop{}.Endpoints())} {
		require.Contains(t, string(readme), want, "go run ./lambdas/build -cost prints the tables")
	}
}

func TestMarkdown(t *testing.T) {
	table := cost.Markdown([]cost.Line{{What: "calls", Formula: "a × b", Unit: "requests", Quantity: 1_234_567, Price: 2e-6, Bound: 2_000_000}})
	require.Contains(t, table, "| calls | a × b | 1,234,567 requests | 2 | 2.47 | 4.00 |\n")
	require.Contains(t, table, "| **2.47** | **4.00** |\n")
	require.Equal(t, 4, strings.Count(table, "\n"))
}
