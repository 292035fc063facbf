package dynamo

import (
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/expr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// request holds the members of every data operation; each uses its own.
type request struct {
	operation string
	table     string
	key       keyArgument
	start     *keyArgument // ExclusiveStartKey
	item      attr.Item
	names     map[string]string
	values    attr.Item

	condition, update, projection, keyCondition, filter string

	consistent    bool
	backward      bool
	limit         int
	count         bool   // Select is COUNT
	returnValues  string // NONE when not given
	returnOldFail bool

	params *expr.Params
}

// requests are used again for the sake of their maps. Nothing that outlives a call may
// refer to names or values.
var requests = sync.Pool{New: func() any { return new(request) }}

func newRequest(operation string) *request {
	rq := requests.Get().(*request)
	*rq = request{
		operation: operation, returnValues: "NONE",
		names: emptied(rq.names), values: emptied(rq.values),
	}
	return rq
}

func (rq *request) free() { requests.Put(rq) }

// emptied returns an empty map: m, unless a strange request has made it large.
func emptied[M ~map[string]V, V any](m M) M {
	if m == nil || len(m) > 16 {
		return M{}
	}
	clear(m)
	return m
}

func (rq *request) parse(body string) error {
	d := wire.NewDecoder(body)
	err := d.Object(func(name string) error { return rq.member(d, name) })
	if err == nil {
		err = d.End()
	}
	if err == nil {
		rq.params, err = expr.NewParams(rq.names, rq.values)
	}
	return requestError(err)
}

// requestError turns a parsing error into what DynamoDB answers.
func requestError(err error) error {
	switch e := err.(type) { //nolint:errorlint // the parsers return these unwrapped
	case nil:
		return nil
	case *wire.Error:
		return e
	case *expr.Error:
		return validation("%s", e.Message)
	}
	if reason, ok := attr.IsInvalid(err); ok {
		return validation("%s", reason)
	}
	return wire.Refuse(400, "SerializationException", "%v", err)
}

func (rq *request) member(d *wire.Decoder, name string) (err error) {
	switch name {
	case "TableName":
		rq.table, err = d.String()
	case "Key":
		err = rq.key.decode(d)
	case "Item":
		rq.item, err = attr.DecodeItem(d)
	case "ExclusiveStartKey":
		rq.start = &keyArgument{}
		err = rq.start.decode(d)
	case "ExpressionAttributeValues":
		err = rq.values.Decode(d)
	case "ExpressionAttributeNames":
		clear(rq.names)
		err = d.Object(func(k string) error {
			v, err := d.String()
			rq.names[k] = v
			return err
		})
	case "ConditionExpression":
		rq.condition, err = expression(d, name)
	case "UpdateExpression":
		rq.update, err = expression(d, name)
	case "ProjectionExpression":
		rq.projection, err = expression(d, name)
	case "KeyConditionExpression":
		rq.keyCondition, err = expression(d, name)
	case "FilterExpression":
		rq.filter, err = expression(d, name)
	case "ConsistentRead":
		rq.consistent, err = d.Bool()
	case "ScanIndexForward":
		var forward bool
		forward, err = d.Bool()
		rq.backward = !forward
	case "Limit":
		if rq.limit, err = d.Int(); err == nil && rq.limit < 1 {
			err = validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", rq.limit)
		}
	case "Select":
		err = rq.selection(d)
	case "ReturnValues":
		rq.returnValues, err = d.String()
	case "ReturnValuesOnConditionCheckFailure":
		var v string
		v, err = d.String()
		rq.returnOldFail = v == "ALL_OLD"
	case "Expected", "AttributeUpdates", "ConditionalOperator", "KeyConditions", "QueryFilter", "AttributesToGet", "IndexName":
		err = wire.NotEmulated("dynamodb", "parameter "+name+" of "+rq.operation)
	default: // DynamoDB ignores members that it does not know
		err = d.Skip()
	}
	return err
}

// expression reads an expression. DynamoDB refuses one that is there but
// empty.
func expression(d *wire.Decoder, name string) (string, error) {
	s, err := d.String()
	if err == nil && s == "" {
		err = validation("Invalid %s: The expression can not be empty;", name)
	}
	return s, err
}

func (rq *request) selection(d *wire.Decoder) error {
	s, err := d.String()
	if err != nil {
		return err
	}
	switch s {
	case "COUNT":
		rq.count = true
	case "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES":
	default:
		return wire.NotEmulated("dynamodb", "Select "+s)
	}
	return nil
}
