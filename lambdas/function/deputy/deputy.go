// Package deputy asks the trigger of the own Region to move the writer. It is apart from
// package boot so that the trigger itself carries no client of Lambda's.
package deputy

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Invoker is the part of the Lambda API that a Deputy uses.
type Invoker interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// askEvery is the least time between two invocations of the trigger. They wait in a
// queue of Lambda's while one runs, and each of them looks anew.
const askEvery = 2 * time.Second

// Deputy is the trigger of the own Region, which moves the writer in another process.
// It is safe for concurrent use.
type Deputy struct {
	region   dr.Region
	function string
	client   Invoker

	mu    sync.Mutex
	asked time.Time // when it was last asked; zero after a failure
}

var _ failover.Deputy = (*Deputy)(nil)

// New returns the deputy that a function of a Region is.
func New(r dr.Region, function string, client Invoker) *Deputy {
	return &Deputy{region: r, function: function, client: client}
}

// NewClient returns a client of one Region that tries once: who asks a deputy asks again
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

// Ask implements failover.Deputy by an asynchronous invocation: Lambda answers when it
// has taken the event. Within 2 s of an earlier question it does nothing.
func (d *Deputy) Ask(ctx context.Context, reason string) error {
	now := time.Now()
	d.mu.Lock()
	if now.Sub(d.asked) < askEvery {
		d.mu.Unlock()
		return nil
	}
	d.asked = now
	d.mu.Unlock()
	err := d.invoke(ctx, reason)
	if err != nil {
		d.mu.Lock()
		d.asked = time.Time{}
		d.mu.Unlock()
	}
	return err
}

func (d *Deputy) invoke(ctx context.Context, reason string) error {
	payload, err := json.Marshal(event.Wish{Mode: event.Failover, Target: d.region, Reason: event.Plain(reason)})
	if err == nil {
		_, err = d.client.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: aws.String(d.function), InvocationType: types.InvocationTypeEvent, Payload: payload,
		})
	}
	if err != nil {
		return fmt.Errorf("deputy: invoke %s in %s: %w", d.function, d.region, err)
	}
	return nil
}
