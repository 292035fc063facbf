package functions

import "time"

// What happened to a process.
type What string

// What a function's Observe is told.
const (
	// Started: a new process has started. Late is how much longer it took than drawn.
	Started What = "started"
	// Began: it began to work on an invocation. Twice says that another one is at work
	// on the same invocation.
	Began What = "began"
	// Killed: it was killed while it started or worked.
	Killed What = "killed"
	// Refused: an invocation was not accepted, because the service is broken.
	Refused What = "refused"
)

// Event is what happened to one function.
type Event struct {
	What    What
	Process *Process // nil for Refused
	Twice   bool
	Late    time.Duration
}

func (p *pool) tell(e Event) {
	if p.fn.Observe != nil {
		p.fn.Observe(e)
	}
}

// begin notes that a process works on an invocation, until end is called.
func (p *pool) begin(id string, e *Process) (end func()) {
	p.mu.Lock()
	p.at[id]++
	twice := p.at[id] > 1
	p.mu.Unlock()
	p.tell(Event{What: Began, Process: e, Twice: twice})
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.at[id]--; p.at[id] == 0 {
			delete(p.at, id)
		}
	}
}
