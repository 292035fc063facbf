package aurora

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/awshttp"
)

// GlobalAPI is the part of the RDS API that a Cluster uses.
type GlobalAPI interface {
	DescribeGlobalClusters(context.Context, *rds.DescribeGlobalClustersInput, ...func(*rds.Options)) (*rds.DescribeGlobalClustersOutput, error)
	FailoverGlobalCluster(context.Context, *rds.FailoverGlobalClusterInput, ...func(*rds.Options)) (*rds.FailoverGlobalClusterOutput, error)
	SwitchoverGlobalCluster(context.Context, *rds.SwitchoverGlobalClusterInput, ...func(*rds.Options)) (*rds.SwitchoverGlobalClusterOutput, error)
}

// MemberAPI is the part of the RDS API that shows a member of one Region.
type MemberAPI interface {
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput, ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)
	DescribeDBInstances(context.Context, *rds.DescribeDBInstancesInput, ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)
}

// RebootAPI is the part of the RDS API that an Isolator uses.
type RebootAPI interface {
	MemberAPI
	RebootDBInstance(context.Context, *rds.RebootDBInstanceInput, ...func(*rds.Options)) (*rds.RebootDBInstanceOutput, error)
}

var (
	_ GlobalAPI = (*rds.Client)(nil)
	_ RebootAPI = (*rds.Client)(nil)
)

// NewClient returns a client of one Region's API that tries once: moving a writer
// has no idempotency token, so a caller describes the cluster before it asks again. An empty
// endpoint means AWS's. A nil hc means an HTTP client of its own with a dial
// timeout of 1 s; the SDK's default would wait 30 s for a Region that is gone.
func NewClient(cfg aws.Config, region dr.Region, endpoint string, hc aws.HTTPClient) *rds.Client {
	if hc == nil {
		hc = awshttp.New()
	}
	return rds.NewFromConfig(cfg, func(o *rds.Options) {
		o.Region = region.String()
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.HTTPClient = hc
		o.Retryer = aws.NopRetryer{}
		o.RetryMaxAttempts = 0
	})
}
