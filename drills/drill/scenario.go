package drill

import (
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The Regions of every scenario. East holds the writer when a drill begins.
const (
	East    dr.Region = "us-east-1"
	West    dr.Region = "us-west-2"
	Witness dr.Region = "us-east-2"
)

// Topology is what every scenario runs on.
func Topology() dr.Topology {
	return dr.Topology{GlobalCluster: "ledger", Members: []dr.Region{East, West}, Witness: Witness}
}

// Client is one source of writes.
type Client struct {
	Name   string
	Region dr.Region // where it stands
	Rate   int       // writes per second
	// Pinned clients hold on to the address of the writer in their own Region and
	// never ask the endpoint: the ones that find out whether a fence holds.
	Pinned bool
}

// Scenario is one drill: what breaks, who writes meanwhile, and what must happen.
type Scenario struct {
	Name    string
	Summary string
	Plan    fault.Plan
	// Faulted is the Region that the fault takes from its clients.
	Faulted dr.Region
	Clients []Client
	Policy  dr.Policy
	Expect  measure.Expect
	// AfterHeal is how long the load goes on after the heal at the least, where what
	// comes then takes longer than Timing.AfterHeal: a schedule's next tick.
	AfterHeal time.Duration
}

// Validate reports everything that is wrong with the scenario at once.
func (s Scenario) Validate() error {
	for _, err := range []error{s.Plan.Validate(), s.Policy.Validate(), s.Expect.Validate()} {
		if err != nil {
			return fmt.Errorf("drill: scenario %s: %w", s.Name, err)
		}
	}
	for _, step := range s.Plan {
		if step.For != 0 {
			return fmt.Errorf("drill: scenario %s: %s has a length: a drill heals everything at once", s.Name, step)
		}
	}
	if len(s.Clients) == 0 {
		return fmt.Errorf("drill: scenario %s: no Clients: nothing would be measured", s.Name)
	}
	return nil
}

// Find returns the scenario of a name, or an error that lists all names.
func Find(name string) (Scenario, error) {
	var names []string
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("drill: unknown scenario %q: use one of %s", name, strings.Join(names, ", "))
}
