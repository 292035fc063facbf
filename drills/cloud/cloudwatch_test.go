package cloud_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

var clusterDimension = []types.Dimension{{Name: aws.String("Region"), Value: aws.String("us-east-1")}}

func (w *world) metric(t *testing.T, r dr.Region, data ...types.MetricDatum) {
	t.Helper()
	for i := range data {
		data[i].MetricName, data[i].Dimensions = aws.String("Writer"), clusterDimension
	}
	_, err := w.watch(r).PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Lifeboat"), MetricData: data})
	require.NoError(t, err)
}

func (w *world) data(t *testing.T, r dr.Region, namespace, name, stat string, period int32, dims []types.Dimension) ([]float64, []time.Time) {
	t.Helper()
	out, err := w.watch(r).GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Second)), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String(namespace), MetricName: aws.String(name), Dimensions: dims},
			Period: aws.Int32(period), Stat: aws.String(stat),
		}}},
	})
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 1)
	require.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode)
	return out.MetricDataResults[0].Values, out.MetricDataResults[0].Timestamps
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		base := time.Now().UTC()
		high := types.MetricDatum{Value: aws.Float64(1), StorageResolution: aws.Int32(1)}
		for range 25 {
			w.metric(t, west, high)
			after(time.Second)
		}
		w.metric(t, west, types.MetricDatum{Values: []float64{2, 4}, Counts: []float64{1, 3}, StorageResolution: aws.Int32(1)})
		w.metric(t, west, types.MetricDatum{StatisticValues: &types.StatisticSet{
			SampleCount: aws.Float64(2), Sum: aws.Float64(10), Minimum: aws.Float64(-1), Maximum: aws.Float64(11)}, StorageResolution: aws.Int32(1)})

		values, times := w.data(t, west, "Lifeboat", "Writer", "SampleCount", 10, clusterDimension)
		require.Equal(t, []float64{10, 10, 11}, values)
		require.Equal(t, base.Add(10*time.Second), times[1].UTC())
		values, _ = w.data(t, west, "Lifeboat", "Writer", "Sum", 60, clusterDimension)
		require.Equal(t, []float64{25 + 2 + 12 + 10}, values)
		values, _ = w.data(t, east, "Lifeboat", "Writer", "Sum", 60, clusterDimension)
		require.Empty(t, values, "metrics are Regional")
		values, _ = w.data(t, west, "Lifeboat", "Writer", "Sum", 60, nil)
		require.Empty(t, values, "dimensions are part of the identity")

		stats, err := w.watch(west).GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("Lifeboat"), MetricName: aws.String("Writer"), Dimensions: clusterDimension, Period: aws.Int32(60),
			StartTime: aws.Time(base), EndTime: aws.Time(base.Add(time.Minute)),
			Statistics: []types.Statistic{types.StatisticMaximum, types.StatisticMinimum, types.StatisticAverage},
		})
		require.NoError(t, err)
		require.Len(t, stats.Datapoints, 1)
		require.Equal(t, 11.0, *stats.Datapoints[0].Maximum)
		require.Equal(t, -1.0, *stats.Datapoints[0].Minimum)
		require.InDelta(t, 49.0/31, *stats.Datapoints[0].Average, 1e-9)
	})
}

// TestCompressedMetrics sends a body so large that the SDK compresses it.
func TestCompressedMetrics(t *testing.T) {
	w := start(t, nil)
	var data []types.MetricDatum
	for i := range 600 {
		data = append(data, types.MetricDatum{Value: aws.Float64(float64(i))})
	}
	w.metric(t, east, data...)
	values, _ := w.data(t, east, "Lifeboat", "Writer", "Maximum", 3600, clusterDimension)
	require.Equal(t, 599.0, values[len(values)-1])
}

// TestRPOLag holds that Aurora's lag exists in the secondary Region only, by
// the minute, and late.
func TestRPOLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		require.ErrorContains(t, w.RecordRPOLag(east, time.Second), "only a secondary")
		require.Error(t, w.RecordRPOLag(witness, time.Second))
		for _, ms := range []int{100, 200, 600} {
			require.NoError(t, w.RecordRPOLag(west, time.Duration(ms)*time.Millisecond))
			after(time.Second)
		}
		lag := func(dims ...string) []float64 {
			var list []types.Dimension
			for i := 0; i < len(dims); i += 2 {
				list = append(list, types.Dimension{Name: aws.String(dims[i]), Value: aws.String(dims[i+1])})
			}
			values, _ := w.data(t, west, "AWS/RDS", "AuroraGlobalDBRPOLag", "Average", 60, list)
			return values
		}
		require.Empty(t, lag("DBClusterIdentifier", "lifeboat-us-west-2"))
		after(2 * time.Minute)
		require.Equal(t, []float64{300}, lag("DBClusterIdentifier", "lifeboat-us-west-2"))
		require.Equal(t, []float64{300}, lag("SourceRegion", "us-east-1", "DBClusterIdentifier", "lifeboat-us-west-2"))

		require.NoError(t, w.failover(t.Context(), west))
		after(3 * time.Second)
		require.Error(t, w.RecordRPOLag(west, time.Second), "the roles have changed")
		require.NoError(t, w.RecordRPOLag(east, time.Second))
	})
}

// TestAlarms follows the user guide's tables of missing data for 3 out of 3
// and 2 out of 3. X breaches, 0 does not, - is missing; the newest is last.
func TestAlarms(t *testing.T) {
	const (
		ok, alarm, none = types.StateValueOk, types.StateValueAlarm, types.StateValueInsufficientData
		keep            = types.StateValue("keep")
	)
	for _, tt := range []struct {
		points                               string
		needed                               int32
		missing, ignore, breaching, notBreak types.StateValue
	}{
		{"0-X-X", 3, ok, ok, ok, ok},
		{"----0", 3, ok, ok, ok, ok},
		{"-----", 3, none, keep, alarm, ok},
		{"0XX-X", 3, alarm, alarm, alarm, alarm},
		{"--X--", 3, alarm, keep, alarm, ok},
		{"0-X-X", 2, alarm, alarm, alarm, alarm},
		{"00X0X", 2, alarm, alarm, alarm, alarm},
		{"0-X--", 2, ok, ok, alarm, ok},
		{"----0", 2, ok, ok, alarm, ok},
		{"---X-", 2, alarm, keep, alarm, ok},
	} {
		for treat, want := range map[string]types.StateValue{
			"missing": tt.missing, "ignore": tt.ignore, "breaching": tt.breaching, "notBreaching": tt.notBreak,
		} {
			t.Run(fmt.Sprintf("%d of 3 %s %s", tt.needed, tt.points, treat), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := start(t, nil)
					after(time.Minute)
					w.alarm(t, func(in *cloudwatch.PutMetricAlarmInput) {
						in.TreatMissingData, in.DatapointsToAlarm = aws.String(treat), aws.Int32(tt.needed)
					})
					for _, p := range tt.points {
						switch p {
						case 'X':
							w.metric(t, west, types.MetricDatum{Value: aws.Float64(0)})
						case '0':
							w.metric(t, west, types.MetricDatum{Value: aws.Float64(1)})
						}
						after(time.Minute)
					}
					if want == keep {
						want = none // what it was created with
					}
					require.Equal(t, want, w.state(t).StateValue)
				})
			})
		}
	}
}

func (w *world) alarm(t *testing.T, edit func(*cloudwatch.PutMetricAlarmInput)) {
	t.Helper()
	require.NoError(t, w.tryAlarm(t, edit))
}

func (w *world) tryAlarm(t *testing.T, edit func(*cloudwatch.PutMetricAlarmInput)) error {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("writer-us-east-1"), AlarmDescription: aws.String("steers Route 53"),
		Namespace: aws.String("Lifeboat"), MetricName: aws.String("Writer"), Dimensions: clusterDimension,
		Statistic: types.StatisticMinimum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3),
		Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorLessThanThreshold,
		AlarmActions: []string{w.TopicARN(west, "people")},
	}
	if edit != nil {
		edit(in)
	}
	_, err := w.watch(west).PutMetricAlarm(t.Context(), in)
	return err
}

func (w *world) state(t *testing.T) types.MetricAlarm {
	t.Helper()
	out, err := w.watch(west).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"writer-us-east-1"}})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 1)
	return out.MetricAlarms[0]
}

func TestAlarmLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		w.alarm(t, func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(10) })
		a := w.state(t)
		require.Equal(t, types.StateValueInsufficientData, a.StateValue)
		require.Equal(t, "arn:aws:cloudwatch:us-west-2:123456789012:alarm:writer-us-east-1", *a.AlarmArn)
		require.Equal(t, clusterDimension, a.Dimensions)
		require.Equal(t, []string{w.TopicARN(west, "people")}, a.AlarmActions)
		require.EqualValues(t, 3, *a.DatapointsToAlarm)

		// High resolution: three tens of seconds, evaluated every ten.
		for range 31 {
			w.metric(t, west, types.MetricDatum{Value: aws.Float64(0), StorageResolution: aws.Int32(1)})
			after(time.Second)
		}
		require.Equal(t, types.StateValueAlarm, w.state(t).StateValue)
		require.NotEmpty(t, *w.state(t).StateReason)

		// SetAlarmState lasts until the next evaluation.
		_, err := w.watch(west).SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("writer-us-east-1"), StateValue: types.StateValueOk, StateReason: aws.String("drill")})
		require.NoError(t, err)
		require.Equal(t, types.StateValueOk, w.state(t).StateValue)
		after(10 * time.Second)
		require.Equal(t, types.StateValueAlarm, w.state(t).StateValue)

		out, err := w.watch(west).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueOk})
		require.NoError(t, err)
		require.Empty(t, out.MetricAlarms)
		out, err = w.watch(east).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
		require.NoError(t, err)
		require.Empty(t, out.MetricAlarms, "alarms are Regional")

		_, err = w.watch(west).DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"writer-us-east-1"}})
		require.NoError(t, err)
		out, err = w.watch(west).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("writer")})
		require.NoError(t, err)
		require.Empty(t, out.MetricAlarms)
	})
}

func TestCloudWatchRefusals(t *testing.T) {
	w := start(t, nil)
	c := w.watch(west)
	datum := []types.MetricDatum{{MetricName: aws.String("x"), Value: aws.Float64(1)}}
	putting := func(namespace string, data []types.MetricDatum) func() error {
		return func() error {
			_, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace), MetricData: data})
			return err
		}
	}
	alarming := func(edit func(*cloudwatch.PutMetricAlarmInput)) func() error {
		return func() error { return w.tryAlarm(t, edit) }
	}
	for name, tt := range map[string]struct {
		code string
		call func() error
	}{
		"AWS's own namespace": {"InvalidParameterValue", putting("AWS/RDS", datum)},
		"nothing to put":      {"MissingParameter", putting("Lifeboat", nil)},
		"two weeks late":      {"InvalidParameterValue", putting("Lifeboat", []types.MetricDatum{{MetricName: aws.String("x"), Value: aws.Float64(1), Timestamp: aws.Time(time.Now().Add(-15 * 24 * time.Hour))}})},
		"no value":            {"InvalidParameterCombination", putting("Lifeboat", []types.MetricDatum{{MetricName: aws.String("x")}})},
		"odd resolution":      {"InvalidParameterValue", putting("Lifeboat", []types.MetricDatum{{MetricName: aws.String("x"), Value: aws.Float64(1), StorageResolution: aws.Int32(5)}})},
		"odd alarm period":    {"ValidationError", alarming(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(45) })},
		"five second alarm":   {"ValidationError", alarming(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(5) })},
		"more than a day":     {"ValidationError", alarming(func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2000) })},
		"no statistic":        {"MissingParameter", alarming(func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "" })},
		"4 of 3":              {"ValidationError", alarming(func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(4) })},
		"metric math": {"NotEmulated", alarming(func(in *cloudwatch.PutMetricAlarmInput) {
			in.Metrics = []types.MetricDataQuery{{Id: aws.String("e"), Expression: aws.String("m*2")}}
		})},
		"state of no alarm": {"ResourceNotFound", func() error {
			_, err := c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("no"), StateValue: types.StateValueOk, StateReason: aws.String("x")})
			_, ok := errors.AsType[*types.ResourceNotFound](err)
			require.True(t, ok, "%v", err)
			return err
		}},
		"not emulated": {"NotEmulated", func() error {
			_, err := c.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
			require.ErrorContains(t, err, "cloudwatch operation ListMetrics is not emulated")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.code, code(t, tt.call())) })
	}
}
