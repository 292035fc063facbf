package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/awshttp"
)

// Client is the part of the DynamoDB API that a Store uses.
type Client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

var _ Client = (*dynamodb.Client)(nil)

// NewClient returns a client of one Region that tries once: the Store repeats what
// may be repeated, and knows which writes may not. An empty endpoint means AWS's.
// A nil hc means an HTTP client of its own with a dial timeout of 1 s; the SDK's
// default would wait 30 s for a Region that is gone.
func NewClient(cfg aws.Config, region dr.Region, endpoint string, hc aws.HTTPClient) *dynamodb.Client {
	if hc == nil {
		hc = awshttp.New()
	}
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.Region = region.String()
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.HTTPClient = hc
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
		// VPC endpoints answer to the Region's plain name.
		o.AccountIDEndpointMode = aws.AccountIDEndpointModeDisabled
	})
}
