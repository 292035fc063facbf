package cloud_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	eastARN = "arn:aws:rds:us-east-1:123456789012:cluster:lifeboat-us-east-1"
	westARN = "arn:aws:rds:us-west-2:123456789012:cluster:lifeboat-us-west-2"
)

func TestDescribeGlobalClusters(t *testing.T) {
	w := start(t, nil)
	for _, r := range []dr.Region{east, west, witness} {
		out, err := w.rds(r).DescribeGlobalClusters(t.Context(), &rds.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String("Lifeboat")})
		require.NoError(t, err)
		require.Len(t, out.GlobalClusters, 1)
		g := out.GlobalClusters[0]
		require.Equal(t, "lifeboat", *g.GlobalClusterIdentifier)
		require.Equal(t, "arn:aws:rds::123456789012:global-cluster:lifeboat", *g.GlobalClusterArn)
		require.Equal(t, "available", *g.Status)
		require.Equal(t, "aurora-mysql", *g.Engine)
		require.Regexp(t, `^lifeboat\.global-[0-9a-f]{12}\.global\.rds\.amazonaws\.com$`, *g.Endpoint)
		require.Equal(t, w.GlobalEndpoint(), *g.Endpoint)
		require.Nil(t, g.FailoverState)
		require.Len(t, g.GlobalClusterMembers, 2)
		writer, reader := g.GlobalClusterMembers[0], g.GlobalClusterMembers[1]
		require.Equal(t, eastARN, *writer.DBClusterArn)
		require.True(t, *writer.IsWriter)
		require.Equal(t, []string{westARN}, writer.Readers)
		require.Equal(t, westARN, *reader.DBClusterArn)
		require.False(t, *reader.IsWriter)
		require.Empty(t, reader.Readers)
		require.Equal(t, types.GlobalClusterMemberSynchronizationStatusConnected, reader.SynchronizationStatus)
	}
}

func TestDescribeGlobalClustersFilters(t *testing.T) {
	w := start(t, nil)
	for name, tt := range map[string]struct {
		filter, value string
		want          int
	}{
		"member Region":     {"region", "us-west-2", 1},
		"case-sensitive":    {"region", "US-WEST-2", 0},
		"witness":           {"region", "us-east-2", 0},
		"member":            {"db-cluster-id", westARN, 1},
		"member of another": {"db-cluster-id", "other", 0},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.rds(west).DescribeGlobalClusters(t.Context(), &rds.DescribeGlobalClustersInput{
				Filters: []types.Filter{{Name: aws.String(tt.filter), Values: []string{tt.value}}},
			})
			require.NoError(t, err)
			require.Len(t, out.GlobalClusters, tt.want)
		})
	}
}

func TestDescribeDBClusters(t *testing.T) {
	w := start(t, nil)
	out, err := w.rds(west).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("lifeboat-us-west-2")})
	require.NoError(t, err)
	require.Len(t, out.DBClusters, 1)
	c := out.DBClusters[0]
	require.Equal(t, westARN, *c.DBClusterArn)
	require.Equal(t, "available", *c.Status)
	require.Equal(t, "lifeboat", *c.GlobalClusterIdentifier)
	require.Equal(t, eastARN, *c.ReplicationSourceIdentifier)
	require.Equal(t, w.ClusterEndpoint(west), *c.Endpoint)
	require.EqualValues(t, 3306, *c.Port)
	require.Len(t, c.DBClusterMembers, 1)
	require.Equal(t, "lifeboat-us-west-2-1", *c.DBClusterMembers[0].DBInstanceIdentifier)
	require.False(t, *c.DBClusterMembers[0].IsClusterWriter)

	out, err = w.rds(east).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String(eastARN)})
	require.NoError(t, err)
	require.True(t, *out.DBClusters[0].DBClusterMembers[0].IsClusterWriter)
	require.Equal(t, []string{westARN}, out.DBClusters[0].ReadReplicaIdentifiers)
	require.Nil(t, out.DBClusters[0].ReplicationSourceIdentifier)

	out, err = w.rds(witness).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
	require.NoError(t, err)
	require.Empty(t, out.DBClusters)
}

func TestDescribeDBInstances(t *testing.T) {
	w := start(t, func(c *cloud.Config) {
		c.Members = []cloud.Member{{Region: east, Instances: []string{"a", "b"}}, {Region: west, Instances: []string{"c"}}}
	})
	out, err := w.rds(east).DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{
		Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: []string{"lifeboat-us-east-1"}}},
	})
	require.NoError(t, err)
	require.Len(t, out.DBInstances, 2)
	i := out.DBInstances[1]
	require.Equal(t, "b", *i.DBInstanceIdentifier)
	require.Equal(t, "available", *i.DBInstanceStatus)
	require.Equal(t, "lifeboat-us-east-1", *i.DBClusterIdentifier)
	require.Equal(t, "us-east-1b", *i.AvailabilityZone)
	require.Contains(t, *i.Endpoint.Address, ".us-east-1.rds.amazonaws.com")

	out, err = w.rds(east).DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("a")})
	require.NoError(t, err)
	require.Len(t, out.DBInstances, 1)
}

// TestRefusals holds that what AWS refuses is refused with AWS's code.
func TestRefusals(t *testing.T) {
	w := start(t, func(c *cloud.Config) {
		c.Members = []cloud.Member{
			{Region: east, Instances: []string{"a"}}, {Region: west, Instances: []string{"b"}},
			{Region: "eu-west-1"}, {Region: "eu-west-2", Instances: []string{"d"}, EngineVersion: "8.0.mysql_aurora.3.09.0"},
		}
	})
	filter := []types.Filter{{Name: aws.String("engine"), Values: []string{"x"}}}
	failover := func(r dr.Region, in rds.FailoverGlobalClusterInput) error {
		if in.GlobalClusterIdentifier == nil {
			in.GlobalClusterIdentifier = aws.String("lifeboat")
		}
		_, err := w.rds(r).FailoverGlobalCluster(t.Context(), &in)
		return err
	}
	for name, tt := range map[string]struct {
		code string
		call func() error
	}{
		"global cluster not found": {"GlobalClusterNotFoundFault", func() error {
			_, err := w.rds(east).DescribeGlobalClusters(t.Context(), &rds.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String("no")})
			return err
		}},
		"unknown filter": {"InvalidParameterValue", func() error {
			_, err := w.rds(east).DescribeGlobalClusters(t.Context(), &rds.DescribeGlobalClustersInput{Filters: filter})
			return err
		}},
		"page too small": {"InvalidParameterValue", func() error {
			_, err := w.rds(east).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{MaxRecords: aws.Int32(19)})
			return err
		}},
		"strange marker": {"InvalidParameterValue", func() error {
			_, err := w.rds(east).DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{Marker: aws.String("x")})
			return err
		}},
		"cluster of another Region": {"DBClusterNotFoundFault", func() error {
			_, err := w.rds(east).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("lifeboat-us-west-2")})
			return err
		}},
		"instance not found": {"DBInstanceNotFound", func() error {
			_, err := w.rds(east).DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String("b")})
			return err
		}},
		"both modes": {"InvalidParameterCombination", func() error {
			return failover(west, rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String(westARN), AllowDataLoss: aws.Bool(true), Switchover: aws.Bool(true)})
		}},
		"failover of an unknown global cluster": {"GlobalClusterNotFoundFault", func() error {
			return failover(west, rds.FailoverGlobalClusterInput{GlobalClusterIdentifier: aws.String("no"), TargetDbClusterIdentifier: aws.String(westARN), AllowDataLoss: aws.Bool(true)})
		}},
		"target is a bare name": {"DBClusterNotFoundFault", func() error {
			return failover(west, rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String("lifeboat-us-west-2"), AllowDataLoss: aws.Bool(true)})
		}},
		"target is the writer": {"InvalidGlobalClusterStateFault", func() error {
			return failover(east, rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String(eastARN), AllowDataLoss: aws.Bool(true)})
		}},
		"failover called in the primary's Region": {"InvalidParameterValue", func() error {
			return failover(east, rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String(westARN), AllowDataLoss: aws.Bool(true)})
		}},
		// Without AllowDataLoss it is a switchover, whose Region is the primary's.
		"no mode, called in the target's Region": {"InvalidParameterValue", func() error {
			return failover(west, rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String(westARN)})
		}},
		"headless target": {"InvalidDBClusterStateFault", func() error {
			return failover("eu-west-1", rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String(w.ClusterARN("eu-west-1")), AllowDataLoss: aws.Bool(true)})
		}},
		"patch level differs": {"InvalidGlobalClusterStateFault", func() error {
			return failover("eu-west-2", rds.FailoverGlobalClusterInput{TargetDbClusterIdentifier: aws.String(w.ClusterARN("eu-west-2")), AllowDataLoss: aws.Bool(true)})
		}},
		"switchover called in the secondary's Region": {"InvalidParameterValue", func() error {
			_, err := w.rds(west).SwitchoverGlobalCluster(t.Context(), &rds.SwitchoverGlobalClusterInput{
				GlobalClusterIdentifier: aws.String("lifeboat"), TargetDbClusterIdentifier: aws.String(westARN)})
			return err
		}},
		"reboot of another Region's instance": {"DBInstanceNotFound", func() error {
			_, err := w.rds(east).RebootDBInstance(t.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("b")})
			return err
		}},
		"reboot with failover": {"InvalidParameterCombination", func() error {
			_, err := w.rds(east).RebootDBInstance(t.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("a"), ForceFailover: aws.Bool(true)})
			return err
		}},
		"not emulated": {"NotEmulated", func() error {
			_, err := w.rds(east).RemoveFromGlobalCluster(t.Context(), &rds.RemoveFromGlobalClusterInput{
				GlobalClusterIdentifier: aws.String("lifeboat"), DbClusterIdentifier: aws.String(westARN)})
			require.ErrorContains(t, err, "rds operation RemoveFromGlobalCluster is not emulated")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.code, code(t, tt.call())) })
	}
	require.Empty(t, w.Operations())
	require.Empty(t, w.servers.log())
}
