package dynamo_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// shelf is a table with one item: the last that was put.
type shelf struct {
	it map[string]types.AttributeValue
}

func (s *shelf) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return &dynamodb.GetItemOutput{Item: s.it}, nil
}

func (s *shelf) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	s.it = maps.Clone(in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

func (s *shelf) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{Attributes: s.it}, nil
}

func (s *shelf) Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return &dynamodb.QueryOutput{Items: []map[string]types.AttributeValue{s.it}}, nil
}

// kind is one kind of item: it is written, and read back as a value to compare.
type kind struct {
	write func(context.Context, *dynamo.Store, string, uint64) (written any, err error)
	read  func(context.Context, *dynamo.Store, string, uint64) (any, error)
	// whole fails when what was read can't have been written.
	whole func(*testing.T, any)
}

var kinds = []kind{
	{
		write: func(ctx context.Context, s *dynamo.Store, text string, n uint64) (any, error) {
			return s.TakeLease(ctx, failover.Lease{Epoch: dr.Epoch(n), Rev: n}, failover.Claim{Holder: west, Execution: text, After: time.Duration(n)})
		},
		read: func(ctx context.Context, s *dynamo.Store, _ string, _ uint64) (any, error) { return s.ReadLease(ctx) },
		whole: func(t *testing.T, v any) {
			l := v.(failover.Lease)
			require.True(t, l.Epoch > 0 && l.Rev > 0 && l.Holder != "" && l.TakenAfter >= 0, "%+v is no complete lease", l)
		},
	},
	{
		write: func(ctx context.Context, s *dynamo.Store, text string, n uint64) (any, error) {
			next := dynamo.MonitorLease{Region: west, Holder: text, Number: n + 1, Beat: n, Next: text, Released: n%2 == 0}
			return next, s.WriteMonitorLease(ctx, dynamo.MonitorLease{Region: west}, next)
		},
		read: func(ctx context.Context, s *dynamo.Store, _ string, _ uint64) (any, error) {
			return s.ReadMonitorLease(ctx, west)
		},
		whole: func(t *testing.T, v any) {
			require.NotZero(t, v.(dynamo.MonitorLease).Number, "a monitor lease that is there was taken")
		},
	},
	{
		write: func(ctx context.Context, s *dynamo.Store, text string, n uint64) (any, error) {
			e := failover.Entry{
				Execution: failover.Execution{ID: text, Seq: int(n % 1e6), From: east, To: west, Epoch: dr.Epoch(n), Detail: text, Unchanged: time.Duration(n)},
				Event:     failover.Kind(text), At: time.Unix(int64(n%1e9), int64(n%1e9)).UTC(),
			}
			return e, s.Append(ctx, e)
		},
		read: func(ctx context.Context, s *dynamo.Store, _ string, _ uint64) (any, error) { return s.Latest(ctx) },
	},
	{
		write: func(ctx context.Context, s *dynamo.Store, text string, n uint64) (any, error) {
			h := failover.Report{Region: dr.Region(text), Seq: n, FencedEpoch: dr.Epoch(n), LeaseRev: n, LeaseUnchanged: time.Duration(n), At: time.Unix(int64(n%1e9), 0).UTC()}
			return []failover.Report{h}, s.Publish(ctx, h)
		},
		read: func(ctx context.Context, s *dynamo.Store, _ string, _ uint64) (any, error) { return s.Reports(ctx) },
	},
	{
		write: func(ctx context.Context, s *dynamo.Store, text string, n uint64) (any, error) {
			a := failover.Acknowledgement{Execution: "x" + text, Question: fmt.Sprint(n), By: "x" + text, Reason: text}
			return a, s.Acknowledge(ctx, a)
		},
		read: func(ctx context.Context, s *dynamo.Store, text string, n uint64) (any, error) {
			return s.Acknowledgement(ctx, "x"+text, fmt.Sprint(n))
		},
		whole: func(t *testing.T, v any) {
			require.NotEmpty(t, v.(failover.Acknowledgement).By, "a consent names no person")
		},
	},
	{
		write: func(ctx context.Context, s *dynamo.Store, text string, _ uint64) (any, error) {
			place := dynamo.Place{Address: "x" + text, Reader: text}
			return place, s.Announce(ctx, west, place)
		},
		read: func(ctx context.Context, s *dynamo.Store, _ string, _ uint64) (any, error) {
			return s.Address(ctx, west)
		},
		whole: func(t *testing.T, v any) { require.NotEmpty(t, v.(dynamo.Place).Address, "there is no such place") },
	},
}

// FuzzItem writes an item of each kind, damages an attribute, and reads it. What is
// undamaged reads back equal; what is damaged is an error that names the item, or a
// value that could have been written; nothing panics.
func FuzzItem(f *testing.F) {
	for k := range kinds {
		for damage := range uint8(8) {
			f.Add(uint8(k), "0000000007-0001", uint64(7), damage, uint8(k), "0")
		}
		f.Add(uint8(k), "", uint64(0), uint8(2), uint8(0), "null")
		f.Add(uint8(k), "a", uint64(1), uint8(2), uint8(0), "")
		f.Add(uint8(k), "a", uint64(1), uint8(3), uint8(3), fmt.Sprint(uint64(math.MaxUint64)))
	}
	f.Add(uint8(2), "a", uint64(1), uint8(2), uint8(2), `{"Execution":{"ID":"b","Seq":1}}`)
	f.Add(uint8(3), "a", uint64(1), uint8(2), uint8(1), `{"Region":"b"}`)
	f.Fuzz(func(t *testing.T, which uint8, text string, number uint64, damage, attribute uint8, value string) {
		text = strings.ToValidUTF8(text, "?") // DynamoDB's strings are UTF-8
		number %= math.MaxInt64
		ctx, k := t.Context(), kinds[int(which)%len(kinds)]
		table := &shelf{}
		s, err := dynamo.New(dynamo.Config{Clients: []dynamo.Client{table}, Region: west, Table: "t", Cluster: "c"})
		require.NoError(t, err)
		written, err := k.write(ctx, s, text, number)
		require.NoError(t, err)
		got, err := k.read(ctx, s, text, number)
		require.NoError(t, err)
		require.Equal(t, written, got)

		sk := table.it["sk"].(*types.AttributeValueMemberS).Value
		var names []string
		for name := range table.it {
			if name != "pk" && name != "sk" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		name := names[int(attribute)%len(names)]
		switch damage % 8 {
		case 0:
			delete(table.it, name)
		case 1:
			table.it[name] = nil
		case 2:
			table.it[name] = &types.AttributeValueMemberS{Value: value}
		case 3:
			table.it[name] = &types.AttributeValueMemberN{Value: value}
		case 4:
			table.it[name] = &types.AttributeValueMemberBOOL{Value: true}
		case 5:
			table.it[name] = &types.AttributeValueMemberNULL{Value: true}
		case 6:
			table.it[name] = &types.AttributeValueMemberM{}
		case 7:
			table.it[name] = &types.AttributeValueMemberB{Value: []byte(value)}
		}
		got, err = k.read(ctx, s, text, number)
		if err != nil {
			require.ErrorContains(t, err, "item "+sk)
			return
		}
		if k.whole != nil {
			k.whole(t, got)
		}
		switch v := got.(type) {
		case failover.Entry:
			require.Equal(t, sk, fmt.Sprintf("journal#%s#%06d", v.Execution.ID, v.Execution.Seq), "an entry stands in its own place")
		case []failover.Report:
			require.Equal(t, sk, "heartbeat#"+v[0].Region.String(), "a Region speaks for itself")
		}
	})
}
