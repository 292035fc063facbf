package dr

import (
	"fmt"
	"math"
	"time"
)

// What RDS answers an account in a Region: about 12 requests a second, and about 300 at once
// after a rest (AWS documents neither; its support has named both in public issues). A
// sixth of the rate is left to people and to other tools.
const (
	rdsRate  = 12.0
	rdsBurst = 300.0
	rdsShare = rdsRate * 5 / 6
)

// RDSCalls is how many requests a second Lifeboat sends for one global database to the RDS
// API of one Region.
type RDSCalls struct {
	// Steady is while the data plane answers: the other member and the witness ask for the
	// cluster once per ControlInterval, and the guard in the Region for its instance twice a
	// minute at most.
	Steady float64
	// Suspicion is while it does not: the other member, its trigger and the witness ask for
	// the cluster and its instances with each sample.
	Suspicion float64
	// Promotion is in the first minute of a promotion, whose looks become rarer.
	Promotion float64
	// Room is how many global databases fit into one account.
	Room int
	// AtOnce is for how many of them the evidence of the control plane stays whole if they
	// all turn dark at once. Beyond, RDS throttles, which is Unknown and never Dead, and
	// detection rests on the other families.
	AtOnce int
}

// RDSCalls returns what the policy asks of a Region's RDS API, defaults applied, for a
// topology with a witness.
func (p Policy) RDSCalls() RDSCalls {
	p = p.WithDefaults()
	rate := func(calls float64, each time.Duration) float64 { return calls / each.Seconds() }
	detect := p.Budget().Phases[0].Worst
	c := RDSCalls{
		Steady:    rate(2, p.ControlInterval) + rate(2, time.Minute),
		Suspicion: rate(3*2, p.ProbeInterval),
		Promotion: rate(1, p.PollInterval),
	}
	// The pause between two looks at a promotion is a twentieth of what it has taken so far.
	if first := 20 * p.PollInterval; first < time.Minute {
		c.Promotion = (20 + 20*math.Log(float64(time.Minute)/float64(first))) / 60
	}
	// The burst carries one database that is dark, for as long as the control plane's
	// evidence counts, while the others are calm.
	hold := (detect + p.InRegionGrace).Seconds()
	most := min(rdsShare, rdsBurst/hold+rdsRate-max(c.Suspicion, c.Promotion))
	c.Room = max(0, int(most/c.Steady+1e-9))
	c.AtOnce = int((rdsBurst/detect.Seconds() + rdsRate) / c.Suspicion)
	return c
}

// String prints the figures.
func (c RDSCalls) String() string {
	return fmt.Sprintf("RDS calls a second: %.2f steady, %.2f on suspicion, %.2f while promoting; room for %d databases, %d dark at once",
		c.Steady, c.Suspicion, c.Promotion, c.Room, c.AtOnce)
}
