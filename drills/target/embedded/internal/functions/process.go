package functions

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
)

// ErrDead is what a process gets that calls the world after it was killed.
var ErrDead = errors.New("functions: the process is dead")

// Process is one execution environment of a function.
type Process struct {
	life    context.Context
	end     context.CancelFunc
	handler Handler // nil until it has started
	retired bool    // is not used again; guarded by its pool

	mu    sync.Mutex
	calls []*passage // under way, in the order in which they began
}

// passage is a call that is under way.
type passage struct{ cancel context.CancelFunc }

func newProcess(ctx context.Context) *Process {
	p := &Process{}
	p.life, p.end = context.WithCancel(ctx)
	context.AfterFunc(p.life, p.hangUp)
	return p
}

// hangUp ends the calls that are under way. No other begins, since the process is dead.
func (p *Process) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		c.cancel()
	}
}

// Kill ends the process, in whatever it does. It may be called by the process itself.
func (p *Process) Kill() { p.end() }

// Dead reports whether the process was killed: none of its calls goes out any more.
func (p *Process) Dead() bool { return p.life.Err() != nil }

// Pass is the gate between a process and the world: a call through it ends when the
// process is killed, isn't made by a dead one, and its answer doesn't reach a dead
// one. A call that was under way at the kill may have been carried out, as one whose
// bytes were sent.
func (p *Process) Pass(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &passage{cancel}
	if !p.enter(c) {
		return ErrDead
	}
	defer p.leave(c)
	err := call(ctx)
	if p.Dead() {
		return ErrDead
	}
	return err
}

// enter notes that a call begins, unless the process is dead.
func (p *Process) enter(c *passage) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Dead() {
		return false
	}
	p.calls = append(p.calls, c)
	return true
}

func (p *Process) leave(c *passage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.calls, c)
	p.calls = slices.Delete(p.calls, i, i+1)
}

// Doer is an HTTP client, as aws.HTTPClient.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// HTTP returns a client whose calls go through the gate. Its answers must not need
// the request's context any more, as those of the emulated Regions don't.
func (p *Process) HTTP(client Doer) Doer { return gated{p, client} }

type gated struct {
	process *Process
	client  Doer
}

// Do implements Doer.
func (g gated) Do(r *http.Request) (answer *http.Response, err error) {
	err = g.process.Pass(r.Context(), func(ctx context.Context) (err error) {
		answer, err = g.client.Do(r.WithContext(ctx))
		return err
	})
	if err != nil && answer != nil {
		return nil, errors.Join(err, answer.Body.Close())
	}
	return answer, err
}
