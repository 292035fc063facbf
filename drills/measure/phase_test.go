package measure_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// The outage is from 10 s to 22.02 s.
func TestPhases(t *testing.T) {
	for _, tt := range []struct {
		name  string
		marks []measure.Mark
		want  map[string]float64 // known phases and their length
		rest  float64
	}{
		{name: "no marks", want: map[string]float64{}, rest: 12.02},
		{name: "one mark is missing: its two phases are not known",
			marks: []measure.Mark{mark(12, measure.MarkSuspected), mark(13, measure.MarkDecided), mark(20, measure.MarkPromoted), mark(21, measure.MarkRedirected)},
			want:  map[string]float64{"detect": 2, "decide": 1, "redirect": 1, "converge": 1.02}, rest: 7},
		{name: "the last mark is missing",
			marks: []measure.Mark{mark(12, measure.MarkSuspected), mark(13, measure.MarkDecided), mark(16, measure.MarkFenced), mark(20, measure.MarkPromoted)},
			want:  map[string]float64{"detect": 2, "decide": 1, "fence": 3, "promote": 4}, rest: 2.02},
		{name: "suspected before a client noticed, redirected after it was well",
			marks: []measure.Mark{mark(9.96, measure.MarkSuspected), mark(13, measure.MarkDecided), mark(16, measure.MarkFenced), mark(20, measure.MarkPromoted), mark(30, measure.MarkRedirected)},
			want:  map[string]float64{"detect": 0, "decide": 3, "fence": 3, "promote": 4, "redirect": 2.02, "converge": 0}},
		{name: "promoted before it was fenced",
			marks: []measure.Mark{mark(12, measure.MarkSuspected), mark(13, measure.MarkDecided), mark(18, measure.MarkFenced), mark(16, measure.MarkPromoted), mark(21, measure.MarkRedirected)},
			want:  map[string]float64{"detect": 2, "decide": 1, "fence": 5, "promote": 0, "redirect": 3, "converge": 1.02}},
		{name: "marks from before the fault are another story",
			marks: []measure.Mark{mark(5, measure.MarkSuspected), mark(6, measure.MarkDecided)},
			want:  map[string]float64{}, rest: 12.02},
		{name: "the first suspicion counts, also when it was withdrawn",
			marks: []measure.Mark{mark(11, measure.MarkSuspected), mark(12, measure.MarkSuspected), mark(13, measure.MarkDecided)},
			want:  map[string]float64{"detect": 1, "decide": 2}, rest: 9.02},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := failover()
			run.Marks = append(run.Marks[:3:3], tt.marks...)
			r := measure.Measure(run)
			got := map[string]float64{}
			for _, p := range r.Phases {
				if p.Known {
					got[p.Name] = p.Length().Seconds()
				} else {
					require.Zero(t, p.Length())
				}
			}
			require.InDeltaMapValues(t, tt.want, got, 1e-6)
			require.InDelta(t, tt.rest, r.Unattributed.Seconds(), 1e-6)
		})
	}
}

func TestPhasesOfAnOutageWithoutEnd(t *testing.T) {
	run := failover()
	run.Ops = writes(witness, 1, sec(60), func(at time.Duration) answer {
		if at >= sec(10) {
			return timeout
		}
		return ok(east)
	})
	r := measure.Measure(run)
	require.True(t, r.Capped)
	require.Equal(t, sec(39), r.Unattributed, "from the redirect at 21 s to the end of the run at 60 s nothing explains it")
	require.False(t, r.Phases[5].Known, "no client converged")
}
