package health_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

const own dr.Region = "us-west-2"

// dear is a prober that notes, sample by sample, whether its answer was needed, and when
// it knew.
type dear struct {
	needed []bool
	took   []time.Duration
}

func (d *dear) Probe(ctx context.Context, s dr.Region) []health.Observation {
	began := time.Now()
	d.needed = append(d.needed, health.Suspicious(ctx))
	d.took = append(d.took, time.Since(began))
	return nil
}

// turning hangs from an instant on, until another.
func turning(f health.Family, from dr.Region, dark, again time.Duration) probe {
	began := time.Now()
	return func(ctx context.Context, s dr.Region) []health.Observation {
		if d := time.Since(began); d >= dark && d < again {
			return hanging(f, from)(ctx, s)
		}
		time.Sleep(70 * time.Millisecond) // to the other Region and back
		return always(f, from, health.Alive)(ctx, s)
	}
}

func TestSuspicious(t *testing.T) {
	require.True(t, health.Suspicious(t.Context()), "outside a sample every answer is needed")
	const never = time.Hour
	for name, c := range map[string]struct {
		probers func() []health.Prober
		want    []bool // of the samples at 0, 2, 4 s ...
		within  time.Duration
	}{
		"the data plane answers": {func() []health.Prober {
			return []health.Prober{turning(health.SQL, own, never, 0), always(health.Heartbeat, health.Store, health.Alive)}
		}, []bool{false, false, false, false}, 70 * time.Millisecond},
		"the first dark sample, every one until the verdict is healthy, and no more": {func() []health.Prober {
			return []health.Prober{turning(health.SQL, own, 3*time.Second, 7*time.Second), always(health.Heartbeat, health.Store, health.Alive)}
		}, []bool{false, false, true, true, true, false, false}, 500 * time.Millisecond},
		"the lease is silent": {func() []health.Prober {
			return []health.Prober{turning(health.SQL, own, never, 0), turning(health.Heartbeat, health.Store, 3*time.Second, never)}
		}, []bool{false, false, true, true, true}, 500 * time.Millisecond},
		"the stream of changes stops": {func() []health.Prober {
			return []health.Prober{turning(health.SQL, own, never, 0), turning(health.Replication, own, 3*time.Second, never)}
		}, []bool{false, false, true, true}, 500 * time.Millisecond},
		"dark from the start": {func() []health.Prober {
			return []health.Prober{turning(health.SQL, own, 0, never), always(health.Heartbeat, health.Store, health.Dead)}
		}, []bool{true, true, true}, 500 * time.Millisecond},
		"refused at once": {func() []health.Prober {
			return []health.Prober{always(health.SQL, own, health.Dead), always(health.Heartbeat, health.Store, health.Dead)}
		}, []bool{true, true}, 0},
		"nothing is known": {func() []health.Prober {
			return []health.Prober{always(health.SQL, own, health.Unknown)}
		}, []bool{true, true}, 0},
		"a witness sees the lease only": {func() []health.Prober {
			return []health.Prober{turning(health.Heartbeat, health.Store, 3*time.Second, never)}
		}, []bool{false, false, true, true}, 500 * time.Millisecond},
		"what another Region has reported is older": {func() []health.Prober {
			return []health.Prober{always(health.SQL, "eu-west-1", health.Alive), turning(health.Heartbeat, health.Store, 3*time.Second, never)}
		}, []bool{false, false, true, true}, 500 * time.Millisecond},
		"its own API is dark, as the verdict says": {func() []health.Prober {
			return []health.Prober{turning(health.SQL, own, never, 0), turning(health.Control, own, 3*time.Second, 5*time.Second)}
		}, []bool{false, false, false, true, false}, 70 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := &dear{}, &dear{} // two of them do not wait for each other
				watch(t, time.Duration(len(c.want))*2*time.Second-100*time.Millisecond, func(cfg *health.Config) {
					cfg.Probers = append(c.probers(), one, two)
				})
				for _, d := range []*dear{one, two} {
					require.GreaterOrEqual(t, len(d.needed), len(c.want))
					require.Equal(t, c.want, d.needed[:len(c.want)])
					for _, took := range d.took {
						require.LessOrEqual(t, took, c.within)
					}
				}
			})
		})
	}
}
