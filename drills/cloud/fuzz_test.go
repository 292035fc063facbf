package cloud_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// FuzzBody sends any body to any operation: each is answered, none with a
// server error of its own making.
func FuzzBody(f *testing.F) {
	operations := []string{
		"dynamodb GetItem", "dynamodb PutItem", "dynamodb UpdateItem", "dynamodb DeleteItem", "dynamodb Query", "dynamodb DescribeTable",
		"monitoring PutMetricData", "monitoring GetMetricData", "monitoring GetMetricStatistics", "monitoring PutMetricAlarm",
		"monitoring DescribeAlarms", "monitoring SetAlarmState", "monitoring DeleteAlarms", "rds", "sns", "secretsmanager GetSecretValue",
	}
	seed := func(op int, body string) { f.Add(uint8(op), []byte(body)) }
	seed(0, `{"TableName":"lease","Key":{"id":{"S":"x"}},"ConsistentRead":true,"ProjectionExpression":"a.b[1]"}`)
	seed(1, `{"TableName":"lease","Item":{"id":{"S":"x"},"n":{"N":"1e5"}},"ConditionExpression":"attribute_not_exists(id)"}`)
	seed(2, `{"TableName":"journal","Key":{"id":{"S":"x"},"seq":{"N":"1"}},"UpdateExpression":"SET a = :a","ExpressionAttributeValues":{":a":{"L":[]}},"ReturnValues":"UPDATED_NEW"}`)
	seed(4, `{"TableName":"journal","KeyConditionExpression":"id = :i AND seq > :s","ExpressionAttributeValues":{":i":{"S":"x"},":s":{"N":"0"}},"Limit":1,"Select":"COUNT"}`)
	metric := cbor.Map{"Namespace": cbor.String("n"), "MetricName": cbor.String("m"), "Period": cbor.Uint(60), "EvaluationPeriods": cbor.Uint(3),
		"AlarmName": cbor.String("a"), "Statistic": cbor.String("Sum"), "Threshold": cbor.Float64(1), "ComparisonOperator": cbor.String("GreaterThanThreshold"),
		"StartTime": &cbor.Tag{ID: 1, Value: cbor.Uint(1)}, "EndTime": &cbor.Tag{ID: 1, Value: cbor.Uint(100)}, "Statistics": cbor.List{cbor.String("Sum")},
		"MetricData": cbor.List{cbor.Map{"MetricName": cbor.String("m"), "Values": cbor.List{cbor.Float64(1)}, "Counts": cbor.List{cbor.Uint(2)}}}}
	for op := 6; op <= 12; op++ {
		f.Add(uint8(op), cbor.Encode(metric))
	}
	seed(13, "Action=DescribeDBClusters&Version=2014-10-31&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=x")
	seed(13, "Action=RebootDBInstance&Version=2014-10-31&DBInstanceIdentifier=x")
	seed(14, "Action=Publish&Version=2010-03-31&TopicArn=x&Message=y&MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.DataType=String")

	for _, call := range []string{
		"Action=DescribeGlobalClusters&GlobalClusterIdentifier=lifeboat", "Action=DescribeDBClusters&DBClusterIdentifier=lifeboat-us-east-1",
		"Action=DescribeDBInstances&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=lifeboat-us-east-1",
		"Action=FailoverGlobalCluster&GlobalClusterIdentifier=lifeboat&TargetDbClusterIdentifier=x&AllowDataLoss=true",
		"Action=SwitchoverGlobalCluster&GlobalClusterIdentifier=lifeboat&TargetDbClusterIdentifier=x",
		"Action=RebootDBInstance&DBInstanceIdentifier=lifeboat-us-east-1-1",
	} {
		seed(13, call+"&Version=2014-10-31")
	}
	seed(1, `{"TableName":"lease","Item":{"id":{"S":"x"},"s":{"SS":["a","b"]},"n":{"NS":["1","-2.5"]},"b":{"BS":["AA=="]},"m":{"M":{"l":{"L":[{"NULL":true},{"BOOL":false},{"B":""}]}}}}}`)
	seed(2, `{"TableName":"lease","Key":{"id":{"S":"x"}},"UpdateExpression":"SET n = n + :a REMOVE m ADD s :s","ConditionExpression":"size(s) < :a OR NOT contains(s, :b)","ExpressionAttributeValues":{":a":{"N":"9e99"},":b":{"S":"a"},":s":{"SS":["c"]}},"ReturnValues":"ALL_NEW","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`)
	seed(4, `{"TableName":"names","KeyConditionExpression":"#i = :i AND begins_with(#n, :s)","ExpressionAttributeNames":{"#i":"id","#n":"name"},"ExpressionAttributeValues":{":i":{"S":"x"},":s":{"S":""}},"ScanIndexForward":false,"FilterExpression":"attribute_exists(a)","ExclusiveStartKey":{"id":{"S":"x"},"name":{"S":"y"}}}`)
	seed(5, `{"TableName":"journal"}`)
	seed(15, `{"SecretId":"login","VersionStage":"AWSCURRENT","VersionId":null}`)
	seed(15, `{"SecretId":"x","VersionId":"00000000-0000-4000-8000-000000000000"}`)

	w := start(f, func(c *cloud.Config) {
		c.Latency = func(a, b dr.Region) time.Duration { return 0 }
		c.Secrets = []cloud.Secret{{Region: east, Name: "login", Value: "secret"}}
	})
	client := w.RoundTripper(east)
	f.Fuzz(func(t *testing.T, op uint8, body []byte) {
		service, operation, _ := strings.Cut(operations[int(op)%len(operations)], " ")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x/", strings.NewReader(string(body)))
		require.NoError(t, err)
		r.Header.Set("Authorization", signature(east, service))
		switch service {
		case "dynamodb":
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		case "secretsmanager":
			r.Header.Set("X-Amz-Target", "secretsmanager."+operation)
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		case "monitoring":
			r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
			r.URL.Path = "/service/GraniteServiceVersion20100801/operation/" + operation
		}
		resp, err := client.Do(r)
		require.NoError(t, err)
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		if resp.StatusCode >= 500 {
			require.Equal(t, 501, resp.StatusCode, "%s", answer)
			require.Contains(t, string(answer), "is not emulated")
		}
	})
}
