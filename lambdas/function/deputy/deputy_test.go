package deputy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/deputy"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
)

// invoker keeps what was invoked.
type invoker struct {
	in  []*lambda.InvokeInput
	err error
}

func (i *invoker) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	i.in = append(i.in, in)
	return &lambda.InvokeOutput{StatusCode: 202}, i.err
}

func TestADeputyIsAskedOnceInTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &invoker{}
		d := deputy.New("us-west-2", "lifeboat-prod-failover-trigger", i)
		for range 41 { // ten seconds, four times a second
			require.NoError(t, d.Ask(t.Context(), "sql dead\n\x1b[2J"+strings.Repeat("é", 2000)))
			<-time.After(250 * time.Millisecond)
		}
		require.Len(t, i.in, 6)
		require.Equal(t, "lifeboat-prod-failover-trigger", aws.ToString(i.in[0].FunctionName))
		require.Equal(t, types.InvocationTypeEvent, i.in[0].InvocationType, "it does not wait for the execution")
		w, err := event.Parse(i.in[0].Payload)
		require.NoError(t, err, "whatever the reason, the trigger takes it")
		require.Equal(t, event.Failover, w.Mode)
		require.EqualValues(t, "us-west-2", w.Target)

		<-time.After(10 * time.Second)
		i.err = errors.New("throttled")
		require.ErrorContains(t, d.Ask(t.Context(), "r"), "invoke lifeboat-prod-failover-trigger in us-west-2: throttled")
		i.err = nil
		require.NoError(t, d.Ask(t.Context(), "r"))
		require.Len(t, i.in, 8, "one that failed was none")
	})
}
