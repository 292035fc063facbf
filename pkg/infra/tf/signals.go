package tf

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// SignalError is the cause of a context that [WithSignals] has ended.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return fmt.Sprintf("stopped by %v", e.Signal) }

// WithSignals returns a context that ends at the first SIGINT or SIGTERM, and keeps the
// process alive at every later one: terraform dies with its parent, in the middle of
// whatever it creates. again is called with the number of each later signal, from 2, to
// say so or to leave by os.Exit all the same; it may be nil. Call stop at the end.
func WithSignals(parent context.Context, again func(n int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 8)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for n := 1; ; n++ {
			select {
			case s := <-signals:
				if n == 1 {
					cancel(&SignalError{Signal: s})
				} else if again != nil {
					again(n)
				}
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
