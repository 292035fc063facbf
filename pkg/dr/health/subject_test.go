package health_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// wrong are the ways in which an observation is not about the Region, or not one at all.
var wrong = map[string]func(o *health.Observation){
	"another database":    func(o *health.Observation) { o.Subject = "eu-west-1" },
	"the vantage itself":  func(o *health.Observation) { o.Subject = "us-west-2" },
	"in capital letters":  func(o *health.Observation) { o.Subject = "US-EAST-1" },
	"with white space":    func(o *health.Observation) { o.Subject = "us-east-1 " },
	"with an instance":    func(o *health.Observation) { o.Subject = "us-east-1a" },
	"nothing":             func(o *health.Observation) { o.Subject = "" },
	"the store":           func(o *health.Observation) { o.Subject = health.Store },
	"an unknown family":   func(o *health.Observation) { o.Family = "dns" },
	"a family's capitals": func(o *health.Observation) { o.Family = health.Family(strings.ToUpper(string(o.Family))) },
	"no family":           func(o *health.Observation) { o.Family = "" },
	"itself":              func(o *health.Observation) { o.Vantage = "us-east-1" },
	"no vantage":          func(o *health.Observation) { o.Vantage = "" },
	"the future":          func(o *health.Observation) { o.At = o.At.Add(time.Hour) },
}

func TestWhatIsWrongIsNeitherDarkNorAlive(t *testing.T) {
	for name, spoil := range wrong {
		t.Run(name, func(t *testing.T) {
			// Four dark rounds about something else prove nothing.
			w := darkened(4)
			each(w, func(o *health.Observation) { spoil(o) })
			v := evaluate(w)
			require.Equal(t, health.StateUnknown, v.State, v.Why())
			require.Empty(t, v.Observations)
			require.Empty(t, v.Dark)
			require.Empty(t, v.Vantages)

			// Answers about something else don't keep this Region from failing over, nor does
			// what they say of its lag, of its other instances and that something answers.
			w = darkened(3)
			for i := range w.Rounds {
				for _, f := range []health.Family{health.SQL, health.Heartbeat, health.Replication, health.Control} {
					o := health.Observation{
						Subject: w.Subject, Vantage: "us-west-2", Family: f, Answer: health.Alive, At: w.Rounds[i].At,
						RegionAnswers: true, OtherInstances: 2, Lag: &health.Lag{Value: time.Hour, At: w.Rounds[i].At},
					}
					spoil(&o)
					w.Rounds[i].Observations = append(w.Rounds[i].Observations, o)
				}
			}
			v = evaluate(w)
			require.Equal(t, health.Impaired, v.State, v.Why())
			require.Equal(t, 80*time.Millisecond, v.Lag.Value)
			require.Zero(t, v.GraceUntil)
		})
	}
}

// The store sees who reports to it. It asks no server, so it is no second vantage of one.
func TestTheStoreSeesHeartbeatsOnly(t *testing.T) {
	w := darkened(3)
	each(w, func(o *health.Observation) {
		if o.Vantage == health.Store {
			o.Vantage = "us-west-2"
		} else {
			o.Vantage = health.Store
		}
	})
	require.Equal(t, health.Degraded, evaluate(w).State)
}

func TestAWindowThatCannotBeJudged(t *testing.T) {
	for name, change := range map[string]func(w *health.Window){
		"of nothing":   func(w *health.Window) { w.Subject = "" },
		"from nowhere": func(w *health.Window) { w.Vantage = "" },
		"of itself":    func(w *health.Window) { w.Vantage = w.Subject },
	} {
		w := darkened(3)
		change(&w)
		v := evaluate(w)
		require.Equal(t, health.StateUnknown, v.State, name)
		require.Len(t, v.Missing, 1, name)
	}
}

func TestDuplicatesAndOrderChangeNothing(t *testing.T) {
	for n := range 5 {
		plain := darkened(n)
		want := evaluate(plain)

		twice := darkened(n)
		for i := range twice.Rounds {
			twice.Rounds[i].Observations = slices.Concat(twice.Rounds[i].Observations, twice.Rounds[i].Observations)
		}
		got := evaluate(twice)
		got.Observations = want.Observations
		require.Equal(t, want, got, "%d dark rounds, each answer twice", n)

		mixed, now := darkened(n), plain.Rounds[n].At.Add(time.Second)
		slices.Reverse(mixed.Rounds)
		require.Equal(t, want, health.Evaluate(dr.Policy{}, mixed, now), "%d dark rounds, the last one first", n)

		late := darkened(n)
		late.Rounds = append(late.Rounds, health.Round{At: now.Add(time.Hour), SelfCheck: health.Alive})
		require.Equal(t, want, health.Evaluate(dr.Policy{}, late, now), "%d dark rounds, and one of the future", n)
	}
}

func TestALagThatCannotBeIsNone(t *testing.T) {
	for name, lag := range map[string]health.Lag{
		"negative":   {Value: -time.Second, At: began},
		"the future": {Value: time.Second, At: began.Add(time.Hour)},
	} {
		w := darkened(0)
		w.Rounds[0].Observations[0].Lag = &lag
		v := evaluate(w)
		require.Nil(t, v.Lag, name)
		require.NotNil(t, w.Rounds[0].Observations[0].Lag, "the window is not changed")
	}
}

// A prober that reports about another database is told of once, not in every sample.
func TestAMonitorTellsOfWhatDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var problems []dr.Problem
		watch(t, 9*time.Second, func(c *health.Config) {
			c.Trace = &dr.Trace{Problem: func(p dr.Problem) { problems = append(problems, p) }}
			c.Probers = []health.Prober{
				always(health.SQL, "us-west-2", health.Alive), always(health.Heartbeat, health.Store, health.Alive),
				probe(func(ctx context.Context, _ dr.Region) []health.Observation {
					return always(health.Control, "us-west-2", health.Dead)(ctx, "eu-west-1")
				}),
			}
		})
		require.Len(t, problems, 1)
		require.Equal(t, "count an observation", problems[0].Op)
		require.ErrorContains(t, problems[0].Err, `control from us-west-2 is about "eu-west-1", not about us-east-1`)
	})
}

// What another Region's process saw is no memory of this one's.
func TestRecallOfAnotherVantage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{}
		probers := []probe{always(health.SQL, "us-west-2", health.Dead), always(health.Heartbeat, health.Store, health.Dead)}
		m, err := health.NewMonitor(health.Config{
			Vantage: "us-west-2", Subject: func() dr.Region { return "us-east-1" }, OnVerdict: w.note,
			Self: check(func(context.Context) error { return nil }), Probers: []health.Prober{probers[0], probers[1]},
		})
		require.NoError(t, err)
		before := health.Window{Vantage: "us-east-2", Subject: "us-east-1"}
		for range 2 {
			r := health.Round{At: time.Now(), SelfCheck: health.Alive}
			for _, p := range probers {
				r.Observations = append(r.Observations, p(t.Context(), "us-east-1")...)
			}
			before.Rounds = append(before.Rounds, r)
			<-time.After(2 * time.Second)
		}
		m.Recall(before)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, m.Run(ctx))
		require.Len(t, w.verdicts, 1)
		require.Equal(t, health.Degraded, w.verdicts[0].State, w.verdicts[0].Why())
	})
}

func TestNewMonitorRefusesWhatMakesNoSense(t *testing.T) {
	_, err := health.NewMonitor(health.Config{Vantage: health.Store, Probers: []health.Prober{always(health.SQL, "us-west-2", health.Dead), nil}})
	for _, want := range []string{"lease-store is no Region", "Probers[1] is nil", "Self, Subject and OnVerdict are required"} {
		require.ErrorContains(t, err, want)
	}
	_, err = health.NewMonitor(health.Config{Policy: dr.Policy{Confirm: -1}})
	for _, want := range []string{"Vantage is empty", "no Probers", "Confirm -1"} {
		require.ErrorContains(t, err, want)
	}
}
