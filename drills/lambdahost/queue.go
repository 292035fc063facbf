package lambdahost

import (
	"errors"
	"time"
)

// wait returns false when the Host closes first.
func (h *Host) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.closing:
		return false
	}
}

func (h *Host) ending() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// enqueue accepts an asynchronous event.
func (p *pool) enqueue(id string, payload []byte) (Result, error) {
	copies := 1
	if _, ok := p.strike(Lose); ok {
		copies = 0
	} else if _, ok := p.strike(Duplicate); ok {
		copies = 2
	}
	accepted := Result{StatusCode: 202, RequestID: id}
	for i := range copies {
		if !p.host.begin() {
			return Result{}, ErrClosed
		}
		kind := Queued
		if i > 0 {
			kind = Duplicated
		}
		p.emit(Event{Kind: kind, RequestID: id})
		go func() {
			defer p.host.work.Done()
			p.deliver(id, payload, time.Now())
		}()
	}
	if copies == 0 {
		p.emit(Event{Kind: Lost, RequestID: id, Text: Lose.String()})
	}
	return accepted, nil
}

// deliver tries an event until it succeeds, or has to be given up.
func (p *pool) deliver(id string, payload []byte, accepted time.Time) {
	var failures, refusals int
	var last Result
	giveUp := func(why Condition) {
		p.emit(Event{Kind: DeadLettered, RequestID: id, Text: string(why)})
		p.host.cfg.DeadLetter(DeadLetter{Function: p.fn.Name, RequestID: id, Payload: payload, Condition: why, Attempts: failures, Last: last})
	}
	for {
		result, err := p.tryOnce(id, payload)
		var delay time.Duration
		switch refusal := (*Refusal)(nil); {
		case err == nil && result.FunctionError == "":
			return
		case err == nil:
			failures, last = failures+1, result
			if failures >= p.fn.Attempts {
				giveUp(RetriesExhausted)
				return
			}
			delay = p.host.cfg.RetryDelay(failures)
		case errors.As(err, &refusal) && refusal.retriable():
			refusals++
			delay = p.host.cfg.ThrottleDelay(refusals)
		default:
			p.emit(Event{Kind: Lost, RequestID: id, Text: err.Error()})
			return
		}
		left := max(0, p.fn.MaxAge-time.Since(accepted))
		p.emit(Event{Kind: Retrying, RequestID: id, Took: min(delay, left)})
		if !p.host.wait(min(delay, left)) {
			p.emit(Event{Kind: Lost, RequestID: id, Text: ErrClosed.Error()})
			return
		}
		if delay >= left {
			giveUp(EventAgeExceeded)
			return
		}
	}
}

func (p *pool) tryOnce(id string, payload []byte) (Result, error) {
	if err := p.reachable(); err != nil {
		return Result{}, err
	}
	return p.attempt(id, payload)
}
