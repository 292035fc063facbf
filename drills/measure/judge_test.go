package measure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

func TestJudge(t *testing.T) {
	mustFailOver := measure.Expect{Behaviour: measure.MustFailOver}
	mustNot := measure.Expect{Behaviour: measure.MustNotFailOver}
	control := measure.Expect{Behaviour: measure.MustNotFailOver, NoFault: true}
	mustRefuse := measure.Expect{Behaviour: measure.MustRefuse}

	stayed := func(r *measure.Run) { // the writer stays, nothing is lost
		r.NewWriter = east
		r.Marks = r.Marks[:3]
		for i := range r.Ops {
			if r.Ops[i].Outcome == workload.OK {
				r.Ops[i].Server = east
			}
		}
		r.Survivors = acked(r.Ops)
	}
	drop := func(name string) func(*measure.Run) {
		return func(r *measure.Run) {
			var kept []measure.Mark
			for _, m := range r.Marks {
				if m.Name != name {
					kept = append(kept, m)
				}
			}
			r.Marks = kept
		}
	}
	operator := func(r *measure.Run) { // asked at 12.5 s, acknowledged at 12.8 s
		r.Marks = append(r.Marks, mark(12.5, measure.MarkOperator), mark(12.8, measure.MarkAcknowledged))
	}
	calm := func(r *measure.Run) { // no fault, no failure
		stayed(r)
		r.Marks = r.Marks[:1]
		r.Ops = writes(witness, 1, sec(60), func(time.Duration) answer { return ok(east) })
		r.Survivors = acked(r.Ops)
	}
	all := func(changes ...func(*measure.Run)) func(*measure.Run) {
		return func(r *measure.Run) {
			for _, c := range changes {
				c(r)
			}
		}
	}

	for _, tt := range []struct {
		name    string
		from    func() measure.Run // default failover
		change  func(*measure.Run)
		expect  measure.Expect
		outcome measure.Outcome
		reasons []string // each a part of the reason at that place
		notes   []string
	}{
		{name: "all as it should be", expect: mustFailOver, outcome: measure.Passed},
		{name: "control", change: calm, expect: control, outcome: measure.Passed},
		{name: "stayed", change: stayed, expect: mustNot, outcome: measure.Passed},
		{name: "refused, asked, moved", change: operator, expect: mustRefuse, outcome: measure.Passed,
			notes: []string{"the client's whole outage was 12.020 s; the objective is held against the 9.220 s after a person acknowledged"}},

		{name: "at the limits", change: func(r *measure.Run) {
			r.Objectives.RTO, r.Objectives.RPO = 12020*time.Millisecond, 300*time.Millisecond
		},
			expect: mustFailOver, outcome: measure.Passed},
		{name: "the objective is for the time after the acknowledgement", expect: mustRefuse, outcome: measure.Passed,
			change: func(r *measure.Run) { operator(r); r.Objectives.RTO = sec(10) },
			notes:  []string{"the client's whole outage was 12.020 s"}},
		{name: "acknowledged by the server before the cut, by the client after it", expect: mustFailOver, outcome: measure.Passed,
			change: func(r *measure.Run) { r.Ops[99].End = sec(10.15) }},
		{name: "started and acknowledged after the cut, and there is no window", expect: mustFailOver, outcome: measure.Failed,
			change: func(r *measure.Run) {
				r.Ops[99].Intended, r.Ops[99].Start, r.Ops[99].End = sec(10.11), sec(10.11), sec(10.15)
			},
			reasons: []string{"1 of 3 lost writes are explained neither by 1.000 s of lag nor by a partition window of 0.000 s, 0 allowed: such as write 100"}},
		{name: "older than any lag explains", expect: mustFailOver, outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Survivors = acked(r.Ops, 50) },
			reasons: []string{"1 lost writes were acknowledged before", "RPO is 5.100 s, 1.000 s is allowed", "1 of 1 lost writes are explained neither"}},
		{name: "a client in the faulted Region dropped before the fault", from: partition, outcome: measure.Inconclusive,
			expect: measure.Expect{Behaviour: measure.MustFailOver, MaxDataLoss: sec(1), PartitionWindow: sec(6)},
			change: func(r *measure.Run) {
				for i := range r.Ops {
					if id := r.Ops[i].ID; id == 5050 || id == 5300 {
						r.Ops[i].Outcome = workload.Dropped
					}
				}
				r.Survivors = acked(r.Ops)
			},
			reasons: []string{"1 writes were dropped while no fault excused it"},
			notes:   []string{"this scenario allows"}},
		{name: "no steady state", change: drop(measure.MarkSteady), expect: mustFailOver, outcome: measure.Inconclusive,
			reasons: []string{"no steady state: the run has no load.steady mark"}},
		{name: "writes failed before the fault", expect: mustFailOver, outcome: measure.Inconclusive,
			change: func(r *measure.Run) {
				for i := 20; i < 25; i++ {
					r.Ops[i].Outcome = workload.Fail
				}
				r.Survivors = acked(r.Ops)
			},
			reasons: []string{"no steady state: 85 of 90 writes before the fault were ok, at least 99 % are needed"}},
		{name: "no fault", change: drop(measure.MarkInjected), expect: mustFailOver, outcome: measure.Inconclusive,
			reasons: []string{"no fault: the run has no fault.injected mark"}},
		{name: "fault without effect", change: drop(measure.MarkEffective), expect: mustFailOver, outcome: measure.Inconclusive,
			reasons: []string{"the fault had no effect that a probe could see: no fault.effective mark after the injection at +9.950 s"}},
		{name: "a fault in the control drill", change: stayed, expect: control, outcome: measure.Inconclusive,
			reasons: []string{"a fault was injected at 9.95s in a drill that has none"}},
		{name: "thin load", expect: mustFailOver, outcome: measure.Inconclusive,
			change:  func(r *measure.Run) { r.Ops = append(r.Ops[:10:10], r.Ops[50:]...); r.Survivors = acked(r.Ops) },
			reasons: []string{"load too thin: 5.6 writes/s were acknowledged before the fault, at least 8.0 of the offered 10.0 are needed"}},
		{name: "no load", expect: mustFailOver, outcome: measure.Inconclusive,
			change:  func(r *measure.Run) { r.Ops = r.Ops[100:]; r.Survivors = acked(r.Ops) },
			reasons: []string{"load too thin: no write was on record between steady state and the fault"}},
		{name: "dropped outside of the fault", expect: mustFailOver, outcome: measure.Inconclusive,
			change:  func(r *measure.Run) { r.Ops[450].Outcome = workload.Dropped; r.Survivors = acked(r.Ops) },
			reasons: []string{"1 writes were dropped while no fault excused it, 0 allowed"}},
		{name: "dropped inside", expect: mustFailOver, outcome: measure.Passed,
			change: func(r *measure.Run) { r.Ops[150].Outcome = workload.Dropped }},
		{name: "unexpected", expect: mustFailOver, outcome: measure.Inconclusive,
			change:  func(r *measure.Run) { r.Ops[150].Outcome = workload.Fail; r.Survivors = append(r.Survivors, 151) },
			reasons: []string{"1 writes were counted as failed or dropped and yet are present, 0 allowed"}},
		{name: "the survivors were not read", expect: measure.Expect{Behaviour: measure.MustFailOver, MaxDataLoss: time.Hour}, outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Survivors = nil },
			reasons: []string{"of 480 lost writes are explained neither", "the run can't be measured: Survivors is nil"},
			notes:   []string{"RPO is 9.920 s: within"}},
		{name: "not a scenario", expect: measure.Expect{}, outcome: measure.Inconclusive, reasons: []string{`Behaviour is ""`}},

		{name: "too slow", expect: mustFailOver, outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Objectives.RTO = sec(12) },
			reasons: []string{"RTO is 12.020 s, the objective is 12.000 s: over by 0.020 s"}},
		{name: "never recovered", expect: mustFailOver, outcome: measure.Failed,
			change: func(r *measure.Run) {
				r.Objectives.RTO = sec(40)
				for i := 100; i < len(r.Ops); i++ {
					r.Ops[i].Outcome = workload.Fail
				}
				r.Survivors = acked(r.Ops, 98, 99, 100)
			},
			reasons: []string{"RTO is more than 50.000 s, the objective is 40.000 s: the service had not recovered when the run ended"}},
		{name: "not watched for long enough", expect: mustFailOver, outcome: measure.Inconclusive,
			change:  func(r *measure.Run) { r.Ops = r.Ops[:300]; r.Survivors = acked(r.Ops, 98, 99, 100) },
			reasons: []string{"the run ended in an outage, so RTO is known only to be more than 20.000 s (objective 60.000 s): watch for longer"}},
		{name: "came and went", expect: mustFailOver, outcome: measure.Failed,
			change: func(r *measure.Run) {
				r.Objectives.RTO = sec(15)
				for i := 400; i < 450; i++ {
					r.Ops[i].Outcome = workload.Fail
				}
				r.Survivors = acked(r.Ops, 98, 99, 100)
			},
			reasons: []string{"2 outages took 17.040 s together, the objective is 15.000 s: the longest was 12.020 s"}},
		{name: "did not move", change: stayed, expect: mustFailOver, outcome: measure.Failed,
			reasons: []string{"failed over 0 times, 1 required: the writer is still in us-east-1"}},
		{name: "moved twice", expect: mustFailOver, outcome: measure.Failed,
			change: func(r *measure.Run) {
				r.Marks = append(r.Marks, measure.Mark{At: sec(30), Name: measure.MarkPromoted, Detail: "epoch 3"})
			},
			reasons: []string{"failed over 2 times, 1 required"}},
		{name: "moved and should not", expect: mustNot, outcome: measure.Failed,
			reasons: []string{"failed over 1 times, 0 allowed: the writer went from us-east-1 to us-west-2", "lost 3 of 480 acknowledged writes, 0 allowed"}},
		{name: "a person had to help", change: operator, expect: mustFailOver, outcome: measure.Failed,
			reasons: []string{"a person had to acknowledge at +12.800 s, the failover was required to be automatic"}},
		{name: "no person was asked", expect: mustRefuse, outcome: measure.Failed,
			reasons: []string{"no person was asked: the run has no dr.operator mark, 1 required", "failed over 1 times without an acknowledgement, 0 allowed"}},
		{name: "moved before the acknowledgement", expect: mustRefuse, outcome: measure.Failed,
			change:  func(r *measure.Run) { operator(r); r.Marks[len(r.Marks)-1].At = sec(21) },
			reasons: []string{"promoted at +20.000 s, before the acknowledgement at +21.000 s"}},
		{name: "asked and not answered", expect: mustRefuse, outcome: measure.Inconclusive,
			change:  func(r *measure.Run) { stayed(r); r.Marks = append(r.Marks, mark(12, measure.MarkOperator)) },
			reasons: []string{"no person acknowledged: the run has no dr.acknowledged mark"}},
		{name: "acknowledged in vain", expect: mustRefuse, outcome: measure.Failed,
			change:  all(stayed, operator),
			reasons: []string{"failed over 0 times after the acknowledgement at +12.800 s, 1 required"}},
		{name: "split brain", from: partition, expect: measure.Expect{Behaviour: measure.MustFailOver, PartitionWindow: sec(6)}, outcome: measure.Failed,
			change: func(r *measure.Run) {
				r.Ops = append(r.Ops, workload.Op{ID: 9000, Client: "us-east-1/open-loop", Region: east, Intended: sec(30), Start: sec(30), End: sec(30), Outcome: workload.OK, Server: east})
			},
			reasons: []string{
				"split brain: us-east-1 acknowledged 1 writes after the first acknowledgement by us-west-2, 0 allowed",
				"RPO is 20.380 s, 7.000 s is allowed",
				"1 of 46 lost writes are explained neither"}},

		{name: "lost too much", expect: mustFailOver, outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Objectives.RPO = sec(0.25) },
			reasons: []string{"RPO is 0.300 s, 0.250 s is allowed: over by 0.050 s"}},
		{name: "lost what it must not", expect: measure.Expect{Behaviour: measure.MustFailOver, NoLoss: true}, outcome: measure.Failed,
			reasons: []string{"lost 3 of 480 acknowledged writes, 0 allowed"}},
		{name: "lost within the window, over the objective", from: partition, outcome: measure.Passed,
			expect: measure.Expect{Behaviour: measure.MustFailOver, MaxDataLoss: sec(1), PartitionWindow: sec(6)},
			notes:  []string{"RPO is 4.300 s: within the 7.000 s that this scenario allows, and 3.300 s over the objective of 1.000 s"}},
		{name: "the allowance is said even when it is not used", outcome: measure.Passed,
			expect: measure.Expect{Behaviour: measure.MustFailOver, PartitionWindow: sec(6)},
			notes:  []string{"this scenario allows a loss of 7.000 s, which is more than the objective of 1.000 s; RPO is 0.300 s"}},
		{name: "lost beyond the window", from: partition, outcome: measure.Failed,
			expect: measure.Expect{Behaviour: measure.MustFailOver, PartitionWindow: sec(3)},
			reasons: []string{
				"RPO is 4.300 s, 4.000 s is allowed; the scenario allows 3.000 s more than the objective of 1.000 s: over by 0.300 s",
				"9 of 45 lost writes are explained neither by 1.000 s of lag nor by a partition window of 3.000 s, 0 allowed: such as write 5139, acknowledged by \"us-east-1\" at +13.920 s"}},
		{name: "a hole", expect: mustFailOver, outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Survivors = acked(r.Ops, 95, 98, 99, 100) },
			reasons: []string{"1 lost writes were acknowledged before a surviving one began, 0 allowed: the loss is a hole, not a tail"}},
		{name: "lost by the new writer", expect: mustFailOver, outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Survivors = acked(r.Ops, 400) },
			reasons: []string{"1 of 1 lost writes are explained neither by 1.000 s of lag nor by a partition window of 0.000 s"}},

		{name: "failed beats inconclusive, and all is said", expect: mustFailOver, outcome: measure.Failed,
			change:  all(drop(measure.MarkSteady), func(r *measure.Run) { r.Objectives.RTO = sec(1) }),
			reasons: []string{"RTO is 12.020 s", "no steady state"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := failover()
			if tt.from != nil {
				run = tt.from()
			}
			if tt.change != nil {
				tt.change(&run)
			}
			v := measure.Judge(measure.Measure(run), tt.expect)
			said := strings.Join(v.Reasons, "\n")
			require.Equal(t, tt.outcome, v.Outcome, said)
			require.Len(t, v.Reasons, len(tt.reasons), said)
			for i, want := range tt.reasons {
				require.Contains(t, v.Reasons[i], want)
			}
			require.Len(t, v.Notes, len(tt.notes), strings.Join(v.Notes, "\n"))
			for i, want := range tt.notes {
				require.Contains(t, v.Notes[i], want)
			}
		})
	}
}

func TestExpectValidate(t *testing.T) {
	err := measure.Expect{Behaviour: "panic", NoFault: true, MaxDataLoss: -1, PartitionWindow: -1, MinRate: 2}.Validate()
	for _, want := range []string{`Behaviour is "panic"`, "NoFault with panic", "MaxDataLoss is -1ns", "PartitionWindow is -1ns", "MinRate is 2"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, measure.Expect{Behaviour: measure.MustRefuse}.Validate())
}
