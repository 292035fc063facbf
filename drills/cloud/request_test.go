package cloud_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
)

// TestRequestsAsTheyAreWritten sends what no SDK writes, one after the other: nothing of
// a request is left for the next one.
func TestRequestsAsTheyAreWritten(t *testing.T) {
	w := start(t, func(c *cloud.Config) { c.Tables = []cloud.Table{{Name: "t", PartitionKey: "id"}} })
	for _, tt := range []struct {
		operation, body string
		status          int
		want            string
	}{
		{"PutItem", `"Item":{"id":{"S":"x"},"n":{"N":"007"},"s":{"S":"a\"\u00e9\\"}}`, 200, `{}`},
		{"GetItem", `"Key":{"id":{"S":"x"}}`, 200, `{"Item":{"id":{"S":"x"},"n":{"N":"7"},"s":{"S":"a\"é\\"}}}`},
		{"GetItem", `"Key":{"id":{"S":"y"},"id":{"S":"x"}},"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"s","#n":"n"}`, 200, `{"Item":{"n":{"N":"7"}}}`},
		{"GetItem", `"Key":{"id":{"S":"x"}},"ProjectionExpression":"#n"`, 400, "attribute name used in the document path is not defined"},
		{"GetItem", `"Key":{"id":{"S":"x"},"a":{"S":"x"}}`, 400, "does not match the schema"},
		{"GetItem", `"Key":{"id":{"S":"x"},"a":{"S":"x"},"b":{"S":"x"},"a":{"S":"x"}}`, 400, "does not match the schema"},
		{"GetItem", `"Key":null`, 400, "does not match the schema"},
		{"GetItem", ``, 400, "does not match the schema"},
		{"GetItem", `"Key":{"id":{"S":"y"}}`, 200, `{}`},
		{"UpdateItem", `"Key":{"id":{"S":"x"}},"UpdateExpression":"SET n = n + :a","ExpressionAttributeValues":{":a":{"N":"1"}},"ReturnValues":"ALL_NEW"`, 200, `{"Attributes":{"id":{"S":"x"},"n":{"N":"8"},"s":{"S":"a\"é\\"}}}`},
		{"GetItem", `"Key":{"id":{"S":"x"}}`, 200, `{"Item":{"id":{"S":"x"},"n":{"N":"8"},"s":{"S":"a\"é\\"}}}`},
		{"UpdateItem", `"Key":{"id":{"S":"x"}},"UpdateExpression":"SET n = n + :a","ReturnValues":"ALL_NEW"`, 400, "attribute value used in expression is not defined"},
		{"UpdateItem", `"Key":{"id":{"S":"x"}},"UpdateExpression":"SET n = n + :a","ExpressionAttributeValues":{":a":{"S":"1"}}`, 400, "Incorrect operand type"},
		{"UpdateItem", `"Key":{"id":{"S":"z"}},"UpdateExpression":"SET m = :m","ExpressionAttributeValues":{":m":{"M":{"k":{"L":[{"S":"v"}]}}}},"ReturnValues":"ALL_NEW"`, 200, `{"Attributes":{"id":{"S":"z"},"m":{"M":{"k":{"L":[{"S":"v"}]}}}}}`},
		{"UpdateItem", `"Key":{"id":{"S":"x"}},"UpdateExpression":"SET n = :m","ExpressionAttributeValues":{":m":{"M":{}}}`, 200, `{}`},
		{"GetItem", `"Key":{"id":{"S":"z"}}`, 200, `{"Item":{"id":{"S":"z"},"m":{"M":{"k":{"L":[{"S":"v"}]}}}}}`},
		{"DeleteItem", `"Key":{"id":{"S":"x"}},"ReturnValues":"ALL_OLD"`, 200, `{"Attributes":{"id":{"S":"x"},"n":{"M":{}},"s":{"S":"a\"é\\"}}}`},
		{"GetItem", `"Key":{"id":{"S":"x"}}`, 200, `{}`},
	} {
		body := `{"TableName":"t","ConsistentRead":true`
		if tt.body != "" {
			body += "," + tt.body
		}
		r := newRequest(t, east, "dynamodb", tt.operation, body+"}")
		resp, err := w.RoundTripper(east).Do(r.Request)
		require.NoError(t, err)
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, tt.status, resp.StatusCode, "%s %s: %s", tt.operation, tt.body, answer)
		if tt.status == http.StatusOK {
			require.Equal(t, tt.want, string(answer), "%s %s", tt.operation, tt.body)
		} else {
			require.Contains(t, string(answer), tt.want, "%s %s", tt.operation, tt.body)
		}
	}
}
