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

const turnPrefix = "turn#"

// ErrTurnMoved is returned by WriteTurn when the turn is no longer the one that was seen.
var ErrTurnMoved = errors.New("dynamo: the turn has moved on")

// Turn says which of a Region's processes acts. What its fields mean is the affair of
// who hands the turn on; the table compares and stores them. A Region's turn without a
// Number is one that nobody has ever taken.
type Turn struct {
	Region   dr.Region
	Holder   string
	Number   uint64
	Beat     uint64
	Next     string
	Released bool
}

// ReadTurn returns a Region's turn by a strongly consistent read, and one without a
// Number when there is none.
func (s *Store) ReadTurn(ctx context.Context, r dr.Region) (Turn, error) {
	const op = "read turn"
	it, err := s.get(ctx, op, turnPrefix+r.String())
	if err != nil {
		return Turn{}, err
	}
	if it == nil {
		return Turn{Region: r}, nil
	}
	t, err := turn(r, it)
	if err != nil {
		return Turn{}, s.fail(op, err)
	}
	return t, nil
}

// WriteTurn replaces old, exactly as it was seen, by next; ErrTurnMoved when something
// else is stored. When an attempt got no answer and the next one is refused, what is
// stored tells whether the first was carried out: the refusal brings it along, because
// another call would not fit into the deadline. After any other error the write may have
// been carried out, or be carried out yet.
func (s *Store) WriteTurn(ctx context.Context, old, next Turn) error {
	const op = "write turn"
	if old.Region != next.Region || next.Number == 0 {
		return s.fail(op, fmt.Errorf("number %d of %s can't follow number %d of %s", next.Number, next.Region, old.Number, old.Region))
	}
	put := dynamodb.PutItemInput{
		TableName: aws.String(s.cfg.Table), Item: s.turnItem(next),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if old.Number == 0 {
		put.ConditionExpression = aws.String("attribute_not_exists(pk)")
	} else {
		put.ConditionExpression = aws.String("#number = :number AND #beat = :beat AND #holder = :holder AND #next = :next AND #released = :released")
		put.ExpressionAttributeNames = map[string]string{"#number": "number", "#beat": "beat", "#holder": "holder", "#next": "next", "#released": "released"}
		put.ExpressionAttributeValues = item{
			":number": num(old.Number), ":beat": num(old.Beat), ":holder": str(old.Holder), ":next": str(old.Next), ":released": truth(old.Released),
		}
	}
	_, ambiguous, err := s.put(ctx, op, &put)
	var refusal *types.ConditionalCheckFailedException
	if !errors.As(err, &refusal) {
		return err
	}
	if ambiguous && len(refusal.Item) > 0 {
		now, err := turn(next.Region, refusal.Item)
		if err != nil {
			return s.fail(op, err)
		}
		if now == next {
			return nil // the attempt without an answer has written it
		}
	}
	return ErrTurnMoved
}

func (s *Store) turnItem(t Turn) item {
	it := s.key(turnPrefix + t.Region.String())
	it["holder"], it["number"], it["beat"] = str(t.Holder), num(t.Number), num(t.Beat)
	it["next"], it["released"], it["written_at"] = str(t.Next), truth(t.Released), instant(time.Now())
	return it
}

func turn(region dr.Region, it item) (Turn, error) {
	r := reader{it: it}
	t := Turn{
		Region: region, Holder: r.str("holder"), Number: r.positive("number"), Beat: r.uint("beat"),
		Next: r.str("next"), Released: r.truth("released"),
	}
	return t, r.err
}
