package drills_test

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// matrix is every service in every way and place alone, for five minutes. What the rows
// above hold already is left out.
func matrix() []harm {
	var out []harm
	for _, s := range fault.Services() {
		for _, how := range fault.Hows(fault.Dependency) {
			for _, r := range []dr.Region{drill.East, drill.West, drill.Witness, fault.Everywhere} {
				f := fault.Fault{Kind: fault.Dependency, Region: r, Service: s, How: how}
				if f.Validate() != nil {
					f.Duration = time.Second
				}
				if how == fault.Stale && s != fault.RDS && s != fault.DynamoDB || s == fault.DNS { // DNS is the clients' own
					continue
				}
				out = append(out, harm{
					name: "alone/" + f.String(), plan: f.String() + "@0s for 5m", length: 5*time.Minute + 10*time.Second, brief: 40 * time.Second, want: unharmed(), long: true,
				})
			}
		}
	}
	return append(out, during()...)
}

// during is the same while the writer's Region is lost: the failover is done within its
// budget and what the fault takes, or there is one question.
func during() []harm {
	var out []harm
	for _, s := range fault.Services() {
		for _, how := range []fault.How{fault.Refuse, fault.Hang, fault.Slow, fault.Throttle, fault.Deny, fault.LoseActs} {
			for _, r := range []dr.Region{drill.East, drill.West, drill.Witness, fault.Everywhere} {
				f := fault.Fault{Kind: fault.Dependency, Region: r, Service: s, How: how}
				if f.Validate() != nil {
					f.Duration = time.Second
				}
				if s == fault.DNS {
					continue
				}
				most := 3
				switch {
				case s == fault.SNS && how == fault.LoseActs:
					most = 10 // what is not heard to be accepted is sent again, with pauses that grow
				case s == fault.DynamoDB && r == fault.Everywhere:
					most = 5 // two monitors are left, and each may tell of both replicas
				}
				out = append(out, harm{
					name: "during/" + f.String(), plan: f.String() + "@-1s for 31s + kill(us-east-1)@0s", length: 75 * time.Second, long: true,
					want: []check{{"a failover, or one question", func(o *told) string {
						if moved := movedBy(55 * time.Second).holds(o); moved != "" && settledOrAsked().holds(o) != "" {
							return moved + "; " + settledOrAsked().holds(o)
						}
						return ""
					}}, neverBoth(), hush(most)},
				})
			}
		}
	}
	return out
}
