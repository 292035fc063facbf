package workload_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// server is a session of a server that can be slow, silent, or refuse.
type server struct {
	region dr.Region
	delay  time.Duration
	silent func(id int64) bool
	refuse error
	now    atomic.Int64 // writes in flight
	peak   atomic.Int64
}

func (s *server) Write(ctx context.Context, id int64) (dr.Region, error) {
	n := s.now.Add(1)
	defer s.now.Add(-1)
	for p := s.peak.Load(); n > p && !s.peak.CompareAndSwap(p, n); p = s.peak.Load() {
	}
	if s.silent != nil && s.silent(id) {
		<-ctx.Done()
		return "", ctx.Err()
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(s.delay):
	}
	if s.refuse != nil {
		return "", s.refuse
	}
	return s.region, nil
}

func load(s workload.Session) workload.Load {
	return workload.Load{
		Client: "us-east-2/open-loop", Region: "us-east-2", Rate: 10, FirstID: 1000,
		Session: s, Clock: workload.NewClock(),
	}
}

// run runs a load for d of virtual time, less a moment: which of two timers of
// one instant fires first is not defined.
func run(t *testing.T, l workload.Load, d time.Duration) []workload.Op {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d-time.Millisecond)
	defer cancel()
	ops, err := l.Run(ctx)
	require.NoError(t, err)
	return ops
}

func TestLoadKeepsItsGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ops := run(t, load(&server{region: "us-east-1", delay: 30 * time.Millisecond}), 2*time.Second)
		require.Len(t, ops, 20)
		for i, op := range ops {
			require.Equal(t, workload.Op{
				ID: 1000 + int64(i), Client: "us-east-2/open-loop", Region: "us-east-2",
				Intended: time.Duration(i) * 100 * time.Millisecond,
				Start:    time.Duration(i) * 100 * time.Millisecond,
				End:      time.Duration(i)*100*time.Millisecond + 30*time.Millisecond,
				Outcome:  workload.OK, Server: "us-east-1",
			}, op)
		}
	})
}

func TestLoadDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load(&server{region: "us-east-1"})
		l.Rate = 3
		ops := run(t, l, 100*time.Second)
		require.Len(t, ops, 300)
		require.Equal(t, 33*time.Second, ops[99].Intended)
	})
}

// A closed loop would send one write in this outage and call it short.
func TestLoadSeesTheWholeOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{region: "us-east-1"}
		l := load(s)
		begin := time.Now()
		s.silent = func(int64) bool { d := time.Since(begin); return d >= time.Second && d < 6*time.Second }
		ops := run(t, l, 10*time.Second)
		require.Len(t, ops, 100)
		info := 0
		for _, op := range ops {
			require.Equal(t, op.Intended, op.Start, "an outage must not delay the next write")
			if op.Outcome == workload.Info {
				info++
				require.Equal(t, workload.DefaultTimeout, op.End-op.Start)
			}
		}
		require.Equal(t, 50, info)
		require.InDelta(t, 20, s.peak.Load(), 1, "rate x timeout")
	})
}

// A machine that stands still must not make the writes look shorter than they were.
func TestLoadCountsFromWhenAWriteWasMeant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load(&server{region: "us-east-1", delay: 30 * time.Millisecond})
		clock, stalled := l.Clock, false
		l.Clock = func() time.Duration {
			if now := clock(); now > 450*time.Millisecond && !stalled {
				stalled = true
				<-time.After(350 * time.Millisecond)
			}
			return clock()
		}
		ops := run(t, l, 2*time.Second)
		require.Len(t, ops, 20)
		for i, op := range ops {
			require.Equal(t, time.Duration(i)*100*time.Millisecond, op.Intended, "whenever it started")
		}
		require.Greater(t, ops[6].Start, ops[6].Intended, "the machine stood still")
	})
}

func TestLoadDropsWhenSaturated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{silent: func(int64) bool { return true }}
		l := load(s)
		l.MaxInFlight = 5
		ops := run(t, l, time.Second)
		count := map[workload.Outcome]int{}
		for _, op := range ops {
			count[op.Outcome]++
			if op.Outcome == workload.Dropped {
				require.Contains(t, op.Error, "5 writes already in flight")
				require.Equal(t, op.Start, op.End)
			}
		}
		require.Equal(t, map[workload.Outcome]int{workload.Info: 5, workload.Dropped: 5}, count)
		require.Equal(t, int64(5), s.peak.Load())
	})
}

func TestLoadWaitsForEveryWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{region: "us-east-1", delay: 1900 * time.Millisecond}
		start := time.Now()
		ops := run(t, load(s), 50*time.Millisecond)
		require.Equal(t, 1900*time.Millisecond, time.Since(start), "the end of the run cancels no write")
		require.Len(t, ops, 1)
		require.Equal(t, workload.OK, ops[0].Outcome)
		require.Zero(t, s.now.Load())
	})
}

func TestLoadClassifies(t *testing.T) {
	for name, tt := range map[string]struct {
		refuse error
		want   workload.Outcome
		text   string
	}{
		"sent":     {errors.New("reset by peer"), workload.Info, "reset by peer"},
		"not sent": {workload.NotSent(errors.New("dial: refused")), workload.Fail, "not sent: dial: refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ops := run(t, load(&server{refuse: tt.refuse}), 50*time.Millisecond)
				require.Len(t, ops, 1)
				require.Equal(t, tt.want, ops[0].Outcome)
				require.Equal(t, tt.text, ops[0].Error)
			})
		})
	}
}

func TestLoadTellsEveryOp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []workload.Op
		l := load(&server{region: "us-east-1", silent: func(id int64) bool { return id == 1003 }})
		l.MaxInFlight = 1
		l.Done = func(op workload.Op) { told = append(told, op) }
		ops := run(t, l, 3*time.Second)
		require.ElementsMatch(t, ops, told)
		require.NotEqual(t, ops, told, "the write that hung is told when it ends")
	})
}

type intended struct{ at []time.Duration }

func (s *intended) Write(ctx context.Context, _ int64) (dr.Region, error) {
	at, ok := workload.Intended(ctx)
	if !ok {
		return "", errors.New("no intended time")
	}
	s.at = append(s.at, at)
	return "us-east-1", nil
}

func TestSessionKnowsTheIntendedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &intended{}
		run(t, load(s), 250*time.Millisecond)
		require.Equal(t, []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond}, s.at)
		_, ok := workload.Intended(t.Context())
		require.False(t, ok)
	})
}

func TestLoadValidate(t *testing.T) {
	_, err := workload.Load{Rate: -1, Timeout: -1, MaxInFlight: -1}.Run(t.Context())
	for _, want := range []string{"Client is empty", "Region is empty", "Rate is -1", "Timeout is -1ns", "MaxInFlight is -1", "Session is nil", "Clock is nil"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, load(&server{}).Validate())
}
