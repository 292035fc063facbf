package linear_test

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// bug is a way in which a store may be wrong.
type bug struct {
	name       string
	wrap       func(c dynamo.Client, replica dr.Region) dynamo.Client
	background func(context.Context, *cloud.Cloud)
}

var noBug = bug{name: "none", wrap: func(c dynamo.Client, _ dr.Region) dynamo.Client { return c }}

var bugs = []bug{
	{name: "reads are not consistent", wrap: func(c dynamo.Client, _ dr.Region) dynamo.Client { return staleReads{c} }},
	{name: "the last writer wins", wrap: func(c dynamo.Client, r dr.Region) dynamo.Client { return ownReplica{c, r} }, background: replicate},
	{name: "conditions are not checked", wrap: func(c dynamo.Client, _ dr.Region) dynamo.Client { return unconditional{c} }},
	{name: "no answer counts as done", wrap: func(c dynamo.Client, _ dr.Region) dynamo.Client { return hopeful{c} }},
	{name: "no answer counts as refused", wrap: func(c dynamo.Client, _ dr.Region) dynamo.Client { return hopeless{c} }},
}

// staleReads asks the nearest replica for what it happens to know.
type staleReads struct{ dynamo.Client }

func (s staleReads) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...options) (*dynamodb.GetItemOutput, error) {
	copied := *in
	copied.ConsistentRead = nil
	return s.Client.GetItem(ctx, &copied, o...)
}

func (s staleReads) Query(ctx context.Context, in *dynamodb.QueryInput, o ...options) (*dynamodb.QueryOutput, error) {
	copied := *in
	copied.ConsistentRead = nil
	return s.Client.Query(ctx, &copied, o...)
}

// ownReplica is an ordinary global table: every Region judges conditions by what it has.
type ownReplica struct {
	dynamo.Client
	region dr.Region
}

func ownTable(r dr.Region) string { return table + "-" + r.String() }

func (c ownReplica) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...options) (*dynamodb.GetItemOutput, error) {
	copied := *in
	copied.TableName = aws.String(ownTable(c.region))
	return c.Client.GetItem(ctx, &copied, o...)
}

func (c ownReplica) Query(ctx context.Context, in *dynamodb.QueryInput, o ...options) (*dynamodb.QueryOutput, error) {
	copied := *in
	copied.TableName = aws.String(ownTable(c.region))
	return c.Client.Query(ctx, &copied, o...)
}

func (c ownReplica) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...options) (*dynamodb.PutItemOutput, error) {
	copied := *in
	copied.TableName = aws.String(ownTable(c.region))
	return c.Client.PutItem(ctx, &copied, o...)
}

func (c ownReplica) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...options) (*dynamodb.UpdateItemOutput, error) {
	copied := *in
	copied.TableName = aws.String(ownTable(c.region))
	return c.Client.UpdateItem(ctx, &copied, o...)
}

// replicate carries items between the Regions' own tables every 200 ms, the one with
// the later wall clock over the other.
func replicate(ctx context.Context, c *cloud.Cloud) {
	client := map[dr.Region]*dynamodb.Client{}
	for _, r := range []dr.Region{east, west} {
		client[r] = dynamo.NewClient(config(), r, "", c.RoundTripper(r))
	}
	all := func(r dr.Region) map[string]map[string]types.AttributeValue {
		out, err := client[r].Query(ctx, &dynamodb.QueryInput{
			TableName: aws.String(ownTable(r)), ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: cluster}},
		})
		items := map[string]map[string]types.AttributeValue{}
		if err == nil {
			for _, it := range out.Items {
				items[it["sk"].(*types.AttributeValueMemberS).Value] = it
			}
		}
		return items
	}
	for ctx.Err() == nil {
		for _, way := range [][2]dr.Region{{east, west}, {west, east}} {
			there := all(way[1])
			for sk, it := range all(way[0]) {
				if other, ok := there[sk]; ok && stamp(other) >= stamp(it) {
					continue
				}
				_, _ = client[way[1]].PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(ownTable(way[1])), Item: it}) // the next round repeats it
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stamp is when an item was written, or what stands for it in one without a time.
func stamp(it map[string]types.AttributeValue) string {
	for _, name := range []string{"renewed_at", "written_at", "at"} {
		if v, ok := it[name].(*types.AttributeValueMemberS); ok {
			return v.Value
		}
	}
	if v, ok := it["n"].(*types.AttributeValueMemberN); ok {
		return v.Value
	}
	return ""
}

// unconditional writes whatever is stored.
type unconditional struct{ dynamo.Client }

func (c unconditional) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...options) (*dynamodb.PutItemOutput, error) {
	copied := *in
	copied.ConditionExpression, copied.ExpressionAttributeNames, copied.ExpressionAttributeValues = nil, nil, nil
	return c.Client.PutItem(ctx, &copied, o...)
}

// hopeful takes a write without an answer for carried out.
type hopeful struct{ dynamo.Client }

func (c hopeful) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...options) (*dynamodb.PutItemOutput, error) {
	out, err := c.Client.PutItem(ctx, in, o...)
	if unanswered(err) {
		return &dynamodb.PutItemOutput{}, nil
	}
	return out, err
}

// hopeless takes a write without an answer for refused.
type hopeless struct{ dynamo.Client }

func (c hopeless) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...options) (*dynamodb.PutItemOutput, error) {
	out, err := c.Client.PutItem(ctx, in, o...)
	if unanswered(err) {
		return nil, &types.ConditionalCheckFailedException{}
	}
	return out, err
}

func unanswered(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
