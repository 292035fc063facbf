package notify

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/awshttp"
)

// Publisher is the part of the SNS API that a Topic uses.
type Publisher interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

var _ Publisher = (*sns.Client)(nil)

// NewClient returns a client of one Region that tries once. An empty endpoint means
// AWS's. A nil hc means an HTTP client of its own with a dial timeout of 1 s; the
// SDK's default would wait 30 s for a Region that is gone.
func NewClient(cfg aws.Config, region dr.Region, endpoint string, hc aws.HTTPClient) *sns.Client {
	if hc == nil {
		hc = awshttp.New()
	}
	return sns.NewFromConfig(cfg, func(o *sns.Options) {
		o.Region = region.String()
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.HTTPClient = hc
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
	})
}
