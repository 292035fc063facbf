package measure_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The oracles say the definitions again, slowly, with a loop for every "for all"
// and no index, order or state.

func oracleOutages(r measure.Run, since time.Duration) []measure.Outage {
	var ops []workload.Op
	var end time.Duration
	clients := map[string]bool{}
	for _, op := range r.Ops {
		if r.Faulted != "" && op.Region == r.Faulted {
			continue
		}
		ops, end = append(ops, op), max(end, op.Intended+r.Interval)
		clients[op.Client] = true
	}
	share := func(client string, from, to time.Duration) (good, all int) {
		for _, op := range ops {
			if op.Client == client && op.Intended >= from && op.Intended < to {
				all++
				if op.Outcome == workload.OK {
					good++
				}
			}
		}
		return good, all
	}
	sustained := func(t time.Duration) bool {
		for c := range clients {
			// Its next write is ok.
			var next *workload.Op
			for i, op := range ops {
				if op.Client == c && op.Intended >= t && (next == nil || op.Intended < next.Intended) {
					next = &ops[i]
				}
			}
			if next != nil && next.Outcome != workload.OK {
				return false
			}
			window := t
			if t+r.Sustain.Window > end {
				window = end - r.Sustain.Window
			}
			good, all := share(c, window, window+r.Sustain.Window)
			if all == 0 || float64(good) < r.Sustain.Success*float64(all) {
				return false
			}
		}
		return true
	}
	var out []measure.Outage
	at := time.Duration(-1 << 60)
	for {
		start, found := time.Duration(0), false
		for _, op := range ops {
			if op.Outcome != workload.OK && op.End >= since && op.Intended >= at && (!found || op.Intended < start) {
				start, found = op.Intended, true
			}
		}
		if !found {
			return out
		}
		o := measure.Outage{Start: start, End: max(end, start), Capped: true}
		for _, op := range ops {
			if op.Outcome == workload.OK && op.End > start && sustained(op.End) && (o.Capped || op.End < o.End) {
				o.End, o.Capped = op.End, false
			}
		}
		out = append(out, o)
		if o.Capped {
			return out
		}
		at = o.End
	}
}

// oracleRPO tries every acknowledgement as the recovery point.
func oracleRPO(r measure.Run) time.Duration {
	present := map[int64]bool{}
	for _, id := range r.Survivors {
		present[id] = true
	}
	var acks []workload.Op
	for _, op := range r.Ops {
		if op.Outcome == workload.OK && (r.OldWriter == r.NewWriter || op.Server == r.OldWriter) {
			acks = append(acks, op)
		}
	}
	before := func(a, b workload.Op) bool { return a.End < b.End || a.End == b.End && a.ID < b.ID }
	var last, point, first time.Duration
	lost, found := false, false
	for _, op := range acks {
		last = max(last, op.End)
		lost = lost || !present[op.ID]
		all := present[op.ID]
		for _, other := range acks {
			if before(other, op) && !present[other.ID] {
				all = false
			}
		}
		if all && (!found || op.End > point) {
			point, found = op.End, true
		}
	}
	if !lost {
		return 0
	}
	if !found { // the history holds no recovery point: all of it, from the first write
		var oldest workload.Op
		for i, op := range acks {
			if i == 0 || before(op, oldest) {
				oldest = op
			}
		}
		first = oldest.Start
		return last - first
	}
	return last - point
}

func oracleDual(r measure.Run) int {
	n := 0
	for _, a := range r.Ops {
		for _, b := range r.Ops {
			if r.OldWriter != r.NewWriter && a.Outcome == workload.OK && b.Outcome == workload.OK &&
				a.Server == r.OldWriter && b.Server == r.NewWriter && b.End < a.End && firstBy(r, b) {
				n++
			}
		}
	}
	return n
}

// firstBy reports whether b is the new writer's first acknowledgement, by id
// among equals.
func firstBy(r measure.Run, b workload.Op) bool {
	for _, op := range r.Ops {
		if op.Outcome == workload.OK && op.Server == r.NewWriter && (op.End < b.End || op.End == b.End && op.ID < b.ID) {
			return false
		}
	}
	return true
}

func oracleOrder(r measure.Run) int {
	present := map[int64]bool{}
	for _, id := range r.Survivors {
		present[id] = true
	}
	n := 0
	for _, a := range r.Ops {
		if a.Outcome != workload.OK || present[a.ID] || (r.OldWriter != r.NewWriter && a.Server != r.OldWriter) {
			continue
		}
		for _, b := range r.Ops {
			if b.Outcome == workload.OK && present[b.ID] && (r.OldWriter == r.NewWriter || b.Server == r.OldWriter) && a.End < b.Start {
				n++
				break
			}
		}
	}
	return n
}

// random invents a history: stretches of good, bad and mixed service for two or
// three clients, a cut tail, some holes, and marks anywhere.
func random(rng *rand.Rand) measure.Run {
	pick := func(r ...dr.Region) dr.Region { return r[rng.IntN(len(r))] }
	run := measure.Run{
		OldWriter: east, NewWriter: pick(east, west), Faulted: pick("", east, west),
		Interval: tick, Survivors: []int64{},
		Sustain:    measure.Sustain{Window: sec(0.5 + rng.Float64()), Success: []float64{0.8, 0.9, 0.99, 1}[rng.IntN(4)]},
		Objectives: dr.Objectives{RTO: sec(2), RPO: sec(1)},
	}
	length := sec(2 + 6*rng.Float64())
	mood := make([]float64, 12) // the chance of ok, per stretch
	for i := range mood {
		mood[i] = []float64{0, 0, 0.5, 0.95, 1, 1, 1, 1}[rng.IntN(8)]
	}
	for c, region := range []dr.Region{witness, east, west}[:2+rng.IntN(2)] {
		run.Ops = append(run.Ops, writes(region, int64(1000*c), length, func(at time.Duration) answer {
			if rng.Float64() < mood[int(at*time.Duration(len(mood))/length)] {
				a := ok(pick(east, east, west))
				a.after = time.Duration(rng.IntN(300)) * time.Millisecond
				return a
			}
			return []answer{timeout, refused, dropped}[rng.IntN(3)]
		})...)
	}
	cut := sec(8 * rng.Float64())
	for _, op := range run.Ops {
		if op.End < cut && rng.IntN(40) > 0 || op.Server == west || rng.IntN(8) == 0 {
			run.Survivors = append(run.Survivors, op.ID)
		}
	}
	for _, name := range []string{
		measure.MarkSteady, measure.MarkInjected, measure.MarkEffective, measure.MarkSuspected, measure.MarkDecided, measure.MarkFenced,
		measure.MarkPromoted, measure.MarkRedirected, measure.MarkWritable, measure.MarkHealed,
	} {
		if rng.IntN(5) > 0 {
			run.Marks = append(run.Marks, mark(8*rng.Float64(), name))
		}
	}
	return run
}

func TestAgainstTheOracle(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 100
	}
	seen := struct{ capped, several, lost, hole, dual, moved int }{}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		run := random(rng)
		r := measure.Measure(run)
		require.Empty(t, r.Problems, "seed %d", seed)

		since := max(0, r.Steady, r.Injected)
		require.Equal(t, oracleOutages(run, since), r.Outages, "seed %d", seed)
		require.Equal(t, oracleRPO(run), r.RPO, "seed %d", seed)
		require.Equal(t, oracleDual(run), r.Writes.DualAcknowledged, "seed %d", seed)
		require.Equal(t, oracleOrder(run), r.OrderLoss, "seed %d", seed)

		// What must hold of any history.
		sum := r.Unattributed
		for _, p := range r.Phases {
			require.GreaterOrEqual(t, p.Length(), time.Duration(0), "seed %d", seed)
			require.False(t, !p.Known && p.Length() > 0, "seed %d", seed)
			sum += p.Length()
		}
		require.Equal(t, r.RTO, sum, "seed %d: the phases and the rest are the RTO", seed)
		require.GreaterOrEqual(t, r.Unattributed, time.Duration(0), "seed %d", seed)
		require.LessOrEqual(t, r.RTO, r.Bad, "seed %d", seed)
		require.Len(t, r.Lost, r.Writes.Lost, "seed %d", seed)
		require.Equal(t, r.Writes.Attempted, r.Writes.OK+r.Writes.Fail+r.Writes.Info+r.Writes.Dropped, "seed %d", seed)

		// The order in which things were written down means nothing.
		rng.Shuffle(len(run.Ops), func(i, j int) { run.Ops[i], run.Ops[j] = run.Ops[j], run.Ops[i] })
		rng.Shuffle(len(run.Survivors), func(i, j int) { run.Survivors[i], run.Survivors[j] = run.Survivors[j], run.Survivors[i] })
		require.Equal(t, r, measure.Measure(run), "seed %d", seed)

		count(&seen.capped, r.Capped)
		count(&seen.several, len(r.Outages) > 1)
		count(&seen.lost, r.RPO > 0)
		count(&seen.hole, r.OrderLoss > 0)
		count(&seen.dual, r.Writes.DualAcknowledged > 0)
		count(&seen.moved, r.FailedOver())
	}
	for name, c := range map[string]int{"capped": seen.capped, "several": seen.several, "lost": seen.lost, "hole": seen.hole, "dual": seen.dual, "moved": seen.moved} {
		require.Greater(t, c, n/20, "the random histories hardly ever show %s", name)
		require.Less(t, c, n, "the random histories always show %s", name)
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}
