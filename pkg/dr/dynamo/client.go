package dynamo

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

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
	return newClient(cfg, region, hc, func(o *dynamodb.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	})
}

// NewClientAt is NewClient for a replica whose address is looked up when it is needed. A
// lookup that fails is an attempt without an answer.
func NewClientAt(cfg aws.Config, region dr.Region, find func(context.Context) (string, error), hc aws.HTTPClient) *dynamodb.Client {
	return newClient(cfg, region, hc, func(o *dynamodb.Options) { o.EndpointResolverV2 = finder(find) })
}

type finder func(context.Context) (string, error)

// ResolveEndpoint implements dynamodb.EndpointResolverV2.
func (f finder) ResolveEndpoint(ctx context.Context, _ dynamodb.EndpointParameters) (smithyendpoints.Endpoint, error) {
	at, err := f(ctx)
	if err != nil {
		return smithyendpoints.Endpoint{}, err
	}
	u, err := url.Parse(at)
	if err != nil {
		return smithyendpoints.Endpoint{}, err
	}
	return smithyendpoints.Endpoint{URI: *u}, nil
}

func newClient(cfg aws.Config, region dr.Region, hc aws.HTTPClient, more func(*dynamodb.Options)) *dynamodb.Client {
	if hc == nil {
		hc = awshttp.New()
	}
	return dynamodb.NewFromConfig(cfg, more, func(o *dynamodb.Options) {
		o.Region = region.String()
		o.HTTPClient = hc
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
		// VPC endpoints answer to the Region's plain name.
		o.AccountIDEndpointMode = aws.AccountIDEndpointModeDisabled
	})
}
