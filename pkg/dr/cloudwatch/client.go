package cloudwatch

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/awshttp"
)

// Reader is the part of the CloudWatch API that an RPOLag uses.
type Reader interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// Putter is the part of the CloudWatch API that a Role uses.
type Putter interface {
	PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

var (
	_ Reader = (*cloudwatch.Client)(nil)
	_ Putter = (*cloudwatch.Client)(nil)
)

// NewClient returns a client of one Region that tries once. An empty endpoint means
// AWS's. A nil hc means an HTTP client of its own with a dial timeout of 1 s; the
// SDK's default would wait 30 s for a Region that is gone.
func NewClient(cfg aws.Config, region dr.Region, endpoint string, hc aws.HTTPClient) *cloudwatch.Client {
	if hc == nil {
		hc = awshttp.New()
	}
	return cloudwatch.NewFromConfig(cfg, func(o *cloudwatch.Options) {
		o.Region = region.String()
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.HTTPClient = hc
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
		o.DisableRequestCompression = true // two datapoints
	})
}

// callTimeout is the default deadline of one call.
const callTimeout = 1500 * time.Millisecond

func checkTimeout(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("cloudwatch: Timeout %v is negative: give a positive duration, or 0 for 1.5s", d)
	}
	return nil
}
