package aurora

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// ClusterConfig says which global database is moved, and from where.
type ClusterConfig struct {
	// GlobalCluster is the identifier of the Aurora global database.
	GlobalCluster string
	// Region is the process's own, whose API describes and fails over.
	Region dr.Region
	// Clients returns the API of a Region, or nil when there is none. A failover
	// uses the local Region's only; a switchover asks the writer's.
	Clients func(dr.Region) GlobalAPI
	// Timeout is the deadline of one call. Default 1.5 s.
	Timeout time.Duration
}

// Validate reports everything that is wrong with the configuration at once.
func (c ClusterConfig) Validate() error {
	var errs []error
	if c.GlobalCluster == "" {
		errs = append(errs, errors.New("aurora: cluster: GlobalCluster is empty: name the Aurora global database"))
	}
	if c.Region == "" {
		errs = append(errs, errors.New("aurora: cluster: Region is empty"))
	}
	if c.Clients == nil || c.Region != "" && c.Clients(c.Region) == nil {
		errs = append(errs, errors.New("aurora: cluster: Clients must return the API of the local Region"))
	}
	if c.Timeout < 0 {
		errs = append(errs, fmt.Errorf("aurora: cluster: Timeout %v is negative: give a positive duration, or 0 for 1.5s", c.Timeout))
	}
	return errors.Join(errs...)
}

// Cluster is an Aurora global database, seen from one Region. It implements
// failover.Promoter and is safe for concurrent use.
type Cluster struct{ cfg ClusterConfig }

var _ failover.Promoter = (*Cluster)(nil)

// NewCluster returns the global database, or everything that its configuration
// lacks.
func NewCluster(cfg ClusterConfig) (*Cluster, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = callTimeout
	}
	return &Cluster{cfg}, nil
}

// callTimeout is the default deadline of one call to the RDS API.
const callTimeout = 1500 * time.Millisecond

// Describe implements failover.Promoter. Status is AWS's word for the global
// cluster, known to Lifeboat or not.
func (c *Cluster) Describe(ctx context.Context) (failover.Cluster, error) {
	g, err := c.describe(ctx, "describe")
	if err != nil {
		return failover.Cluster{}, err
	}
	return g.cluster, nil
}

// Failover implements failover.Promoter: it asks the local Region, which must be the
// one to be promoted, for FailoverGlobalCluster with AllowDataLoss. Left out, that
// flag would silently mean a switchover (RDS API reference). A target that is the
// writer already, or to which the writer fails over, needs no request.
func (c *Cluster) Failover(ctx context.Context, to dr.Region) error {
	op := "fail over to " + to.String()
	if to != c.cfg.Region {
		return c.fail(op, fmt.Errorf("the Region to be promoted must ask, not %s", c.cfg.Region))
	}
	target, err := c.target(ctx, op, to, true)
	if err != nil || target.moved {
		return err
	}
	call, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	_, err = c.cfg.Clients(to).FailoverGlobalCluster(call, &rds.FailoverGlobalClusterInput{
		GlobalClusterIdentifier:   aws.String(c.cfg.GlobalCluster),
		TargetDbClusterIdentifier: aws.String(target.arn),
		AllowDataLoss:             aws.Bool(true),
	})
	return c.fail(op, err)
}

// Switchover implements failover.Promoter: it asks the writer's Region for
// SwitchoverGlobalCluster, as AWS wants it (Aurora User Guide, disaster recovery). A
// target that is the writer already, or to which it switches over, needs no request.
func (c *Cluster) Switchover(ctx context.Context, to dr.Region) error {
	op := "switch over to " + to.String()
	target, err := c.target(ctx, op, to, false)
	if err != nil || target.moved {
		return err
	}
	if target.sync == string(types.GlobalClusterMemberSynchronizationStatusPendingResync) {
		return c.fail(op, fmt.Errorf("%s has not caught up (%s): wait until it is connected", to, target.sync))
	}
	api := c.cfg.Clients(target.writer)
	if api == nil {
		return c.fail(op, fmt.Errorf("no API client of %s, where the writer is", target.writer))
	}
	call, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	_, err = api.SwitchoverGlobalCluster(call, &rds.SwitchoverGlobalClusterInput{
		GlobalClusterIdentifier:   aws.String(c.cfg.GlobalCluster),
		TargetDbClusterIdentifier: aws.String(target.arn),
	})
	if err != nil {
		return apiError(op, c.subject(), target.writer, err)
	}
	return nil
}

// global is a described global cluster.
type global struct {
	cluster  failover.Cluster
	dataLoss bool // what moves the writer is a failover
	members  []types.GlobalClusterMember
}

func (c *Cluster) describe(ctx context.Context, op string) (global, error) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	out, err := c.cfg.Clients(c.cfg.Region).DescribeGlobalClusters(call, &rds.DescribeGlobalClustersInput{
		GlobalClusterIdentifier: aws.String(c.cfg.GlobalCluster),
	})
	if err != nil {
		return global{}, c.fail(op, err)
	}
	if len(out.GlobalClusters) != 1 {
		return global{}, c.fail(op, fmt.Errorf("the answer holds %d global clusters, not 1", len(out.GlobalClusters)))
	}
	gc := out.GlobalClusters[0]
	g := global{cluster: failover.Cluster{Status: aws.ToString(gc.Status)}, members: gc.GlobalClusterMembers}
	for _, m := range gc.GlobalClusterMembers {
		if !aws.ToBool(m.IsWriter) {
			continue
		}
		if g.cluster.Writer != "" {
			return global{}, c.fail(op, errors.New("the answer names two writers: read again"))
		}
		if g.cluster.Writer, err = regionOf(m.DBClusterArn); err != nil {
			return global{}, c.fail(op, err)
		}
	}
	// The SDK's enum lacks "switching-over", which the documentation has, so only
	// the target matters: AWS names one as long as something is under way.
	if fs := gc.FailoverState; fs != nil && aws.ToString(fs.ToDbClusterArn) != "" {
		g.dataLoss = aws.ToBool(fs.IsDataLossAllowed)
		if g.cluster.MovingTo, err = regionOf(fs.ToDbClusterArn); err != nil {
			return global{}, c.fail(op, err)
		}
	}
	return g, nil
}

// target is the member that shall become the writer.
type target struct {
	arn    string
	sync   string
	writer dr.Region // as it is now
	moved  bool      // the target is the writer, or becomes it
}

func (c *Cluster) target(ctx context.Context, op string, to dr.Region, dataLoss bool) (target, error) {
	g, err := c.describe(ctx, op)
	if err != nil {
		return target{}, err
	}
	switch now := g.cluster; {
	case now.MovingTo == to && g.dataLoss == dataLoss, now.MovingTo == "" && now.Writer == to:
		return target{moved: true}, nil
	case now.MovingTo != "":
		return target{}, c.fail(op, fmt.Errorf("the writer is being moved to %s by another operation: let that end first", now.MovingTo))
	}
	for _, m := range g.members {
		if r, err := regionOf(m.DBClusterArn); err == nil && r == to {
			return target{arn: aws.ToString(m.DBClusterArn), sync: string(m.SynchronizationStatus), writer: g.cluster.Writer}, nil
		}
	}
	return target{}, c.fail(op, fmt.Errorf("it has no member in %s", to))
}

func (c *Cluster) subject() string { return "global cluster " + c.cfg.GlobalCluster }

// fail wraps an error of the local Region; nil stays nil.
func (c *Cluster) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return apiError(op, c.subject(), c.cfg.Region, err)
}

// regionOf returns the Region in a member cluster's ARN. One that names none would be
// taken for no writer, and for no failover under way.
func regionOf(clusterARN *string) (dr.Region, error) {
	a, err := arn.Parse(aws.ToString(clusterARN))
	if err == nil && (a.Service != "rds" || a.Region == "" || !strings.HasPrefix(a.Resource, "cluster:")) {
		err = errors.New("it names no cluster in a Region")
	}
	if err != nil {
		return "", fmt.Errorf("member cluster %q: %w", aws.ToString(clusterARN), err)
	}
	return dr.Region(a.Region), nil
}
