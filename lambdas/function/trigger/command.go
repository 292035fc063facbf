package trigger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// commandWithin bounds a request that is one entry in the journal: a person waits for it.
const commandWithin = 10 * time.Second

// command carries out what a person asks of an execution or of the automation.
func (h *Handler) command(ctx context.Context, s scene, w event.Request) (event.Response, error) {
	o := failover.Origin{By: w.By, Reason: w.Reason}
	if w.Execution != "" {
		if r, refused := h.another(s, w); refused {
			return r, nil
		}
		if s.last.Last == o && (w.Mode == event.Abort && s.last.State == failover.Aborted || w.Mode == event.Return && s.last.State == failover.Returned) {
			return event.Of(s.last, 0), nil // the response to the first one was lost
		}
	}
	if w.Mode == event.Return { // it goes on until the old Region has the lease
		return h.drive(ctx, w, true, func(ctx context.Context, began func()) (event.Response, error) {
			return answer(h.walk(ctx, began, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
				return c.Return(ctx, w.Execution, o)
			}))
		})
	}
	call, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	x, err := h.walk(call, func() {}, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
		switch w.Mode {
		case event.Abort:
			return c.Abort(ctx, w.Execution, o)
		case event.Pause:
			return c.Pause(ctx, time.Duration(w.For), o)
		}
		return c.Unpause(ctx, o)
	})
	a, err := answer(x, err)
	switch {
	case err != nil:
	case w.Mode == event.Pause:
		a.Detail = fmt.Sprintf("nothing begins by itself until %s", x.Pause.Until.UTC().Format(time.RFC3339))
		a.Do = `send {"mode":"resume","by":"YOUR NAME","reason":"WHY"} to end the pause before`
	case w.Mode == event.Resume:
		a.Detail = "the automation is on again"
	}
	return a, err
}

// denied turns the error of a request that the controller does not carry out into its
// response.
func (h *Handler) denied(err error) (event.Response, bool) {
	var d *failover.Denied
	if !errors.As(err, &d) {
		return event.Response{}, false
	}
	do := "ask for {\"mode\":\"status\"}"
	switch d.Code {
	case failover.DenyPaused:
		do = `send {"mode":"resume","by":"YOUR NAME","reason":"WHY"} first`
	case failover.DenyTooLate:
		do = "return it while nothing is promoted; switch back when it has settled"
	case failover.DenyTooEarly:
		do = "abort it"
	case failover.DenyPrecondition:
		do = `mend what the detail names, then ask again; {"mode":"status"} says how things stand`
	case failover.DenyObserveOnly:
		do = h.byHand()
	case failover.DenyUnderWay:
		do = "let it end, or abort it in the Region that it moves the writer to"
	case failover.DenyNotPaused, failover.DenyEnded:
		do = "nothing is to be done"
	}
	r := event.Refuse(event.Refusal(d.Code), d.Reason, do)
	if r.Execution = d.Execution; d.State != "" {
		r.State = d.State
	}
	return r, true
}
