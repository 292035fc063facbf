package cloud_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// BenchmarkHandler measures the emulated side alone.
func BenchmarkHandler(b *testing.B) {
	w := start(b, func(c *cloud.Config) {
		c.Latency = func(a, b dr.Region) time.Duration { return 0 }
	})
	put(b, w.dynamo(east), "lease", item("id", "writer", "epoch", 7, "holder", "us-east-1", "renewals", 0))
	for _, bb := range []struct{ name, service, target, body string }{
		{"GetItem", "dynamodb", "DynamoDB_20120810.GetItem", `{"ConsistentRead":true,"Key":{"id":{"S":"writer"}},"TableName":"lease"}`},
		{"UpdateItem", "dynamodb", "DynamoDB_20120810.UpdateItem", `{"ConditionExpression":"epoch = :e AND holder = :h","ExpressionAttributeValues":{":one":{"N":"1"},":h":{"S":"us-east-1"},":e":{"N":"7"}},"Key":{"id":{"S":"writer"}},"ReturnValues":"ALL_NEW","TableName":"lease","UpdateExpression":"SET renewals = renewals + :one, holder = :h"}`},
		{"DescribeGlobalClusters", "rds", "", "Action=DescribeGlobalClusters&GlobalClusterIdentifier=lifeboat&Version=2014-10-31"},
		{"DescribeDBClusters", "rds", "", "Action=DescribeDBClusters&DBClusterIdentifier=lifeboat-us-east-1&Version=2014-10-31"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://x/", nil)
			require.NoError(b, err)
			r.Header.Set("Authorization", signature(east, bb.service))
			if bb.target != "" {
				r.Header.Set("X-Amz-Target", bb.target)
			}
			tr := w.RoundTripper(east)
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(bytes.NewReader([]byte(bb.body)))
				r.ContentLength = int64(len(bb.body))
				resp, err := tr.Do(r)
				if err != nil || resp.StatusCode != 200 {
					b.Fatal(resp, err)
				}
			}
		})
	}
}
