package measure

import (
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// Measure computes every number of a run. It always returns a result; what
// keeps the numbers from meaning anything is in Result.Problems.
func Measure(r Run) Result {
	marks := sortedMarks(r.Marks)
	res := Result{
		Objectives: r.Objectives,
		Resolution: r.Interval,
		OldWriter:  r.OldWriter,
		NewWriter:  r.NewWriter,
		Steady:     firstMark(marks, MarkSteady, 0),
	}
	res.Injected = firstMark(marks, MarkInjected, 0)
	since := max(0, res.Steady, res.Injected)
	res.Effective = firstMark(marks, MarkEffective, since)
	res.Healed = firstMark(marks, MarkHealed, since)
	res.Unseen = unseen(marks)
	res.Guarded = guarded(marks, r.OldWriter, since, res.Healed)
	res.Suspected = firstMark(marks, MarkSuspected, since)
	res.Operator = firstMark(marks, MarkOperator, since)
	res.Acknowledged = firstMark(marks, MarkAcknowledged, since)
	res.Promoted = firstMark(marks, MarkPromoted, since)
	res.Failovers = failovers(r, marks, since)
	res.Writable = sinceFault(res.Effective, firstMark(marks, MarkWritable, since))

	clients := standing(r)
	worst := measureOutages(&res, r, clients, since)
	res.Phases, res.Unattributed = divide(worst, marks, since)

	l := newLedger(r)
	res.Writes = l.count()
	res.Dual = l.dual()
	res.Writes.DualAcknowledged = len(res.Dual)
	res.RPO = l.rpo()
	res.Naive, res.NaiveLost = l.naive()
	res.Lost = l.lost(res.Injected, res.Effective)
	if n := len(res.Lost); n > 0 {
		res.Width = res.Lost[n-1].End - res.Lost[0].End
	}
	res.OrderLoss = l.orderLoss()
	res.Foreign = l.foreign()

	res.Before = before(r, res)
	res.DroppedOutside = droppedOutside(r, res)
	res.Problems = problems(r, clients)
	return res
}

// standing returns the ops of the clients outside of the faulted Region.
func standing(r Run) []workload.Op {
	var out []workload.Op
	for _, op := range r.Ops {
		if r.Faulted == "" || op.Region != r.Faulted {
			out = append(out, op)
		}
	}
	return out
}

// measureOutages fills in all that is about outages and returns the longest.
func measureOutages(res *Result, r Run, clients []workload.Op, since time.Duration) Outage {
	res.Outages = findOutages(clients, since, r.Sustain, r.Interval)
	if r.Horizon > 0 && res.Injected != Unknown {
		from := max(res.Injected, res.Effective)
		res.Outages = capAt(res.Outages, from+r.Horizon)
	}
	for _, o := range res.Outages {
		res.Bad += o.Length()
	}
	if len(res.Outages) == 0 {
		return Outage{}
	}
	worst, capped := longest(res.Outages)
	res.RTO, res.Capped, res.Start, res.End = worst.Length(), capped, worst.Start, worst.End
	res.FirstOK = firstOK(clients, worst.Start)
	res.FromFault = sinceFault(res.Effective, worst.End)
	return worst
}

// sinceFault returns the time from the fault's effect to an instant, or Unknown
// when one of them is. What happened before the fault took no time from it.
func sinceFault(effective, at time.Duration) time.Duration {
	if effective == Unknown || at == Unknown {
		return Unknown
	}
	return max(0, at-effective)
}

// failovers counts the promotions: a controller that resumes after a crash may
// report the same one again, and a writer that moved was promoted, with or without a report.
func failovers(r Run, marks []Mark, since time.Duration) int {
	type promotion struct{ region, detail string }
	seen := map[promotion]bool{}
	for _, m := range marks {
		if m.Name == MarkPromoted && m.At >= since {
			seen[promotion{string(m.Region), m.Detail}] = true
		}
	}
	if len(seen) == 0 && r.failedOver() {
		return 1
	}
	return len(seen)
}

// before tells how the load did between steady state and the fault; with no
// fault, to the end of the history.
func before(r Run, res Result) Before {
	if res.Steady == Unknown || r.Interval <= 0 {
		return Before{}
	}
	end := res.Injected
	if end == Unknown {
		for _, op := range r.Ops {
			end = max(end, op.Intended+r.Interval)
		}
	}
	var b Before
	clients := map[string]bool{}
	for _, op := range r.Ops {
		clients[op.Client] = true
		// A write that was still out when the fault struck says nothing about
		// the time before it.
		if op.Intended < res.Steady || op.Intended >= end || (res.Injected != Unknown && op.End >= end) {
			continue
		}
		b.Sent++
		if op.Outcome == workload.OK {
			b.OK++
		}
	}
	b.Length = max(0, end-res.Steady)
	b.Offered = float64(len(clients)) / r.Interval.Seconds()
	return b
}

// droppedOutside counts the writes that were dropped when nothing excuses it. What
// excuses a full client is an outage since the fault that began with a write that
// was sent; and for clients in the faulted Region the time to the heal, and one
// window more to drain what hung there.
func droppedOutside(r Run, res Result) int {
	began := map[time.Duration]bool{}
	for _, op := range r.Ops {
		if op.Outcome == workload.Fail || op.Outcome == workload.Info {
			began[op.Intended] = true
		}
	}
	excused := func(op workload.Op) bool {
		if res.Injected == Unknown || op.Intended < res.Injected {
			return false
		}
		if r.Faulted != "" && op.Region == r.Faulted {
			return res.Healed == Unknown || op.Intended <= res.Healed+r.Sustain.withDefaults().Window
		}
		for _, o := range res.Outages {
			if began[o.Start] && op.Intended >= o.Start && op.Intended <= o.End {
				return true
			}
		}
		return false
	}
	n := 0
	for _, op := range r.Ops {
		if op.Outcome == workload.Dropped && op.Intended >= res.Steady && !excused(op) {
			n++
		}
	}
	return n
}

func problems(r Run, clients []workload.Op) []string {
	var out []string
	if err := r.Validate(); err != nil {
		out = strings.Split(err.Error(), "\n")
	}
	if len(r.Ops) > 0 && len(clients) == 0 {
		out = append(out, "every client stands in the faulted Region "+string(r.Faulted)+": RTO needs one outside")
	}
	return out
}
