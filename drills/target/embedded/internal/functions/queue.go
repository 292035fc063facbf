package functions

import (
	"errors"
	"net/http"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// enqueue accepts an asynchronous event.
func (p *pool) enqueue(id string, payload []byte, twice bool) (lambdahost.Result, error) {
	accepted := time.Now()
	if !p.service.spawn(func() { p.deliver(id, payload, accepted, false) }) {
		return lambdahost.Result{}, lambdahost.ErrClosed
	}
	if twice {
		p.service.spawn(func() { p.deliver(id, payload, accepted, true) })
	}
	return lambdahost.Result{StatusCode: http.StatusAccepted, RequestID: id}, nil
}

// deliver tries an event until it succeeds or is given up.
func (p *pool) deliver(id string, payload []byte, accepted time.Time, extra bool) {
	for failures, refusals := 0, 0; ; {
		var result lambdahost.Result
		err := p.broken().refusal()
		if err != nil {
			p.tell(Event{What: Refused})
		} else {
			result, err = p.attempt(id, payload, extra)
		}
		var delay time.Duration
		switch refusal := (*lambdahost.Refusal)(nil); {
		case err == nil && result.FunctionError == "":
			return
		case err == nil:
			if failures++; failures >= p.fn.Attempts {
				return
			}
			delay = lambdahost.RetryDelay(failures)
		case errors.As(err, &refusal):
			refusals++
			delay = lambdahost.ThrottleDelay(refusals)
		}
		if time.Since(accepted)+delay >= p.fn.MaxAge || !p.service.wait(delay) {
			return
		}
	}
}
