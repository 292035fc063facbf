package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/expr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

func parse(t testing.TB, s string) attr.Item {
	t.Helper()
	it, err := attr.DecodeItem(wire.NewDecoder([]byte(s)))
	require.NoError(t, err)
	return it
}

const (
	someItem = `{"id":{"S":"writer"},"epoch":{"N":"7"},"b":{"B":"AQI="},"ok":{"BOOL":true},"tags":{"SS":["a","b"]},"nums":{"NS":["1","2"]},
		"l":{"L":[{"S":"x"},{"N":"2"},{"L":[{"S":"y"}]}]},"m":{"M":{"deep":{"M":{"er":{"N":"-1.5"}}},"status":{"S":"up"}}}}`
	someValues = `{":1":{"N":"1"},":2":{"N":"2"},":7":{"N":"7"},":9":{"N":"9"},":w":{"S":"writer"},":wr":{"S":"wr"},":a":{"S":"a"},":x":{"S":"x"},
		":neg":{"N":"-1.50"},":t":{"BOOL":true},":b":{"B":"AQ=="},":N":{"S":"N"},":set":{"SS":["b","c"]},":ns":{"NS":["2","3"]},":l":{"L":[{"S":"z"}]},":m":{"M":{}},":up":{"S":"up"}}`
)

func params(t testing.TB) *expr.Params {
	t.Helper()
	p, err := expr.NewParams(map[string]string{"#s": "status", "#m": "m", "#dot": "a.b"}, parse(t, someValues))
	require.NoError(t, err)
	return p
}

func TestCondition(t *testing.T) {
	it := parse(t, someItem)
	for src, want := range map[string]bool{
		"attribute_exists(id)":                   true,
		"attribute_exists(m.deep.er)":            true,
		"attribute_exists(l[2][0])":              true,
		"attribute_exists(l[3])":                 false,
		"attribute_exists(#dot)":                 false,
		"attribute_not_exists(nothing)":          true,
		"epoch = :7":                             true,
		"epoch <> :7":                            false,
		"nothing <> :7":                          true,
		"nothing = :7":                           false,
		"nothing < :7":                           false,
		"id < :7":                                false,
		"epoch < :9 AND epoch > :1":              true,
		"epoch <= :7 and epoch >= :7":            true,
		"m.deep.er = :neg":                       true,
		"m.#s = :up":                             true,
		"#m.#s = :up":                            true,
		"l[1] = :2":                              true,
		":7 = epoch":                             true,
		"b > :b":                                 true,
		"epoch BETWEEN :1 AND :9":                true,
		"epoch BETWEEN :9 AND :9":                false,
		"epoch IN (:1, :2, :7)":                  true,
		"epoch IN (:1)":                          false,
		"begins_with(id, :wr)":                   true,
		"begins_with(b, :b)":                     true,
		"begins_with(epoch, :wr)":                false,
		"contains(id, :wr)":                      true,
		"contains(tags, :a)":                     true,
		"contains(tags, :x)":                     false,
		"contains(nums, :2)":                     true,
		"contains(l, :x)":                        true,
		"attribute_type(epoch, :N)":              true,
		"attribute_type(id, :N)":                 false,
		"size(id) = :7":                          false,
		"size(tags) = :2":                        true,
		"size(b) < :9":                           true,
		"size(epoch) < :9":                       false,
		"NOT epoch = :7":                         false,
		"NOT (epoch = :7 OR id = :x)":            false,
		"not not epoch = :7":                     true,
		"epoch = :1 OR epoch = :7 AND id = :w":   true,
		"(epoch = :1 OR epoch = :7) AND id = :x": false,
		"epoch = :7 AND (id = :x OR (ok = :t AND NOT id = :x))":   true,
		"attribute_not_exists(id) OR (epoch < :9 AND id <> :x)":   true,
		"epoch BETWEEN :1 AND :9 AND NOT epoch BETWEEN :9 AND :9": true,
		" \t\nid\r= :w ": true,
	} {
		c, err := params(t).Condition("ConditionExpression", src)
		require.NoError(t, err, src)
		require.Equal(t, want, c.Match(it), src)
		require.NotPanics(t, func() { c.Match(nil) })
	}
}

func TestConditionRefused(t *testing.T) {
	for src, want := range map[string]string{
		"":                          "The expression can not be empty",
		"id":                        `Syntax error; token: "<EOF>"`,
		"id = ":                     `Syntax error; token: "<EOF>"`,
		"id == :w":                  `Syntax error; token: "="`,
		"id = :w garbage":           `Syntax error; token: "garbage"`,
		"id ! :w":                   `Syntax error; token: "!"`,
		"id = :w AND":               "Syntax error",
		"(id = :w":                  "Syntax error",
		"((id = :w))":               "redundant parentheses",
		"((id = :w) AND (id = :w))": "",
		"l[x] = :1":                 "Syntax error",
		"l[-1] = :1":                "Syntax error",
		"_id = :1":                  "Syntax error",
		"id = :nope":                "not defined; attribute value: :nope",
		"#nope = :w":                "not defined; attribute name: #nope",
		"Status = :w":               "reserved keyword: Status",
		"m.status = :w":             "reserved keyword: status",
		"attribute_exists(:w)":      "requires a document path",
		"attribute_exists(id, id)":  "Syntax error",
		"exists(id)":                "Invalid function name; function: exists",
		"if_not_exists(id, :w)":     "not allowed in a condition",
		"size(id)":                  "not allowed to be used this way",
		"begins_with(id, :7)":       "operand type: N",
		"begins_with(id)":           "Syntax error",
		"epoch < :t":                "operator: <, operand type: BOOL",
		"epoch BETWEEN :9 AND :1":   "upper bound to be greater",
		"epoch BETWEEN :1 AND :w":   "same data type",
		"id = id":                   "must be distinct",
		"epoch IN ()":               "Syntax error",
		"epoch IN (" + strings.Repeat(":1,", 100) + ":1)": "too many operands",
		strings.Repeat("x", 5000):                         "Expression size has exceeded",
		strings.Repeat("NOT ", 1000) + "id":               "Syntax error",
	} {
		_, err := params(t).Condition("ConditionExpression", src)
		if want == "" {
			require.NoError(t, err, src)
			continue
		}
		require.ErrorContains(t, err, "Invalid ConditionExpression: ", src)
		require.ErrorContains(t, err, want, src)
	}
}

func TestUpdate(t *testing.T) {
	before := someItem
	for src, change := range map[string]func(attr.Item){
		"SET epoch = epoch + :1":                       func(it attr.Item) { it["epoch"] = attr.Int(8) },
		"SET epoch = :1 - epoch":                       func(it attr.Item) { it["epoch"] = attr.Int(-6) },
		"set holder = id, id2 = holder2":               nil,
		"SET swap = id, id = epoch":                    func(it attr.Item) { it["swap"], it["id"] = attr.String("writer"), attr.Int(7) },
		"SET n = if_not_exists(n, :1) + :2":            func(it attr.Item) { it["n"] = attr.Int(3) },
		"SET epoch = if_not_exists(epoch, :1)":         func(attr.Item) {},
		"SET l = list_append(l, :l)":                   func(it attr.Item) { it["l"] = list(append(clone(it["l"].List), attr.String("z"))...) },
		"SET l = list_append(if_not_exists(q, :l), l)": func(it attr.Item) { it["l"] = list(append([]attr.Value{attr.String("z")}, it["l"].List...)...) },
		"SET l[1] = :x":                                func(it attr.Item) { l := clone(it["l"].List); l[1] = attr.String("x"); it["l"] = list(l...) },
		"SET l[77] = :x":                               func(it attr.Item) { it["l"] = list(append(clone(it["l"].List), attr.String("x"))...) },
		"SET l[0] = :x REMOVE l[1]":                    func(it attr.Item) { l := clone(it["l"].List); l[0] = attr.String("x"); it["l"] = list(l[0], l[2]) },
		"REMOVE l[0], l[2], l[9]":                      func(it attr.Item) { it["l"] = list(it["l"].List[1]) },
		"REMOVE id, nothing, m.nothing":                func(it attr.Item) { delete(it, "id") },
		"ADD epoch :1, fresh :2":                       func(it attr.Item) { it["epoch"], it["fresh"] = attr.Int(8), attr.Int(2) },
		"ADD tags :set":                                func(it attr.Item) { it["tags"] = attr.Value{Kind: attr.SS, Set: []string{"a", "b", "c"}} },
		"DELETE tags :set":                             func(it attr.Item) { it["tags"] = attr.Value{Kind: attr.SS, Set: []string{"a"}} },
		"DELETE nums :ns ADD m.n :1":                   nil,
		"SET m.deep.er = :1 REMOVE m.#s":               nil,
		"SET nowhere.x = :1":                           nil,
		"SET epoch = :w + :1":                          nil,
	} {
		it := parse(t, before)
		u, err := params(t).Update(src)
		if err != nil {
			require.ErrorContains(t, err, "Invalid UpdateExpression: Incorrect operand type", src)
			continue
		}
		after, err := u.Apply(it)
		require.True(t, attr.EqualItem(parse(t, before), it), "%s changed its input", src)
		switch src {
		case "set holder = id, id2 = holder2":
			require.ErrorContains(t, err, "does not exist in the item")
			continue
		case "SET nowhere.x = :1":
			require.ErrorContains(t, err, "document path provided in the update expression is invalid")
			continue
		}
		require.NoError(t, err, src)
		want := parse(t, before)
		switch src {
		case "DELETE nums :ns ADD m.n :1":
			want["nums"] = attr.Value{Kind: attr.NS, Set: []string{"1"}}
			want["m"].Map["n"] = attr.Int(1)
		case "SET m.deep.er = :1 REMOVE m.#s":
			want["m"].Map["deep"].Map["er"] = attr.Int(1)
			delete(want["m"].Map, "status")
		default:
			change(want)
		}
		require.True(t, attr.EqualItem(want, after), "%s: %s", src, attr.AppendItem(nil, after))
	}
}

func list(v ...attr.Value) attr.Value { return attr.Value{Kind: attr.L, List: v} }

func clone(v []attr.Value) []attr.Value { return append([]attr.Value(nil), v...) }

func TestUpdateRefused(t *testing.T) {
	for src, want := range map[string]string{
		"":                              "can not be empty",
		"epoch = :1":                    "Syntax error",
		"SET epoch":                     "Syntax error",
		"SET epoch = :1,":               "Syntax error",
		"SET epoch = :1 SET n = :1":     `The "SET" section can only be used once`,
		"SET status = :1":               "reserved keyword",
		"SET m = :1 REMOVE m.deep":      "overlap",
		"SET l[0] = :1, l.x = :2":       "conflict",
		"ADD epoch :w":                  "operator: ADD, operand type: S",
		"ADD epoch epoch":               "Syntax error",
		"DELETE tags :1":                "operator: DELETE, operand type: N",
		"SET a = size(id)":              "not allowed in an update expression",
		"SET a = nonsense(id)":          "Invalid function name",
		"SET a = if_not_exists(:1, :2)": "requires a document path",
	} {
		_, err := params(t).Update(src)
		require.ErrorContains(t, err, want, src)
		require.ErrorContains(t, err, "Invalid UpdateExpression", src)
	}
	for src, want := range map[string]string{
		"SET a = id + :1":             "incorrect data type",
		"SET a = list_append(id, :l)": "incorrect data type",
		"ADD id :1":                   "incorrect data type",
		"DELETE nums :set":            "incorrect data type",
		"REMOVE id.x":                 "document path",
		"SET l.x = :1":                "document path",
		"SET l[9].x = :1":             "document path",
	} {
		u, err := params(t).Update(src)
		require.NoError(t, err, src)
		_, err = u.Apply(parse(t, someItem))
		require.ErrorContains(t, err, want, src)
	}
}

func TestProjection(t *testing.T) {
	for src, want := range map[string]string{
		"id, epoch":                   `{"epoch":{"N":"7"},"id":{"S":"writer"}}`,
		"m.deep, m.#s":                `{"m":{"M":{"deep":{"M":{"er":{"N":"-1.5"}}},"status":{"S":"up"}}}}`,
		"l[2][0], l[0], l[7]":         `{"l":{"L":[{"S":"x"},{"L":[{"S":"y"}]}]}}`,
		"nothing, m.nothing, id.deep": `{}`,
	} {
		p, err := params(t).Projection(src)
		require.NoError(t, err)
		require.Equal(t, want, string(attr.AppendItem(nil, p.Apply(parse(t, someItem)))), src)
	}
	_, err := params(t).Projection("m, m.deep")
	require.ErrorContains(t, err, "overlap")
}

func TestPlaceholders(t *testing.T) {
	_, err := expr.NewParams(map[string]string{"s": "status"}, nil)
	require.ErrorContains(t, err, "ExpressionAttributeNames contains invalid key")
	_, err = expr.NewParams(nil, attr.Item{":": attr.Int(1)})
	require.ErrorContains(t, err, "ExpressionAttributeValues contains invalid key")
	p, err := expr.NewParams(map[string]string{"#s": "status"}, attr.Item{":1": attr.Int(1), ":2": attr.Int(2)})
	require.NoError(t, err)
	require.ErrorContains(t, p.Unused(), "{#s}")
	_, err = p.Condition("FilterExpression", "#s = :1")
	require.NoError(t, err)
	require.ErrorContains(t, p.Unused(), "ExpressionAttributeValues unused in expressions: keys: {:2}")
}
