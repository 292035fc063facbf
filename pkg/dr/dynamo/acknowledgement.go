package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func acknowledgementKey(e dr.Epoch) string { return fmt.Sprintf("ack#%d", e) }

// Acknowledge implements failover.Acknowledger. A later consent to the same epoch
// replaces an earlier one, because an execution may ask more than once.
func (s *Store) Acknowledge(ctx context.Context, a failover.Acknowledgement) error {
	const op = "acknowledge"
	if a.Epoch == 0 || a.By == "" {
		return s.fail(op, errors.New("an acknowledgement needs the epoch that was asked about and the name of who consents"))
	}
	it := s.key(acknowledgementKey(a.Epoch))
	it["epoch"], it["by"], it["reason"], it["at"] = num(a.Epoch), str(a.By), str(a.Reason), instant(time.Now())
	_, _, err := do(ctx, s, op, writing, func(ctx context.Context, c Client) (*dynamodb.PutItemOutput, error) {
		return c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.cfg.Table), Item: it})
	})
	return err
}

// Acknowledgement implements failover.Acknowledger.
func (s *Store) Acknowledgement(ctx context.Context, e dr.Epoch) (failover.Acknowledgement, error) {
	const op = "read acknowledgement"
	it, err := s.get(ctx, op, acknowledgementKey(e))
	if err != nil {
		return failover.Acknowledgement{}, err
	}
	if it == nil {
		return failover.Acknowledgement{}, failover.ErrNotAcknowledged
	}
	r := reader{it: it}
	a := failover.Acknowledgement{Epoch: dr.Epoch(r.uint("epoch")), By: r.some("by"), Reason: r.str("reason")}
	if a.Epoch != e {
		r.bad("epoch", fmt.Sprintf("%d, as its key says", e)) // consent counts for one epoch
	}
	if r.err != nil {
		return failover.Acknowledgement{}, s.fail(op, r.err)
	}
	return a, nil
}
