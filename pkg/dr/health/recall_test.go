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

// TestMonitorGoesOnWithWhatItsPredecessorSaw: two samples of a process that has died and
// one of its successor confirm what three of one process would, but only about the Region
// that they were of.
func TestMonitorGoesOnWithWhatItsPredecessorSaw(t *testing.T) {
	const own, lost dr.Region = "us-west-2", "us-east-1"
	for name, c := range map[string]struct {
		of   dr.Region
		want health.State
	}{
		"of this Region":    {lost, health.Impaired},
		"of another Region": {own, health.Degraded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				probers := []probe{always(health.SQL, own, health.Dead), always(health.Heartbeat, health.Store, health.Dead)}
				w := &watcher{}
				m, err := health.NewMonitor(health.Config{
					Vantage: own, Subject: func() dr.Region { return lost }, OnVerdict: w.note, Trace: w.trace(),
					Self: check(func(context.Context) error { return nil }), Probers: []health.Prober{probers[0], probers[1]},
				})
				require.NoError(t, err)
				before := health.Window{Vantage: own, Subject: c.of}
				for range 2 {
					r := health.Round{At: time.Now(), SelfCheck: health.Alive}
					for _, p := range probers {
						r.Observations = append(r.Observations, p(t.Context(), c.of)...)
					}
					before.Rounds = append(before.Rounds, r)
					<-time.After(2 * time.Second)
				}
				m.Recall(before)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				require.NoError(t, m.Run(ctx))
				require.Len(t, w.verdicts, 1)
				require.Equal(t, c.want, w.verdicts[0].State, w.verdicts[0].Why())
			})
		})
	}
}
