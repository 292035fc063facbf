package direct_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/direct"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

const (
	east dr.Region = "us-east-1"

	table = "items"
	scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/19700101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none"
)

var config = aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
})}

type servers struct{}

func (servers) Promote(context.Context, dr.Region, bool) error     { return nil }
func (servers) Fence(context.Context, dr.Region) error             { return nil }
func (servers) Rejoin(context.Context, dr.Region, dr.Region) error { return nil }
func (servers) Reboot(context.Context, dr.Region) error            { return nil }

// recorder notes what it carries.
type recorder struct {
	client aws.HTTPClient
	seen   []sent
}

// sent is a request as it goes out. The body is compared parsed: maps have no order.
type sent struct {
	line string
	body any
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	s := sent{line: fmt.Sprint(req.Method, req.URL, req.ContentLength, req.Header["X-Amz-Target"], req.Header["Content-Type"])}
	if err := json.Unmarshal(body, &s.body); err != nil {
		return nil, err
	}
	r.seen = append(r.seen, s)
	return r.client.Do(req)
}

// result is what a call gives back.
type result struct {
	out  any
	err  string
	kind []bool
}

func kinds(err error) []bool {
	var condition *types.ConditionalCheckFailedException
	var conflict *types.ReplicatedWriteConflictException
	var throttled *types.ThrottlingException
	var status interface{ HTTPStatusCode() int }
	return []bool{
		errors.As(err, &condition), errors.As(err, &conflict), errors.As(err, &throttled),
		errors.As(err, &status), status != nil && status.HTTPStatusCode() >= 500, status != nil && status.HTTPStatusCode() >= 400,
		errors.Is(err, context.DeadlineExceeded),
	}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// play makes every call that Lifeboat's adapters make, some of which are refused.
func play(c dynamo.Client) (all []result) {
	name, key := aws.String(table), map[string]types.AttributeValue{"pk": text("a"), "sk": text("b")}
	item := map[string]types.AttributeValue{
		"pk": text("a"), "sk": text("b"), "n": &types.AttributeValueMemberN{Value: "7"}, "text": text("é\"\n"),
		"bytes": &types.AttributeValueMemberB{Value: []byte{0, 255}}, "yes": &types.AttributeValueMemberBOOL{Value: true},
	}
	absent := aws.String("attribute_not_exists(pk)")
	note := func(out any, err error) {
		r := result{out: out, kind: kinds(err)}
		if err != nil {
			r.out, r.err = nil, err.Error()
		}
		all = append(all, r)
	}
	within := func(call func(context.Context)) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		call(ctx)
	}
	for range 2 { // the second time the condition is refused
		within(func(ctx context.Context) {
			out, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item, ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
			if err == nil {
				out.ResultMetadata = middleware.Metadata{}
			}
			note(out, err)
		})
	}
	within(func(ctx context.Context) {
		out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key, ConsistentRead: aws.Bool(true)})
		if err == nil {
			out.ResultMetadata = middleware.Metadata{}
		}
		note(out, err)
	})
	within(func(ctx context.Context) {
		out, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: name, Key: key, UpdateExpression: aws.String("SET n = :n"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "8"}}, ReturnValues: types.ReturnValueAllNew,
		})
		if err == nil {
			out.ResultMetadata = middleware.Metadata{}
		}
		note(out, err)
	})
	within(func(ctx context.Context) {
		out, err := c.Query(ctx, &dynamodb.QueryInput{
			TableName: name, KeyConditionExpression: aws.String("pk = :pk"), ConsistentRead: aws.Bool(true),
			ExpressionAttributeValues: map[string]types.AttributeValue{":pk": text("a")},
		})
		if err == nil {
			out.ResultMetadata = middleware.Metadata{}
		}
		note(out, err)
	})
	within(func(ctx context.Context) {
		out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("none"), Key: key})
		note(out, err)
	})
	return all
}

// The same requests go out as from the SDK's own client, and the same answers and errors
// come back, to the letter, whatever happens to the calls.
func TestAClientIsTheSDKs(t *testing.T) {
	calls := cloud.On(east, cloud.DynamoDB, "*")
	for name, fault := range map[string]cloud.Fault{
		"well": calls.Delay(0), "slow": calls.Delay(300 * time.Millisecond), "hanging": calls.Hang(), "refused": calls.Refuse(),
		"throttled": calls.Throttle(), "failing": calls.Fail(500), "lost": calls.Lose(), "denied": calls.Deny(),
		"conflict": calls.Reject("ReplicatedWriteConflictException"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := func(client func(hc aws.HTTPClient) dynamo.Client) ([]result, []sent) {
					quick := func(*rand.Rand) time.Duration { return 0 }
					w, err := cloud.New(cloud.Config{
						GlobalCluster: "c", Servers: servers{},
						Tables: []cloud.Table{{Name: table, PartitionKey: "pk", SortKey: "sk"}}, Promotion: quick, Switchover: quick, DNSDelay: quick,
					})
					require.NoError(t, err)
					w.SetFault(fault)
					r := &recorder{client: w.From(east)}
					return play(client(r)), r.seen
				}
				want, asked := run(func(hc aws.HTTPClient) dynamo.Client {
					return dynamo.NewClient(config, east, "http://dynamodb.us-east-1.amazonaws.com", hc)
				})
				got, made := run(func(hc aws.HTTPClient) dynamo.Client {
					return direct.NewClient(url.URL{Scheme: "http", Host: "dynamodb.us-east-1.amazonaws.com"}, scope, hc)
				})
				require.Len(t, want, 6)
				require.Equal(t, asked, made)
				require.Equal(t, want, got)
			})
		})
	}
}
