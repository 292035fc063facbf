package cloudwatch_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
)

// What the lines of a long and lively time say together is what was told, and no line
// covers more than 10 s.
func TestSummariesAddUp(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		pick := func(of ...string) string { return of[rng.IntN(len(of))] }
		var (
			families             = map[string]map[string]int{}
			total                = map[string]float64{}
			ages, lags, levels   []float64
			reports, last, begun = 0, start, start
			names                = map[string]float64{"Unknown": 0, "Healthy": 1, "Degraded": 2, "Impaired": 3}
			pace                 = time.Duration(20+rng.IntN(2000)) * time.Millisecond
		)
		out := told(t, func(tr *dr.Trace) {
			for now := start; now.Before(start.Add(5 * time.Minute)); now = now.Add(time.Duration(rng.Int64N(int64(pace)))) {
				last = now
				if rng.IntN(3) > 0 {
					r := report(now, time.Duration(rng.IntN(7000))*time.Millisecond)
					if r.Delivered = rng.IntN(4) > 0; r.Delivered {
						total["MonitorHeartbeats"]++
					}
					if rng.IntN(9) == 0 {
						r.Holder = ""
					} else {
						ages = append(ages, float64(r.LeaseAge.Milliseconds()))
					}
					reports++
					tr.OnReport(r)
					continue
				}
				s := sample(now, pick("Unknown", "Healthy", "Degraded", "Impaired"))
				levels = append(levels, names[s.State])
				for range rng.IntN(8) {
					a := dr.Observation{Family: pick("sql", "heartbeat", "control"), Answer: pick("alive", "dead", "unknown")}
					s.Observations = append(s.Observations, a)
					total[map[string]string{"alive": "ProbesAlive", "dead": "ProbesDead", "unknown": "ProbesUnknown"}[a.Answer]]++
					if families[a.Family] == nil {
						families[a.Family] = map[string]int{}
					}
					families[a.Family][a.Answer]++
				}
				if s.Lag = time.Duration(rng.IntN(900)) * time.Millisecond; rng.IntN(3) == 0 {
					s.LagAt = time.Time{}
				} else {
					lags = append(lags, float64(s.Lag.Milliseconds()))
				}
				tr.OnSample(s)
			}
			tr.OnReport(report(last, 0)) // so that the last line has one
			ages, reports = append(ages, 0), reports+1
			total["MonitorHeartbeats"]++
			tr.OnMonitorLease(dr.MonitorLeaseChange{At: last, Region: west, What: dr.MonitorLeaseYielded})
		})
		var (
			gotAges, gotLags, gotLevels []float64
			got                         = map[string]float64{}
			gotFamilies                 = map[string]map[string]int{}
			gotReports                  int
		)
		for _, l := range lines(t, out) {
			l.check(t)
			if l.aws == nil {
				continue
			}
			at := time.UnixMilli(l.aws.Timestamp)
			require.LessOrEqual(t, at.Sub(begun), 10*time.Second+2*pace, "seed %d", seed)
			begun = at
			gotAges, gotLags, gotLevels = append(gotAges, l.values("LeaseAge")...), append(gotLags, l.values("RPOLag")...), append(gotLevels, l.values("Verdict")...)
			for _, name := range []string{"MonitorHeartbeats", "ProbesAlive", "ProbesDead", "ProbesUnknown"} {
				for _, v := range l.values(name) {
					got[name] += v
				}
			}
			gotReports += int(l.fields["Reports"].(float64))
			probes, _ := l.fields["Probes"].(map[string]any)
			for family, counts := range probes {
				if gotFamilies[family] == nil {
					gotFamilies[family] = map[string]int{}
				}
				for name, answer := range map[string]string{"Alive": "alive", "Dead": "dead", "Unknown": "unknown"} {
					if n, ok := counts.(map[string]any)[name]; ok {
						gotFamilies[family][answer] += int(n.(float64))
					}
				}
			}
		}
		require.Equal(t, ages, gotAges, "seed %d", seed)
		require.Equal(t, lags, gotLags, "seed %d", seed)
		require.Equal(t, levels, gotLevels, "seed %d", seed)
		require.Equal(t, total, got, "seed %d", seed)
		require.Equal(t, families, gotFamilies, "seed %d", seed)
		require.Equal(t, reports, gotReports, "seed %d", seed)
	}
}

func TestWhatWasNotSeenIsMissing(t *testing.T) {
	out := told(t, func(tr *dr.Trace) {
		// The writer's own Region: it samples no Region, and no Region has the lease yet.
		tr.OnReport(dr.Report{At: start, Region: west, Delivered: true})
		tr.OnMonitorLease(dr.MonitorLeaseChange{At: start.Add(time.Second), What: dr.MonitorLeaseReleased})
	})
	l := lines(t, out)[0]
	require.Equal(t, []float64{1}, l.values("MonitorHeartbeats"))
	for _, name := range []string{"LeaseAge", "Verdict", "ProbesAlive", "ProbesDead", "ProbesUnknown", "RPOLag", "RPOLagAge", "Holder", "Subject"} {
		require.NotContains(t, l.fields, name)
	}
}

func TestTheLagsAgeRisesWhileNoneIsBrought(t *testing.T) {
	var ages []float64
	for _, l := range lines(t, told(t, func(tr *dr.Trace) {
		for s := range 41 {
			at := start.Add(time.Duration(s) * time.Second)
			x := sample(at, "Healthy", alive)
			if s > 4 {
				x.LagAt = time.Time{}
			}
			if s > 25 {
				x.Subject = "us-east-2" // the writer has moved: the old lag was of another stream
			}
			tr.OnSample(x)
			tr.OnReport(report(at, time.Second))
		}
	})) {
		ages = append(ages, l.values("RPOLagAge")...)
	}
	require.Equal(t, []float64{5300, 15300}, ages, "lag of second 4, true 300 ms earlier, seen from 9 and 19 s")
}

// The trigger samples and reports nothing: the monitor's lines would be told twice.
func TestSamplesWithoutReportsWriteNothing(t *testing.T) {
	require.Empty(t, told(t, func(tr *dr.Trace) {
		for s := range 1000 {
			tr.OnSample(sample(start.Add(time.Duration(s)*time.Second), "Healthy", alive))
		}
	}))
}

// A process is frozen between two invocations. What it knew before is reported with the time
// of then, even when no event has said that the monitor lease was released.
func TestAStandstillIsNotAveraged(t *testing.T) {
	got := lines(t, told(t, func(tr *dr.Trace) {
		tr.OnReport(report(start, time.Second))
		tr.OnReport(report(start.Add(time.Second), time.Second))
		tr.OnReport(report(start.Add(time.Hour), time.Second))
		tr.OnMonitorLease(dr.MonitorLeaseChange{At: start.Add(time.Hour), What: dr.MonitorLeaseYielded})
	}))
	require.Len(t, got, 3)
	require.Equal(t, start.Add(time.Second).UnixMilli(), got[0].aws.Timestamp)
	require.Len(t, got[0].values("LeaseAge"), 2)
	require.Equal(t, start.Add(time.Hour).UnixMilli(), got[1].aws.Timestamp)
	require.Nil(t, got[2].aws, "a yield is no metric")
}

// The Region that holds the lease says how long nothing has committed; another one says
// nothing, which is not zero.
func TestSinceCommitIsSaidWhereTheLeaseIsHeld(t *testing.T) {
	for _, holds := range []bool{true, false} {
		var out bytes.Buffer
		events, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: &out, Region: "us-east-1", GlobalCluster: "orders", Every: time.Second})
		require.NoError(t, err)
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range 2 {
			events.Trace().OnReport(dr.Report{
				At: at.Add(time.Duration(i) * time.Second), Region: "us-east-1", Holder: "us-east-1", Epoch: 4,
				Commits: holds, SinceCommit: 16 * time.Second,
			})
		}
		require.NoError(t, events.Err())
		if holds {
			require.Contains(t, out.String(), `"SinceCommit":[16000]`)
			require.Contains(t, out.String(), `{"Name":"SinceCommit","Unit":"Milliseconds"}`)
		} else {
			require.NotContains(t, out.String(), "SinceCommit")
		}
	}
}
