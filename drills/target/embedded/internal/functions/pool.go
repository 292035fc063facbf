package functions

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// pool are the processes of one function, and what is wrong with its service.
type pool struct {
	service *Service
	fn      Function
	cold    func() time.Duration

	mu     sync.Mutex
	busy   int // invocations that hold a place of the concurrency
	idle   []*Process
	all    map[*Process]struct{}
	faults []*Fault
	at     map[string]int // how many processes work on an invocation
}

// acquire takes a place, and the process that was idle last or a new one. An extra
// invocation needs no place: it is the doing of a fault.
func (p *pool) acquire(extra bool) *Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !extra && p.busy >= p.fn.Concurrency {
		return nil
	}
	if !extra {
		p.busy++
	}
	for n := len(p.idle); n > 0; n = len(p.idle) {
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		if !e.Dead() {
			return e
		}
	}
	e := newProcess(p.service.life)
	p.all[e] = struct{}{}
	return e
}

// release gives the place back, and the process if it lives.
func (p *pool) release(e *Process, extra bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !extra {
		p.busy--
	}
	if e.retired {
		e.Kill()
	}
	if e.Dead() {
		delete(p.all, e)
		return
	}
	p.idle = append(p.idle, e)
}

// attempt is one invocation. Its error is a *lambdahost.Refusal.
func (p *pool) attempt(id string, payload []byte, extra bool) (lambdahost.Result, error) {
	e := p.acquire(extra)
	if e == nil {
		return lambdahost.Result{}, throttled()
	}
	defer p.release(e, extra)
	r := lambdahost.Result{StatusCode: http.StatusOK, RequestID: id, Cold: e.handler == nil}
	if r.Cold {
		start, drawn := time.Now(), p.cold()
		if !sleep(e.life, drawn+p.broken().Slow) {
			p.tell(Event{What: Killed, Process: e})
			return failed(r, "Runtime.ExitError", "killed while it started"), nil
		}
		var err error
		if e.handler, err = p.fn.Start(e); err != nil {
			e.Kill()
			return failed(r, "Runtime.InitError", err.Error()), nil
		}
		p.tell(Event{What: Started, Process: e, Late: time.Since(start) - drawn})
	}
	began := time.Now()
	out, err, ended := p.serve(e, id, payload)
	r.Took = time.Since(began)
	switch {
	case e.Dead():
		p.tell(Event{What: Killed, Process: e})
		return failed(r, "Runtime.ExitError", "the process was killed"), nil
	case !ended:
		e.Kill()
		return failed(r, "Sandbox.Timedout", fmt.Sprintf("Task timed out after %.2f seconds", p.fn.Timeout.Seconds())), nil
	case err != nil:
		return failed(r, fmt.Sprintf("%T", err), err.Error()), nil
	}
	r.Payload = out
	return r, nil
}

// serve has a process work on an invocation until one of them ends.
func (p *pool) serve(e *Process, id string, payload []byte) (out []byte, err error, ended bool) {
	ctx, cancel := context.WithTimeout(lambdacontext.NewContext(e.life, &lambdacontext.LambdaContext{AwsRequestID: id}), p.fn.Timeout)
	defer cancel()
	defer p.begin(id, e)()
	done := make(chan struct{})
	var answer []byte
	var failure error
	if !p.service.spawn(func() {
		defer close(done)
		answer, failure = e.handler.Invoke(ctx, payload)
	}) {
		e.Kill()
		return nil, nil, false
	}
	select {
	case <-done:
		return answer, failure, true
	case <-ctx.Done():
		return nil, nil, false
	}
}

func throttled() *lambdahost.Refusal {
	return &lambdahost.Refusal{
		Status: http.StatusTooManyRequests, Code: "TooManyRequestsException",
		Message: "Rate Exceeded.", Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
	}
}

// failed is a result in Lambda's own words.
func failed(r lambdahost.Result, errorType, message string) lambdahost.Result {
	body, err := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": message})
	if err != nil {
		panic(err) // strings always marshal
	}
	r.FunctionError, r.Payload = "Unhandled", body
	return r
}
