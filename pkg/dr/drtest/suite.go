package drtest

import (
	"context"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of a suite. It is generous, because an adapter may
// stand before a real service; an implementation in memory needs none of it.
const patience = 30 * time.Second

func callContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// endedContext returns a context that has ended: no call may succeed under it.
func endedContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// eventually repeats a question until it is answered with yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within %v", what, patience)
}

// race starts n calls as closely together as it can and returns their outcomes.
func race[T any](n int, call func(i int) T) []T {
	out := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			out[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return out
}
