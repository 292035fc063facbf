package trigger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// errDriven ends the work of an invocation, because another one does it.
var errDriven = errors.New("trigger: another invocation drives")

// drive works until the work is done, or another invocation has been seen to do it. A
// person's request looks for that one beside its work, not before. What two of them do
// meanwhile makes one history in the journal.
//
// A person's request ends for another invocation only while an execution is open, because
// that one then does what was asked for. An invocation that has nothing to drive yet says
// so by now, and takes the mark when its work has begun: the automation must not wait for
// a switchover that can't begin.
func (h *Handler) drive(ctx context.Context, w event.Request, now bool, work func(ctx context.Context, began func()) (event.Response, error)) (event.Response, error) {
	began := make(chan struct{})
	begin := sync.OnceFunc(func() { close(began) })
	if now {
		begin()
	}
	if h.cfg.Marks == nil {
		return work(ctx, begin)
	}
	d := duty{marks: h.cfg.Marks, man: watchman{me: invocation(ctx)}, timeout: h.cfg.Agent.Policy.CallTimeout, begun: time.Now()}
	if !w.Person() && d.first(ctx) {
		return h.driven(ctx, w)
	}
	run, end := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-run.Done():
			return
		case <-began:
		}
		for d.run(run) {
			if !w.Person() || h.driving(run) {
				end(errDriven)
				return
			}
		}
	})
	a, err := work(run, begin)
	driven := errors.Is(context.Cause(run), errDriven)
	end(nil)
	wg.Wait()
	d.release(ctx)
	if driven && err != nil {
		return h.driven(ctx, w)
	}
	return a, err
}

// driving reports whether an execution to the local Region is open.
func (h *Handler) driving(ctx context.Context) bool {
	s, err := h.read(ctx)
	return err == nil && s.open(h.cfg.Agent.Region)
}

// endorse journals who asks for an execution on which another invocation works, which has
// begun it for the automation perhaps.
func (h *Handler) endorse(ctx context.Context, w event.Request) error {
	call, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	_, err := h.walk(call, func() {}, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
		return c.Endorse(ctx, failover.Origin{By: w.By, Reason: w.Reason})
	})
	if _, is := h.denied(err); is {
		return nil // it has ended, or its journal says so already
	}
	return err
}

// driven answers for an invocation whose work another one does.
func (h *Handler) driven(ctx context.Context, w event.Request) (event.Response, error) {
	s, err := h.look(ctx)
	if err == nil && w.Person() && s.open(h.cfg.Agent.Region) && (w.Mode == event.Failover || w.Mode == event.Switchover && s.last.Mode != failover.ModeFailover) {
		if err = h.endorse(ctx, w); err == nil {
			s, err = h.look(ctx)
		}
	}
	if err != nil {
		return event.Response{}, err
	}
	if !s.open(h.cfg.Agent.Region) {
		a := event.Nothing("another invocation of this trigger looks at the same evidence", "", 0)
		a.Driven = true
		return a, nil
	}
	a := event.Of(s.last, 0)
	a.Driven = true
	a.Detail = fmt.Sprintf("another invocation goes on with execution %s, which is %s", s.last.ID, s.last.State)
	a.Do = `ask for {"mode":"status"} to follow it`
	return a, nil
}

// invocation names the invocation. Lambda may carry one request out twice at once.
func invocation(ctx context.Context) string {
	const own = 8
	id := rand.Text()[:own]
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc.AwsRequestID != "" {
		return lc.AwsRequestID + "/" + id
	}
	return id
}
