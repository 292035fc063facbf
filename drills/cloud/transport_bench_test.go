package cloud_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// sent are the calls of a simulated world as the adapters' SDK clients send them, the
// most frequent ones first: of 100 calls 45, 33, 8, 6, 5 and 4.
var sent = []struct{ name, service, body string }{
	{"GetItem", "dynamodb", `{"ConsistentRead":true,"Key":{"pk":{"S":"ledger"},"sk":{"S":"monitor-lease#us-east-1"}},"TableName":"lifeboat"}`},
	{"PutItem", "dynamodb", `{"ConditionExpression":"#number = :number AND #beat = :beat AND #holder = :holder AND #next = :next AND #released = :released",` +
		`"ExpressionAttributeNames":{"#number":"number","#beat":"beat","#holder":"holder","#next":"next","#released":"released"},` +
		`"ExpressionAttributeValues":{":number":{"N":"5"},":beat":{"N":"5"},":holder":{"S":"health-monitor-5/CRZYPPU2"},":next":{"S":""},":released":{"BOOL":false}},` +
		`"Item":` + monitorLeaseItem + `,"ReturnValuesOnConditionCheckFailure":"ALL_OLD","TableName":"lifeboat"}`},
	{"UpdateItem", "dynamodb", `{"ConditionExpression":"#epoch = :epoch AND #holder = :holder",` +
		`"ExpressionAttributeNames":{"#rev":"rev","#at":"renewed_at","#epoch":"epoch","#holder":"holder"},` +
		`"ExpressionAttributeValues":{":one":{"N":"1"},":at":{"S":"2000-01-01T00:00:02.353266303Z"},":epoch":{"N":"1"},":holder":{"S":"us-east-1"}},` +
		`"Key":{"pk":{"S":"ledger"},"sk":{"S":"lease"}},"ReturnValues":"ALL_NEW","TableName":"lifeboat","UpdateExpression":"SET #rev = #rev + :one, #at = :at"}`},
	{"Query", "dynamodb", `{"ConsistentRead":true,"ExpressionAttributeNames":{"#pk":"pk","#sk":"sk"},` +
		`"ExpressionAttributeValues":{":pk":{"S":"ledger"},":prefix":{"S":"heartbeat#"}},` +
		`"KeyConditionExpression":"#pk = :pk AND begins_with(#sk, :prefix)","TableName":"lifeboat"}`},
	{"DescribeDBClusters", "rds", "Action=DescribeDBClusters&DBClusterIdentifier=lifeboat-us-east-1&Version=2014-10-31"},
	{"DescribeDBInstances", "rds", "Action=DescribeDBInstances&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=lifeboat-us-east-1&Version=2014-10-31"},
	{"DescribeGlobalClusters", "rds", "Action=DescribeGlobalClusters&GlobalClusterIdentifier=lifeboat&Version=2014-10-31"},
}

const monitorLeaseItem = `{"pk":{"S":"ledger"},"sk":{"S":"monitor-lease#us-east-1"},"holder":{"S":"health-monitor-5/CRZYPPU2"},"number":{"N":"5"},"beat":{"N":"5"},` +
	`"next":{"S":""},"released":{"BOOL":false},"written_at":{"S":"2000-01-01T00:00:35.642653465Z"}}`

// stored is what the calls find.
var stored = []string{
	monitorLeaseItem,
	`{"pk":{"S":"ledger"},"sk":{"S":"lease"},"epoch":{"N":"1"},"holder":{"S":"us-east-1"},"rev":{"N":"1"},"execution":{"S":""},"renewed_at":{"S":"2000-01-01T00:00:02.353266303Z"}}`,
	heartbeatItem("us-east-1"), heartbeatItem("us-west-2"), heartbeatItem("us-east-2"),
}

func heartbeatItem(region string) string {
	return `{"pk":{"S":"ledger"},"sk":{"S":"heartbeat#` + region + `"},"seq":{"N":"946684853363346"},"published_at":{"S":"2000-01-01T00:00:58.363340037Z"},` +
		`"report":{"S":"{\"Region\":\"` + region + `\",\"Seq\":946684853363346,\"FencedEpoch\":0,\"LeaseRev\":115,\"LeaseUnchanged\":497961354,\"Observations\":` +
		`[` + strings.Repeat(`{\"Subject\":\"us-east-1\",\"Family\":\"control\",\"Method\":\"RDS API\",\"Answer\":1,\"Cause\":\"\",\"Age\":796261229,\"Samples\":5,\"RegionAnswers\":true},`, 3) +
		`null],\"At\":\"2000-01-01T00:00:58.363340037Z\"}"}}`
}

// request is a call that can be sent again and again.
type request struct {
	*http.Request
	body string
	read *strings.Reader
}

func newRequest(t testing.TB, to dr.Region, service, operation, body string) *request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+service+"."+string(to)+".amazonaws.com/", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", signature(to, service))
	if service == "dynamodb" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	}
	q := &request{Request: r, body: body, read: strings.NewReader(body)}
	q.Body, q.ContentLength = io.NopCloser(q.read), int64(len(body))
	return q
}

func (q *request) send(client *cloud.Transport) error {
	q.read.Reset(q.body)
	resp, err := client.Do(q.Request)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body) // at worst the status is all there is to say
		return &http.ProtocolError{ErrorString: resp.Status + " " + string(text)}
	}
	return nil
}

// startStored starts a cloud with the deployed table and what the calls find in it.
func startStored(b *testing.B, edit func(*cloud.Config)) *world {
	b.Helper()
	w := start(b, func(c *cloud.Config) {
		c.Tables = []cloud.Table{{Name: "lifeboat", PartitionKey: "pk", SortKey: "sk"}}
		edit(c)
	})
	for _, it := range stored {
		put := newRequest(b, east, "dynamodb", "PutItem", `{"TableName":"lifeboat","Item":`+it+`}`)
		require.NoError(b, put.send(w.RoundTripper(east)))
	}
	return w
}

// BenchmarkTransport measures the emulated side of one call, without the SDK's and
// without any distance.
func BenchmarkTransport(b *testing.B) {
	for _, call := range sent {
		b.Run(call.name, func(b *testing.B) {
			// As long as versions are kept, they are a cost of the number of calls.
			w := startStored(b, func(c *cloud.Config) {
				c.Latency = func(a, b dr.Region) time.Duration { return 0 }
				c.History = time.Millisecond
			})
			r, client := newRequest(b, east, call.service, call.name, call.body), w.From(east)
			b.ReportAllocs()
			for b.Loop() {
				if err := r.send(client); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
