package measure

import (
	"cmp"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// ledger is the history seen from the end: which acknowledged writes are there.
type ledger struct {
	run     Run
	present map[int64]bool
	acked   []workload.Op // ok, in the order of acknowledgement
}

func newLedger(r Run) ledger {
	l := ledger{run: r, present: make(map[int64]bool, len(r.Survivors))}
	for _, id := range r.Survivors {
		l.present[id] = true
	}
	for _, op := range r.Ops {
		if op.Outcome == workload.OK {
			l.acked = append(l.acked, op)
		}
	}
	byEnd(l.acked)
	return l
}

func byEnd(ops []workload.Op) {
	slices.SortStableFunc(ops, func(a, b workload.Op) int { return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.ID, b.ID)) })
}

// byOld reports whether the old writer acknowledged op. An acknowledgement that
// names no server is charged to the old writer: that can only worsen the result.
func (l ledger) byOld(op workload.Op) bool {
	return !l.run.failedOver() || op.Server != l.run.NewWriter
}

// count tells how the writes ended and what became of them.
func (l ledger) count() Writes {
	var w Writes
	for _, op := range l.run.Ops {
		w.Attempted++
		switch op.Outcome {
		case workload.OK:
			w.OK++
			if !l.present[op.ID] {
				w.Lost++
			}
		case workload.Fail:
			w.Fail++
		case workload.Info:
			w.Info++
			if l.present[op.ID] {
				w.Recovered++
			}
		case workload.Dropped:
			w.Dropped++
		}
		if (op.Outcome == workload.Fail || op.Outcome == workload.Dropped) && l.present[op.ID] {
			w.Unexpected++
		}
	}
	return w
}

// foreign counts the rows that no op of the run can have written.
func (l ledger) foreign() int {
	own := make(map[int64]bool, len(l.run.Ops))
	for _, op := range l.run.Ops {
		own[op.ID] = true
	}
	n := 0
	for id := range l.present {
		if !own[id] {
			n++
		}
	}
	return n
}

// lost lists the acknowledged writes that are absent, and explains each.
func (l ledger) lost(injected, effective time.Duration) []LostWrite {
	cut := effective
	if cut == Unknown {
		cut = injected
	}
	var out []LostWrite
	for _, op := range l.acked {
		if l.present[op.ID] {
			continue
		}
		kind := Partition
		switch {
		case cut == Unknown, !l.byOld(op):
			kind = Unexplained
		case op.End <= cut:
			kind = Lag
		}
		out = append(out, LostWrite{ID: op.ID, Client: op.Client, Server: op.Server, Start: op.Start, End: op.End, Kind: kind})
	}
	return out
}

// rpo returns the loss in time among the writes that the old writer acknowledged.
func (l ledger) rpo() time.Duration {
	var acks []workload.Op
	for _, op := range l.acked {
		if l.byOld(op) {
			acks = append(acks, op)
		}
	}
	return l.lossOf(acks)
}

// naive returns the loss in time and in writes of a client that takes a timeout
// for a success.
func (l ledger) naive() (time.Duration, int) {
	var acks []workload.Op
	lost := 0
	for _, op := range l.run.Ops {
		if op.Outcome == workload.Info || (op.Outcome == workload.OK && l.byOld(op)) {
			acks = append(acks, op)
			if !l.present[op.ID] {
				lost++
			}
		}
	}
	byEnd(acks)
	return l.lossOf(acks), lost
}

// lossOf returns the time from the recovery point to the last of acks, which
// are in the order of acknowledgement. When the very first is lost there is no
// recovery point in the history; then all of it, from the start of that write.
func (l ledger) lossOf(acks []workload.Op) time.Duration {
	for i, op := range acks {
		if l.present[op.ID] {
			continue
		}
		point := op.Start
		if i > 0 {
			point = acks[i-1].End
		}
		return acks[len(acks)-1].End - point
	}
	return 0
}

// orderLoss counts the lost writes of the old writer that were over before a
// surviving one began. Writes that overlap in time may be stored in any order.
func (l ledger) orderLoss() int {
	latest := Unknown // start of the newest surviving write
	for _, op := range l.acked {
		if l.byOld(op) && l.present[op.ID] {
			latest = max(latest, op.Start)
		}
	}
	n := 0
	for _, op := range l.acked {
		if l.byOld(op) && !l.present[op.ID] && op.End < latest {
			n++
		}
	}
	return n
}
