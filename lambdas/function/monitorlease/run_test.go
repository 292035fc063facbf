package monitorlease_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const region dr.Region = "us-east-1"

// script is a store whose next calls can be made to fail.
type script struct {
	monitorleasetest.Memory
	mu   sync.Mutex
	read func(ctx context.Context) error                              // before a read
	hit  func(ctx context.Context, next monitorlease.Lease) error     // before a write
	lost func(ctx context.Context, old, next monitorlease.Lease) bool // after a write that was carried out

	busy, most atomic.Int32 // processes that work now, and at most
}

func (s *script) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *script) Read(ctx context.Context, r dr.Region) (monitorlease.Lease, error) {
	s.mu.Lock()
	read := s.read
	s.mu.Unlock()
	if read != nil {
		if err := read(ctx); err != nil {
			return monitorlease.Lease{}, err
		}
	}
	return s.Memory.Read(ctx, r)
}

func (s *script) Write(ctx context.Context, old, next monitorlease.Lease) error {
	s.mu.Lock()
	hit, lost := s.hit, s.lost
	s.mu.Unlock()
	if hit != nil {
		if err := hit(ctx, next); err != nil {
			return err
		}
	}
	err := s.Memory.Write(ctx, old, next)
	if err == nil && lost != nil && lost(ctx, old, next) {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (s *script) now(t *testing.T) monitorlease.Lease {
	t.Helper()
	now, err := s.Memory.Read(t.Context(), region)
	require.NoError(t, err)
	return now
}

func hang(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// job is a process under test.
type job struct {
	started chan time.Time // one for each time that the work is called
	ended   chan error     // the cause, for each time that it ends
	done    chan error     // Run's answer
	events  chan monitorlease.Event
	stop    context.CancelFunc
}

// cutOff marks the calls of a process that a script may cut off.
var cutOff = new(struct{ int })

func begin(t *testing.T, s monitorlease.Store, id string, deadline time.Duration) *job {
	t.Helper()
	return beginWith(t.Context(), t, s, id, deadline)
}

func beginWith(base context.Context, t *testing.T, s monitorlease.Store, id string, deadline time.Duration) *job {
	t.Helper()
	ctx, cancel := context.WithCancel(base)
	if deadline > 0 {
		ctx, cancel = context.WithTimeout(base, deadline)
	}
	// A process that looks again and again would keep a test for ever that waits for what
	// never comes: without it the bubble is deadlocked, and says so.
	end := time.AfterFunc(time.Hour, cancel)
	j := &job{
		started: make(chan time.Time, 64), ended: make(chan error, 64), done: make(chan error, 1),
		events: make(chan monitorlease.Event, 1024), stop: cancel,
	}
	go func() {
		defer cancel()
		defer end.Stop()
		j.done <- monitorlease.Run(ctx, monitorlease.Config{
			Region: region, Process: id, Store: s, OnEvent: func(e monitorlease.Event) { j.events <- e },
		}, func(ctx context.Context) error {
			if s, ok := s.(*script); ok {
				s.most.Store(max(s.most.Load(), s.busy.Add(1)))
				defer s.busy.Add(-1)
			}
			j.started <- time.Now()
			<-ctx.Done()
			j.ended <- context.Cause(ctx)
			return ctx.Err()
		})
	}()
	return j
}

func (j *job) saw() (all []monitorlease.What) {
	for len(j.events) > 0 {
		all = append(all, (<-j.events).What)
	}
	return all
}

func TestHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		old := begin(t, s, "same-request", 0)
		<-old.started
		doze(t.Context(), 10*time.Second)
		// Lambda repeats an event under its id: these are two processes all the same.
		fresh := begin(t, s, "same-request", 0)
		require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
		yielded := time.Now()
		require.LessOrEqual(t, (<-fresh.started).Sub(yielded), 100*time.Millisecond)
		require.NoError(t, <-old.done)
		require.Equal(t, []monitorlease.What{monitorlease.Taken, monitorlease.Yielded, monitorlease.Left}, old.saw())
		require.EqualValues(t, 2, s.now(t).Number)
		require.Empty(t, s.now(t).Next)

		fresh.stop()
		require.NoError(t, <-fresh.done)
		require.Equal(t, []monitorlease.What{monitorlease.Claimed, monitorlease.Taken, monitorlease.Released}, fresh.saw())
		require.True(t, s.now(t).Released)
		next := begin(t, s, "next", 0)
		at := time.Now()
		require.Equal(t, at, <-next.started, "a released lease is taken at once")
		next.stop()
		require.NoError(t, <-next.done)
	})
}

// Of two processes at the same instant one takes over, and the other leaves when it has.
func TestDoubledTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		old := begin(t, s, "old", 0)
		<-old.started
		a, b := begin(t, s, "tick", 0), begin(t, s, "tick", 0)
		require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
		doze(t.Context(), time.Second)
		require.Equal(t, 1, len(a.started)+len(b.started))
		if len(b.started) > 0 {
			a, b = b, a
		}
		require.NoError(t, <-b.done)
		require.NoError(t, <-old.done)
		doze(t.Context(), time.Minute)
		require.Len(t, a.started, 1)
		require.EqualValues(t, 2, s.now(t).Number, "one handover")
		a.stop()
		require.NoError(t, <-a.done)
	})
}

// A deployment that can't start must not blind the Region: who worked before goes on.
func TestASuccessorThatFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := monitorlease.Config{}.WithDefaults()
		s := &script{}
		old := begin(t, s, "old", 0)
		<-old.started
		broken := errors.New("the environment lacks LIFEBOAT_TABLE")
		require.ErrorIs(t, monitorlease.Run(t.Context(), monitorlease.Config{Region: region, Process: "new", Store: s}, func(context.Context) error { return broken }), broken)
		require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
		failed := time.Now()
		require.LessOrEqual(t, (<-old.started).Sub(failed), c.Poll)

		// One that takes the lease and is never heard of again.
		for {
			now := s.now(t)
			if s.Memory.Write(t.Context(), now, monitorlease.Lease{Region: region, Holder: now.Holder, Number: now.Number, Beat: now.Beat, Next: "dead"}) == nil {
				break
			}
		}
		require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
		synctest.Wait()
		now := s.now(t)
		require.NoError(t, s.Memory.Write(t.Context(), now, monitorlease.Lease{Region: region, Holder: "dead", Number: now.Number + 1}))
		died := time.Now()
		require.LessOrEqual(t, (<-old.started).Sub(died), c.TTL+c.Drift+c.Poll)
		old.stop()
		require.NoError(t, <-old.done)
	})
}

func TestASuccessorThatDiesCostsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		old := begin(t, s, "old", 0)
		<-old.started
		for { // a claim by a process that doesn't exist
			now := s.now(t)
			next := now
			next.Next = "dead"
			if s.Memory.Write(t.Context(), now, next) == nil {
				break
			}
		}
		require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
		yielded := time.Now()
		require.Equal(t, time.Second, (<-old.started).Sub(yielded))
		require.Empty(t, s.now(t).Next, "the dead claim is gone")
		old.stop()
		require.NoError(t, <-old.done)
	})
}

// A store that is silent for one is silent for all: no other process can take the lease, and
// the work goes on.
func TestRenewalsThatHangDoNotEndTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := monitorlease.Config{}.WithDefaults()
		s := &script{}
		j := begin(t, s, "p", 0)
		<-j.started
		require.Equal(t, monitorlease.Taken, (<-j.events).What)
		s.set(func() {
			s.read = hang
			s.hit = func(ctx context.Context, _ monitorlease.Lease) error { return hang(ctx) }
		})
		doze(t.Context(), time.Minute)
		require.Empty(t, j.ended)
		var told []monitorlease.What
		for len(j.events) > 0 {
			told = append(told, (<-j.events).What)
		}
		require.Equal(t, []monitorlease.What{monitorlease.Failed, monitorlease.Lapsed}, told, "each once")
		s.set(func() { s.read, s.hit = nil, nil })
		doze(t.Context(), c.TTL+c.Renew+c.Poll)
		now := s.now(t)
		require.EqualValues(t, 1, now.Number, "it is the same lease")
		require.Positive(t, now.Beat)
		doze(t.Context(), 10*time.Second)
		require.Greater(t, s.now(t).Beat, now.Beat+10, "renewed at its pace again")
		require.Empty(t, j.ended)
		require.Empty(t, j.events)
		j.stop()
		require.NoError(t, <-j.done)
	})
}

// When the store is silent for the holder alone, another process takes the lease, no earlier
// than TTL + Drift after it saw the last renewal. The holder ends its work when it sees that.
func TestAHolderThatIsCutOffEndsWhenItSeesTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := monitorlease.Config{}.WithDefaults()
		s := &script{}
		var cut, hit atomic.Bool
		cut.Store(true)
		old := beginWith(context.WithValue(t.Context(), cutOff, true), t, s, "old", 0)
		<-old.started
		s.set(func() {
			s.read = func(ctx context.Context) error {
				if cut.Load() && ctx.Value(cutOff) != nil {
					return hang(ctx)
				}
				return nil
			}
			s.hit = func(ctx context.Context, next monitorlease.Lease) error {
				if cut.Load() && next.Number == 1 && next.Next == "" {
					hit.Store(true)
					return hang(ctx)
				}
				return nil
			}
		})
		fresh := begin(t, s, "new", 0)
		began := time.Now()
		took := <-fresh.started
		require.GreaterOrEqual(t, took.Sub(began), c.TTL+c.Drift)
		require.Empty(t, old.ended, "it has not seen it")
		require.True(t, hit.Load())
		cut.Store(false)
		healed := time.Now()
		require.ErrorIs(t, <-old.ended, monitorlease.ErrUsurped)
		require.LessOrEqual(t, time.Since(healed), c.TTL+c.Poll)
		require.NoError(t, <-old.done)
		require.Empty(t, fresh.ended)
		fresh.stop()
		require.NoError(t, <-fresh.done)
	})
}

// A store that is slower by so much, evenly or not, on reads or writes or both, for a process
// and for one that waits: no lease is lost, and it is handed over at the latest when the store
// is fast again. While reads take long the lease is not claimed, and while writes do a claim
// may miss the record that it read. Two never work at once, unless the holder needs more than
// TTL to see a claim.
func TestASlowStore(t *testing.T) {
	c := monitorlease.Config{}.WithDefaults()
	const slowest = 2750 * time.Millisecond
	for _, d := range []time.Duration{0, 50, 100, 200, 250, 270, 300, 400, 466, 470, 500, 600, 700, 933, 1000, 1400, 1800, 2200, 2600, 2750} {
		d *= time.Millisecond
		for name, which := range map[string][2]bool{"reads": {true, false}, "writes": {false, true}, "both": {true, true}} {
			for how, jitter := range map[string]float64{"": 0, ", unevenly": .5} {
				t.Run(fmt.Sprintf("%s by %v%s", name, d, how), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var mu sync.Mutex
						rng := rand.New(rand.NewPCG(uint64(d), 1))
						slow := func(ctx context.Context) error {
							mu.Lock()
							takes := min(slowest, time.Duration(float64(d)*(1-jitter+2*jitter*rng.Float64())))
							mu.Unlock()
							if !doze(ctx, takes) {
								return ctx.Err()
							}
							return nil
						}
						s := &script{}
						old := begin(t, s, "old", 0)
						<-old.started
						doze(t.Context(), 10*time.Second)
						s.set(func() {
							if which[0] {
								s.read = slow
							}
							if which[1] {
								s.hit = func(ctx context.Context, _ monitorlease.Lease) error { return slow(ctx) }
							}
						})
						doze(t.Context(), time.Minute)
						require.Empty(t, old.ended, "the work goes on")
						require.EqualValues(t, 1, s.now(t).Number)
						fresh := begin(t, s, "new", 0)
						began := time.Now()
						doze(t.Context(), time.Minute)
						if soon := jitter == 0 && d < c.Renew/2; soon {
							require.Len(t, fresh.started, 1)
							at := <-fresh.started
							if soon {
								require.LessOrEqual(t, at.Sub(began), 12*max(d, c.Poll)+c.Renew+2*c.Call)
							}
							fresh.started <- at
						}
						s.set(func() { s.read, s.hit = nil, nil })
						doze(t.Context(), 2*slowest+c.Renew)
						require.NoError(t, <-old.done)
						require.Greater(t, len(fresh.started), len(fresh.ended), "the new one works")
						worst := c.Renew // until the claim is seen, or the release is answered by a take
						for _, slow := range which {
							if slow {
								worst += min(slowest, time.Duration(float64(d)*(1+jitter)))
							}
						}
						if worst < c.TTL {
							require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded, "it is handed over, not lost")
							require.Empty(t, old.ended)
							require.Empty(t, fresh.ended)
							require.EqualValues(t, 2, s.now(t).Number)
							require.EqualValues(t, 1, s.most.Load(), "two have worked at once")
						}
						require.LessOrEqual(t, s.most.Load(), int32(2))
						fresh.stop()
						require.NoError(t, <-fresh.done)
					})
				})
			}
		}
	}
}

func TestADeadHolderIsProvenSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := monitorlease.Config{}.WithDefaults()
		s := &script{}
		require.NoError(t, s.Memory.Write(t.Context(), monitorlease.Lease{Region: region}, monitorlease.Lease{Region: region, Holder: "dead", Number: 9, Beat: 40}))
		began := time.Now()
		j := begin(t, s, "new", 0)
		require.Equal(t, c.TTL+c.Drift, (<-j.started).Sub(began))
		require.Equal(t, monitorlease.Claimed, (<-j.events).What)
		taken := <-j.events
		require.Equal(t, monitorlease.Taken, taken.What)
		require.Equal(t, c.TTL+c.Drift, taken.Silent)
		require.EqualValues(t, 10, taken.Lease.Number)
		j.stop()
		require.NoError(t, <-j.done)
	})
}

func TestLostAnswers(t *testing.T) {
	for name, match := range map[string]func(old, next monitorlease.Lease) bool{
		"of the take":     func(old, next monitorlease.Lease) bool { return next.Number > old.Number },
		"of a renewal":    func(old, next monitorlease.Lease) bool { return next.Beat == 5 && old.Beat == 4 },
		"of the claim":    func(old, next monitorlease.Lease) bool { return next.Next != old.Next },
		"of the release":  func(old, next monitorlease.Lease) bool { return next.Released && !old.Released },
		"of each of them": func(_, _ monitorlease.Lease) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				told := map[monitorlease.Lease]bool{}
				s := &script{lost: func(_ context.Context, old, next monitorlease.Lease) bool {
					mu.Lock()
					defer mu.Unlock()
					// Every other one of each kind is lost, and an answer only once.
					lost := match(old, next) && !told[next] && len(told)%2 == 0
					told[next] = true
					return lost
				}}
				old := begin(t, s, "old", 0)
				<-old.started
				doze(t.Context(), 20*time.Second)
				fresh := begin(t, s, "new", 0)
				require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
				yielded := time.Now()
				require.Less(t, (<-fresh.started).Sub(yielded), monitorlease.Blind)
				require.NoError(t, <-old.done)
				doze(t.Context(), 20*time.Second)
				require.Empty(t, old.started, "the work of the old one was started once")
				require.Empty(t, fresh.ended)
				require.EqualValues(t, 2, s.now(t).Number)
				fresh.stop()
				require.NoError(t, <-fresh.done)
			})
		})
	}
}

func TestLeavesBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		began := time.Now()
		j := begin(t, s, "p", 15*time.Minute)
		require.NoError(t, <-j.done)
		require.ErrorIs(t, <-j.ended, monitorlease.ErrDeadline)
		require.Equal(t, 15*time.Minute-5*time.Second, time.Since(began))
		require.True(t, s.now(t).Released)

		short := begin(t, s, "p", 3*time.Second)
		require.EqualError(t, <-short.done, "monitorlease: run in us-east-1: 3s are left of the invocation, and Spare is 5s: raise the function's timeout")
	})
}

// The deadline, or a store that is gone, must not keep a process.
func TestLeavesWhenTheStoreIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		j := begin(t, s, "p", time.Minute)
		<-j.started
		s.set(func() {
			s.read = hang
			s.hit = func(ctx context.Context, _ monitorlease.Lease) error { return hang(ctx) }
		})
		require.ErrorIs(t, <-j.ended, monitorlease.ErrDeadline)
		began := time.Now()
		require.NoError(t, <-j.done)
		require.Less(t, time.Since(began), monitorlease.Config{}.WithDefaults().Spare+monitorlease.Config{}.WithDefaults().TTL)
		var failed []monitorlease.Event
		for len(j.events) > 0 {
			if e := <-j.events; e.What == monitorlease.Failed {
				failed = append(failed, e)
			}
		}
		require.Len(t, failed, 1, "one report of an outage, not ten a second")
		require.ErrorContains(t, failed[0].Err, "monitorlease: write the monitor lease of us-east-1: context deadline exceeded")
	})
}

func TestAWaiterThatIsStoppedWithdraws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		require.NoError(t, s.Memory.Write(t.Context(), monitorlease.Lease{Region: region}, monitorlease.Lease{Region: region, Holder: "busy", Number: 1}))
		j := begin(t, s, "p", 0)
		doze(t.Context(), time.Second)
		require.NotEmpty(t, s.now(t).Next)
		j.stop()
		require.NoError(t, <-j.done)
		require.Empty(t, s.now(t).Next)
	})
}

func TestWorkThatEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &monitorleasetest.Memory{}
		broken := errors.New("no database is configured")
		for _, want := range []error{broken, nil} {
			err := monitorlease.Run(t.Context(), monitorlease.Config{Region: region, Process: "p", Store: s}, func(context.Context) error { return want })
			require.ErrorIs(t, err, want)
			now, readErr := s.Read(t.Context(), region)
			require.NoError(t, readErr)
			require.True(t, now.Released, "the next one need not wait")
		}
	})
}

// A record that was edited by hand must not let two processes work.
func TestALeaseThatIsTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		j := begin(t, s, "p", 0)
		<-j.started
		now := s.now(t)
		theirs := monitorlease.Lease{Region: region, Holder: "other", Number: now.Number + 1}
		require.NoError(t, s.Memory.Write(t.Context(), now, theirs))
		require.ErrorIs(t, <-j.ended, monitorlease.ErrUsurped)
		renewed := theirs
		renewed.Beat++
		require.NoError(t, s.Memory.Write(t.Context(), theirs, renewed), "it lives, so this process may leave")
		require.NoError(t, <-j.done)
		require.Equal(t, "other", s.now(t).Holder)
	})
}

func TestRunRefusesABadConfig(t *testing.T) {
	require.ErrorContains(t, monitorlease.Run(t.Context(), monitorlease.Config{}, nil), "Store is nil")
}

// No answer to a write arrives, and reads are answered: the holder reads that its renewals
// were carried out, keeps the lease, and hands it over as ever.
func TestWritesThatActUnheardKeepTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		old := begin(t, s, "old", 0)
		<-old.started
		s.set(func() { s.lost = func(context.Context, monitorlease.Lease, monitorlease.Lease) bool { return true } })
		doze(t.Context(), time.Minute)
		require.Empty(t, old.ended)
		require.EqualValues(t, 1, s.now(t).Number)
		require.Equal(t, []monitorlease.What{monitorlease.Taken, monitorlease.Failed}, old.saw(), "it never lapses, and people are told once")
		begun := time.Now()
		fresh := begin(t, s, "new", 0)
		<-fresh.started
		require.ErrorIs(t, <-old.ended, monitorlease.ErrYielded)
		require.Less(t, time.Since(begun), 5*time.Second)
		require.NoError(t, <-old.done)
		fresh.stop()
		<-fresh.done
	})
}
