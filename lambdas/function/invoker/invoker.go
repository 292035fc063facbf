// Package invoker asks the trigger of the local Region to move the writer. It is apart from
// package boot so that the trigger itself carries no client of Lambda's.
package invoker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// API is the part of the Lambda API that an Invoker uses.
type API interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

const (
	// askEvery is the least time between two invocations of the trigger.
	askEvery = 2 * time.Second
	// doubtAfter is how long a call without a response counts as asked. An execution takes
	// longer, and a dead connection looks the same.
	doubtAfter = 5 * time.Second
	// mostOpen is how many calls are waited for: one for the execution, and one that
	// has just asked whether it is driven.
	mostOpen = 2
	// againAfter is after how long a trigger whose process has failed or was killed is invoked
	// again with the same question, after twice that the next time, and mostAgain times. Its
	// execution may be in the midst of a step, and the monitor's next question can be seconds
	// away.
	againAfter = 250 * time.Millisecond
	mostAgain  = 3
)

// Invoker invokes the trigger of its own Region, which moves the writer in another process.
// It is safe for concurrent use.
//
// The trigger is invoked synchronously, in the background. One invocation drives; another
// one of the automation finds that out and ends within a second (package trigger), so that
// the places of the reserved concurrency stay free for people. A refusal because they are
// all taken (429) is a failure like any other one. An asynchronous event would be queued
// instead, run late, or grow too old and page people from the dead-letter queue. Lambda
// repeats no synchronous call: the Invoker does when the trigger's process has failed, and
// the monitor asks again for as long as there is a reason. Nor does Lambda end an execution
// when the caller has hung up.
type Invoker struct {
	region   dr.Region
	function string
	client   API
	calls    sync.WaitGroup

	mu     sync.Mutex
	asked  time.Time // when it was last asked; zero after a failure
	open   []*call   // the oldest first
	failed error     // of a call that has ended, until it is told
}

// call is an invocation whose answer is waited for, or that is about to be repeated.
type call struct {
	hangUp  context.CancelFunc
	resting bool
}

// errDied is of a trigger whose process has failed or was killed.
type errDied struct{ error }

func (e errDied) Unwrap() error { return e.error }

var (
	_ failover.TriggerInvoker = (*Invoker)(nil)
	_ failover.Hearing        = (*Invoker)(nil)
)

// New returns the invoker of one Region's trigger.
func New(r dr.Region, function string, client API) *Invoker {
	return &Invoker{region: r, function: function, client: client}
}

// NewClient returns a client of one Region that tries once: the monitor asks again
// anyway. An empty endpoint means AWS's.
func NewClient(cfg aws.Config, r dr.Region, endpoint string, hc aws.HTTPClient) *lambda.Client {
	return lambda.NewFromConfig(cfg, func(o *lambda.Options) {
		o.Region, o.HTTPClient = r.String(), hc
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
	})
}

// Ask implements failover.TriggerInvoker. It returns at once; its error is that of an earlier
// question, or of the trigger that it was put to. Within 2 s of an earlier question, or
// 5 s while that has no response, it asks nothing.
//
// The call outlives ctx, until HangUp.
func (d *Invoker) Ask(ctx context.Context, reason string) error {
	payload, err := json.Marshal(event.Request{Mode: event.Failover, Target: d.region, Reason: event.Plain(reason)})
	if err != nil {
		return d.failure(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	pause, now := askEvery, time.Now()
	if slices.ContainsFunc(d.open, func(c *call) bool { return !c.resting }) {
		pause = doubtAfter
	}
	if d.asked.IsZero() || now.Sub(d.asked) >= pause {
		d.asked = now
		for _, c := range d.open {
			if c.resting { // this question takes the place of its repetition
				c.hangUp()
			}
		}
		if len(d.open) >= mostOpen {
			d.open[0].hangUp()
		}
		ctx, hangUp := context.WithCancel(context.WithoutCancel(ctx))
		c := &call{hangUp: hangUp}
		d.open = append(d.open, c)
		d.calls.Go(func() { d.carry(ctx, c, payload) })
	}
	return d.told()
}

// Waits implements failover.Hearing. With a failure that no Ask has told yet it says no, so
// that the next question tells it.
func (d *Invoker) Waits() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed == nil && slices.ContainsFunc(d.open, func(c *call) bool { return !c.resting })
}

// carry invokes the trigger, and again for as long as its process dies of it.
func (d *Invoker) carry(ctx context.Context, c *call, payload []byte) {
	defer c.hangUp()
	for n, rest := 0, againAfter; d.ended(ctx, c, d.invoke(ctx, payload), n < mostAgain); n, rest = n+1, 2*rest {
		t := time.NewTimer(rest)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		if !d.again(ctx, c) {
			return
		}
	}
}

// HangUp gives up the calls that are open, waits for them and returns what is still to
// be told. What was asked for goes on in the trigger. It belongs at the end of a monitor's work: a
// process that stands still would find its connections dead. Ask works again afterwards,
// and must not be called meanwhile.
func (d *Invoker) HangUp() error {
	d.mu.Lock()
	for _, c := range d.open {
		c.hangUp()
	}
	d.mu.Unlock()
	d.calls.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = time.Time{}
	return d.told()
}

// ended notes that an invocation is over, and tells whether it is to be repeated after a
// rest.
func (d *Invoker) ended(ctx context.Context, c *call, err error, may bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	given := ctx.Err() != nil
	if err != nil && !given {
		d.asked, d.failed = time.Time{}, err
	}
	var died errDied
	if c.resting = may && !given && errors.As(err, &died); !c.resting {
		d.drop(c)
	}
	return c.resting
}

// again takes the rest back, unless the call was given up or another question was put
// meanwhile.
func (d *Invoker) again(ctx context.Context, c *call) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.resting = false
	if ctx.Err() != nil || !d.asked.IsZero() {
		d.drop(c)
		return false
	}
	d.asked = time.Now()
	return true
}

func (d *Invoker) drop(c *call) {
	d.open = slices.DeleteFunc(d.open, func(o *call) bool { return o == c })
}

// told returns the error that no caller has been given yet.
func (d *Invoker) told() error {
	err := d.failed
	d.failed = nil
	return err
}

// invoke returns when the execution has ended, or when another invocation drives it. That
// the trigger has refused is an error, and one that asking again at once would not mend.
func (d *Invoker) invoke(ctx context.Context, payload []byte) error {
	out, err := d.client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(d.function), InvocationType: types.InvocationTypeRequestResponse, Payload: payload,
	})
	switch {
	case err != nil:
		return d.failure(crowded(err))
	case out.FunctionError != nil:
		return d.failure(errDied{fmt.Errorf("it failed (%s): %s: its log and the journal tell more", *out.FunctionError, said(out.Payload))})
	}
	if err := refused(out.Payload); err != nil {
		return d.failure(err)
	}
	return nil
}

func (d *Invoker) failure(err error) error {
	return fmt.Errorf("invoker: invoke %s in %s: %w", d.function, d.region, err)
}
