package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// DefaultTimeout is the time that a write gets when Load.Timeout is zero.
const DefaultTimeout = 2 * time.Second

// MaxRate is the highest rate of one Load. Above it, timers and not servers
// decide when a write starts; use more clients.
const MaxRate = 10_000

// Load is one client that writes in an open loop.
type Load struct {
	// Client names the client in the history, such as "us-east-2/open-loop".
	Client string
	// Region is where the client stands.
	Region dr.Region
	// Rate is the number of writes per second, 1 to MaxRate.
	Rate int
	// Timeout bounds one write. Zero means DefaultTimeout.
	Timeout time.Duration
	// MaxInFlight bounds the writes that wait for an answer; a write above it
	// is Dropped. Zero means twice the number that a silent server can hold,
	// 2 x Rate x Timeout, so that an outage alone drops nothing.
	MaxInFlight int
	// FirstID is the id of the first write; the next ones follow. Clients of
	// one run need disjoint ranges.
	FirstID int64
	// Session sends the writes. It is called from many goroutines at once.
	Session Session
	// Clock is the run's clock, the same for every client of the run.
	Clock Clock
	// Done, when set, is told every op as it ends. Calls come one at a time. It
	// must not block: it holds up the end of the other ops, though not their
	// measured times.
	Done func(Op)
}

// Validate reports everything that is wrong with the load.
func (l Load) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if l.Client == "" {
		bad("Client is empty: name the client, such as \"us-east-2/open-loop\"")
	}
	if l.Region == "" {
		bad("Region is empty: say where the client stands")
	}
	if l.Rate < 1 || l.Rate > MaxRate {
		bad("Rate is %d writes per second: use 1 to %d", l.Rate, MaxRate)
	}
	if l.Timeout < 0 {
		bad("Timeout is %v: use a positive duration, or zero for %v", l.Timeout, DefaultTimeout)
	}
	if l.MaxInFlight < 0 {
		bad("MaxInFlight is %d: use a positive number, or zero for twice what a silent server can hold", l.MaxInFlight)
	}
	if l.Session == nil {
		bad("Session is nil: build one with NewMySQL or bring your own")
	}
	if l.Clock == nil {
		bad("Clock is nil: give every client of the run the same clock")
	}
	if len(errs) > 0 {
		return fmt.Errorf("workload: load %q: %w", l.Client, errors.Join(errs...))
	}
	return nil
}

// Run writes until ctx ends, waits for every write that is still out, and
// returns all ops in the order of their ids. The end of ctx is not an error
// and cancels no write: each has its own timeout.
func (l Load) Run(ctx context.Context) ([]Op, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if l.Timeout == 0 {
		l.Timeout = DefaultTimeout
	}
	if l.MaxInFlight == 0 {
		l.MaxInFlight = max(64, int(2*l.Timeout.Seconds()*float64(l.Rate)))
	}
	r := recorder{done: l.Done}
	slots := make(chan struct{}, l.MaxInFlight)
	var writers sync.WaitGroup

	begin := l.Clock()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for k := int64(0); ; k++ {
		// From the number of the write, not by adding intervals: a rate of
		// 3/s would drift otherwise.
		intended := begin + time.Duration(k)*time.Second/time.Duration(l.Rate)
		timer.Reset(intended - l.Clock())
		select {
		case <-ctx.Done():
			writers.Wait()
			return r.sorted(), nil
		case <-timer.C:
		}
		if ctx.Err() != nil { // both were ready
			writers.Wait()
			return r.sorted(), nil
		}
		op := Op{ID: l.FirstID + k, Client: l.Client, Region: l.Region, Intended: intended, Start: l.Clock()}
		select {
		case slots <- struct{}{}:
			writers.Go(func() {
				defer func() { <-slots }()
				r.add(l.write(ctx, op))
			})
		default:
			op.End, op.Outcome = op.Start, Dropped
			op.Error = fmt.Sprintf("workload: %d writes already in flight", l.MaxInFlight)
			writers.Go(func() { r.add(op) })
		}
	}
}

// write sends one op and says how it ended.
func (l Load) write(ctx context.Context, op Op) Op {
	ctx, cancel := context.WithTimeout(withIntended(context.WithoutCancel(ctx), op.Intended), l.Timeout)
	defer cancel()
	op.Start = l.Clock()
	server, err := l.Session.Write(ctx, op.ID)
	op.End = l.Clock()
	op.Server = server
	op.Outcome = Classify(err, WasSent(err))
	if err != nil {
		op.Error = err.Error()
	}
	return op
}

// recorder collects ops from many goroutines.
type recorder struct {
	mu   sync.Mutex
	ops  []Op
	done func(Op)
}

func (r *recorder) add(op Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
	if r.done != nil {
		r.done(op)
	}
}

func (r *recorder) sorted() []Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.ops, func(a, b Op) int { return cmp.Compare(a.ID, b.ID) })
	return r.ops
}
