package lambdahost_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// service notes when it was called. It refuses while refusing says so.
type service struct {
	refusing func(call int) bool

	mu    sync.Mutex
	began time.Time
	calls []time.Duration
	last  []byte
}

func (s *service) Invoke(_ context.Context, name string, payload []byte, mode lambdahost.Mode) (lambdahost.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, time.Since(s.began))
	s.last = payload
	if name != "monitor" || mode != lambdahost.Async {
		return lambdahost.Result{}, errors.New("not what a schedule does")
	}
	if s.refusing != nil && s.refusing(len(s.calls)) {
		return lambdahost.Result{}, &lambdahost.Refusal{Status: 500, Code: "ServiceException"}
	}
	return lambdahost.Result{StatusCode: 202}, nil
}

// tick runs a schedule for a while of virtual time.
func tick(t *testing.T, d time.Duration, s *service, schedule lambdahost.Schedule) (missed []lambdahost.Tick) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.began = time.Now()
		scheduler, err := lambdahost.NewScheduler(s, func(_ lambdahost.Schedule, tick lambdahost.Tick, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			require.ErrorContains(t, err, "ServiceException")
			missed = append(missed, tick)
		}, schedule)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		scheduler.Run(ctx)
	})
	return missed
}

// A day of ticks: each within its minute, so two are up to 119 s apart, and the
// jitter is really used.
func TestTicks(t *testing.T) {
	var s service
	schedule := lambdahost.Schedule{Function: "monitor", Seed: 7}
	require.Empty(t, tick(t, 24*time.Hour, &s, schedule))
	require.Len(t, s.calls, 24*60)
	var shortest, longest time.Duration = math.MaxInt64, 0
	for n, at := range s.calls {
		require.Equal(t, schedule.Tick(n), lambdahost.Tick{N: n, At: at, Copies: 1})
		minute := time.Duration(n) * time.Minute
		require.True(t, at >= minute && at <= minute+59*time.Second, "tick %d at %v", n, at)
		if n > 0 {
			shortest, longest = min(shortest, at-s.calls[n-1]), max(longest, at-s.calls[n-1])
		}
	}
	require.Less(t, shortest, 10*time.Second)
	require.Greater(t, longest, 110*time.Second)
	require.Less(t, longest, 119*time.Second)

	other := lambdahost.Schedule{Function: "monitor", Seed: 8}
	require.NotEqual(t, schedule.Tick(0), other.Tick(0))

	var event struct {
		Source     string
		DetailType string `json:"detail-type"`
		Time       time.Time
	}
	require.NoError(t, json.Unmarshal(s.last, &event))
	require.Equal(t, "aws.events", event.Source)
	require.Equal(t, "Scheduled Event", event.DetailType)
	require.WithinDuration(t, s.began.Add(s.calls[len(s.calls)-1]), event.Time, time.Second)
}

func TestLostAndDoubledTicks(t *testing.T) {
	var s service
	tick(t, 270*time.Second, &s, lambdahost.Schedule{Function: "monitor", Punctual: true, Lost: []int{1, 3}, Doubled: []int{2, 3}})
	require.Equal(t, []time.Duration{0, 2 * time.Minute, 2 * time.Minute, 4 * time.Minute}, s.calls)

	fates := map[int]int{}
	schedule := lambdahost.Schedule{Function: "monitor", Seed: 1, Lose: 0.1, Double: 0.2}
	for n := range 10_000 {
		tick := schedule.Tick(n)
		fates[tick.Copies]++
		require.Equal(t, lambdahost.Schedule{Function: "monitor", Seed: 1}.Tick(n).At, tick.At, "what is lost moves no other tick")
	}
	require.InDelta(t, 1000, fates[0], 150)
	require.InDelta(t, 2000, fates[2], 200)
}

// A tick that the service refuses is repeated, for as long as it is fresh, and
// holds no other tick up.
func TestRefusedTicks(t *testing.T) {
	s := service{refusing: func(call int) bool { return call <= 2 }}
	schedule := lambdahost.Schedule{Function: "monitor", Punctual: true}
	require.Empty(t, tick(t, 50*time.Second, &s, schedule))
	require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second}, s.calls)

	s = service{refusing: func(int) bool { return true }}
	missed := tick(t, 70*time.Second, &s, schedule)
	require.Len(t, missed, 2)
	require.Len(t, s.calls, 6)

	s = service{refusing: func(int) bool { return true }}
	schedule.MaxAge = 2 * time.Second
	require.Len(t, tick(t, 50*time.Second, &s, schedule), 1)
	require.Len(t, s.calls, 2, "the third would come after 3 s")

	s = service{refusing: func(int) bool { return true }}
	schedule.Retries = -1
	require.Len(t, tick(t, 50*time.Second, &s, schedule), 1)
	require.Len(t, s.calls, 1)
}

// A schedule, compressed, drives a real process.
func TestScheduledFunction(t *testing.T) {
	w := one(t, lambdahost.Function{Name: "monitor", Binary: raw})
	scheduler, err := lambdahost.NewScheduler(w, nil, lambdahost.Schedule{Function: "monitor", Every: 20 * time.Millisecond, Doubled: []int{1}, Lost: []int{2}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		scheduler.Run(ctx)
	}()
	w.await(lambdahost.Finished, 5)
	cancel()
	<-ended
	require.GreaterOrEqual(t, w.count(lambdahost.Queued), 5)
}

func TestScheduleValidate(t *testing.T) {
	_, err := lambdahost.NewScheduler(&service{}, nil,
		lambdahost.Schedule{Every: -1, Lose: 0.6, Double: 0.6, MaxAge: -1},
		lambdahost.Schedule{Function: "f", Precision: time.Minute},
		lambdahost.Schedule{Function: "f", Lose: math.NaN()},
	)
	for _, part := range []string{"Function is missing", "Every", "Lose 0.6", "MaxAge", "Precision 1m0s", "Lose NaN"} {
		require.ErrorContains(t, err, part)
	}
}
