package failover

import (
	"sync"
	"time"
)

// entered remembers when the entry that the journal held last was made, so that a trace
// can tell how long each state took.
type entered struct {
	mu sync.Mutex
	x  Execution
	at time.Time
}

// recall takes over an entry that another process may have made. Its time is that
// process's clock's: the two differ by what a Region's clocks differ.
func (e *entered) recall(entry Entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.x.ID != entry.Execution.ID || e.x.Seq != entry.Execution.Seq {
		e.x, e.at = entry.Execution, entry.At
	}
}

// next notes that x was journalled, and returns the state that it has left and when that
// one was entered; nothing when the entry before was never seen.
func (e *entered) next(x Execution, now time.Time) (before State, since time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.x.ID == x.ID && e.x.Seq+1 == x.Seq {
		before, since = e.x.State, e.at
	}
	e.x, e.at = x, now
	return before, since
}

// pass takes over an entry that has left the execution in its state: the state's time is
// that of the entry that entered it.
func (e *entered) pass(x Execution) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.x.ID == x.ID && e.x.State == x.State && e.x.Seq < x.Seq {
		e.x = x
	}
}
