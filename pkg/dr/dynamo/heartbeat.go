package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const heartbeatPrefix = "heartbeat#"

// SupersededError is returned by Publish when a newer process of the same Region
// has reported: the older one is to stop, as it does when its invocation ends.
type SupersededError struct {
	Region dr.Region
	Seq    uint64 // the refused report's number
}

func (e *SupersededError) Error() string {
	return fmt.Sprintf("dynamo: publish report: a newer process of %s reports with a number above %d", e.Region, e.Seq)
}

// Publish implements failover.Reports. It replaces the Region's report unless
// that one carries a higher number, so that what an older process had still on its
// way doesn't replace the report of its successor.
func (s *Store) Publish(ctx context.Context, h failover.Report) error {
	const op = "publish report"
	report, err := json.Marshal(h)
	if err != nil {
		return s.fail(op, err)
	}
	it := s.key(heartbeatPrefix + h.Region.String())
	it["seq"], it["report"], it["published_at"] = num(h.Seq), str(string(report)), instant(time.Now())
	_, _, err = s.put(ctx, op, &dynamodb.PutItemInput{
		TableName:                 aws.String(s.cfg.Table),
		Item:                      it,
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR #seq <= :seq"),
		ExpressionAttributeNames:  map[string]string{"#seq": "seq"},
		ExpressionAttributeValues: item{":seq": num(h.Seq)},
	})
	if isA[*types.ConditionalCheckFailedException](err) {
		return &SupersededError{Region: h.Region, Seq: h.Seq}
	}
	return err
}

// Reports implements failover.Reports, sorted by Region.
func (s *Store) Reports(ctx context.Context) ([]failover.Report, error) {
	const op = "read reports"
	var all []failover.Report
	query := s.prefixed(heartbeatPrefix)
	err := s.pages(ctx, op, query, func(out *dynamodb.QueryOutput) error {
		for _, it := range out.Items {
			r := reader{it: it}
			report := r.str("report")
			if r.err != nil {
				return r.err
			}
			var h failover.Report
			if err := json.Unmarshal([]byte(report), &h); err != nil {
				return fmt.Errorf("item %s: attribute report: %w", item(it).sk(), err)
			}
			if heartbeatPrefix+h.Region.String() != item(it).sk() {
				r.bad("report", "of the Region that its key names")
				return r.err
			}
			all = append(all, h)
		}
		return nil
	})
	return all, err
}
