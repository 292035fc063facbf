// Package invoker asks the trigger of the local Region to move the writer. It is apart from
// package boot so that the trigger itself carries no client of Lambda's.
package invoker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
)

// Invoker invokes the trigger of its own Region, which moves the writer in another process.
// It is safe for concurrent use.
//
// The trigger is invoked synchronously, in the background. One invocation drives; another
// one of the automation finds that out and ends within a second (package trigger), so that
// the places of the reserved concurrency stay free for people. A refusal because they are
// all taken (429) is a failure like any other one. An asynchronous event would be queued
// instead, run late, or grow too old and page people from the dead-letter queue. Lambda
// repeats no synchronous call, and need not: the monitor asks again for as long as there
// is a reason. Nor does Lambda end an execution when the caller has hung up.
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

// call is an invocation whose answer is waited for.
type call struct{ hangUp context.CancelFunc }

var _ failover.TriggerInvoker = (*Invoker)(nil)

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
	if len(d.open) > 0 {
		pause = doubtAfter
	}
	if d.asked.IsZero() || now.Sub(d.asked) >= pause {
		d.asked = now
		if len(d.open) >= mostOpen {
			d.open[0].hangUp()
		}
		ctx, hangUp := context.WithCancel(context.WithoutCancel(ctx))
		c := &call{hangUp}
		d.open = append(d.open, c)
		d.calls.Go(func() {
			err := d.invoke(ctx, payload)
			d.ended(c, ctx.Err() != nil, err)
		})
	}
	return d.told()
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

// ended notes that a call is over.
func (d *Invoker) ended(c *call, given bool, err error) {
	c.hangUp()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = slices.DeleteFunc(d.open, func(o *call) bool { return o == c })
	if err == nil || given {
		return
	}
	d.asked, d.failed = time.Time{}, err
}

// told returns the error that no caller has been given yet.
func (d *Invoker) told() error {
	err := d.failed
	d.failed = nil
	return err
}

// invoke returns when the execution has ended, or when another invocation drives it.
func (d *Invoker) invoke(ctx context.Context, payload []byte) error {
	out, err := d.client.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(d.function), InvocationType: types.InvocationTypeRequestResponse, Payload: payload,
	})
	switch {
	case err != nil:
		return d.failure(err)
	case out.FunctionError != nil:
		return d.failure(fmt.Errorf("it failed (%s): %s: its log and the journal tell more", *out.FunctionError, said(out.Payload)))
	}
	return nil
}

func (d *Invoker) failure(err error) error {
	return fmt.Errorf("invoker: invoke %s in %s: %w", d.function, d.region, err)
}

// said is the message in a function's error (Lambda developer guide, function errors), as
// one line. The payload is whatever the trigger's process has answered.
func said(payload []byte) string {
	var fields map[string]json.RawMessage
	var message string
	if json.Unmarshal(payload, &fields) != nil || json.Unmarshal(fields["errorMessage"], &message) != nil {
		return "without a message"
	}
	if message = strings.TrimSpace(event.Plain(message)); message == "" {
		return "without a message"
	}
	return message
}
