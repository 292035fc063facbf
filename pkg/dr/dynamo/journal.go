package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const journalPrefix = "journal#"

// journalKey sorts entries by execution, whose identifiers rise with the epoch,
// and by number within it.
func journalKey(execution string, seq int) string {
	return fmt.Sprintf("%s%s#%06d", journalPrefix, execution, seq)
}

// Append implements failover.Journal. When an attempt got no answer, the stored
// entry tells whether it was this one: a refusal brings it along, else it is read.
func (s *Store) Append(ctx context.Context, e failover.Entry) error {
	const op = "append to journal"
	it, err := s.entryItem(e)
	if err != nil {
		return s.fail(op, err)
	}
	_, ambiguous, err := s.put(ctx, op, &dynamodb.PutItemInput{
		TableName: aws.String(s.cfg.Table), Item: it, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var refusal *types.ConditionalCheckFailedException
	taken := errors.As(err, &refusal)
	var stored item
	var readErr error
	switch {
	case err == nil:
		return nil
	case taken && !ambiguous:
		return failover.ErrConflict
	case !ambiguous:
		return err
	case taken:
		stored = refusal.Item // another call could fail, and the entry would count as another's
	default:
		stored, readErr = s.get(ctx, op, it.sk())
	}
	switch {
	case readErr == nil && stored != nil && same(stored, it):
		return nil
	case taken, readErr == nil && stored != nil:
		return failover.ErrConflict
	}
	return errors.Join(err, readErr)
}

// same reports whether two items hold the same entry.
func same(a, b item) bool {
	ra, rb := reader{it: a}, reader{it: b}
	return ra.str("entry") == rb.str("entry") && ra.err == nil && rb.err == nil
}

// Latest implements failover.Journal.
func (s *Store) Latest(ctx context.Context) (failover.Entry, error) {
	const op = "read journal"
	query := s.prefixed(journalPrefix)
	query.ScanIndexForward, query.Limit = aws.Bool(false), aws.Int32(1)
	out, err := s.query(ctx, op, query)
	if err != nil {
		return failover.Entry{}, err
	}
	if len(out.Items) == 0 {
		return failover.Entry{}, failover.ErrNoEntry
	}
	e, err := entry(out.Items[0])
	if err != nil {
		return failover.Entry{}, s.fail(op, err)
	}
	return e, nil
}

// Settled implements failover.Journal. It reads the whole journal, which grows by
// a dozen entries with every failover: years fit into one page.
func (s *Store) Settled(ctx context.Context, since time.Time) (int, error) {
	query := s.prefixed(journalPrefix)
	query.Select = types.SelectCount
	query.FilterExpression = aws.String("#state = :settled AND #event = :announced AND #mode = :failover AND #at >= :since")
	query.ExpressionAttributeNames["#event"], query.ExpressionAttributeValues[":announced"] = "event", str(string(failover.EvAnnounced))
	query.ExpressionAttributeNames["#state"], query.ExpressionAttributeValues[":settled"] = "state", str(string(failover.Settled))
	query.ExpressionAttributeNames["#mode"], query.ExpressionAttributeValues[":failover"] = "mode", str(string(failover.ModeFailover))
	query.ExpressionAttributeNames["#at"], query.ExpressionAttributeValues[":since"] = "at", instant(since)
	n := 0
	err := s.pages(ctx, "count settled failovers", query, func(out *dynamodb.QueryOutput) error {
		n += int(out.Count)
		return nil
	})
	return n, err
}

func (s *Store) entryItem(e failover.Entry) (item, error) {
	e.At = e.At.UTC()
	x := &e.Execution
	x.Evidence.DarkSince = x.Evidence.DarkSince.UTC()
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	it := s.key(journalKey(x.ID, x.Seq))
	it["entry"], it["at"], it["state"], it["mode"] = str(string(body)), instant(e.At), str(string(x.State)), str(string(x.Mode))
	it["event"], it["code"], it["epoch"] = str(string(e.Event)), str(string(x.Code)), num(x.Epoch)
	it["writer_from"], it["writer_to"] = str(x.From.String()), str(x.To.String())
	return it, nil
}

func entry(it item) (failover.Entry, error) {
	r := reader{it: it}
	body := r.str("entry")
	if r.err != nil {
		return failover.Entry{}, r.err
	}
	var format struct{ Version int } // before the rest, which may be of another form
	if err := json.Unmarshal([]byte(body), &format); err == nil && format.Version > failover.JournalVersion {
		return failover.Entry{}, fmt.Errorf("item %s: %w: version %d, this program knows %d", it.sk(), failover.ErrNewerEntry, format.Version, failover.JournalVersion)
	}
	var e failover.Entry
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return failover.Entry{}, fmt.Errorf("item %s: attribute entry: %w", it.sk(), err)
	}
	if journalKey(e.Execution.ID, e.Execution.Seq) != it.sk() {
		r.bad("entry", "the entry that its key names")
	}
	return e, r.err
}
