package linear_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

type options = func(*dynamodb.Options)

// tally counts what happened to the calls of all worlds: a check of quiet histories
// proves nothing.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = make(map[string]int)
	}
	t.n[what]++
}

// dice are drawn by attempts that overlap.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (d *dice) IntN(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rnd.IntN(n)
}

// wire is one client's connection to one replica. It notes which writes have no known
// outcome, sends some of them so late that their caller has given up, and writes every
// time that is meant for people by a clock that is wrong.
type wire struct {
	dynamo.Client
	rnd   *dice
	wrong func(time.Time) time.Time
	late  *sync.WaitGroup // owner of the calls that outlive their callers
	tally *tally
	fail  func(format string, args ...any)
}

func (w wire) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...options) (*dynamodb.GetItemOutput, error) {
	out, err := w.Client.GetItem(ctx, in, o...)
	w.note(err)
	return out, err
}

func (w wire) Query(ctx context.Context, in *dynamodb.QueryInput, o ...options) (*dynamodb.QueryOutput, error) {
	out, err := w.Client.Query(ctx, in, o...)
	w.note(err)
	return out, err
}

func (w wire) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...options) (*dynamodb.PutItemOutput, error) {
	copied := *in
	copied.Item = w.crooked(in.Item)
	w.clockless(in.ConditionExpression, in.ExpressionAttributeNames)
	return write(ctx, w, func(ctx context.Context) (*dynamodb.PutItemOutput, error) {
		return w.Client.PutItem(ctx, &copied, o...)
	})
}

func (w wire) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...options) (*dynamodb.UpdateItemOutput, error) {
	copied := *in
	copied.ExpressionAttributeValues = w.crooked(in.ExpressionAttributeValues)
	w.clockless(in.ConditionExpression, in.ExpressionAttributeNames)
	return write(ctx, w, func(ctx context.Context) (*dynamodb.UpdateItemOutput, error) {
		return w.Client.UpdateItem(ctx, &copied, o...)
	})
}

// write sends a write and notes when its outcome is unknown.
func write[O any](ctx context.Context, w wire, send func(context.Context) (O, error)) (O, error) {
	under, _ := ctx.Value(callKey{}).(*call)
	began := int64(0)
	if h, ok := ctx.Value(historyKey{}).(*history); ok {
		began = h.now()
	}
	out, err := outlive(ctx, w, send)
	switch unknown := w.note(err); {
	case under == nil:
	case unknown:
		under.unknown(began)
	case err == nil:
		under.acted(began)
	}
	return out, err
}

// historyKey is the context's key of the history that a call belongs to.
type historyKey struct{}

// outlive lets one write in eight be carried out later, also when its caller has given up.
func outlive[O any](ctx context.Context, w wire, send func(context.Context) (O, error)) (O, error) {
	if w.rnd.IntN(8) > 0 {
		return send(ctx)
	}
	type answer struct {
		out O
		err error
	}
	delay := time.Duration(w.rnd.IntN(1500)) * time.Millisecond
	done := make(chan answer, 1)
	w.late.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		<-time.After(delay)
		out, err := send(ctx)
		done <- answer{out, err}
	})
	select {
	case a := <-done:
		return a.out, a.err
	case <-ctx.Done():
		w.tally.add("late")
		var none O
		return none, ctx.Err()
	}
}

// note counts an outcome and reports whether it is unknown. This is the test's own
// opinion, not the adapter's.
func (w wire) note(err error) (unknown bool) {
	var refused *types.ConditionalCheckFailedException
	var conflict *types.ReplicatedWriteConflictException
	var throttled *types.ThrottlingException
	var answer *smithyhttp.ResponseError
	switch {
	case err == nil:
		w.tally.add("done")
	case errors.As(err, &refused):
		w.tally.add("refused")
	case errors.As(err, &conflict):
		w.tally.add("conflict")
	case errors.As(err, &throttled):
		w.tally.add("throttled")
	case errors.As(err, &answer) && answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500:
		w.fail("a refusal that no fault explains: %v", err)
	default:
		w.tally.add("unknown")
		return true
	}
	return false
}

var (
	instant = regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)
	dates   = regexp.MustCompile(`^(at|[a-z]+_at)$`)
	name    = regexp.MustCompile(`#?[a-z_]+`)
)

// crooked replaces every time by what this client's clock says.
func (w wire) crooked(it map[string]types.AttributeValue) map[string]types.AttributeValue {
	out := make(map[string]types.AttributeValue, len(it))
	for k, v := range it {
		if s, ok := v.(*types.AttributeValueMemberS); ok && instant.MatchString(s.Value) {
			v = &types.AttributeValueMemberS{Value: w.wrong(time.Now()).UTC().Format("2006-01-02T15:04:05.000000000Z")}
		}
		out[k] = v
	}
	return out
}

// clockless fails the test when a condition asks for a time.
func (w wire) clockless(condition *string, names map[string]string) {
	if condition == nil {
		return
	}
	for _, n := range name.FindAllString(*condition, -1) {
		if real, ok := names[n]; ok {
			n = real
		}
		if dates.MatchString(n) {
			w.fail("%s", fmt.Sprintf("the condition %q lets a wall clock decide", *condition))
		}
	}
}
