package measure_test

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	east    = dr.Region("us-east-1")
	west    = dr.Region("us-west-2")
	witness = dr.Region("us-east-2")
)

const tick = 100 * time.Millisecond // between two writes of one client

func sec(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// answer is what a write gets.
type answer struct {
	outcome workload.Outcome
	server  dr.Region
	after   time.Duration
}

func ok(server dr.Region) answer { return answer{workload.OK, server, 20 * time.Millisecond} }

var (
	timeout = answer{workload.Info, "", 2 * time.Second}
	refused = answer{workload.Fail, "", time.Millisecond}
	dropped = answer{workload.Dropped, "", 0}
)

// writes lets one client write for a time, and asks what happens to each write.
func writes(region dr.Region, firstID int64, length time.Duration, what func(at time.Duration) answer) []workload.Op {
	var ops []workload.Op
	for at := time.Duration(0); at < length; at += tick {
		a := what(at)
		ops = append(ops, workload.Op{
			ID: firstID + int64(at/tick), Client: string(region) + "/open-loop", Region: region,
			Intended: at, Start: at, End: at + a.after, Outcome: a.outcome, Server: a.server,
		})
	}
	return ops
}

// acked returns the ids of the ok writes but the given ones.
func acked(ops []workload.Op, but ...int64) []int64 {
	lost := map[int64]bool{}
	for _, id := range but {
		lost[id] = true
	}
	ids := []int64{}
	for _, op := range ops {
		if op.Outcome == workload.OK && !lost[op.ID] {
			ids = append(ids, op.ID)
		}
	}
	return ids
}

func mark(s float64, name string) measure.Mark {
	return measure.Mark{At: sec(s), Source: "test", Name: name}
}

// failover is a run with every number known: the fault strikes at 10 s and is
// seen at 10.1 s, a client in the witness Region times out until 22 s, and the
// last three writes that the old writer acknowledged are lost.
func failover() measure.Run {
	ops := writes(witness, 1, sec(60), func(at time.Duration) answer {
		switch {
		case at < sec(10):
			return ok(east)
		case at < sec(22):
			return timeout
		}
		return ok(west)
	})
	return measure.Run{
		Ops:       ops,
		Survivors: acked(ops, 98, 99, 100),
		Marks: []measure.Mark{
			mark(1, measure.MarkSteady), mark(9.95, measure.MarkInjected), mark(10.1, measure.MarkEffective),
			mark(12, measure.MarkSuspected), mark(13, measure.MarkDecided), mark(16, measure.MarkFenced),
			mark(20, measure.MarkPromoted), mark(20.5, measure.MarkVerified), mark(21, measure.MarkRedirected),
			mark(20.1, measure.MarkWritable), mark(50, measure.MarkHealed),
		},
		OldWriter: east, NewWriter: west,
		Objectives: dr.Objectives{RTO: sec(60), RPO: sec(1)},
		Interval:   tick,
		Horizon:    sec(300),
	}
}
