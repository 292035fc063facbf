package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// acknowledgementKey is of an answer: one item for each question of each execution.
func acknowledgementKey(execution, question string) string {
	return fmt.Sprintf("ack#%s#%s", execution, question)
}

// Acknowledge implements failover.Acknowledger.
func (s *Store) Acknowledge(ctx context.Context, a failover.Acknowledgement) error {
	const op = "acknowledge"
	if a.Execution == "" || a.Question == "" || a.By == "" {
		return s.fail(op, errors.New("an acknowledgement needs the execution, the question that it answers and the name of the person who consents"))
	}
	it := s.key(acknowledgementKey(a.Execution, a.Question))
	it["execution"], it["question"], it["by"], it["reason"], it["at"] = str(a.Execution), str(a.Question), str(a.By), str(a.Reason), instant(time.Now())
	_, _, err := do(ctx, s, op, writing, func(ctx context.Context, c Client) (*dynamodb.PutItemOutput, error) {
		return c.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(s.cfg.Table), Item: it, ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	})
	var refusal *types.ConditionalCheckFailedException
	if !errors.As(err, &refusal) {
		return err
	}
	// The question has an answer: this one perhaps, whose own answer was lost.
	stored, readErr := acknowledgement(refusal.Item)
	switch {
	case readErr != nil:
		return s.fail(op, readErr)
	case stored == a:
		return nil
	}
	return failover.ErrAcknowledged
}

// Acknowledgement implements failover.Acknowledger.
func (s *Store) Acknowledgement(ctx context.Context, execution, question string) (failover.Acknowledgement, error) {
	const op = "read acknowledgement"
	it, err := s.get(ctx, op, acknowledgementKey(execution, question))
	if err != nil {
		return failover.Acknowledgement{}, err
	}
	if it == nil {
		return failover.Acknowledgement{}, failover.ErrNotAcknowledged
	}
	a, err := acknowledgement(it)
	if err != nil {
		return failover.Acknowledgement{}, s.fail(op, err)
	}
	return a, nil
}

func acknowledgement(it item) (failover.Acknowledgement, error) {
	r := reader{it: it}
	a := failover.Acknowledgement{Execution: r.some("execution"), Question: r.some("question"), By: r.some("by"), Reason: r.str("reason")}
	if r.err == nil && acknowledgementKey(a.Execution, a.Question) != it.sk() {
		r.bad("question", "the one that its key names") // consent counts for one question
	}
	if r.err != nil {
		return failover.Acknowledgement{}, r.err
	}
	return a, nil
}
