package dynamo_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// address is the item as the service returns it, under a name.
func address(member, value string) string {
	return `"` + member + `":{"pk":{"S":"orders"},"sk":{"S":"address#us-west-2"},"address":{"S":"` + value + `"},"reader":{"S":"ro-` + value + `"}}`
}

func refusedFor(value string) reply {
	return reply{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",` + address("Item", value) + `}`}
}

func TestAnnounce(t *testing.T) {
	for name, c := range map[string]struct {
		replies   []reply
		ops       []string
		condition string
		err       string
	}{
		"the first one":                 {[]reply{ok(`{}`), ok(`{}`)}, []string{"GetItem", "PutItem"}, "attribute_not_exists(pk)", ""},
		"another one":                   {[]reply{ok("{" + address("Item", "old:1") + "}"), ok(`{}`)}, []string{"GetItem", "PutItem"}, "#address = :seen AND #reader = :reads", ""},
		"one without a reader":          {[]reply{ok(`{"Item":{"sk":{"S":"address#us-west-2"},"address":{"S":"db:1"}}}`), ok(`{}`)}, []string{"GetItem", "PutItem"}, "#address = :seen AND attribute_not_exists(#reader)", ""},
		"a reader that is no string":    {[]reply{ok(`{"Item":{"sk":{"S":"address#us-west-2"},"address":{"S":"db:1"},"reader":{"N":"1"}}}`)}, []string{"GetItem"}, "", "attribute reader is not a string"},
		"the same again":                {[]reply{ok("{" + address("Item", "db:1") + "}")}, []string{"GetItem"}, "", ""},
		"at once with its like":         {[]reply{ok(`{}`), refusedFor("db:1")}, []string{"GetItem", "PutItem"}, "attribute_not_exists(pk)", ""},
		"at once with another":          {[]reply{ok(`{}`), refusedFor("else:1")}, []string{"GetItem", "PutItem"}, "attribute_not_exists(pk)", "another process has announced else:1 with reader ro-else:1"},
		"at once with one that is gone": {[]reply{ok(`{}`), refuse("ConditionalCheckFailedException")}, []string{"GetItem", "PutItem"}, "attribute_not_exists(pk)", "at the same time"},
		"while its answer is lost":      {[]reply{ok(`{}`), silence, refusedFor("db:1")}, []string{"GetItem", "PutItem", "PutItem"}, "attribute_not_exists(pk)", ""},
		"into a table that refuses":     {[]reply{refuse("AccessDeniedException")}, []string{"GetItem"}, "", "look up address: table lifeboat-test from us-west-2"},
		"beside an item edited by hand": {[]reply{ok(`{"Item":{"sk":{"S":"address#us-west-2"},"address":{"N":"1"}}}`)}, []string{"GetItem"}, "", "item address#us-west-2: attribute address is not a string"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := script(t, c.replies...)
				err := s.Announce(t.Context(), west, dynamo.Place{Address: "db:1", Reader: "ro-db:1"})
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.err)
				}
				require.Equal(t, c.ops, w.ops())
				last := w.seen[len(w.seen)-1].Body
				if c.condition == "" {
					require.Equal(t, true, last["ConsistentRead"])
					return
				}
				require.Equal(t, c.condition, last["ConditionExpression"])
				require.Equal(t, map[string]any{"S": "db:1"}, last["Item"].(map[string]any)["address"])
				require.Equal(t, map[string]any{"S": "ro-db:1"}, last["Item"].(map[string]any)["reader"])
			})
		})
	}
}

func TestAddress(t *testing.T) {
	_, s := script(t, ok("{"+address("Item", "db:1")+"}"), ok(`{}`))
	got, err := s.Address(t.Context(), west)
	require.NoError(t, err)
	require.Equal(t, dynamo.Place{Address: "db:1", Reader: "ro-db:1"}, got)
	_, err = s.Address(t.Context(), west)
	require.ErrorIs(t, err, dynamo.ErrNoAddress)
	require.ErrorContains(t, err, "us-west-2: its health monitor announces it")
}
