package drills_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// reported: faults that other people's users have reported, as cases.
func reported() []harm {
	return []harm{{
		// vitessio/vitess#19340: a saturated primary answers just often enough to be counted as
		// healthy again, so its shard serves no client and is never moved.
		name: "commits-now-and-then", length: 2 * time.Minute,
		plan: again("database(us-east-1,commits-hang)", 3*time.Second, 4*time.Second, 25),
		want: []check{hush(3), neverBoth(), hear(0, time.Minute)},
	}, {
		// Two faults at once: the monitor's login can't be read, and then its server is lost.
		name: "login-unreadable-and-the-server-lost", length: 90 * time.Second,
		plan:   "service(us-east-1,secretsmanager,refuse)@0s + cold-start(us-east-1,1ms)@0s + kill-monitor(us-east-1)@500ms + freeze-database(us-east-1)@20s",
		person: []act{{60 * time.Second, consents(0)}},
		want:   []check{asks(failover.CodeMonitorBlind, 50*time.Second), movedBy(75 * time.Second), fewOrders(1), neverBoth(), hush(5)},
		was:    "the lease is renewed, so no failover begins, no question is asked, and a person's request fails",
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
