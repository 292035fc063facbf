package health_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// darkened returns a window of n rounds in which everything in the Region is dark,
// seen from two vantages, after one in which all was well: the plainest case for
// Impaired, from which each rule takes one proof away.
func darkened(n int) health.Window {
	w := health.Window{Subject: "us-east-1", Vantage: "us-west-2"}
	for i := range n + 1 {
		at, a := began.Add(time.Duration(i)*2*time.Second), health.Dead
		if i == 0 {
			a = health.Alive
		}
		o := func(f health.Family, from dr.Region) health.Observation {
			return health.Observation{Subject: w.Subject, Vantage: from, Family: f, Answer: a, At: at, OtherInstances: -1}
		}
		r := health.Round{At: at, SelfCheck: health.Alive, Observations: []health.Observation{
			o(health.SQL, "us-west-2"), o(health.Heartbeat, health.Store), o(health.Control, "us-west-2"), o(health.Witness, "us-east-2"),
		}}
		if i == 0 {
			r.Observations[0].Lag = &health.Lag{Value: 80 * time.Millisecond, At: at}
		}
		w.Rounds = append(w.Rounds, r)
	}
	return w
}

func evaluate(w health.Window) health.Verdict {
	return health.Evaluate(dr.Policy{}, w, w.Rounds[len(w.Rounds)-1].At.Add(time.Second))
}

// each changes every observation in every round but the first.
func each(w health.Window, change func(o *health.Observation)) {
	for _, r := range w.Rounds[1:] {
		for i := range r.Observations {
			change(&r.Observations[i])
		}
	}
}

func TestImpairedNeedsEveryProof(t *testing.T) {
	require.Equal(t, health.Impaired, evaluate(darkened(3)).State, "the case that every rule below spoils")

	for name, c := range map[string]struct {
		spoil   func(w *health.Window)
		want    health.State
		missing string
	}{
		"two samples are not three": {
			func(w *health.Window) { *w = darkened(2) }, health.Degraded, "two dark families (have 0)",
		},
		"one family never decides": {
			func(w *health.Window) {
				each(*w, func(o *health.Observation) {
					if o.Family != health.SQL {
						o.Family = health.SQL
					}
				})
			}, health.Degraded, "two dark families (have 1)",
		},
		"the control planes alone never decide": {
			func(w *health.Window) {
				each(*w, func(o *health.Observation) {
					if o.Family.DataPlane() {
						o.Answer = health.Unknown
					}
				})
			}, health.Degraded, "a dark family on the data plane",
		},
		"one vantage never decides": {
			func(w *health.Window) { each(*w, func(o *health.Observation) { o.Vantage = "us-west-2" }) },
			health.Degraded, "2 vantages (have 1)",
		},
		"unknown is never dead": {
			func(w *health.Window) { each(*w, func(o *health.Observation) { o.Answer = health.Unknown }) },
			health.StateUnknown, "two dark families (have 0)",
		},
		"without an answer of sql it may still serve": {
			func(w *health.Window) {
				each(*w, func(o *health.Observation) {
					if o.Family == health.SQL {
						o.Family = health.Replication
					}
				})
			}, health.Degraded, "an answer of family sql",
		},
		"without an answer of heartbeat it may still serve": {
			func(w *health.Window) {
				each(*w, func(o *health.Observation) {
					if o.Family == health.Heartbeat {
						o.Answer = health.Unknown
					}
				})
			}, health.Degraded, "an answer of family heartbeat",
		},
		"a vantage that is blind is muted, and the store with it": {
			func(w *health.Window) {
				for i := range w.Rounds {
					w.Rounds[i].SelfCheck = health.Dead
				}
			}, health.Degraded, "an answer of family sql",
		},
		"a committed write of another prober blocks": {
			func(w *health.Window) { add(w, health.SQL, "us-east-2") }, health.Degraded, "an end of the proof that writes are served",
		},
		"a renewed lease blocks": {
			func(w *health.Window) { add(w, health.Heartbeat, "us-east-2") }, health.Degraded, "an end of the proof that writes are served",
		},
		"changes that still arrive block": {
			func(w *health.Window) { add(w, health.Replication, "us-west-2") }, health.Degraded, "an end of the proof that writes are served",
		},
		"old answers are void": {
			func(w *health.Window) {
				each(*w, func(o *health.Observation) { o.At = o.At.Add(-4001 * time.Millisecond) })
			}, health.StateUnknown, "two dark families (have 0)",
		},
		"one sample that is not dark breaks the streak": {
			func(w *health.Window) {
				for i := range w.Rounds[2].Observations {
					w.Rounds[2].Observations[i].Answer = health.Unknown
				}
			}, health.Degraded, "two dark families (have 0)",
		},
		"a Region that can heal its writer gets its time": {
			func(w *health.Window) {
				each(*w, func(o *health.Observation) { o.RegionAnswers, o.OtherInstances = true, 1 })
			}, health.Degraded, "end of the in-Region grace in 25s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := darkened(3)
			c.spoil(&w)
			v := evaluate(w)
			require.Equal(t, c.want, v.State, "%s", v.Why())
			require.Contains(t, v.Missing, c.missing)
		})
	}
}

// add lets a family answer in the latest round.
func add(w *health.Window, f health.Family, from dr.Region) {
	last := &w.Rounds[len(w.Rounds)-1]
	last.Observations = append(last.Observations, health.Observation{
		Subject: w.Subject, Vantage: from, Family: f, Answer: health.Alive, At: last.At, OtherInstances: -1,
	})
}

func TestImpairedInSpiteOf(t *testing.T) {
	for name, change := range map[string]func(w *health.Window){
		"a control plane that answers": func(w *health.Window) { add(w, health.Control, "us-west-2") },
		"a witness that sees it":       func(w *health.Window) { add(w, health.Witness, "us-east-2") },
		"another instance in a Region that does not answer": func(w *health.Window) {
			each(*w, func(o *health.Observation) { o.OtherInstances = 2 })
		},
		"a Region that answers without another instance": func(w *health.Window) {
			each(*w, func(o *health.Observation) { o.RegionAnswers, o.OtherInstances = true, 0 })
		},
		"a Region that answers with instances not known": func(w *health.Window) {
			each(*w, func(o *health.Observation) { o.RegionAnswers = true })
		},
		"a witness that is silent": func(w *health.Window) {
			each(*w, func(o *health.Observation) {
				if o.Family == health.Witness {
					o.Answer = health.Unknown
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := darkened(3)
			change(&w)
			require.Equal(t, health.Impaired, evaluate(w).State, "%s", evaluate(w).Why())
		})
	}
}

func TestGraceEnds(t *testing.T) {
	w := darkened(18)
	each(w, func(o *health.Observation) { o.RegionAnswers, o.OtherInstances = true, 1 })
	v := evaluate(w)
	require.Equal(t, health.Impaired, v.State, "%s", v.Why())
	require.Zero(t, v.GraceUntil)
}

func TestAnswersMayBeTwoIntervalsOld(t *testing.T) {
	w := darkened(3)
	each(w, func(o *health.Observation) { o.At = o.At.Add(-4 * time.Second) })
	require.Equal(t, health.Impaired, evaluate(w).State)
}

func TestNothingIsKnownWithoutAFreshSample(t *testing.T) {
	for name, v := range map[string]health.Verdict{
		"no sample":      health.Evaluate(dr.Policy{}, health.Window{Subject: "us-east-1"}, began),
		"an old one":     health.Evaluate(dr.Policy{}, darkened(3), began.Add(time.Minute)),
		"an empty round": health.Evaluate(dr.Policy{}, health.Window{Subject: "us-east-1", Rounds: []health.Round{{At: began}}}, began),
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, health.StateUnknown, v.State)
			require.NotEmpty(t, v.Missing)
		})
	}
}

func TestASilenceWatchedWithoutABreakCountsAsTheSamplesItSpans(t *testing.T) {
	w := darkened(3)
	each(w, func(o *health.Observation) {
		if !o.Family.DataPlane() {
			o.Answer = health.Unknown
		}
	})
	for i := range w.Rounds[1].Observations {
		if o := &w.Rounds[1].Observations[i]; o.Family == health.Heartbeat {
			o.Answer = health.Alive // it fell silent right after this sample
		}
	}
	require.Equal(t, health.Degraded, evaluate(w).State)
	each(w, func(o *health.Observation) {
		if o.Family == health.Heartbeat && o.Answer == health.Dead {
			o.DarkFor = 4 * time.Second
		}
	})
	require.Equal(t, health.Impaired, evaluate(w).State)
}

func TestLagIsTheLastBeforeTheWriterStopped(t *testing.T) {
	w := darkened(3)
	v := evaluate(w)
	require.NotNil(t, v.Lag)
	require.Equal(t, 80*time.Millisecond, v.Lag.Value)
	require.Equal(t, 2*time.Second, v.LagAge, "as old as the evidence was when it went dark")

	t.Run("a later one does not count", func(t *testing.T) {
		w := darkened(3)
		w.Rounds[2].Observations[0].Lag = &health.Lag{Value: time.Millisecond, At: w.Rounds[2].At}
		require.Equal(t, 80*time.Millisecond, evaluate(w).Lag.Value)
	})
	t.Run("none is unknown, never zero", func(t *testing.T) {
		w := darkened(3)
		w.Rounds[0].Observations[0].Lag = nil
		require.Nil(t, evaluate(w).Lag)
	})
	t.Run("a stream that broke before the writer did is old", func(t *testing.T) {
		w := darkened(9)
		for _, r := range w.Rounds[:7] {
			r.Observations[1].Answer = health.Alive // the lease was renewed meanwhile
		}
		v := evaluate(w)
		require.Equal(t, health.Impaired, v.State, "%s", v.Why())
		require.Equal(t, 12*time.Second, v.LagAge)
	})
}

func TestEvaluateChangesNothingItIsGiven(t *testing.T) {
	w, same := darkened(3), darkened(3)
	w.Rounds[3].SelfCheck, same.Rounds[3].SelfCheck = health.Dead, health.Dead
	_ = evaluate(w)
	require.Equal(t, same, w)
}

func TestZeroValuesAuthoriseNothing(t *testing.T) {
	var v health.Verdict
	require.Equal(t, health.StateUnknown, v.State)
	var a health.Answer
	require.Equal(t, health.Unknown, a)
	require.Equal(t, []string{"unknown", "alive", "dead"}, []string{a.String(), health.Alive.String(), health.Dead.String()})
}
