package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Inside is what a judge of a world sees, past every network and every fault. Nothing
// that recovers may ask it.
type Inside struct {
	w     *world
	Cloud *cloud.Cloud
	Pair  *drtest.Pair
}

// Look returns what is inside a world of this target.
func Look(w drill.World) (Inside, error) {
	mine, ok := w.(*world)
	if !ok {
		return Inside{}, fmt.Errorf("embedded: look inside %T: it is no world of this target", w)
	}
	return Inside{w: mine, Cloud: mine.cloud, Pair: mine.pair}, nil
}

// Silent reports whether a Region is in a blackout, in which no packet arrives.
func (i Inside) Silent(r dr.Region) bool { return i.w.inBlackout(r) }

// Accepts reports whether a Region's server would acknowledge a client's write that
// reaches it: no client reaches a server in a blackout, and a server of a global database
// whose writer is a third member accepts no write.
func (i Inside) Accepts(r dr.Region) bool {
	return i.Pair.DB(r).Accepts() && !i.Silent(r) && !i.w.third.away.Load()
}

// Majority reports whether a Region reaches another one.
func (i Inside) Majority(r dr.Region) bool { return i.w.net.Majority(r) }

// Linked reports whether a Region reaches every other one.
func (i Inside) Linked(r dr.Region) bool {
	for _, other := range i.w.setup.Topology.Vantages() {
		if !i.w.net.Reaches(r, other) {
			return false
		}
	}
	return true
}

// Monitored reports whether a process of a Region's monitor is at work.
func (i Inside) Monitored(r dr.Region) bool { return i.w.lambdas[r].Busy(monitorName) > 0 }

// Acts reports whether a process of a Region's monitor holds the monitor lease and does its
// work; one that waits for the lease does not.
func (i Inside) Acts(r dr.Region) bool { return i.w.lambdas[r].acting.Load() > 0 }

// Lease returns the lease, and false when none was ever taken.
func (i Inside) Lease() (failover.Lease, bool) {
	rows := i.Cloud.Items(tableName, i.w.setup.Topology.GlobalCluster, "lease")
	if len(rows) == 0 {
		return failover.Lease{}, false
	}
	row := rows[0]
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(row[name], 10, 64) // zero is what a judge would object to
		return n
	}
	return failover.Lease{
		Epoch: dr.Epoch(number("epoch")), Holder: dr.Region(row["holder"]), Rev: number("rev"),
		Execution: row["execution"], TakenRev: number("taken_rev"), TakenAfter: time.Duration(number("taken_after_ns")),
	}, true
}

// Journal returns every entry, in the order of executions and of their steps.
func (i Inside) Journal() ([]failover.Entry, error) {
	var out []failover.Entry
	i.w.mu.Lock()
	defer i.w.mu.Unlock()
	for _, row := range i.Cloud.Items(tableName, i.w.setup.Topology.GlobalCluster, "journal#") {
		e, known := i.w.entries[row["entry"]]
		if !known { // a judge looks every second, and a journal only grows
			if err := json.Unmarshal([]byte(row["entry"]), &e); err != nil {
				return nil, fmt.Errorf("embedded: journal entry %s: %w", row["sk"], err)
			}
			i.w.entries[row["entry"]] = e
		}
		out = append(out, e)
	}
	return out, nil
}

// Consent is a person who answers the question of an execution, by invoking the trigger
// of the Region that it moves the writer to.
func (i Inside) Consent(ctx context.Context, x failover.Execution, by, reason string) error {
	return i.w.ask(ctx, x.To, event.AnswerTo(x, by, reason))
}
