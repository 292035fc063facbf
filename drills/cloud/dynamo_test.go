package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"
)

// item builds an item from names and values: strings are S, ints N.
func item(pairs ...any) map[string]types.AttributeValue {
	m := map[string]types.AttributeValue{}
	for i := 0; i < len(pairs); i += 2 {
		name := pairs[i].(string)
		switch v := pairs[i+1].(type) {
		case string:
			m[name] = &types.AttributeValueMemberS{Value: v}
		case int:
			m[name] = &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
		case types.AttributeValue:
			m[name] = v
		default:
			panic(fmt.Sprintf("item: %T", v))
		}
	}
	return m
}

func put(t testing.TB, c *dynamodb.Client, table string, it map[string]types.AttributeValue) {
	t.Helper()
	_, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: it})
	require.NoError(t, err)
}

// get reads an item with strong consistency.
func get(t *testing.T, c *dynamodb.Client, table string, key map[string]types.AttributeValue) map[string]types.AttributeValue {
	t.Helper()
	out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: key, ConsistentRead: aws.Bool(true)})
	require.NoError(t, err)
	return out.Item
}

func TestItems(t *testing.T) {
	w := start(t, nil)
	e, p := w.dynamo(east), w.dynamo(west)
	it := item("id", "writer", "s", "é\"\\\n\u2028", "n", &types.AttributeValueMemberN{Value: "1.50e2"},
		"b", &types.AttributeValueMemberB{Value: []byte{0, 255}}, "yes", &types.AttributeValueMemberBOOL{Value: true},
		"nothing", &types.AttributeValueMemberNULL{Value: true},
		"list", &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: "x"}, &types.AttributeValueMemberN{Value: "2"}}},
		"map", &types.AttributeValueMemberM{Value: item("deep", "er")},
		"ss", &types.AttributeValueMemberSS{Value: []string{"b", "a"}}, "ns", &types.AttributeValueMemberNS{Value: []string{"2", "1"}},
		"bs", &types.AttributeValueMemberBS{Value: [][]byte{{1}}})
	put(t, e, "lease", it)
	it["n"] = &types.AttributeValueMemberN{Value: "150"}
	it["ss"] = &types.AttributeValueMemberSS{Value: []string{"a", "b"}}
	it["ns"] = &types.AttributeValueMemberNS{Value: []string{"1", "2"}}
	require.Equal(t, it, get(t, p, "lease", item("id", "writer")), "written in one Region, read in the other")

	out, err := p.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("lease"), Key: item("id", "writer"), ConsistentRead: aws.Bool(true),
		ProjectionExpression: aws.String("#m.deep, list[1], n, absent"), ExpressionAttributeNames: map[string]string{"#m": "map"},
	})
	require.Equal(t, "ValidationException", code(t, err), "list is a reserved word")
	out, err = p.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("lease"), Key: item("id", "writer"), ConsistentRead: aws.Bool(true),
		ProjectionExpression: aws.String("#m.deep, #l[1], n, absent"), ExpressionAttributeNames: map[string]string{"#m": "map", "#l": "list"},
	})
	require.NoError(t, err)
	require.Equal(t, item("n", 150, "map", it["map"], "list", &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "2"}}}), out.Item)

	del, err := p.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("lease"), Key: item("id", "writer"), ReturnValues: types.ReturnValueAllOld})
	require.NoError(t, err)
	require.Equal(t, it, del.Attributes)
	require.Empty(t, get(t, e, "lease", item("id", "writer")))
	del, err = p.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("lease"), Key: item("id", "writer"), ReturnValues: types.ReturnValueAllOld})
	require.NoError(t, err, "deleting nothing succeeds")
	require.Empty(t, del.Attributes)
}

// TestLease walks a lease through the writes that the real one makes.
func TestLease(t *testing.T) {
	w := start(t, nil)
	e, p := w.dynamo(east), w.dynamo(west)
	take := func(c *dynamodb.Client, holder string, epoch int) error {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("lease"), Item: item("id", "writer", "holder", holder, "epoch", epoch),
			ConditionExpression:                 aws.String("attribute_not_exists(id) OR epoch = :previous"),
			ExpressionAttributeValues:           item(":previous", epoch-1),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	}
	require.NoError(t, take(e, "us-east-1", 1))
	err := take(p, "us-west-2", 1)
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "The conditional request failed", *refused.Message)
	require.Equal(t, item("id", "writer", "holder", "us-east-1", "epoch", 1), refused.Item)
	require.NoError(t, take(p, "us-west-2", 2))

	renew := func(c *dynamodb.Client, values map[string]types.AttributeValue, rv types.ReturnValue) (*dynamodb.UpdateItemOutput, error) {
		return c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("lease"), Key: item("id", "writer"),
			UpdateExpression:    aws.String("SET renewals = if_not_exists(renewals, :zero) + :one REMOVE nonce ADD taken :one"),
			ConditionExpression: aws.String("epoch = :e AND holder = :h"), ExpressionAttributeValues: values, ReturnValues: rv,
		})
	}
	values := item(":e", 2, ":h", "us-west-2", ":one", 1, ":zero", 0)
	out, err := renew(p, values, types.ReturnValueAllNew)
	require.NoError(t, err)
	require.Equal(t, item("id", "writer", "holder", "us-west-2", "epoch", 2, "renewals", 1, "taken", 1), out.Attributes)
	out, err = renew(p, values, types.ReturnValueUpdatedNew)
	require.NoError(t, err)
	require.Equal(t, item("renewals", 2, "taken", 2), out.Attributes)
	out, err = renew(p, values, types.ReturnValueUpdatedOld)
	require.NoError(t, err)
	require.Equal(t, item("renewals", 2, "taken", 2), out.Attributes)
	_, err = renew(e, item(":e", 1, ":h", "us-east-1", ":one", 1, ":zero", 0), types.ReturnValueNone)
	refused, ok = errors.AsType[*types.ConditionalCheckFailedException](err)
	require.True(t, ok, "%v", err)
	require.Empty(t, refused.Item, "the old item comes back only when asked for")
	require.Equal(t, item("id", "writer", "holder", "us-west-2", "epoch", 2, "renewals", 3, "taken", 3), get(t, e, "lease", item("id", "writer")))
}

func TestQuery(t *testing.T) {
	w := start(t, nil)
	c := w.dynamo(east)
	for _, seq := range []int{10, 9, 2, 1, 100} {
		put(t, c, "journal", item("id", "run", "seq", seq, "even", []string{"no", "yes"}[(seq+1)%2]))
	}
	put(t, c, "journal", item("id", "other", "seq", 5))
	for _, n := range []string{"alpha", "alps", "beta"} {
		put(t, c, "names", item("id", "x", "name", n))
	}
	for name, tt := range map[string]struct {
		table, condition string
		values           map[string]types.AttributeValue
		edit             func(*dynamodb.QueryInput)
		want             []any
		scanned          int
	}{
		"whole partition, numeric order": {table: "journal", condition: "id = :i", values: item(":i", "run"), want: []any{1, 2, 9, 10, 100}},
		"backwards with limit": {table: "journal", condition: "id = :i", values: item(":i", "run"), want: []any{100, 10}, edit: func(q *dynamodb.QueryInput) {
			q.ScanIndexForward, q.Limit = aws.Bool(false), aws.Int32(2)
		}},
		"equal":             {table: "journal", condition: "id = :i AND seq = :s", values: item(":i", "run", ":s", 9), want: []any{9}},
		"greater":           {table: "journal", condition: "id = :i AND seq > :s", values: item(":i", "run", ":s", 9), want: []any{10, 100}},
		"at least":          {table: "journal", condition: "seq >= :s AND id = :i", values: item(":i", "run", ":s", 9), want: []any{9, 10, 100}},
		"less":              {table: "journal", condition: "id = :i AND seq < :s", values: item(":i", "run", ":s", 2), want: []any{1}},
		"between":           {table: "journal", condition: "id = :i AND seq BETWEEN :a AND :b", values: item(":i", "run", ":a", 2, ":b", 10), want: []any{2, 9, 10}},
		"begins_with":       {table: "names", condition: "id = :i AND begins_with(#n, :p)", values: item(":i", "x", ":p", "al"), want: []any{"alpha", "alps"}, edit: named},
		"no such partition": {table: "journal", condition: "id = :i", values: item(":i", "none")},
		"filter counts what it scanned": {table: "journal", condition: "id = :i", values: item(":i", "run", ":y", "yes"), want: []any{2, 10, 100}, scanned: 5, edit: func(q *dynamodb.QueryInput) {
			q.FilterExpression = aws.String("even = :y")
		}},
		"after a key": {table: "journal", condition: "id = :i", values: item(":i", "run"), want: []any{10, 100}, edit: func(q *dynamodb.QueryInput) {
			q.ExclusiveStartKey = item("id", "run", "seq", 9)
		}},
		"before a key, backwards": {table: "journal", condition: "id = :i", values: item(":i", "run"), want: []any{2, 1}, edit: func(q *dynamodb.QueryInput) {
			q.ExclusiveStartKey, q.ScanIndexForward = item("id", "run", "seq", 9), aws.Bool(false)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			q := &dynamodb.QueryInput{
				TableName: aws.String(tt.table), ConsistentRead: aws.Bool(true),
				KeyConditionExpression: aws.String(tt.condition), ExpressionAttributeValues: tt.values,
			}
			if tt.edit != nil {
				tt.edit(q)
			}
			out, err := c.Query(t.Context(), q)
			require.NoError(t, err)
			var got []any
			for _, it := range out.Items {
				if v, ok := it["seq"].(*types.AttributeValueMemberN); ok {
					n, err := strconv.Atoi(v.Value)
					require.NoError(t, err)
					got = append(got, n)
				} else {
					got = append(got, it["name"].(*types.AttributeValueMemberS).Value)
				}
			}
			require.Equal(t, tt.want, got)
			require.EqualValues(t, len(tt.want), out.Count)
			require.EqualValues(t, max(tt.scanned, len(tt.want)), out.ScannedCount)
		})
	}
}

func named(q *dynamodb.QueryInput) { q.ExpressionAttributeNames = map[string]string{"#n": "name"} }

// TestQueryPages walks a partition with the SDK's paginator.
func TestQueryPages(t *testing.T) {
	w := start(t, nil)
	c := w.dynamo(east)
	for seq := range 7 {
		put(t, c, "journal", item("id", "run", "seq", seq))
	}
	pages := dynamodb.NewQueryPaginator(c, &dynamodb.QueryInput{
		TableName: aws.String("journal"), Limit: aws.Int32(3), ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("id = :i"), ExpressionAttributeValues: item(":i", "run"),
	})
	var sizes []int
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		sizes = append(sizes, len(out.Items))
	}
	require.Equal(t, []int{3, 3, 1}, sizes)
	out, err := c.Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String("journal"), Select: types.SelectCount, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: aws.String("id = :i"), ExpressionAttributeValues: item(":i", "run"),
	})
	require.NoError(t, err)
	require.EqualValues(t, 7, out.Count)
	require.Empty(t, out.Items)
}

func TestDescribeTable(t *testing.T) {
	w := start(t, nil)
	out, err := w.dynamo(west).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("journal")})
	require.NoError(t, err)
	d := out.Table
	require.Equal(t, types.TableStatusActive, d.TableStatus)
	require.Equal(t, types.MultiRegionConsistencyStrong, d.MultiRegionConsistency)
	require.Equal(t, "arn:aws:dynamodb:us-west-2:123456789012:table/journal", *d.TableArn)
	require.Len(t, d.Replicas, 2)
	require.Equal(t, "us-east-2", *d.GlobalTableWitnesses[0].RegionName)
	require.Equal(t, []types.KeySchemaElement{
		{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("seq"), KeyType: types.KeyTypeRange},
	}, d.KeySchema)
	require.Equal(t, types.ScalarAttributeTypeN, d.AttributeDefinitions[1].AttributeType)
}

// TestTableRefusals holds that a request that DynamoDB refuses is refused, and
// changes nothing.
func TestTableRefusals(t *testing.T) {
	w := start(t, nil)
	c := w.dynamo(east)
	putting := func(table string, it map[string]types.AttributeValue, edit func(*dynamodb.PutItemInput)) func() error {
		return func() error {
			in := &dynamodb.PutItemInput{TableName: aws.String(table), Item: it}
			if edit != nil {
				edit(in)
			}
			_, err := c.PutItem(t.Context(), in)
			return err
		}
	}
	updating := func(expression string, values map[string]types.AttributeValue) func() error {
		return func() error {
			_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String("lease"), Key: item("id", "x"), UpdateExpression: aws.String(expression), ExpressionAttributeValues: values,
			})
			return err
		}
	}
	querying := func(condition string, values map[string]types.AttributeValue) func() error {
		return func() error {
			_, err := c.Query(t.Context(), &dynamodb.QueryInput{
				TableName: aws.String("journal"), KeyConditionExpression: aws.String(condition), ExpressionAttributeValues: values,
			})
			return err
		}
	}
	for name, tt := range map[string]struct {
		code, message string
		call          func() error
	}{
		"no such table": {"ResourceNotFoundException", "", putting("no", item("id", "x"), nil)},
		"the witness holds no replica": {"ResourceNotFoundException", "", func() error {
			_, err := w.dynamo(witness).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("lease"), Key: item("id", "x")})
			return err
		}},
		"missing key":       {"ValidationException", "Missing the key id", putting("lease", item("name", "x"), nil)},
		"key of wrong type": {"ValidationException", "Type mismatch for key id", putting("lease", item("id", 1), nil)},
		"empty key":         {"ValidationException", "empty string value", putting("lease", item("id", ""), nil)},
		"long key":          {"ValidationException", "hashkey", putting("lease", item("id", strings.Repeat("x", 2049)), nil)},
		"big item":          {"ValidationException", "maximum allowed size", putting("lease", item("id", "x", "v", strings.Repeat("x", 400<<10)), nil)},
		"bad number":        {"ValidationException", "numeric", putting("lease", item("id", "x", "n", &types.AttributeValueMemberN{Value: "1x"}), nil)},
		"39 digits":         {"ValidationException", "38", putting("lease", item("id", "x", "n", &types.AttributeValueMemberN{Value: strings.Repeat("1", 39)}), nil)},
		"reserved word": {"ValidationException", "reserved keyword: status", putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.ConditionExpression = aws.String("attribute_not_exists(status)")
		})},
		"undefined value": {"ValidationException", ":v", putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.ConditionExpression = aws.String("epoch = :v")
		})},
		"unused value": {"ValidationException", "unused in expressions: keys: {:w}", putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.ConditionExpression, in.ExpressionAttributeValues = aws.String("epoch = :v"), item(":v", 1, ":w", 2)
		})},
		"unused name": {"ValidationException", "#n", putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.ExpressionAttributeNames = map[string]string{"#n": "name"}
		})},
		"syntax": {"ValidationException", `Invalid ConditionExpression: Syntax error; token: "="`, putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.ConditionExpression = aws.String("epoch == epoch")
		})},
		"all new from put": {"ValidationException", "Return values", putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.ReturnValues = types.ReturnValueAllNew
		})},
		"legacy parameter": {"NotEmulated", "Expected", putting("lease", item("id", "x"), func(in *dynamodb.PutItemInput) {
			in.Expected = map[string]types.ExpectedAttributeValue{"id": {Exists: aws.Bool(false)}}
		})},
		"key with too many attributes": {"ValidationException", "does not match the schema", func() error {
			_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("lease"), Key: item("id", "x", "y", "z")})
			return err
		}},
		"updating the key":             {"ValidationException", "part of the key", updating("SET id = :v", item(":v", "y"))},
		"counting what is not there":   {"ValidationException", "does not exist in the item", updating("SET n = n + :v", item(":v", 1))},
		"adding to a string":           {"ValidationException", "operand type: S", updating("ADD n :v", item(":v", "y"))},
		"section twice":                {"ValidationException", `"SET" section`, updating("SET a = :v SET b = :v", item(":v", "y"))},
		"overlapping paths":            {"ValidationException", "overlap", updating("SET a = :v REMOVE a.b", item(":v", "y"))},
		"query without partition":      {"ValidationException", "missed key schema element", querying("seq = :v", item(":v", 1))},
		"query by other attribute":     {"ValidationException", "missed key schema element", querying("id = :i AND holder = :v", item(":i", "x", ":v", 1))},
		"query by range of partitions": {"ValidationException", "not supported", querying("id > :i", item(":i", "x"))},
		"query with or":                {"ValidationException", "OR", querying("id = :i OR seq = :v", item(":i", "x", ":v", 1))},
		"transaction": {"ValidationException", "Transactional", func() error {
			_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: aws.String("lease"), Item: item("id", "x")}},
			}})
			return err
		}},
		"transactional read": {"ValidationException", "Transactional", func() error {
			_, err := c.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
				{Get: &types.Get{TableName: aws.String("lease"), Key: item("id", "x")}},
			}})
			return err
		}},
		"time to live": {"ValidationException", "Time to Live", func() error {
			_, err := c.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
				TableName: aws.String("lease"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)},
			})
			return err
		}},
		"not emulated": {"NotEmulated", "dynamodb operation Scan", func() error {
			_, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("lease")})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.call()
			require.Equal(t, tt.code, code(t, err))
			require.ErrorContains(t, err, tt.message)
		})
	}
	require.Empty(t, get(t, c, "lease", item("id", "x")))
}
