package lambdahost

import (
	"slices"
	"sync"
	"time"
)

// pool are the environments of one function, and its faults.
type pool struct {
	host *Host
	fn   Function

	mu     sync.Mutex
	places int // the concurrency
	busy   int // invocations that hold one of them
	idle   []*environment
	all    map[*environment]bool // true: retires when it is idle
	faults faults
}

func newPool(h *Host, f Function) *pool {
	return &pool{host: h, fn: f, places: f.Concurrency, all: map[*environment]bool{}}
}

func (p *pool) emit(e Event) {
	e.Function = p.fn.Name
	p.host.emit(e)
}

func (p *pool) strike(k FaultKind) (Fault, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.strike(k)
}

func (p *pool) inject(f Fault) (clear func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	active := p.faults.add(f)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.faults.remove(active)
	}
}

// down reports whether there is an Outage. No process starts in it.
func (p *pool) down() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.has(Outage)
}

// reachable refuses calls during an Outage.
func (p *pool) reachable() error {
	if _, ok := p.strike(Outage); ok {
		p.emit(Event{Kind: Refused, Text: Outage.String()})
		return outage()
	}
	return nil
}

// environments returns all that there are, busy or not.
func (p *pool) environments() []*environment {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*environment, 0, len(p.all))
	for e := range p.all {
		all = append(all, e)
	}
	return all
}

// retire takes the idle environments out, for the caller to stop, and marks the
// others.
func (p *pool) retire() []*environment {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := range p.all {
		p.all[e] = true
	}
	idle := p.idle
	p.idle = nil
	return idle
}

func (p *pool) reserve(places int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places = places
}

// forget is told by every environment that nothing of it is left.
func (p *pool) forget(e *environment) {
	defer p.host.environments.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, e)
	p.idle = slices.DeleteFunc(p.idle, func(i *environment) bool { return i == e })
}

// acquire takes a place, and the environment that was idle last if there is one.
func (p *pool) acquire() (*environment, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy >= p.places {
		return nil, false
	}
	p.busy++
	for n := len(p.idle); n > 0; n = len(p.idle) {
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		if !e.ended() {
			return e, true
		}
	}
	return nil, true
}

// release gives the place back, and the environment unless its time has come.
func (p *pool) release(e *environment) {
	p.mu.Lock()
	retires, lives := p.all[e]
	if lives && !retires {
		p.idle = append(p.idle, e)
	}
	p.busy--
	p.mu.Unlock()
	if lives && retires {
		e.stop()
	}
}

// boot starts an environment that was needed at asked, and waits until it asks for work.
func (p *pool) boot(id string, asked time.Time, limit time.Duration) (*environment, outcome) {
	p.host.environments.Add(1) // the caller is counted in work, which is waited for first
	e, err := newEnvironment(p.fn, asked, p.host.emit, p.forget)
	if err != nil {
		p.host.environments.Done()
		o := failure("Runtime.InvalidEntrypoint", id, err.Error())
		p.emit(Event{Kind: InitFailed, RequestID: id, Text: string(o.payload)})
		return nil, o
	}
	p.mu.Lock()
	if !e.ended() { // else it may have been forgotten already
		p.all[e] = false
	}
	down := p.faults.has(Outage)
	p.mu.Unlock()
	if down { // in an outage every process is killed, also one that has just begun
		e.stop()
	}
	o, ok := e.initialise(id, limit, p.host.closing)
	if !ok {
		return nil, o
	}
	return e, o
}

// attempt is one invocation. Its error is a *Refusal or ErrClosed.
func (p *pool) attempt(id string, payload []byte) (Result, error) {
	e, ok := p.acquire()
	if !ok {
		p.emit(Event{Kind: Throttled, RequestID: id})
		return Result{}, throttled()
	}
	inv := &invocation{id: id, payload: payload, arn: p.fn.arn(p.host.cfg.Account), trace: newTrace(time.Now()), finished: make(chan struct{})}
	result := Result{StatusCode: 200, RequestID: id, Cold: e == nil}
	var out outcome
	if e == nil {
		e, out = p.start(inv)
	}
	if e != nil {
		if inv.deadline.IsZero() {
			inv.deadline = time.Now().Add(p.fn.Timeout)
		}
		var kill *Fault
		if f, ok := p.strike(KillAfter); ok {
			kill = &f
		}
		began := time.Now()
		out = e.serve(inv, kill, p.host.closing)
		result.Took = time.Since(began)
	}
	result.Payload = out.payload
	text := ""
	if out.failed {
		result.FunctionError, text = "Unhandled", string(out.payload)
	}
	p.emit(Event{Kind: Finished, RequestID: id, Took: result.Took, Text: text})
	p.release(e)
	select {
	case <-p.host.closing:
		if !inv.answered() {
			return Result{}, ErrClosed
		}
	default:
	}
	return result, nil
}

// start is a cold start. Init that fails is tried again within the function's
// timeout, which then counts for the invocation as well.
func (p *pool) start(inv *invocation) (*environment, outcome) {
	asked := time.Now()
	if f, ok := p.strike(SlowStart); ok && !p.host.wait(f.After) {
		return nil, exited(inv.id, nil)
	}
	e, out := p.boot(inv.id, asked, p.host.cfg.InitTimeout)
	if e != nil || p.host.ending() || p.down() {
		return e, out
	}
	asked = time.Now()
	inv.deadline = asked.Add(p.fn.Timeout)
	return p.boot(inv.id, asked, p.fn.Timeout)
}
