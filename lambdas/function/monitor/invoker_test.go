package monitor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// phone is an invoker with a call that stays open until it is hung up.
type phone struct{ hungUp int }

func (*phone) Ask(context.Context, string) error { return nil }

func (p *phone) HangUp() error {
	p.hungUp++
	return errors.New("the trigger has failed")
}

func TestTheInvokersCallsEndWithTheMonitorLease(t *testing.T) {
	var mu sync.Mutex
	var problems []string
	bubble(t, func(t *testing.T, r *rig) {
		r.trace = &dr.Trace{Problem: func(p dr.Problem) {
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, p.Op+": "+p.Err.Error())
		}}
		p := &phone{}
		cfg := r.config(east)
		cfg.Agent = r.member(east, r.trace, p)
		h, err := monitor.New(cfg)
		require.NoError(t, err)
		for times := 1; times <= 2; times++ {
			ctx, cancel := context.WithTimeout(r.ctx, 5*time.Second)
			_, err = h.Invoke(ctx, nil)
			cancel()
			require.NoError(t, err)
			require.Equal(t, times, p.hungUp)
		}
		mu.Lock()
		defer mu.Unlock()
		require.Contains(t, problems, "ask the trigger: the trigger has failed", "an error that no later request returned is reported")
	})
}
