package health_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

type probe func(ctx context.Context, subject dr.Region) []health.Observation

func (p probe) Probe(ctx context.Context, s dr.Region) []health.Observation { return p(ctx, s) }

type check func(ctx context.Context) error

func (c check) SelfCheck(ctx context.Context) error { return c(ctx) }

// always answers at once that a family is in a state.
func always(f health.Family, from dr.Region, a health.Answer) probe {
	return func(_ context.Context, s dr.Region) []health.Observation {
		return []health.Observation{{Subject: s, Vantage: from, Family: f, Answer: a, At: time.Now(), OtherInstances: -1}}
	}
}

// hanging answers Dead when the deadline has passed, as a prober must.
func hanging(f health.Family, from dr.Region) probe {
	return func(ctx context.Context, s dr.Region) []health.Observation {
		at := time.Now()
		<-ctx.Done()
		return []health.Observation{{Subject: s, Vantage: from, Family: f, Answer: health.Dead, At: at, Cause: "timeout", OtherInstances: -1}}
	}
}

type watcher struct {
	mu       sync.Mutex
	verdicts []health.Verdict
	changes  []string
}

func (w *watcher) note(v health.Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.verdicts = append(w.verdicts, v)
}

func (w *watcher) trace() *dr.Trace {
	return &dr.Trace{Verdict: func(c dr.VerdictChange) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changes = append(w.changes, c.Subject.String()+" "+c.State)
	}}
}

// watch runs a monitor for a time and returns what it told.
func watch(t *testing.T, d time.Duration, change func(*health.Config)) *watcher {
	t.Helper()
	w := &watcher{}
	cfg := health.Config{
		Vantage: "us-west-2", Subject: func() dr.Region { return "us-east-1" }, OnVerdict: w.note, Trace: w.trace(),
		Self:    check(func(context.Context) error { return nil }),
		Probers: []health.Prober{always(health.SQL, "us-west-2", health.Alive), always(health.Heartbeat, health.Store, health.Alive)},
	}
	change(&cfg)
	m, err := health.NewMonitor(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	require.NoError(t, m.Run(ctx))
	require.Equal(t, ctx.Err(), context.DeadlineExceeded, "Run returns when its context ends, not before")
	return w
}

func TestMonitorSamplesAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := watch(t, 9*time.Second, func(*health.Config) {})
		require.Len(t, w.verdicts, 5, "at 0, 2, 4, 6 and 8 s")
		for i, v := range w.verdicts {
			require.Equal(t, time.Duration(2*i)*time.Second, v.At.Sub(begun))
			require.Equal(t, health.Healthy, v.State)
		}
		require.Equal(t, []string{"us-east-1 Healthy"}, w.changes, "a trace hears of changes only")
	})
}

func TestMonitorLosesNoSampleToItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		watch(t, 5*time.Second, func(c *health.Config) {
			c.Subject = func() dr.Region {
				if time.Since(began) < 300*time.Millisecond {
					return "" // the lease has not been read yet
				}
				return "us-east-1"
			}
			c.OnVerdict = func(health.Verdict) { at = append(at, time.Since(began)) }
		})
		require.Equal(t, []time.Duration{300 * time.Millisecond, 2300 * time.Millisecond, 4300 * time.Millisecond}, at)
	})
}

func TestMonitorIsNotSlowedByASilentRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := watch(t, 8*time.Second, func(c *health.Config) {
			c.Probers = []health.Prober{hanging(health.SQL, "us-west-2"), hanging(health.Control, "us-west-2"), hanging(health.Heartbeat, health.Store)}
		})
		require.Len(t, w.verdicts, 4)
		for i, v := range w.verdicts {
			require.Equal(t, time.Duration(2*i)*time.Second+1500*time.Millisecond, v.At.Sub(begun), "all questions share one deadline")
			require.Len(t, v.Observations, 3)
		}
		require.Equal(t, []health.State{health.Degraded, health.Degraded, health.Impaired, health.Impaired},
			[]health.State{w.verdicts[0].State, w.verdicts[1].State, w.verdicts[2].State, w.verdicts[3].State})
	})
}

func TestMonitorMutesItselfWhenItsOwnCheckFails(t *testing.T) {
	for name, self := range map[string]check{
		"refused": func(context.Context) error { return errors.New("no route") },
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, 20*time.Second, func(c *health.Config) {
					c.Self = self
					c.Probers = []health.Prober{hanging(health.SQL, "us-west-2"), always(health.Heartbeat, health.Store, health.Dead)}
				})
				require.NotEmpty(t, w.verdicts)
				for _, v := range w.verdicts {
					require.Equal(t, health.StateUnknown, v.State)
				}
			})
		})
	}
}

func TestMonitorStartsAfreshWithANewSubject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := watch(t, 15*time.Second, func(c *health.Config) {
			c.Probers = []health.Prober{always(health.SQL, "us-west-2", health.Dead), always(health.Heartbeat, health.Store, health.Dead)}
			c.Subject = func() dr.Region {
				switch since := time.Since(begun); {
				case since < 4*time.Second:
					return "us-east-1"
				case since < 6*time.Second:
					return "us-west-2" // a Region doesn't watch itself
				case since < 8*time.Second:
					return "" // paused
				default:
					return "us-east-1"
				}
			}
		})
		var got []health.State
		for _, v := range w.verdicts {
			got = append(got, v.State)
		}
		d, i := health.Degraded, health.Impaired
		require.Equal(t, []health.State{d, d, d, d, i, i}, got, "what was dark before the pause counts for nothing")
		require.Equal(t, []string{"us-east-1 Degraded", "us-east-1 Degraded", "us-east-1 Impaired"}, w.changes)
	})
}

// A bubble that a goroutine outlives panics, so that Run waits is proven by each
// test here; this one ends the context while every question is under way.
func TestMonitorWaitsForItsQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, answered int
		var mu sync.Mutex
		w := watch(t, time.Second, func(c *health.Config) {
			c.Probers = []health.Prober{probe(func(ctx context.Context, _ dr.Region) []health.Observation {
				mu.Lock()
				asked++
				mu.Unlock()
				<-ctx.Done()
				mu.Lock()
				defer mu.Unlock()
				answered++
				return nil
			})}
		})
		require.Equal(t, 1, asked)
		require.Equal(t, asked, answered)
		require.Empty(t, w.verdicts, "half a sample is no sample")
	})
}

func TestMonitorRemembersTheStartOfALongGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		w := watch(t, 40*time.Second, func(c *health.Config) {
			c.Policy.ProbeInterval, c.Policy.ProbeTimeout = 500*time.Millisecond, 400*time.Millisecond
			c.Probers = []health.Prober{
				always(health.SQL, "us-west-2", health.Dead), always(health.Heartbeat, health.Store, health.Dead),
				probe(func(_ context.Context, s dr.Region) []health.Observation {
					return []health.Observation{{
						Subject: s, Vantage: "us-west-2", Family: health.Control, Answer: health.Alive, At: time.Now(), RegionAnswers: true, OtherInstances: 1,
					}}
				}),
			}
		})
		for _, v := range w.verdicts {
			require.Equal(t, v.At.Sub(begun) >= 30*time.Second, v.State == health.Impaired, "after %v: %s", v.At.Sub(begun), v.Why())
		}
	})
}

func TestNewMonitorReportsEverythingAtOnce(t *testing.T) {
	_, err := health.NewMonitor(health.Config{Policy: dr.Policy{Confirm: 1}})
	for _, part := range []string{"Confirm 1", "Vantage is empty", "no Probers", "Self, Subject and OnVerdict are required"} {
		require.ErrorContains(t, err, part)
	}
}
