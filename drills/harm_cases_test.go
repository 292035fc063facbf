package drills_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// harms are the cases: a row of issue 10 and the other inputs of its kind.
func harms() []harm {
	return slices.Concat(moved(), consented(), stored(), slow(), unknown(), unheard(), unready(), people(), halfDead(), reported(), matrix())
}

// moved: people and AWS move the writer past Lifeboat.
func moved() []harm {
	const third = dr.Region("eu-west-1")
	lossless := append(oneOwner(10*time.Second), nothingLost())
	return []harm{{
		name: "console-switchover", plan: "console(us-west-2,switchover)", want: lossless,
		was: "the old guard renews for a server that is no writer, the new Region's guard keeps AWS's writer read-only",
	}, {
		name: "console-failover", plan: "console(us-west-2,failover)", want: oneOwner(10 * time.Second),
		was: "as after a switchover",
	}, {
		name: "console-failback", plan: "console(us-west-2,switchover)@0s + console(us-east-1,switchover)@45s", length: 90 * time.Second, want: lossless,
		was: "as after a switchover",
	}, {
		name: "console-switchover-without-monitor", plan: "stop-monitor(us-east-1)@0s + console(us-west-2,switchover)@1s", want: lossless, long: true,
		was: "as after a switchover",
	}, {
		name: "console-switchover-store-of-the-old-region-refuses", long: true,
		plan: "service(us-east-1,dynamodb,refuse)@-1s + console(us-west-2,switchover)@0s", want: lossless,
		was: "as after a switchover",
	}, {
		// The server that a person moves the writer to was never seen to be a secondary in the epoch.
		name: "console-failback-before-the-monitor-is-back", long: true, length: 2 * time.Minute,
		plan: "isolate(us-east-1)@0s for 30s + stop-monitor(us-east-1)@25s for 50s + console(us-east-1,switchover)@60s", want: oneOwner(25 * time.Second),
		was: "a Region whose server never followed the present epoch doesn't adopt the writer, although the other one has given the lease back: no server accepts writes before a verdict on the other Region",
	}, {
		// The new Region's monitor alone could adopt the writer that AWS has moved there.
		name: "console-switchover-without-the-new-monitor", long: true, length: 2 * time.Minute,
		plan: "stop-monitor(us-west-2)@0s for 75s + console(us-west-2,switchover)@1s", want: []check{neverBoth(), nothingLost(), hear(0, time.Minute), fewOrders(0), serves(30 * time.Second)},
	}, {
		// Without the lease store no Region can adopt: a writer is back when the store is.
		name: "console-switchover-store-refuses-everywhere", long: true, length: 2 * time.Minute,
		plan: "service(everywhere,dynamodb,refuse)@-5s for 65s + console(us-west-2,switchover)@0s", want: []check{neverBoth(), nothingLost(), hear(0, time.Minute), fewOrders(0), serves(45 * time.Second)},
	}, {
		name: "console-failover-store-hangs-everywhere", long: true, length: 2 * time.Minute,
		plan: "service(everywhere,dynamodb,hang)@-5s for 65s + console(us-west-2,failover)@0s", want: []check{neverBoth(), hear(0, time.Minute), fewOrders(0), serves(45 * time.Second)},
	}, {
		name: "console-failover-in-an-execution", plan: "isolate(us-east-1)@0s for 40s + console(us-west-2,failover)@5s", length: 90 * time.Second,
		want: []check{movedBy(30 * time.Second), serves(20 * time.Second)},
	}, {
		name: "console-failover-at-an-open-question", long: true,
		plan: "replication-lag(us-east-1,us-west-2,5s)@-10s for 1m + blackout(us-east-1)@0s for 30s + console(us-west-2,failover)@20s", length: 90 * time.Second,
		want: []check{movedBy(40 * time.Second), serves(20 * time.Second)},
		was:  "the question stays open for ever, the guard keeps AWS's writer read-only",
	}, {
		name: "console-reboot", plan: "console(us-east-1,reboot)",
		want: []check{stays(), serves(30 * time.Second), nothingLost(), {"it is back in 10 s", func(o *told) string {
			if d := o.dark(0); d > 10*time.Second {
				return fmt.Sprintf("no server accepted writes for %v", d)
			}
			return ""
		}}},
	}, {
		name: "third-member-writes", third: third, plan: "console(eu-west-1,failover)@0s + blackout(us-east-1)@15s", length: 2 * time.Minute,
		want: []check{fewOrders(0), hear(0, time.Minute), {"the writer is left alone", func(o *told) string {
			if o.writer != third {
				return "it was moved to " + string(o.writer)
			}
			return ""
		}}},
		was: "the controller sends FailoverGlobalCluster with data loss",
	}, {
		name: "third-member-writes-and-no-fault-follows", third: third, plan: "console(eu-west-1,failover)", long: true,
		want: []check{fewOrders(0), hear(0, time.Minute)},
		was:  "no message says that the writer is elsewhere",
	}}
}

// consented: answers that come late, or to another question.
func consented() []harm {
	const lag = "replication-lag(us-east-1,us-west-2,5s)@-10s"
	return []harm{{
		name: "consent-after-the-abort", plan: lag + " + blackout(us-east-1)@0s for 15s + blackout(us-east-1)@50s for 25s", length: 100 * time.Second,
		person: []act{{25 * time.Second, consents(0)}},
		want: []check{fewOrders(0), neverBoth(), nothingLost(), {"the second question is asked", func(o *told) string {
			if n := o.count(measure.MarkOperator); n < 2 {
				return fmt.Sprintf("%d questions", n)
			}
			return ""
		}}},
		was: "the second question is answered by the first consent, because the key is the epoch",
	}, {
		name: "consent-just-before-the-abort", long: true,
		plan: lag + " + blackout(us-east-1)@0s for 15s + blackout(us-east-1)@50s for 25s", length: 100 * time.Second,
		person: []act{{14900 * time.Millisecond, consents(0)}},
		want: []check{neverBoth(), {"what is lost was accepted by a person", func(o *told) string {
			if len(o.lost()) > 0 && len(o.executions()) > 1 {
				return fmt.Sprintf("%d writes", len(o.lost()))
			}
			return ""
		}}},
	}, {
		name: "consent-twice", plan: lag + " + blackout(us-east-1)@0s for 40s", length: 80 * time.Second, long: true,
		person: []act{{20 * time.Second, consents(0)}, {20100 * time.Millisecond, consents(0)}},
		want:   []check{movedBy(40 * time.Second), fewOrders(2), serves(20 * time.Second)},
	}}
}

// stored: the lease store is away, of one Region or of all.
func stored() []harm {
	const five, brief = 5 * time.Minute, 70 * time.Second
	store := func(where fault.How, how string) string {
		return "service(" + string(where) + ",dynamodb," + how + ")@0s for 5m"
	}
	quorum := "the writer is fenced while only one Region's store is away: no renewal goes through the other replica"
	grant := "the store alone keeps a writer open: there is no peer grant yet"
	watchful := append(unharmed(), hear(0, time.Minute))
	return []harm{
		{name: "store-refuses-in-the-writers-region", plan: store("us-east-1", "refuse"), length: five, brief: brief, want: watchful, was: quorum},
		{name: "store-hangs-in-the-writers-region", plan: store("us-east-1", "hang"), length: five, brief: brief, want: watchful, was: quorum, long: true},
		{name: "store-throttles-in-the-writers-region", plan: store("us-east-1", "throttle"), length: five, brief: brief, want: watchful, was: quorum, long: true},
		{name: "store-denies-in-the-writers-region", plan: store("us-east-1", "deny"), length: five, brief: brief, want: watchful, was: quorum, long: true},
		{name: "store-refuses-in-the-other-region", plan: store("us-west-2", "refuse"), length: five, brief: brief, want: watchful, was: "no message is sent"},
		{name: "store-refuses-everywhere", plan: store("everywhere", "refuse"), length: five, brief: brief, want: watchful, was: grant},
		{name: "store-hangs-everywhere", plan: store("everywhere", "hang"), length: five, brief: brief, want: watchful, was: grant, long: true},
		{name: "store-throttles-everywhere", plan: store("everywhere", "throttle"), length: five, brief: brief, want: watchful, was: grant, long: true},
		{name: "store-flaps-in-the-writers-region", long: true, length: five, brief: brief, want: unharmed(), was: quorum,
			plan: "flap(8s, 10s, 3, service(us-east-1,dynamodb,refuse))"},
		{name: "store-and-lambda-refuse-in-the-writers-region", long: true, length: five, brief: brief, want: unharmed(),
			plan: store("us-east-1", "refuse") + " + lambda-down(us-east-1)@0s for 5m"},
		{name: "store-refuses-in-the-writers-region-and-then-it-is-lost", length: 2 * time.Minute,
			plan: "service(us-east-1,dynamodb,refuse)@0s + blackout(us-east-1)@30s", want: []check{movedBy(75 * time.Second), serves(30 * time.Second)},
			was: "the failover waits for an answer to a false no-fence-proof"},
	}
}

// slow: slow is not down.
func slow() []harm {
	nested := "deadlines are nested below the answer's time: all monitors lose their monitor lease"
	var out []harm
	for _, c := range []struct {
		where, by string
		was       string
		long      bool
	}{
		{"everywhere", "250ms", "", true}, {"everywhere", "270ms", nested, false}, {"everywhere", "1s", nested, false},
		{"us-east-1", "270ms", nested, true}, {"us-east-1", "1s", nested, false}, {"us-west-2", "1s", "", true},
	} {
		out = append(out, harm{name: "store-slow-" + c.where + "-" + c.by, plan: "service(" + c.where + ",dynamodb,slow," + c.by + ")", want: unharmed(), was: c.was, long: c.long})
	}
	return append(out,
		harm{name: "rds-slow-everywhere", plan: "service(everywhere,rds,slow,2s)", want: unharmed()},
		harm{name: "commits-slow", plan: "database(us-east-1,commits-slow,1s)", want: unharmed(), was: "a commit that takes longer than a renewal's deadline is no answer, and the writer is fenced"},
		harm{name: "commits-slower-than-the-deadline", plan: "database(us-east-1,commits-slow,1700ms)", long: true,
			want: []check{{"no client write fails", allWrites().holds}, {"nothing is rebooted", func(o *told) string {
				if len(o.reboots) > 0 {
					return fmt.Sprintf("%d reboots", len(o.reboots))
				}
				return ""
			}}},
			was: "as commits-slow"},
	)
}

// unknown: a server that was not asked, or that has answered with an error of the
// asker's own, is not dead.
func unknown() []harm {
	const cold = " + cold-start(us-east-1,1ms)@0s + kill-monitor(us-east-1)@500ms"
	fenced := "unknown counts as dead: the guard fences a serving writer, or has it rebooted"
	return []harm{
		{name: "login-unreadable", plan: "service(us-east-1,secretsmanager,refuse)@0s" + cold, want: unharmed(), was: fenced},
		{name: "login-undecryptable", plan: "service(us-east-1,kms,deny)@0s" + cold, want: unharmed(), was: fenced, long: true},
		{name: "login-unreadable-hanging", plan: "service(us-east-1,secretsmanager,hang)@0s" + cold, want: unharmed(), was: fenced, long: true},
		{name: "login-unreadable-everywhere", long: true, was: fenced, want: unharmed(),
			plan: "service(everywhere,secretsmanager,refuse)@0s" + cold + " + cold-start(us-west-2,1ms)@0s + kill-monitor(us-west-2)@500ms"},
		{name: "name-unresolved", plan: "service(us-east-1,dns,refuse)@0s" + cold, was: fenced, long: true, want: []check{untouched()}},
		{name: "too-many-connections-for-the-functions", plan: "database(us-east-1,full-for-functions)", want: unharmed(), was: fenced},
		{name: "too-many-connections", plan: "database(us-east-1,full)", want: unharmed()},
		{name: "too-many-connections-for-a-new-monitor", plan: "database(us-east-1,full)@0s" + cold, want: unharmed(), was: fenced, long: true},
		{name: "login-denied-to-a-new-monitor", plan: "database(us-east-1,denied)@0s" + cold, want: append(unharmed(), hear(0, time.Minute)), long: true},
		{name: "login-denied", plan: "database(us-east-1,denied)", want: append(unharmed(), hear(0, time.Minute)), was: "each fence ends the clients' sessions, the verdict is healthy, and no message is sent"},
	}
}

// unheard: calls act, and their answers are lost.
func unheard() []harm {
	closed := check{"no lease is renewed for a closed writer", func(o *told) string {
		if d := o.dark(10 * time.Second); d > 10*time.Second && o.lease.Epoch == 1 {
			return fmt.Sprintf("no server accepted writes for %v, and the lease stayed", d)
		}
		return ""
	}}
	lost := "the closed writer's lease stays alive on renewals that it can't hear of"
	return []harm{
		{name: "renewals-unheard-reads-heard", plan: "service(us-east-1,dynamodb,lose-acts)@0s for 70s", length: 80 * time.Second,
			want: append(unharmed(), hear(0, time.Minute)), was: "no message says that no answer to a write of the store arrives", long: true},
		{name: "renewals-unheard", plan: "service(us-east-1,dynamodb.UpdateItem,lose)@0s for 70s", length: 90 * time.Second,
			want: append(unharmed(), closed, hear(0, time.Minute), serves(10*time.Second)), was: lost},
		{name: "store-unheard", plan: "service(us-east-1,dynamodb,lose)@0s for 70s", length: 90 * time.Second, long: true,
			want: append(unharmed(), hear(0, time.Minute)), was: "as a store that refuses"},
		{name: "only-writes-to-the-store-unheard-everywhere", plan: "service(everywhere,dynamodb,lose-acts)@0s for 70s", length: 90 * time.Second, long: true,
			want: append(unharmed(), hear(0, time.Minute)),
			was:  "a monitor that takes over hears of no report of its own, promises nothing, and the writer is closed and moved"},
		{name: "writes-to-the-store-unheard-everywhere", plan: "service(everywhere,dynamodb,lose)@0s for 70s", length: 90 * time.Second, long: true,
			want: []check{closed, hear(0, time.Minute), serves(10 * time.Second)}, was: lost},
		{name: "promotion-unheard", plan: "kill(us-east-1)@0s + service(us-west-2,rds,lose-acts)@0s", length: 90 * time.Second, long: true,
			want: []check{movedBy(30 * time.Second), fewOrders(2), serves(20 * time.Second)}},
		{name: "trigger-unheard", plan: "kill(us-east-1)@0s + service(us-west-2,lambda,lose)@0s", length: 90 * time.Second, long: true,
			want: []check{movedBy(30 * time.Second), serves(20 * time.Second)}},
	}
}

// unready: the target can't be promoted.
func unready() []harm {
	const lost = "kill(us-east-1)@0s for 1m"
	preflight := "the epoch is taken before the target is looked at, the old writer is fenced, and people hear of it after ten minutes"
	seen := []check{epochKept(), fewOrders(0), asks("target-not-ready", 40*time.Second), serves(20 * time.Second)}
	return []harm{
		{name: "target-without-instance", plan: "promotion(us-west-2,headless)@-5s + " + lost, length: 2 * time.Minute, want: seen, was: preflight},
		{name: "target-in-resync", plan: "promotion(us-west-2,resync)@-5s + " + lost, length: 2 * time.Minute, want: seen, was: preflight},
		{name: "target-frozen", plan: "freeze-database(us-west-2)@3s + " + lost, length: 2 * time.Minute, want: seen, was: preflight},
		{name: "target-refused", plan: "promotion(us-west-2,refuse)@-5s + " + lost, length: 3 * time.Minute,
			person: []act{{90 * time.Second, func(o *told) string {
				all := o.executions()
				return written(event.Request{Mode: event.Return, Target: drill.West, Execution: all[len(all)-1].ID, By: "on call", Reason: "the old Region is back"})
			}}},
			want: []check{fewOrders(40), asks(failover.CodePromotionRefused, time.Minute), serves(30 * time.Second), stays0()},
			was:  "the promotion is asked for four times a second, people hear of it after ten minutes, and no request gives the old Region back"},
		{name: "target-refused-for-a-while", plan: "promotion(us-west-2,refuse)@-5s for 30s + kill(us-east-1)@0s", length: 90 * time.Second, long: true,
			want: []check{movedBy(45 * time.Second), fewOrders(40), serves(20 * time.Second)}, was: "the promotion is asked for four times a second"},
		{name: "target-endless", plan: "promotion(us-west-2,endless)@-5s + " + lost, length: 3 * time.Minute, long: true,
			want: []check{fewOrders(3), asks(failover.CodePromotionStuck, 2*time.Minute)}, was: preflight},
		{name: "target-described-stale", plan: "service(us-west-2,rds,stale,1m)@0s for 1m + kill(us-east-1)@0s", length: 2 * time.Minute, long: true,
			want: []check{movedBy(30 * time.Second), serves(100 * time.Second), fewOrders(20)},
			was:  "the guard closes the server that AWS has promoted until a describe names it, for 47 s here, and the promotion is asked for 175 times"},
	}
}

// stays0 demands that the old Region writes again at the end.
func stays0() check {
	return check{"the old Region has the writer back", func(o *told) string {
		if o.lease.Holder == drill.East {
			return ""
		}
		return "the lease is with " + string(o.lease.Holder)
	}}
}

// people: they must be told, they must get through, and what they say is kept.
func people() []harm {
	const question = "replication-lag(us-east-1,us-west-2,5s)@-10s + blackout(us-east-1)@0s for 90s"
	return []harm{
		{name: "message-lost-once", plan: question + " + service(us-west-2,sns,refuse)@0s for 30s", length: 90 * time.Second,
			want: []check{hear(30*time.Second, 45*time.Second)}, was: "a message that was refused once is never sent again"},
		{name: "message-unheard", plan: question + " + service(us-west-2,sns,lose-acts)@0s for 30s", length: 90 * time.Second, long: true,
			want: []check{hear(0, 75*time.Second), hush(20)}},
		{name: "messages-throttled", plan: question + " + service(us-west-2,sns,throttle)@0s for 30s", length: 90 * time.Second, long: true,
			want: []check{hear(30*time.Second, 45*time.Second)}, was: "as message-lost-once"},
		{name: "messages-refused-for-good", plan: question + " + service(us-west-2,sns,deny)@0s for 90s", length: 90 * time.Second, long: true,
			want: []check{hear(0, time.Minute), hush(20)}},
		{name: "rds-throttles-at-an-open-question", plan: question + " + service(everywhere,rds,throttle)@15s for 40s", length: 2 * time.Minute, long: true,
			person: []act{{30 * time.Second, consents(0)}}, want: []check{movedBy(80 * time.Second), serves(30 * time.Second), hush(5), budget()}},
		{name: "message-of-a-move-lost-once", plan: "kill(us-east-1)@0s + service(us-west-2,sns,refuse)@0s for 40s", length: 100 * time.Second,
			want: []check{hear(40*time.Second, 50*time.Second)}, was: "as message-lost-once"},
		{name: "person-beside-the-monitor", plan: question, length: 60 * time.Second,
			person: []act{{6 * time.Second, asking(event.Request{Mode: event.Failover, By: "on call", Reason: "we see it too"})}, {20 * time.Second, consents(0)}, {25 * time.Second, asking(event.Request{Mode: event.Failover, By: "on call", Reason: "again"})}},
			want:   []check{reached(), movedBy(45 * time.Second)}, was: "Lambda refuses the person, because the monitor's call holds the only place"},
		{name: "status-beside-the-monitor", plan: "kill(us-east-1)@0s", length: 30 * time.Second, long: true,
			person: []act{{7 * time.Second, asking(event.Request{Mode: event.Status, By: "on call"})}, {12 * time.Second, asking(event.Request{Mode: event.Status, By: "on call"})}},
			want:   []check{reached(), answered()}, was: "there is no request that only asks"},
		{name: "reason-of-a-switchover", plan: "none", length: 60 * time.Second,
			person: []act{{0, asking(event.Request{Mode: event.Switchover, By: "on call", Reason: "patch window 4711"})}},
			want: []check{movedBy(30 * time.Second), allBut(30 * time.Second), {"the journal has the reason", func(o *told) string {
				for _, e := range o.journal {
					if strings.Contains(fmt.Sprintf("%+v", e), "patch window 4711") {
						return ""
					}
				}
				return "it has not"
			}}}, was: "the reason is dropped"},
		{name: "bad-requests", plan: "none", length: 20 * time.Second, long: true,
			person: []act{{0, asking(event.Request{Mode: "explode", By: "on call"})}, {time.Second, func(*told) string { return `{}` }}, {2 * time.Second, func(*told) string { return `[` }},
				{3 * time.Second, asking(event.Request{Mode: event.Acknowledge, Execution: "no-such", Question: "none", By: "x", Reason: "why not"})}},
			want: unharmed()},
		{name: "rds-budget-steady", plan: "none", length: time.Minute, want: append(unharmed(), calls(48)),
			was: "every monitor describes clusters and instances every 2 s"},
		{name: "rds-budget-promotion", plan: "promotion(us-west-2,endless)@0s for 40s + kill(us-east-1)@0s", length: 60 * time.Second, long: true,
			want: []check{budget()}, was: "a promotion is polled four times a second"},
	}
}

// answered demands that no request of a person failed.
func answered() check {
	return check{"every request is answered", func(o *told) string {
		for _, a := range o.answers {
			if a.Failed != "" {
				return a.Failed
			}
		}
		return ""
	}}
}

// allBut demands that the client that follows the endpoint fails for no longer than a
// switchover takes.
func allBut(d time.Duration) check {
	return check{"the outage of a switchover", func(o *told) string {
		if n := len(o.failed("outside", d, 1<<62)); n > 0 {
			return fmt.Sprintf("%d writes fail later than %v", n, d)
		}
		return ""
	}}
}

// halfDead: the writer's server answers and commits nothing.
func halfDead() []harm {
	out := []harm{{
		name: "commits-hang", plan: "database(us-east-1,commits-hang)@0s for 100s", length: 2 * time.Minute,
		want: []check{hush(3), serves(10 * time.Second), settledOrAsked()},
		was:  "eight executions and eight pages, each withdrawn seconds later, and no failover",
	}, {
		name: "read-only-by-hand", plan: "database(us-east-1,read-only)", want: []check{stays(), serves(40 * time.Second)},
	}, {
		name: "restart", plan: "database(us-east-1,restart,3s)", want: []check{stays(), serves(30 * time.Second), nothingLost()}, long: true,
	}}
	// Every number with which MySQL says that it can't write what it is given: full disks,
	// files and tables, and failing storage.
	for n, known := range map[int]bool{
		3: true, 20: true, 27: false, 35: false, 1021: true, 1026: true, 1030: true, 1036: false, 1114: true, 1180: true,
		1534: false, 1598: false, 1878: false, 1881: false, 3019: false, 3100: false, 3675: false,
	} {
		h := harm{
			name: fmt.Sprintf("error-%d", n), plan: fmt.Sprintf("database(us-east-1,error-%d)@0s for 100s", n), length: 2 * time.Minute,
			want: []check{hush(3), serves(10 * time.Second), settledOrAsked()}, long: n != 1021 && n != 3,
			was: "the number is on no list: the writer commits nothing, and nothing is done",
		}
		if known {
			h.was = ""
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b harm) int { return strings.Compare(a.name, b.name) })
	return out
}

// settledOrAsked demands that what clients suffer from led to a failover, or to one
// question that stands.
func settledOrAsked() check {
	return check{"a failover, or one question", func(o *told) string {
		all := o.executions()
		if len(all) == 1 && (all[0].State == failover.Settled || o.questions() == 1) {
			return ""
		}
		var states []string
		for _, x := range all {
			states = append(states, string(x.State)+" "+string(x.Code))
		}
		return fmt.Sprintf("%d executions: %v", len(all), states)
	}}
}

// questions returns how many questions people were asked. The entry that says that they were
// told of one has the same mark and the same detail.
func (o *told) questions() int {
	asked := make(map[string]bool)
	for _, m := range o.marks {
		if m.Name == measure.MarkOperator {
			asked[m.Detail] = true
		}
	}
	return len(asked)
}
