package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Invoke implements lambda.Handler. A payload that is no request is answered with a
// refusal: an error would have Lambda repeat an event that can't get any better.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	log := h.cfg.Log
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("request", lc.AwsRequestID)
	}
	w, err := event.Parse(payload)
	if err != nil {
		log.WarnContext(ctx, "refused", "refused", event.BadRequest, "err", err)
		return json.Marshal(event.Refuse(event.BadRequest, err.Error(), `send {"mode":"status"} to be told how things stand and what may be asked`))
	}
	log.InfoContext(ctx, "asked", attrs(w)...)
	var heard heard
	a, err := h.heardBy(&heard).Do(ctx, w)
	if err != nil {
		if x := heard.last(); x.Execution != "" {
			log.ErrorContext(ctx, "stopped", "execution", x.Execution, "epoch", x.Epoch, "state", x.State, "code", x.Code, "err", err)
		}
		return nil, err
	}
	switch {
	case a.Refused != "":
		log.WarnContext(ctx, "refused", "refused", a.Refused, "why", a.Detail)
	case a.Execution != "" && !a.Driven:
		log.InfoContext(ctx, "walked", "execution", a.Execution, "epoch", a.Epoch, "state", a.State, "code", a.Code)
	}
	return json.Marshal(a)
}

// attrs are what the log says of a request.
func attrs(w event.Request) []any {
	attrs := []any{"mode", w.Mode}
	for _, a := range []struct{ key, value string }{
		{"target_region", w.Target.String()}, {"execution", w.Execution}, {"question", w.Question}, {"by", w.By}, {"reason", w.Reason},
	} {
		if a.value != "" {
			attrs = append(attrs, a.key, a.value)
		}
	}
	if w.For != 0 {
		attrs = append(attrs, "for", time.Duration(w.For).String())
	}
	return attrs
}

// Do does what is asked for, and returns when the execution has ended or asks a person,
// when another invocation drives it, or when there is nothing to do.
func (h *Handler) Do(ctx context.Context, w event.Request) (event.Response, error) {
	began := time.Now()
	a, err := h.do(ctx, w, began)
	if r, is := h.denied(err); is {
		a, err = r, nil
	}
	a.Took = event.Took(time.Since(began))
	return a, err
}

func (h *Handler) do(ctx context.Context, w event.Request, began time.Time) (event.Response, error) {
	if a, refused := h.misaddressed(w.Target); refused {
		return a, nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		spared, cancel := context.WithDeadline(ctx, deadline.Add(-h.cfg.Spare))
		defer cancel()
		ctx = spared
	}
	if w.Mode == event.Status {
		return h.status(ctx), nil
	}
	s, err := h.look(ctx)
	if err != nil {
		return event.Response{}, err
	}
	own := h.cfg.Agent.Region
	if w.Mode == event.Failover {
		h = h.askedBy(w)
	}
	switch {
	case w.Mode == event.Acknowledge:
		return h.acknowledge(ctx, s, w)
	case w.Mode != event.Failover && w.Mode != event.Switchover:
		return h.command(ctx, s, w)
	case s.open(own) && s.asks(), s.owes(own) && s.lease.Holder == own:
		return h.drive(ctx, w, true, func(ctx context.Context, _ func()) (event.Response, error) { return h.recheck(ctx, began) })
	case !s.open(own) && s.lease.Holder == own:
		return event.Nothing(fmt.Sprintf("%s holds the lease, the writer is here", own), s.last.Report(), time.Since(began)), nil
	case w.Mode == event.Failover && !w.Person() && !s.open(own) && h.rests(s) && !h.claimed(ctx):
		return h.resting(s), nil
	case w.Mode == event.Switchover && s.underWay(own):
		return event.Refuse(event.UnderWay, fmt.Sprintf("execution %s moves the writer to %s and is %s", s.last.ID, s.last.To, s.last.State),
			"let it end, or abort it in "+s.last.To.String()), nil
	case w.Mode == event.Switchover:
		return h.drive(ctx, w, s.open(own), func(ctx context.Context, began func()) (event.Response, error) {
			return answer(h.walk(ctx, began, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
				return c.Switchover(ctx, failover.Origin{By: w.By, Reason: w.Reason})
			}))
		})
	}
	return h.drive(ctx, w, true, func(ctx context.Context, _ func()) (event.Response, error) { return h.failover(ctx, s, began) })
}

// misaddressed refuses a request for another Region than the function's.
func (h *Handler) misaddressed(target dr.Region) (event.Response, bool) {
	own, t := h.cfg.Agent.Region, h.cfg.Agent.Topology
	switch target {
	case own, "":
		return event.Response{}, false
	case t.Peer(own):
		return h.elsewhere(target), true
	}
	return event.Refuse(event.NoMember, fmt.Sprintf("%s holds no member of %s, %v do", target, t.GlobalCluster, t.Members), "name a member's Region, and call the trigger there"), true
}

// elsewhere says which function to call.
func (h *Handler) elsewhere(target dr.Region) event.Response {
	return event.Refuse(event.WrongRegion, fmt.Sprintf("this function moves the writer to %s", h.cfg.Agent.Region),
		fmt.Sprintf("to move it to %s call function %s in %s", target, h.cfg.Name, target))
}

// acknowledge keeps a person's consent, and goes on with the execution that asked.
func (h *Handler) acknowledge(ctx context.Context, s scene, w event.Request) (event.Response, error) {
	if r, refused := h.another(s, w); refused {
		return r, nil
	}
	a := failover.Acknowledgement{Execution: s.last.ID, Question: w.Question, By: w.By, Reason: w.Reason}
	switch {
	case s.consented(a) && s.last.State.Ended():
		return event.Of(s.last, 0), nil // the answer to the first one was lost
	case s.consented(a) && s.asks():
		return refuse(event.AlreadyAnswered, s.last, "it has been acknowledged so, and asks again",
			"remove the cause, then acknowledge it with another reason"), nil
	case !s.consented(a):
		if r, refused := unanswerable(s.last, w); refused {
			return r, nil
		}
		call, cancel := context.WithTimeout(ctx, h.cfg.Agent.Policy.CallTimeout)
		err := h.cfg.Agent.Controller.Acknowledger.Acknowledge(call, a)
		cancel()
		switch {
		case errors.Is(err, failover.ErrAcknowledged):
			return h.answered(ctx, s, w), nil
		case err != nil:
			return event.Response{}, fmt.Errorf("trigger: keep the acknowledgement of execution %s: %w: send it again", s.last.ID, err)
		}
	}
	return h.drive(ctx, w, true, func(ctx context.Context, began func()) (event.Response, error) {
		return answer(h.walk(ctx, began, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
			x, _, err := c.Resume(ctx)
			return x, err
		}))
	})
}

// answer turns what a walk has come to into what is returned.
func answer(x failover.Execution, err error) (event.Response, error) {
	if err != nil {
		return event.Response{}, err
	}
	return event.Of(x, 0), nil
}
