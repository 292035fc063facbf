package measure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// unfenced is a run in which the old writer goes on until 52 s, two seconds after
// the heal, for a client of its own Region that is pinned to it.
func unfenced() measure.Run {
	r := failover()
	inside := writes(east, 5001, sec(60), func(at time.Duration) answer {
		if at < sec(52) {
			return ok(east)
		}
		return refused
	})
	survive := acked(r.Ops, 98, 99, 100)
	for _, id := range acked(inside) {
		if id <= 5098 {
			survive = append(survive, id)
		}
	}
	r.Ops, r.Survivors, r.Faulted = append(r.Ops, inside...), survive, east
	return r
}

func TestJudgeOfAWriterThatNothingFences(t *testing.T) {
	expect := measure.Expect{Behaviour: measure.MustFailOver, Unfenced: sec(15)}
	for _, tt := range []struct {
		name    string
		change  func(*measure.Run)
		forge   func(*measure.Result)
		expect  measure.Expect // default: the above
		outcome measure.Outcome
		reasons []string
	}{
		{name: "found, counted and listed", outcome: measure.Passed},
		{name: "the same where it may not be", expect: measure.Expect{Behaviour: measure.MustFailOver, PartitionWindow: time.Minute}, outcome: measure.Failed,
			reasons: []string{"split brain: us-east-1 acknowledged 299 writes after the first acknowledgement by us-west-2, 0 allowed"}},
		{name: "no client wrote to it", outcome: measure.Inconclusive,
			change: func(r *measure.Run) {
				for i := range r.Ops {
					if op := &r.Ops[i]; op.Region == east && op.Start > sec(14) {
						op.Outcome, op.Server = workload.Fail, ""
					}
				}
			},
			reasons: []string{"no write was acknowledged twice"}},
		{name: "no heal", outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Marks = r.Marks[:len(r.Marks)-1] },
			reasons: []string{"RPO is", "lost writes are explained neither", "the run has no fault.healed mark"}},
		{name: "it goes on after the heal", expect: measure.Expect{Behaviour: measure.MustFailOver, Unfenced: sec(1)}, outcome: measure.Failed,
			reasons: []string{
				"us-east-1 still acknowledged 10 writes more than 1.000 s after the heal, 0 allowed",
				"RPO is 42.300 s, 42.050 s is allowed",
				"10 of 425 lost writes are explained neither",
			}},
		{name: "counted and not listed", outcome: measure.Failed, forge: func(r *measure.Result) { r.Dual = r.Dual[1:] },
			reasons: []string{"299 dual-acknowledged writes were counted and 298 are listed"}},
		{name: "silent", outcome: measure.Failed, forge: func(r *measure.Result) { r.Lost = r.Lost[:len(r.Lost)-2] },
			reasons: []string{"2 dual-acknowledged writes are gone and not counted as lost, 0 allowed: a loss must never be silent"}},
		{name: "fenced by a monitor that was to be dead", outcome: measure.Inconclusive,
			change: func(r *measure.Run) {
				r.Marks = append(r.Marks, measure.Mark{At: sec(14), Name: measure.MarkGuarded, Region: east})
			},
			expect:  measure.Expect{Behaviour: measure.MustFailOver, Unfenced: sec(15), Unguarded: true},
			reasons: []string{"the monitor of us-east-1 fenced its writer at +14.000 s, before it was dead"}},
		{name: "fenced by it after the heal", outcome: measure.Passed,
			change: func(r *measure.Run) {
				r.Marks = append(r.Marks, measure.Mark{At: sec(52), Name: measure.MarkGuarded, Region: east})
			},
			expect: measure.Expect{Behaviour: measure.MustFailOver, Unfenced: sec(15), Unguarded: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, e := unfenced(), tt.expect
			if e.Behaviour == "" {
				e = expect
			}
			if tt.change != nil {
				tt.change(&run)
			}
			r := measure.Measure(run)
			if tt.forge != nil {
				tt.forge(&r)
			}
			requireVerdict(t, measure.Judge(r, e), tt.outcome, tt.reasons)
		})
	}
}

func requireVerdict(t *testing.T, v measure.Verdict, outcome measure.Outcome, reasons []string) {
	t.Helper()
	said := strings.Join(v.Reasons, "\n")
	require.Equal(t, outcome, v.Outcome, said)
	require.Len(t, v.Reasons, len(reasons), said)
	for i, want := range reasons {
		require.Contains(t, v.Reasons[i], want)
	}
}

func TestDualWritesAreListed(t *testing.T) {
	run := unfenced()
	run.Survivors = append(run.Survivors, 5501) // one that was saved all the same
	r := measure.Measure(run)
	require.Equal(t, 299, len(r.Dual))
	require.Equal(t, 299, r.Writes.DualAcknowledged)
	require.Equal(t, measure.DualWrite{ID: 5222, Client: "us-east-1/open-loop", Server: east, Start: sec(22.1), End: sec(22.12)}, r.Dual[0])
	lost := map[int64]bool{}
	for _, w := range r.Lost {
		lost[w.ID] = true
	}
	for _, w := range r.Dual {
		require.Equal(t, w.ID == 5501, w.Survived)
		require.Equal(t, !w.Survived, lost[w.ID])
	}
}

// stopped is a run in which writes fail from 13 s to some seconds after the heal at
// 50 s, and nothing moves.
func stopped(until float64) measure.Run {
	ops := writes(witness, 1, sec(70), func(at time.Duration) answer {
		if at >= sec(13) && at < sec(until) {
			return refused
		}
		return ok(east)
	})
	return measure.Run{
		Ops: ops, Survivors: acked(ops), OldWriter: east, NewWriter: east,
		Marks: []measure.Mark{
			mark(1, measure.MarkSteady), mark(9.95, measure.MarkInjected), mark(10.1, measure.MarkEffective),
			mark(12, measure.MarkSuspected), mark(14, measure.MarkOperator), mark(50, measure.MarkHealed),
		},
		Objectives: failover().Objectives, Interval: tick, Horizon: sec(300),
	}
}

func TestJudgeOfAWriterThatStops(t *testing.T) {
	expect := measure.Expect{Behaviour: measure.MayFailOver}
	for _, tt := range []struct {
		name    string
		run     measure.Run
		change  func(*measure.Run)
		expect  measure.Expect // default: the above
		outcome measure.Outcome
		reasons []string
	}{
		{name: "a person was asked", run: stopped(52), outcome: measure.Passed},
		{name: "it moved", run: failover(), outcome: measure.Passed},
		{name: "it moved and lost", run: failover(), expect: measure.Expect{Behaviour: measure.MayFailOver, NoLoss: true}, outcome: measure.Failed,
			reasons: []string{"lost 3 of 480 acknowledged writes, 0 allowed"}},
		{name: "it stayed and lost", run: stopped(52), change: func(r *measure.Run) { r.Survivors = acked(r.Ops, 100) }, outcome: measure.Failed,
			reasons: []string{"1 lost writes were acknowledged before", "lost 1 of 310 acknowledged writes, 0 allowed"}},
		{name: "no person was asked", run: stopped(52), outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Marks = append(r.Marks[:4:4], r.Marks[5]) },
			reasons: []string{"writes stopped, the writer did not move, and no person was asked"}},
		{name: "nothing stopped", run: stopped(13), outcome: measure.Inconclusive, reasons: []string{"no write failed"}},
		{name: "late after the heal", run: stopped(56), change: func(r *measure.Run) { r.Objectives.RTO = sec(5) }, outcome: measure.Failed,
			reasons: []string{"writes came back 6.020 s after the heal, the objective is 5.000 s: over by 1.020 s"}},
		{name: "never again", run: stopped(70), outcome: measure.Failed, reasons: []string{"writes had not come back when the run ended, 20.000 s after the heal"}},
		{name: "moved twice", run: failover(), outcome: measure.Failed,
			change: func(r *measure.Run) {
				r.Marks = append(r.Marks, measure.Mark{At: sec(30), Name: measure.MarkPromoted, Detail: "epoch 3"})
			},
			reasons: []string{"failed over 2 times, at most 1 allowed"}},
		{name: "a person helped", run: failover(), outcome: measure.Failed,
			change:  func(r *measure.Run) { r.Marks = append(r.Marks, mark(15, measure.MarkAcknowledged)) },
			reasons: []string{"a person acknowledged at +15.000 s in a drill that allows no acknowledgement"}},
		{name: "too slow", run: failover(), expect: measure.Expect{Behaviour: measure.MayFailOver, MaxRTO: sec(12)}, outcome: measure.Failed,
			reasons: []string{"RTO is 12.020 s, the objective is 12.000 s: over by 0.020 s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.expect
			if e.Behaviour == "" {
				e = expect
			}
			if tt.change != nil {
				tt.change(&tt.run)
			}
			requireVerdict(t, measure.Judge(measure.Measure(tt.run), e), tt.outcome, tt.reasons)
		})
	}
}

func TestJudgeOfWhatClientsMustNotSee(t *testing.T) {
	calm := func() measure.Run {
		r := stopped(13)
		r.Marks = append(r.Marks[:4:4], r.Marks[5])
		return r
	}
	unseen := measure.Expect{Behaviour: measure.MustNotFailOver, NoOutage: true, Suspects: true}
	requireVerdict(t, measure.Judge(measure.Measure(calm()), unseen), measure.Passed, nil)

	one := calm()
	one.Ops[200].Outcome = workload.Fail
	one.Survivors = acked(one.Ops)
	requireVerdict(t, measure.Judge(measure.Measure(one), unseen), measure.Failed,
		[]string{"clients saw 1 outages of 0.120 s together, 0 allowed: the longest began at +20.000 s"})

	unsuspected := calm()
	unsuspected.Marks = append(unsuspected.Marks[:3:3], unsuspected.Marks[4])
	requireVerdict(t, measure.Judge(measure.Measure(unsuspected), unseen), measure.Inconclusive, []string{"no controller suspected anything"})
}

func TestEveryFaultMustShow(t *testing.T) {
	named := func(s float64, name, what string) measure.Mark {
		return measure.Mark{At: sec(s), Name: name, Detail: what}
	}
	run := failover()
	run.Marks[1].Detail, run.Marks[2].Detail = "blackout(us-east-1)", "blackout(us-east-1)"
	expect := measure.Expect{Behaviour: measure.MustFailOver}
	run.Marks = append(run.Marks, named(5, measure.MarkPrepared, "kill-steps(us-west-2)"), named(11, measure.MarkInjected, "stop-monitor(us-east-1)"))
	requireVerdict(t, measure.Judge(measure.Measure(run), expect), measure.Inconclusive, []string{
		"nothing showed that kill-steps(us-west-2) did what it says", "nothing showed that stop-monitor(us-east-1) did what it says",
	})
	run.Marks = append(run.Marks, named(13.5, measure.MarkSeen, "kill-steps(us-west-2)"), named(11.1, measure.MarkEffective, "stop-monitor(us-east-1)"))
	r := measure.Measure(run)
	requireVerdict(t, measure.Judge(r, expect), measure.Passed, nil)
	require.Equal(t, sec(10.1), r.Effective, "what is prepared is not what is measured from")
}

func TestExpectValidateOfFunctions(t *testing.T) {
	err := measure.Expect{Behaviour: measure.MustNotFailOver, NoFault: true, Suspects: true, Unfenced: 1, MaxRTO: -1, HeldUntil: 1}.Validate()
	for _, want := range []string{"HeldUntil is 1ns with must-not-fail-over", "Suspects with NoFault", "Unfenced with must-not-fail-over", "MaxRTO is -1ns"} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, measure.Expect{Behaviour: measure.MustFailOver, NoOutage: true, Unfenced: -1}.Validate(), "NoOutage with must-fail-over")
	require.ErrorContains(t, measure.Expect{Behaviour: measure.MustFailOver, Unfenced: -1}.Validate(), "Unfenced is -1ns")
	require.NoError(t, measure.Expect{Behaviour: measure.MayFailOver}.Validate())
}

// The story's promotion is done 10.05 s after the injection.
func TestJudgeOfAPromotionThatAFaultHoldsBack(t *testing.T) {
	for held, outcome := range map[time.Duration]measure.Outcome{sec(10): measure.Passed, sec(10.1): measure.Inconclusive} {
		v := measure.Judge(measure.Measure(failover()), measure.Expect{Behaviour: measure.MustFailOver, HeldUntil: held})
		var reasons []string
		if outcome != measure.Passed {
			reasons = []string{"promoted at +20.000 s, and the fault holds a promotion back until +20.050 s"}
		}
		requireVerdict(t, v, outcome, reasons)
	}
}
