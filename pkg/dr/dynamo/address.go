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

// Place is where a Region's database is reached, each as host:port.
type Place struct {
	Address string // of the writer, while the Region has it: the cluster endpoint
	Reader  string // of what reads there whether or not it has; empty: none is known
}

func (p Place) String() string {
	if p.Reader == "" {
		return p.Address
	}
	return p.Address + " with reader " + p.Reader
}

// Announce says where a Region's database is, for the other Regions to look up. A place
// that is there already is not written again. When another process announces a different
// one at the same time, the first one to be stored stays and the other one gets an error:
// they were configured differently.
func (s *Store) Announce(ctx context.Context, r dr.Region, place Place) error {
	const op = "announce address"
	seen, err := s.Address(ctx, r)
	switch {
	case errors.Is(err, ErrNoAddress):
	case err != nil:
		return err
	case seen == place:
		return nil
	}
	it := s.key(addressPrefix + r.String())
	it["address"], it["announced_at"] = str(place.Address), instant(time.Now())
	if place.Reader != "" {
		it["reader"] = str(place.Reader)
	}
	put := dynamodb.PutItemInput{
		TableName: aws.String(s.cfg.Table), Item: it, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if seen != (Place{}) {
		put.ConditionExpression = aws.String("#address = :seen AND attribute_not_exists(#reader)")
		put.ExpressionAttributeNames = map[string]string{"#address": "address", "#reader": "reader"}
		put.ExpressionAttributeValues = item{":seen": str(seen.Address)}
		if seen.Reader != "" {
			put.ConditionExpression = aws.String("#address = :seen AND #reader = :reads")
			put.ExpressionAttributeValues[":reads"] = str(seen.Reader)
		}
	}
	_, _, err = s.put(ctx, op, &put)
	var refusal *types.ConditionalCheckFailedException
	if !errors.As(err, &refusal) {
		return err
	}
	switch stored, readErr := readPlace(refusal.Item); {
	case readErr != nil:
		return s.fail(op, fmt.Errorf("it changes at the same time: %w", err))
	case stored != place: // else an attempt without an answer, or a process like this one
		return s.fail(op, fmt.Errorf("%s of %s: another process has announced %s at the same time: configure them alike", place, r, stored))
	}
	return nil
}

// Address returns what a Region has announced, by a strongly consistent read.
func (s *Store) Address(ctx context.Context, r dr.Region) (Place, error) {
	const op = "look up address"
	it, err := s.get(ctx, op, addressPrefix+r.String())
	if err != nil {
		return Place{}, err
	}
	if it == nil {
		return Place{}, s.fail(op, fmt.Errorf("%w: %s: its health monitor announces it when it runs", ErrNoAddress, r))
	}
	place, err := readPlace(it)
	if err != nil {
		return Place{}, s.fail(op, err)
	}
	return place, nil
}

// readPlace reads an item whose attribute reader may be missing.
func readPlace(it item) (Place, error) {
	read := reader{it: it}
	place := Place{Address: read.some("address")}
	if it["reader"] != nil {
		place.Reader = read.str("reader")
	}
	return place, read.err
}
