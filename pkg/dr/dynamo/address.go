package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const addressPrefix = "address#"

// ErrNoAddress is returned by Address when the Region has announced none.
var ErrNoAddress = errors.New("dynamo: the Region has announced no address")

// Announce says where a Region's database is, as host:port, for the other Regions to
// look up. An address that is there already is not written again. When another process
// announces a different one at the same time, the first one to be stored stays and the
// other one gets an error: they were configured differently.
func (s *Store) Announce(ctx context.Context, r dr.Region, address string) error {
	const op = "announce address"
	seen, err := s.Address(ctx, r)
	switch {
	case errors.Is(err, ErrNoAddress):
	case err != nil:
		return err
	case seen == address:
		return nil
	}
	it := s.key(addressPrefix + r.String())
	it["address"], it["announced_at"] = str(address), instant(time.Now())
	put := dynamodb.PutItemInput{
		TableName: aws.String(s.cfg.Table), Item: it, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if seen != "" {
		put.ConditionExpression = aws.String("#address = :seen")
		put.ExpressionAttributeNames = map[string]string{"#address": "address"}
		put.ExpressionAttributeValues = item{":seen": str(seen)}
	}
	_, err = s.do(ctx, op, func(ctx context.Context, c Client) error {
		_, err := c.PutItem(ctx, &put)
		return err
	})
	var refusal *types.ConditionalCheckFailedException
	if !errors.As(err, &refusal) {
		return err
	}
	now := reader{it: refusal.Item}
	switch stored := now.str("address"); {
	case now.err != nil:
		return s.fail(op, fmt.Errorf("it changes at the same time: %w", err))
	case stored != address: // else an attempt without an answer, or a process like this one
		return s.fail(op, fmt.Errorf("%s of %s: another process has announced %s at the same time: configure them alike", address, r, stored))
	}
	return nil
}

// Address returns what a Region has announced, by a strongly consistent read.
func (s *Store) Address(ctx context.Context, r dr.Region) (string, error) {
	const op = "look up address"
	it, err := s.get(ctx, op, addressPrefix+r.String())
	if err != nil {
		return "", err
	}
	if it == nil {
		return "", s.fail(op, fmt.Errorf("%w: %s: its health monitor announces it when it runs", ErrNoAddress, r))
	}
	read := reader{it: it}
	if address := read.str("address"); read.err == nil {
		return address, nil
	}
	return "", s.fail(op, read.err)
}
