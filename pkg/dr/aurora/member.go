package aurora

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// member is one Region's cluster as its API shows it.
type member struct {
	status    string
	writer    string            // instance; "" when the API names none, as for a secondary
	instances []string          // in the cluster, the writer included
	states    map[string]string // of each instance
}

// down lists the states in which an instance serves nothing (Aurora User Guide,
// viewing instance status). Other words than these and "available" say nothing: an
// instance that is being modified or backed up serves writes.
var down = map[string]bool{
	"rebooting": true, "starting": true, "stopped": true, "stopping": true, "failed": true,
	"inaccessible-encryption-credentials": true,
}

func describeCluster(ctx context.Context, api MemberAPI, cluster string) (member, error) {
	out, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String(cluster)})
	if err != nil {
		return member{}, err
	}
	var m member
	for _, c := range out.DBClusters {
		m.status = aws.ToString(c.Status)
		for _, i := range c.DBClusterMembers {
			id := aws.ToString(i.DBInstanceIdentifier)
			m.instances = append(m.instances, id)
			if aws.ToBool(i.IsClusterWriter) {
				m.writer = id
			}
		}
	}
	return m, nil
}

func describeInstances(ctx context.Context, api MemberAPI, cluster string) (map[string]string, error) {
	out, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{
		Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: []string{cluster}}},
	})
	if err != nil {
		return nil, err
	}
	states := make(map[string]string)
	for _, i := range out.DBInstances {
		states[aws.ToString(i.DBInstanceIdentifier)] = aws.ToString(i.DBInstanceStatus)
	}
	return states, nil
}

// others counts the instances besides the writer that could take over.
func (m member) others() int {
	n := 0
	for _, id := range m.instances {
		if state := m.states[id]; id != m.writer && state != "" && state != "creating" && !down[state] {
			n++
		}
	}
	return n
}
