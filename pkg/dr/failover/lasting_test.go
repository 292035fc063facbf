package failover_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestPeopleAreToldOfWhatLasts: what fails without stopping anything reaches people within
// a minute, once for each outage, also when monitors hand over meanwhile or the first
// message is lost.
func TestPeopleAreToldOfWhatLasts(t *testing.T) {
	full := drtest.Fault{Err: failover.ErrAnswered}
	for name, c := range map[string]struct {
		breaks   func(drtest.Call) drtest.Fault
		handover bool
		lose     bool // the first message
		lasts    time.Duration
		told     int
	}{
		"the server takes no heartbeat write":        {breaks: calls(east, full, drtest.OpBeat), lasts: 5 * time.Minute, told: 1},
		"while monitors hand over":                   {breaks: calls(east, full, drtest.OpBeat), handover: true, lasts: 5 * time.Minute, told: 1},
		"the first message is lost":                  {breaks: calls(east, full, drtest.OpBeat), lose: true, lasts: 5 * time.Minute, told: 1},
		"the store is silent, seen by several calls": {breaks: everywhere(drtest.Fault{Hang: true}), lasts: 5 * time.Minute, told: 2},
		"a blip":        {breaks: calls(east, full, drtest.OpBeat), lasts: 5 * time.Second, told: 0},
		"nothing fails": {breaks: nil, lasts: time.Minute, told: 0},
	} {
		bubble(t, name, func(t *testing.T) {
			r := newRig(t, dr.Policy{})
			defer r.end()
			var mu sync.Mutex // the monitor tells while the test looks
			var told []failover.Message
			lost := c.lose
			people := notifies(func(m failover.Message) error {
				mu.Lock()
				defer mu.Unlock()
				if lost {
					lost = false
					return errors.New("throttled")
				}
				told = append(told, m)
				return nil
			})
			sent := func() []failover.Message {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(told)
			}
			run := func() func() {
				cfg := r.Monitor(east, r.policy, r.trace())
				cfg.Notifier = people
				return r.run(failover.NewMonitor(cfg))
			}
			stop := run()
			r.agent(west)
			r.agent(witness)
			r.wait(10 * time.Second)
			r.breaks(c.breaks)
			begun := time.Now()
			for time.Since(begun) < c.lasts {
				r.wait(10 * time.Second)
				if c.handover {
					stop()
					r.wait(100 * time.Millisecond)
					stop = run()
				}
				if c.told > 0 && time.Since(begun) >= time.Minute {
					require.NotEmpty(t, sent(), "told within a minute")
				}
			}
			r.breaks(nil)
			r.wait(30 * time.Second)
			require.Len(t, sent(), c.told)
			for _, m := range sent() {
				require.True(t, strings.HasPrefix(m.Subject, "us-east-1: "), m.Subject)
				require.Contains(t, m.Body, "Nothing was stopped or moved")
			}
			require.True(t, r.Pair.DB(east).Accepts())
		})
	}
}

// TestAHandoverIsNoReasonToTellSooner: what fails shows in one call after the other, and each
// process of the Region's would begin to count anew. Found by trying home-operations/kopiur#324,
// a store that stalls now and then.
func TestAHandoverIsNoReasonToTellSooner(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, dr.Policy{})
		defer r.end()
		var mu sync.Mutex
		var told []time.Time
		run := func() func() {
			cfg := r.Monitor(east, r.policy, r.trace())
			cfg.Notifier = notifies(func(failover.Message) error {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, time.Now())
				return nil
			})
			return r.run(failover.NewMonitor(cfg))
		}
		full := drtest.Fault{Err: failover.ErrAnswered}
		r.agent(west)
		r.agent(witness)
		stop := run()
		for _, breaks := range []func(drtest.Call) drtest.Fault{
			calls(east, full, drtest.OpBeat), calls(east, full, drtest.OpBeat), calls(east, full, drtest.OpBeat, drtest.OpRenewLease), nil,
		} {
			r.breaks(breaks)
			r.wait(20 * time.Second)
			stop()
			r.wait(100 * time.Millisecond)
			stop = run()
		}
		r.wait(30 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, told, 2)
		require.GreaterOrEqual(t, told[1].Sub(told[0]), time.Minute-2*r.policy.ProbeInterval)
	})
}

type notifies func(failover.Message) error

func (f notifies) Notify(_ context.Context, m failover.Message) error { return f(m) }
