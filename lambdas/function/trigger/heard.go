package trigger

import (
	"sync"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// heard keeps the last state of an execution that an invocation has come to, for the
// log of one that fails.
type heard struct {
	mu    sync.Mutex
	state dr.StateChange
}

func (x *heard) last() dr.StateChange {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.state
}

// heardBy returns the handler of one invocation.
func (h *Handler) heardBy(x *heard) *Handler {
	one := &Handler{h.cfg}
	one.cfg.Agent.Trace = dr.Join(h.cfg.Agent.Trace, &dr.Trace{State: func(c dr.StateChange) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.state = c
	}})
	return one
}
