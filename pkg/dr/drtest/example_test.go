package drtest_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Three agents watch a database in memory. The writer's Region is cut off from the
// other two while its server lives: the agent there makes the old writer read-only
// before the agent in the other Region promotes the new one.
//
// The policy is a hasty one, so that the example ends soon; a test does the same with
// any policy, in no time, in a testing/synctest bubble.
func ExampleNewWorld() {
	policy := dr.Policy{
		ProbeInterval: 500 * time.Millisecond, ProbeTimeout: 300 * time.Millisecond, Confirm: 2,
		LeaseTTL: 2 * time.Second, LeaseMargin: 500 * time.Millisecond, LeaseDrift: 100 * time.Millisecond,
		RenewInterval: 100 * time.Millisecond, ObserveInterval: 50 * time.Millisecond,
		CallTimeout: 300 * time.Millisecond, PollInterval: 20 * time.Millisecond,
	}
	topology := dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{"us-east-1", "us-west-2"}, Witness: "us-east-2"}
	world, err := drtest.NewWorld(drtest.WorldConfig{
		Topology: topology, EndpointTTL: 50 * time.Millisecond,
		Ship:      func() time.Duration { return 10 * time.Millisecond },
		Promotion: func() time.Duration { return 100 * time.Millisecond },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	settled := make(chan struct{})
	trace := &dr.Trace{State: func(c dr.StateChange) {
		fmt.Println(c.Execution, c.State)
		if c.State == dr.State(failover.Settled) {
			close(settled)
		}
	}}

	ctx, stop := context.WithCancel(context.Background())
	var agents sync.WaitGroup
	for _, region := range topology.Vantages() {
		agent, err := world.Watching(region, policy, trace)
		if err != nil {
			fmt.Println(err)
			break
		}
		agents.Go(func() { _ = agent.Run(ctx) })
	}
	<-time.After(time.Second) // steady state: a lag is known
	world.CutRegion("us-east-1", true)
	select {
	case <-settled:
	case <-time.After(20 * time.Second):
		fmt.Println("not settled in time")
	}
	fmt.Println("us-east-1 accepts writes:", world.Pair.DB("us-east-1").Accepts())
	fmt.Println("us-west-2 accepts writes:", world.Pair.DB("us-west-2").Accepts())
	fmt.Println("clients land in", world.Router.Target())
	stop()
	agents.Wait()
	// Output:
	// 0000000002-0001 Confirmed
	// 0000000002-0001 EpochTaken
	// 0000000002-0001 Fenced
	// 0000000002-0001 LossAccepted
	// 0000000002-0001 Promoted
	// 0000000002-0001 Verified
	// 0000000002-0001 Redirected
	// 0000000002-0001 Settled
	// us-east-1 accepts writes: false
	// us-west-2 accepts writes: true
	// clients land in us-west-2
}
