// Package cloudwatch reads Aurora's lag metric as evidence for people, publishes the
// metric that steers Route 53 health checks, and writes events for Lambda's logs.
//
// None of it decides a failover: AWS/RDS metrics come once a minute and late, so
// [RPOLag] is for reports and alarms. [Role] is the data-plane half of a redirect:
// Route 53's own API lives in us-east-1 and must not be needed.
package cloudwatch
