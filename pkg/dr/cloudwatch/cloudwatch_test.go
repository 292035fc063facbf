package cloudwatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
)

func rpoLag(t *testing.T, w *wire) *cloudwatch.RPOLag {
	t.Helper()
	l, err := cloudwatch.NewRPOLag(cloudwatch.LagConfig{Region: west, Cluster: "orders-west", Client: cloudwatch.NewClient(anyone(), west, "", w)})
	require.NoError(t, err)
	return l
}

func results(points ...any) reply {
	r := cbor.Map{"Id": cbor.String("lag"), "StatusCode": cbor.String("Complete")}
	values, times := cbor.List{}, cbor.List{}
	for i := 0; i < len(points); i += 2 {
		times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(points[i].(float64))})
		values = append(values, cbor.Float64(points[i+1].(float64)))
	}
	r["Timestamps"], r["Values"] = times, values
	return reply{200, cbor.Map{"MetricDataResults": cbor.List{r}}}
}

func TestFault07RPOLagReadsTheSecondarysMetricByItsRealDimension(t *testing.T) {
	w := &wire{replies: []reply{results(1700000060.0, 340.5, 1700000000.0, 12.0), results()}}
	lag, err := rpoLag(t, w).Lag(t.Context())
	require.NoError(t, err)
	require.Equal(t, 340500*time.Microsecond, lag.Value)
	require.Equal(t, time.Unix(1700000060, 0).UTC(), lag.At.UTC())

	require.Equal(t, "monitoring.us-west-2.amazonaws.com", w.seen[0].host, "the metric exists in the secondary's Region only")
	require.Equal(t, "GetMetricData", w.seen[0].op)
	query := at(t, w.seen[0].body, "MetricDataQueries", 0, "MetricStat")
	require.Equal(t, cbor.String("AWS/RDS"), at(t, query, "Metric", "Namespace"))
	require.Equal(t, cbor.String("AuroraGlobalDBRPOLag"), at(t, query, "Metric", "MetricName"))
	require.Equal(t, cbor.List{cbor.Map{"Name": cbor.String("DBClusterIdentifier"), "Value": cbor.String("orders-west")}}, at(t, query, "Metric", "Dimensions"))
	require.EqualValues(t, cbor.Uint(60), at(t, query, "Period"))

	lag, err = rpoLag(t, w).Lag(t.Context())
	require.NoError(t, err)
	require.Nil(t, lag, "no datapoint is unknown, not zero")
}

func TestRPOLagInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := rpoLag(t, &wire{replies: []reply{{}}}).Lag(t.Context())
		require.ErrorContains(t, err, "cloudwatch: read the RPO lag of orders-west in us-west-2")
		require.Equal(t, 1500*time.Millisecond, time.Since(began))
	})
}

func TestRolePublishesBothRegions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{replies: []reply{{}, {200, cbor.Map{}}}}
		role, err := cloudwatch.NewRole(cloudwatch.RoleConfig{Topology: topology(), Region: west, Client: cloudwatch.NewClient(anyone(), west, "", w)})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		require.NoError(t, role.Redirect(ctx, west, 5), "the first attempt must leave time for the second")
		require.Len(t, w.seen, 2)
		require.Equal(t, 750*time.Millisecond, w.seen[0].timeout)
		require.Equal(t, "monitoring.us-west-2.amazonaws.com", w.seen[1].host)
		require.Equal(t, cbor.String("Lifeboat"), at(t, w.seen[1].body, "Namespace"))
		for i, want := range []struct {
			region string
			value  float64
		}{{"us-east-1", 0}, {"us-west-2", 1}} {
			d := at(t, w.seen[1].body, "MetricData", i)
			require.Equal(t, cbor.String("WriterHere"), at(t, d, "MetricName"))
			require.Equal(t, cbor.Float64(want.value), at(t, d, "Value"))
			require.EqualValues(t, cbor.Uint(60), at(t, d, "StorageResolution"), "Route 53 reads standard resolution only")
			require.Equal(t, cbor.List{
				cbor.Map{"Name": cbor.String("Region"), "Value": cbor.String(want.region)},
				cbor.Map{"Name": cbor.String("GlobalCluster"), "Value": cbor.String("orders")},
			}, at(t, d, "Dimensions"))
		}
		require.ErrorContains(t, role.Redirect(ctx, "us-east-2", 5), "not a member")
	})
}

func TestRoleGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{replies: []reply{{}, {}}}
		role, err := cloudwatch.NewRole(cloudwatch.RoleConfig{Topology: topology(), Region: west, Client: cloudwatch.NewClient(anyone(), west, "", w)})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, role.Redirect(ctx, west, 5), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestEvents(t *testing.T) {
	var out bytes.Buffer
	e, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: &out, Region: west, GlobalCluster: "orders"})
	require.NoError(t, err)
	when := time.UnixMilli(1700000000123)
	tr := e.Trace()
	tr.OnVerdict(dr.VerdictChange{At: when, Vantage: west, Subject: east, State: "Impaired", Why: "sql dead"})
	tr.OnState(dr.StateChange{At: when, Execution: "x", From: east, To: west, Epoch: 5, State: "Settled"})
	tr.OnLease(dr.LeaseChange{At: when, Epoch: 5, What: dr.LeaseFenced})
	tr.OnProblem(dr.Problem{At: when, Op: "renew lease", Err: errBroken})
	require.NoError(t, e.Err())

	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Len(t, lines, 4)
	for i, want := range [][]string{{"VerdictChanges"}, {"StateChanges", "ExecutionsSettled"}, {"LeaseChanges"}, {"Problems"}} {
		var line struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		require.NoError(t, json.Unmarshal(lines[i], &line))
		require.EqualValues(t, 1700000000123, line.AWS.Timestamp)
		require.Len(t, line.AWS.CloudWatchMetrics, 1)
		m := line.AWS.CloudWatchMetrics[0]
		require.Equal(t, "Lifeboat", m.Namespace)
		require.Equal(t, [][]string{{"Region", "GlobalCluster"}}, m.Dimensions)
		var all map[string]any
		require.NoError(t, json.Unmarshal(lines[i], &all))
		var names []string
		for _, metric := range m.Metrics {
			names = append(names, metric.Name)
			require.EqualValues(t, 1, all[metric.Name], "the metric's value must be in the line")
		}
		require.Equal(t, want, names)
		require.Equal(t, "us-west-2", all["Region"])
		require.Equal(t, "orders", all["GlobalCluster"])
	}

	e, err = cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: broken{}, Region: west, GlobalCluster: "orders"})
	require.NoError(t, err)
	e.Trace().OnProblem(dr.Problem{At: when})
	require.ErrorIs(t, e.Err(), errBroken)
}

func TestConfigurationsReportEverythingAtOnce(t *testing.T) {
	_, err := cloudwatch.NewRole(cloudwatch.RoleConfig{Timeout: -1})
	for _, want := range []string{"GlobalCluster is empty", "not a member", "Client is required", "Timeout"} {
		require.ErrorContains(t, err, want)
	}
	_, err = cloudwatch.NewRPOLag(cloudwatch.LagConfig{})
	require.ErrorContains(t, err, "required")
	_, err = cloudwatch.NewEvents(cloudwatch.EventsConfig{})
	require.ErrorContains(t, err, "required")
}
