package cloud_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
)

// What a service says when it throttles, the SDK's own retryer must take for
// throttling: else a drill would prove something about another error.
func TestTheSDKSeesThrottling(t *testing.T) {
	var seen cloud.Exchange
	w := start(t, func(c *cloud.Config) {
		withLogin(c)
		c.Observe = func(x cloud.Exchange) { seen = x }
	})
	t.Cleanup(w.SetFault(cloud.Calls{}.Throttle()))
	throttles := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	for name, ask := range map[string]struct {
		code string
		call func(context.Context) error
	}{
		"rds": {"Throttling", func(ctx context.Context) error {
			_, err := w.rds(west).FailoverGlobalCluster(ctx, &rds.FailoverGlobalClusterInput{
				GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(w.ClusterARN(west)),
			})
			return err
		}},
		"dynamodb": {"ThrottlingException", func(ctx context.Context) error {
			_, err := w.dynamo(west).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("lease")})
			return err
		}},
		"cloudwatch": {"Throttling", func(ctx context.Context) error {
			_, err := w.watch(west).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
			return err
		}},
		"sns": {"Throttling", func(ctx context.Context) error {
			_, err := w.sns(west).Publish(ctx, &sns.PublishInput{TopicArn: aws.String(w.TopicARN(west, "people")), Message: aws.String("x")})
			return err
		}},
		"secretsmanager": {"ThrottlingException", func(ctx context.Context) error {
			_, err := w.secrets(west, w.RoundTripper(west)).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("lifeboat/login")})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bound, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := ask.call(bound)
			require.Equal(t, ask.code, code(t, err))
			require.Equal(t, ask.code, seen.Code)
			require.Equal(t, aws.TrueTernary, throttles.IsErrorThrottle(err), "%v", err)
			require.Equal(t, aws.TrueTernary, retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err), "%v", err)
		})
	}
	require.Empty(t, w.Operations(), "a throttled call has done nothing")
}
