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

const monitorLeasePrefix = "monitor-lease#"

// ErrMonitorLeaseMoved is returned by WriteMonitorLease when another monitor lease is stored than
// the one that was seen.
var ErrMonitorLeaseMoved = errors.New("dynamo: the monitor lease has moved on")

// MonitorLease says which of a Region's processes acts. lambdas/function/monitorlease gives its
// fields their meaning; the table compares and stores them. One without a Number was never
// taken.
type MonitorLease struct {
	Region   dr.Region
	Holder   string
	Number   uint64
	Beat     uint64
	Next     string
	Released bool
}

// ReadMonitorLease returns a Region's monitor lease by a strongly consistent read, and one without a
// Number when there is none.
func (s *Store) ReadMonitorLease(ctx context.Context, r dr.Region) (MonitorLease, error) {
	const op = "read monitor lease"
	it, err := s.get(ctx, op, monitorLeasePrefix+r.String())
	if err != nil {
		return MonitorLease{}, err
	}
	if it == nil {
		return MonitorLease{Region: r}, nil
	}
	t, err := monitorLease(r, it)
	if err != nil {
		return MonitorLease{}, s.fail(op, err)
	}
	return t, nil
}

// WriteMonitorLease replaces old, exactly as it was seen, by next; ErrMonitorLeaseMoved when something
// else is stored. When an attempt got no answer and the next one is refused, what is
// stored tells whether the first was carried out: the refusal brings it along, because
// another call would not fit into the deadline. After any other error the write may have
// been carried out, or be carried out yet.
func (s *Store) WriteMonitorLease(ctx context.Context, old, next MonitorLease) error {
	const op = "write monitor lease"
	if old.Region != next.Region || next.Number == 0 {
		return s.fail(op, fmt.Errorf("number %d of %s can't follow number %d of %s", next.Number, next.Region, old.Number, old.Region))
	}
	put := dynamodb.PutItemInput{
		TableName: aws.String(s.cfg.Table), Item: s.monitorLeaseItem(next),
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
		now, err := monitorLease(next.Region, refusal.Item)
		if err != nil {
			return s.fail(op, err)
		}
		if now == next {
			return nil // the attempt without an answer has written it
		}
	}
	return ErrMonitorLeaseMoved
}

func (s *Store) monitorLeaseItem(t MonitorLease) item {
	it := s.key(monitorLeasePrefix + t.Region.String())
	it["holder"], it["number"], it["beat"] = str(t.Holder), num(t.Number), num(t.Beat)
	it["next"], it["released"], it["written_at"] = str(t.Next), truth(t.Released), instant(time.Now())
	return it
}

func monitorLease(region dr.Region, it item) (MonitorLease, error) {
	r := reader{it: it}
	t := MonitorLease{
		Region: region, Holder: r.str("holder"), Number: r.positive("number"), Beat: r.uint("beat"),
		Next: r.str("next"), Released: r.truth("released"),
	}
	return t, r.err
}
