package drills_test

import (
	"fmt"
	"strings"
	"time"
)

// reported: faults that other people's users have reported, as cases.
func reported() []harm {
	return []harm{{
		// vitessio/vitess#19340: a saturated primary answers just often enough to be counted as
		// healthy again, so its shard serves nobody and is never moved.
		name: "commits-now-and-then", length: 2 * time.Minute,
		plan: again("database(us-east-1,commits-hang)", 3*time.Second, 4*time.Second, 25),
		want: []check{hush(3), neverBoth(), hear(0, time.Minute)},
	}}
}

// again is a plan in which a fault lasts for a while and comes back, n times.
func again(what string, lasts, every time.Duration, n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("%s@%v for %v", what, time.Duration(i)*every, lasts))
	}
	return strings.Join(parts, " + ")
}
