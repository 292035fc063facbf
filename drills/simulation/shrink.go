package simulation

import (
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
)

// Shrink returns the smallest plan that it finds which still fails: with fewer faults,
// then with shorter ones. fails plays a plan, and is asked at most tries times; a plan
// that fails only now and then may be shrunk less than it could.
func Shrink(p fault.Plan, tries int, fails func(fault.Plan) bool) fault.Plan {
	try := func(candidate fault.Plan) bool {
		if tries == 0 || len(candidate) == 0 {
			return false
		}
		tries--
		return fails(candidate)
	}
	// Big pieces first: most faults of a storm have nothing to do with the failure.
	for size := (len(p) + 1) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(p); {
			rest := slices.Delete(slices.Clone(p), i, i+size)
			if try(rest) {
				p = rest
			} else {
				i += size
			}
		}
	}
	for i := range p {
		for p[i].For > shortest {
			shorter := slices.Clone(p)
			shorter[i].For = max(shortest, (p[i].For / 2).Truncate(time.Millisecond))
			if !try(shorter) {
				break
			}
			p = shorter
		}
	}
	return p
}

// shortest is the shortest fault that is worth telling from a shorter one.
const shortest = 100 * time.Millisecond
