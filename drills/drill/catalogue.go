package drill

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// outside writes through the global endpoint from the third Region, as a client
// that the fault does not touch.
var outside = Client{Name: "us-east-2/endpoint", Region: Witness, Rate: 50}

// inside stands in the writer's Region and never lets go of its writer.
var inside = Client{Name: "us-east-1/pinned", Region: East, Rate: 50, Pinned: true}

// insideEndpoint stands in the writer's Region and follows the endpoint.
var insideEndpoint = Client{Name: "us-east-1/endpoint", Region: East, Rate: 50}

// automatic is what most faults that take a Region must lead to.
var automatic = measure.Expect{Behaviour: measure.MustFailOver}

// Scenarios is the catalogue, in the order in which it is run: what can happen to a
// Region, then what can happen to the functions that watch over it.
func Scenarios() []Scenario { return append(regions(), functions()...) }

// regions are the scenarios in which a Region or a link is broken, or nothing.
func regions() []Scenario {
	window := dr.Policy{}.Budget().PartitionWindow
	lagging := 5 * time.Second
	return []Scenario{{
		Name:    "region-blackout",
		Summary: "everything in the writer's Region falls silent",
		Plan:    fault.All(fault.Fault{Kind: fault.Blackout, Region: East}),
		Faulted: East, Clients: []Client{outside, insideEndpoint}, Expect: automatic,
	}, {
		Name:    "region-killed",
		Summary: "the servers and monitors of the writer's Region are killed, and restarted at the heal",
		Plan:    fault.All(fault.Fault{Kind: fault.Kill, Region: East}),
		Faulted: East, Clients: []Client{outside, inside}, Expect: automatic,
	}, {
		Name:    "database-frozen",
		Summary: "the writer's database server stops in mid-flight, and thaws at the heal",
		Plan:    fault.All(fault.Fault{Kind: fault.FreezeDatabase, Region: East}),
		Faulted: East, Clients: []Client{outside, inside}, Expect: automatic,
	}, {
		Name:    "region-partition",
		Summary: "the writer's Region is cut off from the other two while clients inside it keep writing",
		Plan:    fault.All(fault.Fault{Kind: fault.Isolate, Region: East}),
		Faulted: East, Clients: []Client{outside, inside},
		Expect: measure.Expect{Behaviour: measure.MustFailOver, PartitionWindow: window},
	}, {
		Name:    "region-partition-guarded",
		Summary: "the same with RPOGuard: the writer stops itself before it could lose a second",
		Plan:    fault.All(fault.Fault{Kind: fault.Isolate, Region: East}),
		Faulted: East, Clients: []Client{outside, inside}, Policy: dr.Policy{RPOGuard: true},
		// Together less than the objective of a second.
		Expect: measure.Expect{Behaviour: measure.MustFailOver, MaxDataLoss: 150 * time.Millisecond, PartitionWindow: 850 * time.Millisecond},
	}, {
		Name:    "link-partition",
		Summary: "only the link between the two data Regions is cut; witness and clients are fine",
		Plan:    fault.All(fault.Fault{Kind: fault.CutLink, Region: East, Peer: West}),
		Clients: []Client{outside, inside}, Expect: measure.Expect{Behaviour: measure.MustNotFailOver},
	}, {
		Name:    "lag-above-limit",
		Summary: "replication lags 5 s, then the writer's Region falls silent; a person must be asked",
		Plan: fault.Plan{
			{Fault: fault.Fault{Kind: fault.ReplicationLag, Region: East, Peer: West, Duration: lagging}, At: -3 * lagging},
			{Fault: fault.Fault{Kind: fault.Blackout, Region: East}},
		},
		Faulted: East, Clients: []Client{outside, insideEndpoint},
		Expect: measure.Expect{Behaviour: measure.MustRefuse, MaxDataLoss: lagging + time.Second},
	}, {
		Name:    "no-fault",
		Summary: "control: nothing breaks, nothing may move or be lost",
		Clients: []Client{outside, inside}, Expect: measure.Expect{Behaviour: measure.MustNotFailOver, NoFault: true},
	}}
}
