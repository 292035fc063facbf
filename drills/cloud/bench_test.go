package cloud_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// callNames are the operations of a drill, in the order they are reported.
var callNames = []string{
	"GetItem", "PutItem", "UpdateItem", "Query", "DescribeGlobalClusters", "DescribeDBClusters",
	"DescribeDBInstances", "PutMetricData", "Publish",
}

// sdkCalls returns one call of each operation, against a cloud without latency.
func sdkCalls(b *testing.B) map[string]func() error {
	w := start(b, func(c *cloud.Config) {
		c.Latency = func(a, b dr.Region) time.Duration { return 0 }
	})
	ddb, db, cw, topics := w.dynamo(east), w.rds(east), w.watch(east), w.sns(east)
	key := item("id", "writer")
	calls := map[string]func() error{
		"GetItem": func() error {
			_, err := ddb.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: aws.String("lease"), Key: key, ConsistentRead: aws.Bool(true)})
			return err
		},
		"PutItem": func() error {
			_, err := ddb.PutItem(b.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("lease"), Item: item("id", "writer", "holder", "us-east-1", "epoch", 7, "renewals", 0),
				ConditionExpression:       aws.String("attribute_not_exists(id) OR epoch = :e"),
				ExpressionAttributeValues: item(":e", 7),
			})
			return err
		},
		"UpdateItem": func() error {
			_, err := ddb.UpdateItem(b.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String("lease"), Key: key,
				UpdateExpression:          aws.String("SET renewals = renewals + :one, holder = :h"),
				ConditionExpression:       aws.String("epoch = :e AND holder = :h"),
				ExpressionAttributeValues: item(":one", 1, ":h", "us-east-1", ":e", 7),
				ReturnValues:              types.ReturnValueAllNew,
			})
			return err
		},
		"Query": func() error {
			_, err := ddb.Query(b.Context(), &dynamodb.QueryInput{
				TableName: aws.String("journal"), ConsistentRead: aws.Bool(true), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(5),
				KeyConditionExpression: aws.String("id = :id AND seq > :s"), ExpressionAttributeValues: item(":id", "run", ":s", 2),
			})
			return err
		},
		"DescribeGlobalClusters": func() error {
			_, err := db.DescribeGlobalClusters(b.Context(), &rds.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String("lifeboat")})
			return err
		},
		"DescribeDBClusters": func() error {
			_, err := db.DescribeDBClusters(b.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("lifeboat-us-east-1")})
			return err
		},
		"DescribeDBInstances": func() error {
			_, err := db.DescribeDBInstances(b.Context(), &rds.DescribeDBInstancesInput{})
			return err
		},
		"PutMetricData": func() error {
			_, err := cw.PutMetricData(b.Context(), &cloudwatch.PutMetricDataInput{
				Namespace: aws.String("Lifeboat"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("Writer"), Value: aws.Float64(1)}},
			})
			return err
		},
		"Publish": func() error {
			_, err := topics.Publish(b.Context(), &sns.PublishInput{TopicArn: aws.String(w.TopicARN(east, "people")), Message: aws.String("failover")})
			return err
		},
	}
	put(b, ddb, "lease", item("id", "writer", "epoch", 7, "holder", "us-east-1", "renewals", 0))
	for seq := range 10 {
		put(b, ddb, "journal", item("id", "run", "seq", seq, "state", "Fenced", "outcome", "intent"))
	}
	return calls
}

// BenchmarkCall measures one SDK call and its answer, in process.
func BenchmarkCall(b *testing.B) {
	calls := sdkCalls(b)
	for _, name := range callNames {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, calls[name]())
			}
		})
	}
}

// BenchmarkDrill measures the calls of one virtual-time drill, about 700. They
// have to cost less than 150 ms of real time together.
func BenchmarkDrill(b *testing.B) {
	calls := sdkCalls(b)
	mix := map[string]int{
		"GetItem": 150, "PutItem": 50, "UpdateItem": 150, "Query": 30, "DescribeGlobalClusters": 100,
		"DescribeDBClusters": 100, "DescribeDBInstances": 50, "PutMetricData": 60, "Publish": 10,
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range callNames {
			for range mix[name] {
				require.NoError(b, calls[name]())
			}
		}
	}
}
