package drills_test

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// reported: faults that other people's users have reported, as cases.
func reported() []harm {
	return []harm{{
		// vitessio/vitess#19340: a saturated primary answers just often enough to be counted as
		// healthy again, so its shard serves no client and is never moved.
		name: "commits-now-and-then", length: 2 * time.Minute,
		plan: "flap(3s, 4s, 25, database(us-east-1,commits-hang))",
		want: []check{hush(3), neverBoth(), hear(0, time.Minute)},
	}, {
		// Two faults at once: the monitor's login can't be read, and then its server is lost.
		name: "login-unreadable-and-the-server-lost", length: 90 * time.Second,
		plan:   "service(us-east-1,secretsmanager,refuse)@0s + cold-start(us-east-1,1ms)@0s + kill-monitor(us-east-1)@500ms + freeze-database(us-east-1)@20s",
		person: []act{{60 * time.Second, consents(0)}},
		want:   []check{asks(failover.CodeMonitorBlind, 50*time.Second), movedBy(75 * time.Second), fewOrders(1), neverBoth(), hush(5)},
		was:    "the lease is renewed, so no failover begins, no question is asked, and a person's request fails",
	}, {
		// home-operations/kopiur#324: the deadline of one renewal is the budget of them all, so the
		// first call that stalls ends the leadership: 90 times in six days.
		name: "store-stalls-now-and-then", length: 2 * time.Minute, long: true,
		plan: "flap(1200ms, 5s, 20, service(everywhere,dynamodb,hang))",
		want: append(unharmed(), hush(6)), // one of each monitor a minute
		was:  "each process that takes over tells people of the next call that stalled: nine messages in two minutes",
	}, {
		// kuberhealthy/kuberhealthy#1533: a process that has lost its lease once never asks for it
		// again, reports itself healthy, and checks nothing any more.
		name: "store-away-for-a-while-and-then-the-region-is-lost", length: 2 * time.Minute, long: true,
		plan: "service(everywhere,dynamodb,hang)@0s for 20s + kill(us-east-1)@45s",
		want: []check{movedBy(75 * time.Second), neverBoth(), serves(40 * time.Second)},
	}, {
		// hapostgres/pg_auto_failover#210: the first failover is fine, and the one back never comes.
		name: "there-and-back", length: 4 * time.Minute, long: true,
		plan: "kill(us-east-1)@0s for 30s + kill(us-west-2)@2m",
		want: []check{movedBy(30 * time.Second), neverBoth(), stays0(), serves(40 * time.Second)},
	}, {
		// hapostgres/pg_auto_failover#1062: hours after a failover the new primary answers and
		// commits nothing, and no process does anything or tells a person.
		name: "commits-hang-after-the-failover", length: 3 * time.Minute, long: true,
		plan: "kill(us-east-1)@0s + database(us-west-2,commits-hang)@1m",
		want: []check{movedBy(30 * time.Second), neverBoth(), hear(time.Minute, time.Minute), hush(8)},
	}}
}
