package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// prefixed asks for every item whose sort key begins with a prefix, with strong
// consistency.
func (s *Store) prefixed(prefix string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                 aws.String(s.cfg.Table),
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("#pk = :pk AND begins_with(#sk, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#pk": "pk", "#sk": "sk"},
		ExpressionAttributeValues: item{":pk": str(s.cfg.Cluster), ":prefix": str(prefix)},
	}
}

func (s *Store) query(ctx context.Context, op string, query *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	out, _, err := do(ctx, s, op, reading, func(ctx context.Context, c Client) (*dynamodb.QueryOutput, error) {
		return c.Query(ctx, query)
	})
	return out, err
}

// put writes one item by its condition.
func (s *Store) put(ctx context.Context, op string, in *dynamodb.PutItemInput) (out *dynamodb.PutItemOutput, ambiguous bool, err error) {
	return do(ctx, s, op, writing, func(ctx context.Context, c Client) (*dynamodb.PutItemOutput, error) {
		return c.PutItem(ctx, in)
	})
}

// pages performs a query page by page: DynamoDB ends a page after 1 MB, also when
// a filter has left it empty.
func (s *Store) pages(ctx context.Context, op string, query *dynamodb.QueryInput, page func(*dynamodb.QueryOutput) error) error {
	for {
		out, err := s.query(ctx, op, query)
		if err != nil {
			return err
		}
		if err := page(out); err != nil {
			return s.fail(op, err)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		query.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
