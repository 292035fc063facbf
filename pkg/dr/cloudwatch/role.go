package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The role metric: 1 for the Region that has the writer, 0 for the other one. Its
// dimensions are Region and GlobalCluster.
const (
	Namespace  = "Lifeboat"
	RoleMetric = "WriterHere"
)

// RoleConfig says where the role metric is published.
type RoleConfig struct {
	Topology dr.Topology
	// Region is the process's own, whose CloudWatch is written to: the alarms that the
	// health checks follow are in both Regions, and the surviving one feeds its own.
	Region dr.Region
	// Client is a client of that Region.
	Client Putter
	// Timeout is the deadline of one attempt; there are two. Default 1.5 s, and
	// never more than half of what is left of the call's own deadline.
	Timeout time.Duration
}

// Role publishes which Region has the writer. Route 53 health checks follow an alarm
// on the metric's data, at standard resolution: once a minute (Route 53 developer
// guide, health checks that monitor CloudWatch alarms). An alarm needs a steady
// stream, so publish every minute, not only when the writer has moved.
type Role struct{ cfg RoleConfig }

// NewRole returns the metric's publisher, or everything that its configuration lacks.
func NewRole(cfg RoleConfig) (*Role, error) {
	errs := []error{cfg.Topology.Validate(), checkTimeout(cfg.Timeout)}
	if !slices.Contains(cfg.Topology.Members, cfg.Region) {
		errs = append(errs, errors.New("cloudwatch: role: Region is not a member of the topology: give the one that publishes"))
	}
	if cfg.Client == nil {
		errs = append(errs, errors.New("cloudwatch: role: Client is required"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = callTimeout
	}
	return &Role{cfg}, nil
}

// Redirect publishes that the writer is in a Region. It is one half of
// failover.Router and idempotent.
func (r *Role) Redirect(ctx context.Context, to dr.Region, _ dr.Epoch) error {
	if !slices.Contains(r.cfg.Topology.Members, to) {
		return fmt.Errorf("cloudwatch: redirect to %s: it is not a member of the topology", to)
	}
	now := time.Now()
	put := &cloudwatch.PutMetricDataInput{Namespace: aws.String(Namespace)}
	for _, m := range r.cfg.Topology.Members {
		value := 0.0
		if m == to {
			value = 1
		}
		put.MetricData = append(put.MetricData, types.MetricDatum{
			MetricName: aws.String(RoleMetric), Timestamp: aws.Time(now), Value: aws.Float64(value), Unit: types.StandardUnitNone,
			StorageResolution: aws.Int32(60), // Route 53 can't read high resolution
			Dimensions: []types.Dimension{
				{Name: aws.String("Region"), Value: aws.String(m.String())},
				{Name: aws.String("GlobalCluster"), Value: aws.String(r.cfg.Topology.GlobalCluster)},
			},
		})
	}
	var err error
	for left := 2; left > 0; left-- {
		if err = r.put(ctx, put, left); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("cloudwatch: publish that the writer is in %s, from %s: %w", to, r.cfg.Region, err)
}

func (r *Role) put(ctx context.Context, put *cloudwatch.PutMetricDataInput, left int) error {
	timeout := r.cfg.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/time.Duration(left))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := r.cfg.Client.PutMetricData(ctx, put)
	return err
}
