package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"time"
)

// Config describes a Host.
type Config struct {
	// Functions are what is deployed. At least one.
	Functions []Function
	// Account is the twelve-digit account id in every ARN. Default
	// 123456789012.
	Account string
	// Observe is told of everything that happens, from many goroutines at once,
	// with no lock held. It must return quickly. Default: events are dropped.
	Observe func(Event)
	// DeadLetter is given the asynchronous events that were given up. Like
	// Observe. Default: they are dropped.
	DeadLetter func(DeadLetter)

	// InitTimeout is how long the first attempt at init may take, up to
	// 900 s. Default AWS's 10 s.
	InitTimeout time.Duration
	// RetryDelay is the wait after an asynchronous event's n-th failure, from 1.
	// Default AWS's: one minute after the first, two after the second.
	RetryDelay func(n int) time.Duration
	// ThrottleDelay is the wait after its n-th refusal, from 1. Default AWS's:
	// 1 s, doubling up to 5 min.
	ThrottleDelay func(n int) time.Duration
}

// RetryDelay is AWS's wait after the n-th failure of an asynchronous event, from
// 1 (invocation-async-error-handling.html).
func RetryDelay(n int) time.Duration { return time.Duration(n) * time.Minute }

// ThrottleDelay is AWS's wait after the n-th refusal of an asynchronous event,
// from 1: 1 s at first, at most 5 min (the same page; that it doubles is [K]).
func ThrottleDelay(n int) time.Duration {
	return min(5*time.Minute, time.Second<<min(max(n-1, 0), 10))
}

func (c Config) withDefaults() Config {
	if c.Account == "" {
		c.Account = "123456789012"
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.DeadLetter == nil {
		c.DeadLetter = func(DeadLetter) {}
	}
	if c.InitTimeout == 0 {
		c.InitTimeout = 10 * time.Second
	}
	if c.RetryDelay == nil {
		c.RetryDelay = RetryDelay
	}
	if c.ThrottleDelay == nil {
		c.ThrottleDelay = ThrottleDelay
	}
	return c
}

var accountID = regexp.MustCompile(`^\d{12}$`)

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if len(c.Functions) == 0 {
		errs = append(errs, errors.New("lambdahost: Functions: there is none"))
	}
	seen := map[string]bool{}
	for _, f := range c.Functions {
		if seen[f.Name] {
			errs = append(errs, fmt.Errorf("lambdahost: function %q is there twice: give each Region a Host of its own", f.Name))
		}
		seen[f.Name] = true
		if err := f.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("lambdahost: %w", err))
		}
	}
	if !accountID.MatchString(c.Account) {
		errs = append(errs, fmt.Errorf("lambdahost: Account %q is not twelve digits", c.Account))
	}
	if c.InitTimeout < 0 || c.InitTimeout > maxTimeout {
		errs = append(errs, fmt.Errorf("lambdahost: InitTimeout %v is not within 0 and %v", c.InitTimeout, maxTimeout))
	}
	return errors.Join(errs...)
}

// Host is the Lambda service of one Region. It is safe for concurrent use. Close
// must be called.
type Host struct {
	cfg     Config
	pools   map[string]*pool
	closing chan struct{}

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // invocations and queued events

	environments sync.WaitGroup
}

// New returns a Host. No process runs before the first invocation.
func New(cfg Config) (*Host, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg.withDefaults(), pools: map[string]*pool{}, closing: make(chan struct{})}
	for _, f := range h.cfg.Functions {
		h.pools[f.Name] = newPool(h, f.withDefaults())
	}
	return h, nil
}

func (h *Host) emit(e Event) {
	e.Time = time.Now()
	h.cfg.Observe(e)
}

// begin counts a piece of work, unless the Host is closing.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.work.Add(1)
	return true
}

// Invoke calls a function. A Sync call returns when the invocation is over; a
// function that failed is a Result with FunctionError, not an error. An Async
// call returns when the event is accepted. An error is a *Refusal, ErrClosed, or
// the context's: then the caller has hung up and the invocation goes on, as in
// AWS.
func (h *Host) Invoke(ctx context.Context, name string, payload []byte, mode Mode) (Result, error) {
	p := h.pools[name]
	if p == nil {
		return Result{}, notFound(name)
	}
	payload, err := checkPayload(payload, mode)
	if err != nil {
		return Result{}, err
	}
	if err := p.reachable(); err != nil {
		return Result{}, err
	}
	id := newUUID()
	if mode == Async {
		return p.enqueue(id, payload)
	}
	if !h.begin() {
		return Result{}, ErrClosed
	}
	type answer struct {
		result Result
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		defer h.work.Done()
		result, err := p.attempt(id, payload)
		answers <- answer{result, err}
	}()
	select {
	case a := <-answers:
		return a.result, a.err
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// Inject breaks a function's service until clear is called, or the fault has
// struck as often as it says.
func (h *Host) Inject(name string, f Fault) (clear func(), err error) {
	p := h.pools[name]
	if p == nil {
		return nil, notFound(name)
	}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return p.inject(f), nil
}

// Kill kills every process of a function with SIGKILL, whatever it is doing, and
// returns how many there were. The next invocation starts cold.
func (h *Host) Kill(name string) (int, error) {
	p := h.pools[name]
	if p == nil {
		return 0, notFound(name)
	}
	all := p.environments()
	each(all, (*environment).kill)
	return len(all), nil
}

// Reserve changes the reserved concurrency of a function, 1 to 1000. Invocations that
// run stay.
func (h *Host) Reserve(name string, concurrency int) error {
	p := h.pools[name]
	if p == nil {
		return notFound(name)
	}
	if concurrency < 1 || concurrency > accountLimit {
		return fmt.Errorf("lambdahost: reserve %d for %s: it must be 1 to %d", concurrency, name, accountLimit)
	}
	p.reserve(concurrency)
	return nil
}

// Recycle retires the environments of a function, as AWS does after hours or a
// deployment: idle ones are shut down before it returns, the others after their
// invocation. The next invocation that is not yet under way starts cold.
func (h *Host) Recycle(name string) error {
	p := h.pools[name]
	if p == nil {
		return notFound(name)
	}
	each(p.retire(), (*environment).stop)
	return nil
}

// Close shuts every environment down, drops the events that are queued, and
// returns when no process, goroutine or port of the Host is left: within about a
// second, unless Observe or DeadLetter block. It can be called again.
func (h *Host) Close() {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	h.mu.Unlock()
	if first {
		close(h.closing)
	}
	h.work.Wait() // from here on no environment is born
	for _, p := range h.pools {
		each(p.environments(), (*environment).stop)
	}
	h.environments.Wait()
}

// each does something to all environments at the same time and waits.
func each(all []*environment, do func(*environment)) {
	var wg sync.WaitGroup
	for _, e := range all {
		wg.Go(func() { do(e) })
	}
	wg.Wait()
}

// newID is 32 hexadecimal digits.
func newID() string { return fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()) }

// newUUID is a version 4 UUID, which request ids are.
func newUUID() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

// newTrace is an X-Ray trace header.
func newTrace(at time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%016x;Sampled=0", at.Unix(), newID()[:24], rand.Uint64())
}
