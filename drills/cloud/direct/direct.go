// Package direct calls DynamoDB with the SDK's inputs, outputs, encoding and errors, and
// without the SDK's chain of middlewares. An emulated world makes thousands of small calls;
// the chain is built anew for each and was most of what a call cost. Its test holds a
// Client to the SDK's own, and drills/conformance plays the adapters over the SDK's.
package direct

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// Client is one Region's DynamoDB. Each call is one request, as with the SDK's client that
// tries once.
type Client struct {
	http  aws.HTTPClient
	at    url.URL
	scope string
}

// NewClient returns a client of the DynamoDB at an endpoint. Authorization goes with each
// request as it is.
func NewClient(at url.URL, authorization string, hc aws.HTTPClient) *Client {
	return &Client{http: hc, at: at, scope: authorization}
}

var (
	protocol = awsjson.New10(schemas.DynamoDB_20120810)

	getItem    = smithy.NewOperationSchema(schemas.GetItem, schemas.GetItemInput, schemas.GetItemOutput)
	putItem    = smithy.NewOperationSchema(schemas.PutItem, schemas.PutItemInput, schemas.PutItemOutput)
	updateItem = smithy.NewOperationSchema(schemas.UpdateItem, schemas.UpdateItemInput, schemas.UpdateItemOutput)
	query      = smithy.NewOperationSchema(schemas.Query, schemas.QueryInput, schemas.QueryOutput)
)

// GetItem is the SDK's.
func (c *Client) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	out := &dynamodb.GetItemOutput{}
	if err := c.call(ctx, "GetItem", getItem, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// PutItem is the SDK's.
func (c *Client) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	out := &dynamodb.PutItemOutput{}
	if err := c.call(ctx, "PutItem", putItem, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateItem is the SDK's.
func (c *Client) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	out := &dynamodb.UpdateItemOutput{}
	if err := c.call(ctx, "UpdateItem", updateItem, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Query is the SDK's.
func (c *Client) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out := &dynamodb.QueryOutput{}
	if err := c.call(ctx, "Query", query, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// call sends one request, and wraps errors as the SDK does.
func (c *Client) call(ctx context.Context, name string, op *smithy.OperationSchema, in smithy.Serializable, out smithy.Deserializable) error {
	resp, err := c.send(ctx, op, in)
	if err == nil {
		err = protocol.DeserializeResponse(ctx, op, dynamodb.TypeRegistry, resp, out)
	}
	if resp != nil {
		_ = resp.Body.Close()
		if err != nil {
			err = &awshttp.ResponseError{
				ResponseError: &smithyhttp.ResponseError{Response: resp, Err: err},
				RequestID:     resp.Header.Get("X-Amzn-Requestid"),
			}
		}
	}
	if err != nil {
		return &smithy.OperationError{ServiceID: dynamodb.ServiceID, OperationName: name, Err: err}
	}
	return nil
}

// send returns a response whenever the request could be made: an empty one when there was
// no answer.
func (c *Client) send(ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable) (*smithyhttp.Response, error) {
	at := c.at
	r := &smithyhttp.Request{Request: &http.Request{
		URL: &at, Host: at.Host, ContentLength: -1, Header: http.Header{"Authorization": {c.scope}},
	}}
	if err := protocol.SerializeRequest(ctx, op, in, r); err != nil {
		return nil, err
	}
	request := r.WithContext(ctx)
	request.Body = io.NopCloser(r.GetStream())
	resp, err := c.http.Do(request)
	if resp == nil {
		resp = &http.Response{Header: http.Header{}, Body: http.NoBody}
	}
	if err != nil {
		err = &smithyhttp.RequestSendError{Err: err}
		if ctx.Err() != nil {
			err = &smithy.CanceledError{Err: ctx.Err()}
		}
	}
	return &smithyhttp.Response{Response: resp}, err
}
