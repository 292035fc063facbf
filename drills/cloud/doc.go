// Package cloud is a fake of AWS: emulated Regions that speak the wire
// protocols of RDS, DynamoDB, CloudWatch, SNS and Secrets Manager well enough
// that aws-sdk-go-v2 clients (rds v1.132.1, dynamodb v1.73.1, cloudwatch
// v1.75.5, sns v1.47.9, secretsmanager v1.50.10) can't tell the difference for
// the operations it has. Nothing here talks to AWS, checks a signature or knows
// a secret that its configuration did not make up.
//
// It exists to be broken. Every call has a fault switch ([Cloud.SetFault]),
// Regions can be cut off from each other ([Cloud.SetLink]), and the emulated
// control plane acts on real or in-memory database servers through [Servers].
//
// One implementation serves three ways: [Cloud.Handler] behind a listener per
// Region, [Cloud.RoundTripper] and [Cloud.From] in process without sockets,
// which also work inside a testing/synctest bubble, and [Cloud.DNS] with
// [Cloud.Resolve] for the global writer endpoint. [Cloud.Run] owns every
// background goroutine.
//
// # What it has
//
//   - RDS: DescribeGlobalClusters, DescribeDBClusters, DescribeDBInstances,
//     FailoverGlobalCluster, SwitchoverGlobalCluster, RebootDBInstance.
//   - DynamoDB, tables with multi-Region strong consistency: GetItem, PutItem,
//     UpdateItem, DeleteItem, Query, DescribeTable. Transactions and TTL are
//     refused, as AWS refuses them on such tables.
//   - CloudWatch: PutMetricData, GetMetricData, GetMetricStatistics,
//     PutMetricAlarm, DescribeAlarms, SetAlarmState, DeleteAlarms.
//   - SNS: Publish, CreateTopic.
//   - Secrets Manager: GetSecretValue, of secrets with one version each.
//
// Anything else answers HTTP 501 with the code NotEmulated and the name of what
// is missing. What AWS refuses is refused with AWS's code where the
// documentation or the API model names one; the cases where it does not are
// marked "unconfirmed" in the source.
package cloud
