package measure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func TestMeasureFailover(t *testing.T) {
	r := measure.Measure(failover())
	require.Empty(t, r.Problems)
	require.Equal(t, sec(12.02), r.RTO, "from the intended start of the first timeout to the first ok")
	require.False(t, r.Capped)
	require.Equal(t, sec(10), r.Start)
	require.Equal(t, sec(22.02), r.End)
	require.Equal(t, sec(12.02), r.FirstOK)
	require.Equal(t, sec(12.02), r.Bad)
	require.Equal(t, sec(11.92), r.FromFault)
	require.Equal(t, sec(10), r.Writable)
	require.Equal(t, tick, r.Resolution)
	require.Equal(t, 1, r.Failovers)

	// Acknowledged until 9.92 s, recovered until 9.62 s.
	require.Equal(t, sec(0.3), r.RPO)
	require.Equal(t, sec(0.2), r.Width)
	require.Equal(t, measure.Writes{Attempted: 600, OK: 480, Info: 120, Lost: 3}, r.Writes)
	require.Equal(t, []measure.LostWrite{
		{ID: 98, Client: "us-east-2/open-loop", Server: east, Start: sec(9.7), End: sec(9.72), Kind: measure.Lag},
		{ID: 99, Client: "us-east-2/open-loop", Server: east, Start: sec(9.8), End: sec(9.82), Kind: measure.Lag},
		{ID: 100, Client: "us-east-2/open-loop", Server: east, Start: sec(9.9), End: sec(9.92), Kind: measure.Lag},
	}, r.Lost)
	require.Zero(t, r.OrderLoss)
	// A careless client believes in the timeouts too: the last one is at 23.9 s.
	require.Equal(t, sec(23.9)-sec(9.62), r.Naive)
	require.Equal(t, 123, r.NaiveLost)

	require.Equal(t, []measure.Phase{
		{Name: "detect", From: sec(10), To: sec(12), Known: true},
		{Name: "decide", From: sec(12), To: sec(13), Known: true},
		{Name: "fence", From: sec(13), To: sec(16), Known: true},
		{Name: "promote", From: sec(16), To: sec(20), Known: true},
		{Name: "redirect", From: sec(20), To: sec(21), Known: true},
		{Name: "converge", From: sec(21), To: sec(22.02), Known: true},
	}, r.Phases)
	require.Zero(t, r.Unattributed)
}

// A harness that can't report zero is broken.
func TestMeasureNothing(t *testing.T) {
	run := failover()
	run.Ops = writes(witness, 1, sec(60), func(time.Duration) answer { return ok(east) })
	run.Survivors, run.NewWriter = acked(run.Ops), east
	run.Marks = []measure.Mark{mark(1, measure.MarkSteady)}
	r := measure.Measure(run)
	require.Empty(t, r.Problems)
	require.Zero(t, r.RTO)
	require.Zero(t, r.Bad)
	require.Zero(t, r.RPO)
	require.Zero(t, r.Naive)
	require.Zero(t, r.Failovers)
	require.Equal(t, measure.Writes{Attempted: 600, OK: 600}, r.Writes)
	require.Equal(t, measure.Unknown, r.Writable)
	require.Equal(t, measure.Passed, measure.Judge(r, measure.Expect{Behaviour: measure.MustNotFailOver, NoFault: true}).Outcome)
}

func TestRTO(t *testing.T) {
	between := func(at time.Duration, from, to float64) bool { return at >= sec(from) && at < sec(to) }
	for _, tt := range []struct {
		name   string
		what   func(at time.Duration) answer
		change func(*measure.Run)
		rto    float64
		bad    float64
		n      int
		capped bool
	}{
		{name: "a failure before the fault is not the fault's", rto: 5.02, bad: 5.02, n: 1,
			what: func(at time.Duration) answer {
				if between(at, 4, 5) || between(at, 10, 15) {
					return refused
				}
				return ok(east)
			}},
		{name: "a write under way when the fault strikes is", rto: 1.02, bad: 1.02, n: 1,
			what: func(at time.Duration) answer {
				if between(at, 9.5, 10.5) {
					return timeout
				}
				return ok(east)
			}},
		{name: "a write that had to wait began when it was meant to", rto: 5.02, bad: 5.02, n: 1,
			what: func(at time.Duration) answer {
				if between(at, 10, 15) {
					return refused
				}
				return ok(east)
			},
			change: func(r *measure.Run) {
				for i := range r.Ops {
					if op := &r.Ops[i]; op.Outcome == workload.Fail {
						op.Start, op.End = op.Start+sec(0.3), op.End+sec(0.3)
					}
				}
			}},
		{name: "a short recovery does not end the outage", rto: 20.02, bad: 20.02, n: 1,
			what: func(at time.Duration) answer {
				if between(at, 10, 15) || between(at, 18, 30) {
					return timeout
				}
				return ok(east)
			}},
		{name: "a long recovery does, and the longest counts", rto: 8.02, bad: 13.04, n: 2,
			what: func(at time.Duration) answer {
				if between(at, 10, 15) || between(at, 30, 38) {
					return timeout
				}
				return ok(east)
			}},
		{name: "one failure in a hundred does not break a window", rto: 5.02, bad: 5.14, n: 2,
			what: func(at time.Duration) answer {
				if between(at, 10, 15) || at == sec(17) {
					return refused
				}
				return ok(east)
			}},
		{name: "two in a hundred do", rto: 7.32, bad: 7.32, n: 1,
			what: func(at time.Duration) answer {
				if between(at, 10, 15) || at == sec(17) || at == sec(17.2) {
					return refused
				}
				return ok(east)
			}},
		{name: "never recovered", rto: 50, bad: 50, n: 1, capped: true,
			what: func(at time.Duration) answer {
				if at >= sec(10) {
					return timeout
				}
				return ok(east)
			}},
		{name: "recovered too late to be sure", rto: 45, bad: 45, n: 1, capped: true,
			what: func(at time.Duration) answer {
				if between(at, 15, 55) {
					return timeout
				}
				return ok(east)
			}},
		{name: "a single failure at the end is within what a window tolerates", rto: 0.12, bad: 0.12, n: 1,
			what: func(at time.Duration) answer {
				if at == sec(58) {
					return refused
				}
				return ok(east)
			}},
		{name: "recovered only by the heal", rto: 20.05, bad: 20.05, n: 1, capped: true,
			change: func(r *measure.Run) { r.Horizon = sec(20); r.Marks[2].At = sec(10.05) },
			what: func(at time.Duration) answer {
				if between(at, 10, 40) {
					return timeout
				}
				return ok(east)
			}},
		{name: "an outage after the horizon is its own", rto: 5.02, bad: 7.04, n: 2,
			change: func(r *measure.Run) { r.Horizon = sec(20) },
			what: func(at time.Duration) answer {
				if between(at, 10, 15) || between(at, 35, 37) {
					return timeout
				}
				return ok(east)
			}},
		{name: "a long outage and an open one: at least the long one", rto: 20.02, bad: 29.02, n: 2, capped: true,
			what: func(at time.Duration) answer {
				if between(at, 10, 30) || at >= sec(51) {
					return timeout
				}
				return ok(east)
			}},
		{name: "a client that falls silent has not recovered", rto: 50, bad: 50, n: 1, capped: true,
			change: func(r *measure.Run) {
				r.Ops = append(r.Ops, writes(west, 5000, sec(12), func(time.Duration) answer { return ok(east) })...)
			},
			what: func(at time.Duration) answer {
				if between(at, 10, 15) {
					return timeout
				}
				return ok(east)
			}},
		{name: "dropped writes were not ok", rto: 2.02, bad: 2.02, n: 1,
			what: func(at time.Duration) answer {
				if between(at, 10, 12) {
					return dropped
				}
				return ok(east)
			}},
		{name: "clients in the faulted Region do not count", rto: 0, bad: 0, n: 0,
			change: func(r *measure.Run) {
				r.Faulted = east
				r.Ops = append(r.Ops, writes(east, 5000, sec(60), func(at time.Duration) answer {
					if at >= sec(10) {
						return timeout
					}
					return ok(east)
				})...)
			},
			what: func(time.Duration) answer { return ok(east) }},
		{name: "clients elsewhere do, each of them", rto: 3.92, bad: 3.92, n: 1,
			change: func(r *measure.Run) {
				r.Ops = append(r.Ops, writes(west, 5000, sec(60), func(at time.Duration) answer {
					if between(at, 20, 24) {
						return refused
					}
					return ok(east)
				})...)
			},
			what: func(time.Duration) answer { return ok(east) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := failover()
			run.Ops = writes(witness, 1, sec(60), tt.what)
			if tt.change != nil {
				tt.change(&run)
			}
			run.Survivors, run.NewWriter = acked(run.Ops), east
			r := measure.Measure(run)
			require.Empty(t, r.Problems)
			require.InDelta(t, sec(tt.rto), r.RTO, 1)
			require.Equal(t, tt.capped, r.Capped)
			require.InDelta(t, sec(tt.bad), r.Bad, 1)
			require.Len(t, r.Outages, tt.n)
		})
	}
}

// One client in the witness Region, one in the faulted Region that goes on
// writing to the old writer through the cut.
func partition() measure.Run {
	run := failover()
	local := writes(east, 5000, sec(60), func(at time.Duration) answer {
		switch {
		case at < sec(14):
			return ok(east)
		case at < sec(55):
			return refused
		}
		return ok(west)
	})
	lost := []int64{98, 99, 100}
	for id := int64(5098); id < 5140; id++ {
		lost = append(lost, id)
	}
	run.Ops = append(run.Ops, local...)
	run.Survivors = acked(run.Ops, lost...)
	run.Faulted = east
	return run
}

func TestPartitionLoss(t *testing.T) {
	r := measure.Measure(partition())
	require.Empty(t, r.Problems)
	require.Equal(t, sec(12.02), r.RTO, "the client in the faulted Region is outside RTO")
	require.Equal(t, 45, r.Writes.Lost, "and inside the loss")
	require.Equal(t, sec(13.92)-sec(9.62), r.RPO, "to the old writer's last acknowledgement, after the fault")
	kinds := map[measure.Kind]int{}
	for _, w := range r.Lost {
		kinds[w.Kind]++
	}
	require.Equal(t, map[measure.Kind]int{measure.Lag: 6, measure.Partition: 39}, kinds, "9.92 s is before the effect at 10.1 s, 10.12 s is not")
	require.Zero(t, r.Writes.DualAcknowledged)
	require.Zero(t, r.OrderLoss)
}

func TestBeforeTheFault(t *testing.T) {
	run := failover()
	run.Ops[94].Outcome, run.Ops[94].End = workload.Info, sec(11.4) // out when the fault struck
	r := measure.Measure(run)
	require.Equal(t, measure.Before{Length: sec(8.95), Offered: 10, Sent: 89, OK: 89}, r.Before)
	require.InDelta(t, 9.94, r.Before.Achieved(), 0.01)
}

func TestOutageThatEndsBeforeTheEffect(t *testing.T) {
	run := failover()
	run.Ops = writes(witness, 1, sec(60), func(at time.Duration) answer {
		if at == sec(10) {
			return refused
		}
		return ok(east)
	})
	run.Marks[2].At = sec(11)
	r := measure.Measure(run)
	require.Equal(t, sec(10.12)-sec(10), r.RTO)
	require.Zero(t, r.FromFault)
}

func TestAcknowledgedAtTheInstantOfTheCut(t *testing.T) {
	run := failover()
	run.Ops[99].End = sec(10.1)
	require.Equal(t, measure.Lag, measure.Measure(run).Lost[2].Kind)
	run.Ops[99].End++
	require.Equal(t, measure.Partition, measure.Measure(run).Lost[2].Kind)
}

func TestDualAcknowledged(t *testing.T) {
	run := partition()
	first := sec(22.02) // the new writer's first acknowledgement
	add := func(id int64, end time.Duration, server dr.Region) {
		run.Ops = append(run.Ops, workload.Op{ID: id, Client: "zombie", Region: east, Intended: end - tick, Start: end - tick, End: end, Outcome: workload.OK, Server: server})
		run.Survivors = append(run.Survivors, id)
	}
	add(9000, first-1, east)
	add(9001, first, east)
	require.Zero(t, measure.Measure(run).Writes.DualAcknowledged, "up to that instant the old writer may")
	add(9002, first+1, east)
	add(9003, sec(58), east)
	add(9004, sec(58), west)
	require.Equal(t, 2, measure.Measure(run).Writes.DualAcknowledged)
	run.NewWriter = east
	require.Zero(t, measure.Measure(run).Writes.DualAcknowledged, "there is no new writer")
}

func TestOrderLoss(t *testing.T) {
	run := failover()
	run.Survivors = acked(run.Ops, 50, 98, 99, 100)
	r := measure.Measure(run)
	require.Equal(t, 1, r.OrderLoss, "write 50 is gone and write 51 is there")
	require.Equal(t, sec(9.92)-sec(4.82), r.RPO, "the recovery point is before the hole")

	// Two writes that overlap may be stored in any order.
	run = failover()
	run.Ops[98].Start, run.Ops[98].Intended = sec(9.65), sec(9.65)
	run.Survivors = acked(run.Ops, 98, 100)
	r = measure.Measure(run)
	require.Zero(t, r.OrderLoss)
}

func TestRecoveredAndUnexpected(t *testing.T) {
	run := failover()
	run.Ops[105].Outcome = workload.Fail
	run.Ops[106].Outcome = workload.Dropped
	run.Survivors = append(run.Survivors, 101, 102, 106, 107, 77_777)
	r := measure.Measure(run)
	require.Equal(t, 2, r.Writes.Recovered, "timed out, and yet there")
	require.Equal(t, 2, r.Writes.Unexpected, "failed, and yet there")
	require.Equal(t, 1, r.Foreign)
	require.Equal(t, 3, r.Writes.Lost, "a timeout is never lost")
}

func TestLossByTheNewWriterIsUnexplained(t *testing.T) {
	run := failover()
	run.Survivors = acked(run.Ops, 400)
	r := measure.Measure(run)
	require.Len(t, r.Lost, 1)
	require.Equal(t, measure.Unexplained, r.Lost[0].Kind)
	require.Zero(t, r.RPO, "RPO is about the old writer; the verdict is about both")
}

func TestEverythingLost(t *testing.T) {
	run := failover()
	run.Survivors = []int64{}
	r := measure.Measure(run)
	require.Equal(t, 480, r.Writes.Lost)
	require.Equal(t, sec(9.92), r.RPO, "no recovery point: all of the history")
}

func TestFailoversAreCountedOnce(t *testing.T) {
	run := failover()
	again := measure.Mark{At: sec(20), Name: measure.MarkPromoted, Region: west, Detail: "epoch 2"}
	run.Marks = []measure.Mark{mark(1, measure.MarkSteady), mark(9, measure.MarkInjected)}
	require.Equal(t, 1, measure.Measure(run).Failovers, "the writer moved, with no report of a promotion")
	run.Marks = append(run.Marks, again, again)
	require.Equal(t, 1, measure.Measure(run).Failovers, "reported again after a crash")
	again.Detail = "epoch 3"
	run.Marks = append(run.Marks, again)
	require.Equal(t, 2, measure.Measure(run).Failovers)
}

func TestProblems(t *testing.T) {
	r := measure.Measure(measure.Run{})
	require.Contains(t, r.Problems[0], "OldWriter is")
	require.Len(t, r.Problems, 4)

	run := failover()
	run.Ops = append(run.Ops, run.Ops[3])
	run.Ops[0].Outcome = "maybe"
	run.Ops[1].End = -1
	run.Faulted = witness
	r = measure.Measure(run)
	require.Equal(t, []string{
		`write 1 has outcome "maybe": use ok, fail, info or dropped`,
		`write 2 was intended at 100ms, started at 100ms and ended at -1ns: its clock ran backwards`,
		`write 4 is in the history twice: give each client its own range of ids`,
		`every client stands in the faulted Region us-east-2: RTO needs one outside`,
	}, r.Problems)
}
