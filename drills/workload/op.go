package workload

import (
	"context"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Outcome is how one write ended, as its client saw it.
type Outcome string

// The four ways in which a write ends.
const (
	// OK: the server acknowledged the commit.
	OK Outcome = "ok"
	// Fail: the write was definitely not applied. A row with this id is a
	// mistake in the classification.
	Fail Outcome = "fail"
	// Info: unknown. The request may have left and no answer came.
	Info Outcome = "info"
	// Dropped: never sent, because MaxInFlight writes were already waiting.
	Dropped Outcome = "dropped"
)

// Valid reports whether o is one of the four outcomes.
func (o Outcome) Valid() bool {
	switch o {
	case OK, Fail, Info, Dropped:
		return true
	}
	return false
}

// Op is one write of the history. Its times are offsets on the run's one
// monotonic clock, so that ops of different clients can be compared.
type Op struct {
	ID       int64         `json:"id"`               // unique in the run, also the row's key
	Client   string        `json:"client"`           // such as "us-east-2/open-loop"
	Region   dr.Region     `json:"region"`           // where the client stands
	Intended time.Duration `json:"intended_ns"`      // when the grid wanted it to start
	Start    time.Duration `json:"start_ns"`         // when it did start
	End      time.Duration `json:"end_ns"`           // when the client knew, or gave up
	Outcome  Outcome       `json:"outcome"`          //
	Server   dr.Region     `json:"server,omitempty"` // whose member acknowledged; set for OK, best effort otherwise
	Error    string        `json:"error,omitempty"`  // why it is not OK
}

// Session writes one row through the endpoint that it was built with and
// returns the Region of the server that acknowledged it. It never writes an id
// twice on its own. An error that proves that nothing was applied is wrapped
// by [NotSent]; any other error is classified as if bytes had been sent.
type Session interface {
	Write(ctx context.Context, id int64) (server dr.Region, err error)
}

// Clock tells the run's time: the offset since the run began, monotonic.
type Clock func() time.Duration

// NewClock returns a Clock that starts now.
func NewClock() Clock {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

type intendedKey struct{}

// withIntended tells a session when its write was meant to start.
func withIntended(ctx context.Context, at time.Duration) context.Context {
	return context.WithValue(ctx, intendedKey{}, at)
}

// Intended returns the intended time of the write that ctx belongs to. It is
// false outside of [Load.Run].
func Intended(ctx context.Context) (time.Duration, bool) {
	at, ok := ctx.Value(intendedKey{}).(time.Duration)
	return at, ok
}
