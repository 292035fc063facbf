package lambdahost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Schedule is a rule that invokes a function again and again, with the freedom
// that AWS takes: a tick comes some time within its minute, sometimes twice,
// sometimes not at all. It is a value; Tick says what it will do.
type Schedule struct {
	// Function is the function's name. Required.
	Function string
	// Every is the period. Default one minute, the shortest that AWS has; drills
	// may be faster.
	Every time.Duration
	// Precision is how late within its period a tick may come, less than Every.
	// Default 59/60 of Every: 59 s of a minute.
	Precision time.Duration
	// Punctual fires every tick at the start of its period instead.
	Punctual bool
	// Seed makes the ticks repeatable.
	Seed uint64
	// Lose and Double are the share of ticks that never come and that come
	// twice, 0 to 1, together at most 1. Default 0.
	Lose, Double float64
	// Lost and Doubled are ticks that do so for certain, counted from 0. Lost
	// wins.
	Lost, Doubled []int
	// Retries is how often an invocation that the service refuses is repeated
	// within MaxAge, waiting 1 s at first and then twice as long [K]. Default 2,
	// as the rule of module failover; negative for none.
	Retries int
	// MaxAge is how old a tick may get. Default 60 s, as that rule.
	MaxAge time.Duration
	// Payload is what a tick carries. Default EventBridge's scheduled event
	// without its account and rule.
	Payload func(Tick) []byte
}

// Tick is one firing of a schedule.
type Tick struct {
	N      int           // from 0
	At     time.Duration // since the schedule's start
	Copies int           // 0: lost, 2: doubled
}

func (s Schedule) withDefaults() Schedule {
	if s.Every == 0 {
		s.Every = time.Minute
	}
	if s.Precision == 0 {
		s.Precision = s.Every / 60 * 59
	}
	if s.Punctual {
		s.Precision = 0
	}
	if s.Retries == 0 {
		s.Retries = 2
	}
	if s.MaxAge == 0 {
		s.MaxAge = time.Minute
	}
	return s
}

// Validate reports everything that is wrong with the schedule.
func (s Schedule) Validate() error {
	s = s.withDefaults()
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("lambdahost: schedule of %q: "+format, append([]any{s.Function}, args...)...))
	}
	if s.Function == "" {
		bad("Function is missing")
	}
	if s.Every < 0 {
		bad("Every %v is negative", s.Every)
	}
	if s.Precision < 0 || s.Precision >= s.Every && s.Every > 0 {
		bad("Precision %v is not within 0 and Every, %v", s.Precision, s.Every)
	}
	if !(s.Lose >= 0 && s.Double >= 0 && s.Lose+s.Double <= 1) {
		bad("Lose %v and Double %v are not shares of 1", s.Lose, s.Double)
	}
	if s.MaxAge < 0 {
		bad("MaxAge %v is negative", s.MaxAge)
	}
	return errors.Join(errs...)
}

// Tick returns the n-th tick. Each is drawn for itself, so changing one setting
// moves no other tick.
func (s Schedule) Tick(n int) Tick {
	s = s.withDefaults()
	draw := rand.New(rand.NewPCG(s.Seed, uint64(n)))
	late, fate := draw.Float64(), draw.Float64()
	t := Tick{N: n, At: time.Duration(n)*s.Every + time.Duration(late*float64(s.Precision)), Copies: 1}
	switch {
	case slices.Contains(s.Lost, n), fate < s.Lose:
		t.Copies = 0
	case slices.Contains(s.Doubled, n), fate < s.Lose+s.Double:
		t.Copies = 2
	}
	return t
}

// Invoker invokes functions: a Host, or the client of one.
type Invoker interface {
	Invoke(ctx context.Context, name string, payload []byte, mode Mode) (Result, error)
}

// Scheduler runs schedules.
type Scheduler struct {
	invoker   Invoker
	schedules []Schedule
	missed    func(Schedule, Tick, error)
}

// NewScheduler returns a Scheduler of schedules. Each tick that was given up,
// because the service refused it for too long, is reported to missed, which may
// be nil.
func NewScheduler(invoker Invoker, missed func(Schedule, Tick, error), schedules ...Schedule) (*Scheduler, error) {
	var errs []error
	s := &Scheduler{invoker: invoker, missed: missed}
	for _, schedule := range schedules {
		errs = append(errs, schedule.Validate())
		s.schedules = append(s.schedules, schedule.withDefaults())
	}
	if s.missed == nil {
		s.missed = func(Schedule, Tick, error) {}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Run ticks until ctx is done, and returns when no call of its own is under way.
func (s *Scheduler) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	began := time.Now()
	for _, schedule := range s.schedules {
		wg.Go(func() {
			for n := 0; ; n++ {
				tick := schedule.Tick(n)
				if !sleep(ctx, time.Until(began.Add(tick.At))) {
					return
				}
				for range tick.Copies {
					wg.Go(func() { s.fire(ctx, schedule, tick, began) })
				}
			}
		})
	}
}

// fire invokes the function for one copy of a tick.
func (s *Scheduler) fire(ctx context.Context, schedule Schedule, tick Tick, began time.Time) {
	payload := schedule.payload(tick, began)
	expires := began.Add(tick.At + schedule.MaxAge)
	wait := time.Second
	for try := 0; ; try++ {
		_, err := s.invoker.Invoke(ctx, schedule.Function, payload, Async)
		if err == nil || ctx.Err() != nil {
			return
		}
		if try >= schedule.Retries || time.Now().Add(wait).After(expires) {
			s.missed(schedule, tick, fmt.Errorf("lambdahost: tick %d of %s: given up after %d tries: %w", tick.N, schedule.Function, try+1, err))
			return
		}
		if !sleep(ctx, wait) {
			return
		}
		wait *= 2
	}
}

func (s Schedule) payload(tick Tick, began time.Time) []byte {
	if s.Payload != nil {
		return s.Payload(tick)
	}
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": newUUID(), "detail-type": "Scheduled Event", "source": "aws.events",
		"time": began.Add(tick.At).UTC().Format(time.RFC3339), "resources": []string{}, "detail": map[string]any{},
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return body
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
