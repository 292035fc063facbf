package cloudwatch_test

import (
	"context"
	"math"
	"testing"
	"time"

	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
)

// datapoints is a CloudWatch that answers with two results: one of as many values and
// timestamps as told, then one whole datapoint.
type datapoints struct {
	cloudwatch.Reader
	values, timestamps int
	value              float64
	at                 time.Time
}

func (d datapoints) GetMetricData(context.Context, *awscloudwatch.GetMetricDataInput, ...func(*awscloudwatch.Options)) (*awscloudwatch.GetMetricDataOutput, error) {
	first := types.MetricDataResult{Values: make([]float64, d.values), Timestamps: make([]time.Time, d.timestamps)}
	for i := range first.Values {
		first.Values[i] = d.value
	}
	for i := range first.Timestamps {
		first.Timestamps[i] = d.at
	}
	return &awscloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{first, {Values: []float64{7}, Timestamps: []time.Time{d.at}}}}, nil
}

// FuzzLag reads any datapoint. A lag is what was measured, in whole nanoseconds, or the
// longest there is; what can't be a lag is unknown, and never a small one.
func FuzzLag(f *testing.F) {
	for _, value := range []float64{0, 340.5, -1, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxInt64, 9223372036854.775, math.SmallestNonzeroFloat64, math.Copysign(0, -1)} {
		f.Add(value, uint8(1), uint8(1))
	}
	f.Add(340.5, uint8(0), uint8(1))
	f.Add(340.5, uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, value float64, values, timestamps uint8) {
		at := time.Unix(1700000000, 0)
		d := datapoints{values: int(values % 4), timestamps: int(timestamps % 4), value: value, at: at}
		source, err := cloudwatch.NewRPOLag(cloudwatch.LagConfig{Client: d, Region: west, Cluster: "orders-west"})
		require.NoError(t, err)
		got, err := source.Lag(t.Context())
		require.NoError(t, err)
		if d.values == 0 || d.values != d.timestamps {
			value = 7 // the whole one
		}
		if math.IsNaN(value) || value < 0 {
			require.Nil(t, got, "%v ms", value)
			return
		}
		require.NotNil(t, got)
		require.Equal(t, at, got.At)
		require.GreaterOrEqual(t, got.Value, time.Duration(0))
		if value < 9e12 { // 285 years, in what a Duration holds
			require.InDelta(t, value, float64(got.Value)/1e6, 1e-6+value*1e-12)
		} else {
			require.Greater(t, got.Value, 280*365*24*time.Hour)
		}
	})
}
