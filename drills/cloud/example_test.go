package cloud_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
)

// A monitor in us-west-2 asks the RDS API of its own Region, first well, then
// throttled.
func Example() {
	c, err := cloud.New(cloud.Config{Servers: newServers()})
	if err != nil {
		log.Fatal(err)
	}
	client := rds.New(rds.Options{
		Region:           "us-west-2",
		HTTPClient:       c.From("us-west-2"),
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "any", SecretAccessKey: "any"}, nil
		}),
	})
	out, err := client.DescribeGlobalClusters(context.Background(), &rds.DescribeGlobalClustersInput{})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range out.GlobalClusters[0].GlobalClusterMembers {
		fmt.Println(*m.DBClusterArn, *m.IsWriter)
	}

	fault, err := cloud.ParseFault("us-west-2/rds/*=throttle")
	if err != nil {
		log.Fatal(err)
	}
	clear := c.SetFault(fault)
	defer clear()
	_, err = client.DescribeGlobalClusters(context.Background(), &rds.DescribeGlobalClustersInput{})
	fmt.Println(err != nil, c.Faults())
	// Output:
	// arn:aws:rds:us-east-1:123456789012:cluster:lifeboat-us-east-1 true
	// arn:aws:rds:us-west-2:123456789012:cluster:lifeboat-us-west-2 false
	// true [us-west-2/rds/*=throttle]
}
