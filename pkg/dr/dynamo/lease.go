package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const leaseKey = "lease"

// ReadLease implements failover.Leaser by a strongly consistent read.
func (s *Store) ReadLease(ctx context.Context) (failover.Lease, error) {
	it, err := s.get(ctx, "read lease", leaseKey)
	if err != nil {
		return failover.Lease{}, err
	}
	if it == nil {
		return failover.Lease{}, failover.ErrNoLease
	}
	return s.lease("read lease", it)
}

// RenewLease implements failover.Leaser. A renewal that is repeated after a lost
// answer may raise Rev twice, which does no harm: a Region that waits for the lease to
// expire waits longer.
func (s *Store) RenewLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	const op = "renew lease"
	update := "SET #rev = #rev + :one, #at = :at"
	names := map[string]string{
		"#rev": "rev", "#at": "renewed_at", "#epoch": "epoch", "#holder": "holder", "#released": "released", "#version": "version",
	}
	if !held.Blind {
		update += ", #served = #rev + :one" // the operand is what was stored before
		names["#served"] = "served"
	}
	out, _, err := do(ctx, s, op, writing, func(ctx context.Context, c Client) (*dynamodb.UpdateItemOutput, error) {
		return c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:                aws.String(s.cfg.Table),
			Key:                      s.key(leaseKey),
			UpdateExpression:         aws.String(update),
			ConditionExpression:      aws.String("#epoch = :epoch AND #holder = :holder AND " + unreleased + " AND " + understood),
			ExpressionAttributeNames: names,
			ExpressionAttributeValues: item{
				":one": num[uint64](1), ":at": instant(time.Now()), ":epoch": num(held.Epoch), ":holder": str(held.Holder.String()),
				":no": truth(false), ":version": num(version),
			},
			ReturnValues:                        types.ReturnValueAllNew,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	})
	if err := s.moved(op, err); err != nil {
		return failover.Lease{}, err
	}
	return s.lease(op, out.Attributes)
}

// unreleased is the part of a condition by which a lease was not given back. An item that
// was written before leases could be released lacks the attribute.
const unreleased = "(attribute_not_exists(#released) OR #released = :no)"

// moved turns a refused condition into what it means.
func (s *Store) moved(op string, err error) error {
	var refusal *types.ConditionalCheckFailedException
	if !errors.As(err, &refusal) {
		return err
	}
	if err := newer(refusal.Item); err != nil {
		return s.fail(op, err)
	}
	return failover.ErrLeaseMoved
}

// ReleaseLease implements failover.Releaser. What is stored tells whether an attempt
// without an answer, or an earlier call, has released the lease: a refusal brings it
// along, else it is read.
func (s *Store) ReleaseLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	const op = "release lease"
	out, ambiguous, err := do(ctx, s, op, writing, func(ctx context.Context, c Client) (*dynamodb.UpdateItemOutput, error) {
		return c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName:           aws.String(s.cfg.Table),
			Key:                 s.key(leaseKey),
			UpdateExpression:    aws.String("SET #rev = #rev + :one, #at = :at, #released = :yes"),
			ConditionExpression: aws.String("#epoch = :epoch AND #holder = :holder AND #rev = :rev AND " + unreleased + " AND " + understood),
			ExpressionAttributeNames: map[string]string{
				"#rev": "rev", "#at": "renewed_at", "#epoch": "epoch", "#holder": "holder", "#released": "released", "#version": "version",
			},
			ExpressionAttributeValues: item{
				":one": num[uint64](1), ":at": instant(time.Now()), ":epoch": num(held.Epoch), ":holder": str(held.Holder.String()),
				":rev": num(held.Rev), ":no": truth(false), ":yes": truth(true), ":version": num(version),
			},
			ReturnValues:                        types.ReturnValueAllNew,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
	})
	var refusal *types.ConditionalCheckFailedException
	refused := errors.As(err, &refusal)
	var now failover.Lease
	var readErr error
	switch {
	case err == nil:
		return s.lease(op, out.Attributes)
	case refused && len(refusal.Item) == 0:
		return failover.Lease{}, failover.ErrLeaseMoved
	case refused:
		now, readErr = s.lease(op, refusal.Item)
	case !ambiguous:
		return failover.Lease{}, err
	default:
		now, readErr = s.ReadLease(ctx)
	}
	switch {
	case readErr == nil && now.Released && now.Epoch == held.Epoch && now.Holder == held.Holder && now.Rev == held.Rev+1:
		return now, nil
	case readErr == nil && (refused || now.Rev > held.Rev):
		// Rev never falls, so an attempt that is still on its way can't succeed.
		return failover.Lease{}, failover.ErrLeaseMoved
	case refused:
		return failover.Lease{}, readErr
	}
	return failover.Lease{}, errors.Join(err, readErr)
}

// TakeLease implements failover.Leaser. When an attempt got no answer, the lease
// itself tells whether it was taken: a refusal brings it along, else it is read.
func (s *Store) TakeLease(ctx context.Context, seen failover.Lease, claim failover.Claim) (failover.Lease, error) {
	const op = "take lease"
	taken := failover.Lease{
		Epoch: seen.Epoch + 1, Holder: claim.Holder, Rev: seen.Rev + 1,
		Execution: claim.Execution, TakenRev: seen.Rev + 1, TakenAfter: claim.After,
	}
	put := dynamodb.PutItemInput{
		TableName: aws.String(s.cfg.Table), Item: s.leaseItem(taken),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if seen == (failover.Lease{}) {
		put.ConditionExpression = aws.String("attribute_not_exists(pk)")
	} else {
		put.ConditionExpression = aws.String("#epoch = :epoch AND #holder = :holder AND #rev = :rev AND " + understood)
		put.ExpressionAttributeNames = map[string]string{"#epoch": "epoch", "#holder": "holder", "#rev": "rev", "#version": "version"}
		put.ExpressionAttributeValues = item{
			":epoch": num(seen.Epoch), ":holder": str(seen.Holder.String()), ":rev": num(seen.Rev), ":version": num(version),
		}
	}
	_, ambiguous, err := s.put(ctx, op, &put)
	var refusal *types.ConditionalCheckFailedException
	refused := errors.As(err, &refusal)
	var now failover.Lease
	var readErr error
	switch {
	case err == nil:
		return taken, nil
	case refused && (!ambiguous || len(refusal.Item) == 0):
		return failover.Lease{}, s.moved(op, err)
	case !ambiguous:
		return failover.Lease{}, err
	case refused: // another call could fail, and the claimant would take its own lease for another's
		now, readErr = s.lease(op, refusal.Item)
	default:
		now, readErr = s.ReadLease(ctx)
	}
	switch {
	case readErr == nil && now.Epoch == taken.Epoch && now.Holder == taken.Holder && now.Execution == taken.Execution:
		return now, nil
	case readErr == nil && now.Rev > seen.Rev:
		// Rev never falls, so an attempt that is still on its way can't succeed.
		return failover.Lease{}, failover.ErrLeaseMoved
	}
	return failover.Lease{}, errors.Join(err, readErr)
}

func (s *Store) leaseItem(l failover.Lease) item {
	it := s.key(leaseKey)
	it["epoch"], it["holder"], it["rev"] = num(l.Epoch), str(l.Holder.String()), num(l.Rev)
	it["execution"], it["taken_rev"], it["taken_after_ns"] = str(l.Execution), num(l.TakenRev), num(max(0, l.TakenAfter))
	it["released"], it["version"], it["renewed_at"] = truth(l.Released), num(version), instant(time.Now())
	it["served"] = num(l.Served)
	return it
}

func (s *Store) lease(op string, it item) (failover.Lease, error) {
	if err := newer(it); err != nil {
		return failover.Lease{}, s.fail(op, err)
	}
	r := reader{it: it}
	l := failover.Lease{
		Epoch: dr.Epoch(r.positive("epoch")), Holder: dr.Region(r.some("holder")), Rev: r.positive("rev"),
		Execution: r.str("execution"), TakenRev: r.uint("taken_rev"), TakenAfter: r.span("taken_after_ns"),
	}
	if it["released"] != nil { // an older item has none
		l.Released = r.truth("released")
	}
	if l.Served = l.Rev; it["served"] != nil { // each renewal of an older holder had a write behind it
		l.Served = r.uint("served")
	}
	if r.err != nil {
		return failover.Lease{}, s.fail(op, r.err)
	}
	return l, nil
}

// get reads one item with strong consistency; nil when there is none.
func (s *Store) get(ctx context.Context, op, sk string) (item, error) {
	out, _, err := do(ctx, s, op, reading, func(ctx context.Context, c Client) (*dynamodb.GetItemOutput, error) {
		return c.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String(s.cfg.Table), Key: s.key(sk), ConsistentRead: aws.Bool(true),
		})
	})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}
