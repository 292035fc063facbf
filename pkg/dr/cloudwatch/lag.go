package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// LagConfig says whose lag is read.
type LagConfig struct {
	// Region is the secondary's: the metric exists only there, and moves with the
	// role (Aurora User Guide, metrics of Aurora global databases).
	Region dr.Region
	// Cluster is the identifier of the member cluster in that Region.
	Cluster string
	// Client is a client of that Region.
	Client Reader
	// Timeout is the deadline of one call. Default 1.5 s.
	Timeout time.Duration
}

// RPOLag reads AuroraGlobalDBRPOLag.
type RPOLag struct{ cfg LagConfig }

// NewRPOLag returns the metric's reader, or everything that its configuration lacks.
func NewRPOLag(cfg LagConfig) (*RPOLag, error) {
	errs := []error{checkTimeout(cfg.Timeout)}
	if cfg.Region == "" || cfg.Cluster == "" || cfg.Client == nil {
		errs = append(errs, errors.New("cloudwatch: RPO lag: Region, Cluster and Client are required"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = callTimeout
	}
	return &RPOLag{cfg}, nil
}

// period is how often Aurora sends the metric (Aurora User Guide, monitoring with
// CloudWatch); lookback is how far a late datapoint is looked for.
const (
	period   = 60
	lookback = 10 * time.Minute
)

// Lag returns the highest lag of the newest minute that has a datapoint, as of the
// beginning of that minute; nil when the last ten minutes have none, which is
// unknown and never zero.
func (l *RPOLag) Lag(ctx context.Context) (*health.Lag, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	now := time.Now()
	out, err := l.cfg.Client.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(now.Add(-lookback)),
		EndTime:   aws.Time(now),
		ScanBy:    types.ScanByTimestampDescending,
		MetricDataQueries: []types.MetricDataQuery{{
			Id: aws.String("lag"),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{
					Namespace: aws.String("AWS/RDS"), MetricName: aws.String("AuroraGlobalDBRPOLag"),
					Dimensions: []types.Dimension{{Name: aws.String("DBClusterIdentifier"), Value: aws.String(l.cfg.Cluster)}},
				},
				Period: aws.Int32(period),
				Stat:   aws.String("Maximum"),
			},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: read the RPO lag of %s in %s: %w", l.cfg.Cluster, l.cfg.Region, err)
	}
	for _, r := range out.MetricDataResults {
		if len(r.Values) > 0 && len(r.Timestamps) == len(r.Values) {
			return lag(r.Values[0], r.Timestamps[0]), nil
		}
	}
	return nil, nil
}

// lag is a datapoint in milliseconds; nil when it is no lag at all. A float that a
// Duration can't hold must not wrap around: as a negative lag it would be within any
// objective.
func lag(millis float64, at time.Time) *health.Lag {
	if math.IsNaN(millis) || millis < 0 {
		return nil
	}
	value := time.Duration(math.MaxInt64)
	if ns := millis * float64(time.Millisecond); ns < math.MaxInt64 {
		value = time.Duration(ns)
	}
	return &health.Lag{Value: value, At: at}
}
