package functions_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded/internal/functions"
)

type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, in []byte) ([]byte, error) { return h(ctx, in) }

// service runs one function with a cold start of 100 ms and one place.
func service(t *testing.T, start func(*functions.Process) handler) *functions.Service {
	s := functions.New(t.Context(), func() time.Duration { return 100 * time.Millisecond }, functions.Function{
		Name: "f", Concurrency: 1, Start: func(p *functions.Process) (functions.Handler, error) { return start(p), nil },
	})
	t.Cleanup(s.Close)
	return s
}

func slow(*functions.Process) handler {
	return func(ctx context.Context, in []byte) ([]byte, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
			return in, nil
		}
	}
}

func TestAProcessStartsColdOnceAndWorksOnOneInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := service(t, slow), time.Now()
		first := make(chan lambdahost.Result, 1)
		go func() {
			r, _ := s.Invoke(t.Context(), "f", []byte("1"), lambdahost.Sync)
			first <- r
		}()
		synctest.Wait()
		_, err := s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		var refusal *lambdahost.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, 429, refusal.Status, "its one place is taken")
		r := <-first
		require.Equal(t, "1", string(r.Payload))
		require.True(t, r.Cold)
		require.Equal(t, 1100*time.Millisecond, time.Since(began))
		r, err = s.Invoke(t.Context(), "f", []byte("2"), lambdahost.Sync)
		require.NoError(t, err)
		require.False(t, r.Cold)
		s.Retire("f")
		r, err = s.Invoke(t.Context(), "f", []byte("3"), lambdahost.Sync)
		require.NoError(t, err)
		require.True(t, r.Cold, "its idle process was retired")
	})
}

// A killed process returns an error to its invoker, and its graceful end reaches nothing.
func TestNothingOfAKilledProcessReachesTheWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reached := 0
		var last error
		s := service(t, func(p *functions.Process) handler {
			return func(ctx context.Context, _ []byte) ([]byte, error) {
				world := func(context.Context) error { reached++; return nil }
				require.NoError(t, p.Pass(ctx, world))
				<-ctx.Done()
				last = p.Pass(context.WithoutCancel(ctx), world)
				return nil, errors.New("after the invoker has gone")
			}
		})
		go func() {
			<-time.After(time.Second)
			s.Kill("f")
		}()
		r, err := s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		require.NoError(t, err)
		kind, _ := r.Failure()
		require.Equal(t, "Runtime.ExitError", kind)
		synctest.Wait()
		require.Equal(t, 1, reached)
		require.ErrorIs(t, last, functions.ErrDead)
	})
}

// A kill ends what a process waits for, also where its invocation's end would not.
func TestAKillEndsEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 3
		ended := make(chan error, calls)
		s := service(t, func(p *functions.Process) handler {
			return func(ctx context.Context, _ []byte) ([]byte, error) {
				own := context.WithoutCancel(ctx)
				over := make(chan struct{})
				go func() {
					defer close(over)
					_ = p.Pass(own, func(context.Context) error { return nil })
				}()
				<-over // one that is over is none of the kill's business
				for range calls {
					go func() {
						ended <- p.Pass(own, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
					}()
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		go s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		<-time.After(time.Second)
		require.Empty(t, ended)
		s.Kill("f")
		synctest.Wait()
		require.Len(t, ended, calls)
		for range calls {
			require.ErrorIs(t, <-ended, functions.ErrDead)
		}
	})
}

func TestFaultsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		s := service(t, func(p *functions.Process) handler {
			h := slow(p)
			return func(ctx context.Context, in []byte) ([]byte, error) { n.Add(1); return h(ctx, in) }
		})
		mend := s.Break("f", functions.Fault{Down: true})
		_, err := s.Invoke(t.Context(), "f", nil, lambdahost.Async)
		require.ErrorContains(t, err, "ServiceException")
		mend()
		mend = s.Break("f", functions.Fault{Twice: true, Slow: time.Second})
		began := time.Now()
		_, err = s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		require.NoError(t, err)
		require.Equal(t, 2100*time.Millisecond, time.Since(began))
		synctest.Wait()
		require.EqualValues(t, 2, n.Load())
		mend()
		_, err = s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		require.NoError(t, err)
		require.EqualValues(t, 3, n.Load())
	})
}

// What drills go by is told by what happened, not by the fault's switch.
func TestWhatHappensIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []functions.Event
		var mu sync.Mutex
		s := functions.New(t.Context(), func() time.Duration { return 100 * time.Millisecond }, functions.Function{
			Name: "f", Concurrency: 2, Start: func(p *functions.Process) (functions.Handler, error) { return slow(p), nil },
			Observe: func(e functions.Event) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, e)
			},
		})
		t.Cleanup(s.Close)
		call := func() {
			t.Helper()
			_, err := s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
			require.NoError(t, err)
			synctest.Wait()
		}
		what := func() (out []string) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range told {
				switch {
				case e.Twice:
					out = append(out, "twice")
				case e.Late > 0:
					out = append(out, "late "+e.Late.String())
				default:
					out = append(out, string(e.What))
				}
			}
			told = nil
			return out
		}
		call()
		require.Equal(t, []string{"started", "began"}, what())
		call()
		require.Equal(t, []string{"began"}, what(), "warm")

		mend := s.Break("f", functions.Fault{Slow: time.Second})
		go s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		synctest.Wait()
		s.Retire("f")
		<-time.After(2 * time.Second)
		call()
		require.Equal(t, []string{"began", "late 1s", "began"}, what(), "the busy one is not used again")
		mend()

		mend = s.Break("f", functions.Fault{Twice: true})
		call()
		<-time.After(time.Second) // the other one
		require.Contains(t, what(), "twice")
		mend()

		go s.Invoke(t.Context(), "f", nil, lambdahost.Sync)
		synctest.Wait()
		s.Kill("f")
		synctest.Wait()
		require.Equal(t, []string{"began", "killed"}, what())

		mend = s.Break("f", functions.Fault{Down: true})
		_, err := s.Invoke(t.Context(), "f", nil, lambdahost.Async)
		require.Error(t, err)
		require.Equal(t, []string{"refused"}, what())
		mend()
	})
}
