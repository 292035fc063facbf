package linear_test

import (
	"context"
	"math"
	"sync"

	"github.com/anishathalye/porcupine"
)

// history is what the clients of one world did. Its clock counts calls and returns:
// virtual time stands still while much happens, and would make neighbours concurrent.
type history struct {
	mu    sync.Mutex
	clock int64
	ops   []porcupine.Operation
	lanes int // of the picture: clients, then one for each operation that stays open
}

func (h *history) now() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock++
	return h.clock
}

// call is one use of the store, under way.
type call struct {
	began int64

	mu   sync.Mutex // attempts overlap
	open []int64    // when each write began whose outcome is unknown
	acts []int64    // when each write began that was answered: the call may not have heard it
}

func (c *call) acted(began int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acts = append(c.acts, began)
}

// unheard counts the writes that were answered, and are not what the call is recorded by,
// as open. A call with other open writes is recorded by what it saw, not by what it did; and
// of answers that come at the same instant the call hears one.
func (c *call) unheard(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.acts); err == nil && len(c.open) == 0 && n > 0 {
		c.acts = c.acts[:n-1]
	}
	c.open, c.acts = append(c.open, c.acts...), nil
}

func (c *call) unknown(began int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, began)
}

type callKey struct{}

// begin notes that a client calls, and returns a context in which the client of
// DynamoDB notes the attempts without an outcome.
func (h *history) begin(ctx context.Context) (context.Context, *call) {
	c := &call{began: h.now()}
	return context.WithValue(ctx, callKey{}, c), c
}

// maybe records the attempts whose outcome is unknown: each may take effect at any
// time from its beginning on, or never, which is the same as after everything else.
func (h *history) maybe(c *call, err error, input, output any) {
	c.unheard(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, began := range c.open {
		h.ops = append(h.ops, porcupine.Operation{ClientId: h.lanes, Input: input, Call: began, Output: output, Return: math.MaxInt64})
		h.lanes++
	}
}

// end records an outcome.
func (h *history) end(client int, c *call, input, output any) {
	ended := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: input, Call: c.began, Output: output, Return: ended})
}
