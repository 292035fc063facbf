package cost

// Prices are in dollars, without any free tier or savings plan.
type Prices struct {
	LambdaRequest    float64
	LambdaGBSecond   float64 // of the architecture
	WriteUnit        float64 // of a DynamoDB table on demand: up to 1 KB, in one Region
	ReadUnit         float64 // strongly consistent, up to 4 KB
	GBBetweenRegions float64
	Trace            float64 // of X-Ray
	LogGB            float64 // taken in by CloudWatch Logs
	Metric           float64 // of CloudWatch, a name with its dimensions for a month; billed by the hour
	PutMetric        float64 // a PutMetricData request
	EndpointHour     float64 // of an interface endpoint, in one zone; a part of an hour is a whole one
}

// ListPrices are those of US East (N. Virginia) for arm64. The other two Regions of
// the default deployment cost as much [K].
//
// AWS's own price pages fill their tables in by script, and no copy of them with
// numbers was at hand: hold every number against the AWS Price List before a budget
// rests on it. Where each is from:
//
//   - Lambda: $0.20 per million requests; $0.0000133334 per GB-second on arm64 up to
//     7.5 billion a month, $0.0000166667 on x86_64 (cloudchipr.com/blog/aws-lambda-pricing, 2024; the same in
//     git.mcrn.ar/mariano/lambda_local_runner, May 2026).
//   - DynamoDB: $0.625 per million write units and $0.125 per million read units on
//     demand since November 2024 (airbyte.com, DynamoDB pricing, 2025-07-21). A
//     replicated write costs as much as a plain one, in each replica (DynamoDB
//     developer guide, "Understanding billing for global tables").
//   - Data between Regions: $0.02 per GB [K]. Traces: $5 per million [K].
//   - CloudWatch: $0.50 per GB of logs taken in (factualminds.com, CloudWatch pricing,
//     2026-06-13); $0.30 a month for each of the first 10,000 metrics (signoz.io/guides/cloudwatch-pricing,
//     2026-02-15); $0.01 per thousand PutMetricData requests [K].
//   - Interface endpoints: by the hour and the zone (aws.amazon.com/privatelink/pricing),
//     $0.01 in these Regions [K]; what goes through them is $0.01 per GB [K], which is
//     less than a dollar a month here and not counted.
//
// [K] marks what is known from experience and not confirmed.
var ListPrices = Prices{
	LambdaRequest:    0.20 / 1e6,
	LambdaGBSecond:   0.0000133334,
	WriteUnit:        0.625 / 1e6,
	ReadUnit:         0.125 / 1e6,
	GBBetweenRegions: 0.02,
	Trace:            5.0 / 1e6,
	LogGB:            0.50,
	Metric:           0.30,
	PutMetric:        0.01 / 1e3,
	EndpointHour:     0.01,
}
