package functions

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// Handler is what a process runs, as lambda.Handler of aws-lambda-go.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Function is a deployed function.
type Function struct {
	Name string
	// Start makes the handler of a new process, after its cold start. Everything of it
	// that reaches the world must go through the process's gate.
	Start func(*Process) (Handler, error)
	// Timeout of an invocation. Default 900 s.
	Timeout time.Duration
	// Concurrency is the reserved concurrency. Required.
	Concurrency int
	// Attempts is how often an asynchronous event is tried whose invocations fail.
	// Default 3.
	Attempts int
	// MaxAge is how long an asynchronous event may wait. Default 6 h.
	MaxAge time.Duration
	// Observe is told what happens to its processes, from several goroutines. It must
	// not wait for anything. It may be nil.
	Observe func(Event)
}

func (f Function) withDefaults() Function {
	if f.Timeout == 0 {
		f.Timeout = 900 * time.Second
	}
	if f.Attempts == 0 {
		f.Attempts = 3
	}
	if f.MaxAge == 0 {
		f.MaxAge = 6 * time.Hour
	}
	return f
}

// Service is the Lambda service of one Region. It is safe for concurrent use. Close
// must be called.
type Service struct {
	pools map[string]*pool
	life  context.Context
	end   context.CancelFunc

	mu     sync.Mutex
	closed bool
	last   uint64 // number of the last request
	work   sync.WaitGroup
}

var _ lambdahost.Invoker = (*Service)(nil)

// New returns the service of some functions. It ends with ctx, or with Close. coldStart
// draws how long a new process needs before its handler is made; it is called
// concurrently.
func New(ctx context.Context, coldStart func() time.Duration, functions ...Function) *Service {
	s := &Service{pools: make(map[string]*pool)}
	s.life, s.end = context.WithCancel(ctx)
	for _, f := range functions {
		s.pools[f.Name] = &pool{service: s, fn: f.withDefaults(), cold: coldStart, all: make(map[*Process]struct{}), at: make(map[string]int)}
	}
	return s
}

// Names returns the names of the functions, in no particular order.
func (s *Service) Names() []string { return slices.Collect(maps.Keys(s.pools)) }

// Close kills every process and drops the events that wait, and returns when no
// goroutine of the service is left.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.work.Wait()
}

// spawn runs a piece of work, unless the service is closing.
func (s *Service) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(f)
	return true
}

// Invoke implements lambdahost.Invoker. A synchronous call whose ctx ends has hung up:
// the invocation goes on.
func (s *Service) Invoke(ctx context.Context, name string, payload []byte, mode lambdahost.Mode) (lambdahost.Result, error) {
	p := s.pools[name]
	if p == nil {
		return lambdahost.Result{}, &lambdahost.Refusal{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "Function not found: " + name}
	}
	broken := p.broken()
	if err := broken.refusal(); err != nil {
		p.tell(Event{What: Refused})
		return lambdahost.Result{}, err
	}
	id := s.requestID(name)
	if mode == lambdahost.Async {
		return p.enqueue(id, payload, broken.Twice)
	}
	type answer struct {
		result lambdahost.Result
		err    error
	}
	answers := make(chan answer, 1)
	if !s.spawn(func() {
		result, err := p.attempt(id, payload, false)
		answers <- answer{result, err}
	}) {
		return lambdahost.Result{}, lambdahost.ErrClosed
	}
	if broken.Twice {
		s.spawn(func() { _, _ = p.attempt(id, payload, true) }) // its answer goes nowhere
	}
	select {
	case a := <-answers:
		return a.result, a.err
	case <-ctx.Done():
		return lambdahost.Result{}, context.Cause(ctx)
	}
}

func (s *Service) requestID(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return fmt.Sprintf("%s-%d", name, s.last)
}

// wait returns false when the service ends first.
func (s *Service) wait(d time.Duration) bool { return sleep(s.life, d) }

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
