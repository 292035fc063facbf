package metrics

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

func dimensions(in input) []Dimension {
	var out []Dimension
	for _, d := range in.structs("Dimensions") {
		out = append(out, Dimension{Name: d.str("Name"), Value: d.str("Value")})
	}
	return out
}

func (s *Service) putMetricData(call wire.Call, in input) (cbor.Map, error) {
	namespace := in.str("Namespace")
	switch {
	case namespace == "":
		return nil, missing("Namespace")
	case strings.HasPrefix(namespace, "AWS/"):
		return nil, invalidValue("The value AWS/ for parameter Namespace is invalid.")
	case in.has("EntityMetricData"):
		return nil, wire.NotEmulated("cloudwatch", "parameter EntityMetricData of PutMetricData")
	}
	data := in.structs("MetricData")
	switch {
	case len(data) == 0:
		return nil, missing("MetricData")
	case len(data) > 1000:
		return nil, invalidValue("The collection MetricData must not have a size greater than 1000.")
	}
	// Nothing is recorded unless all of it is valid.
	var records []func()
	for _, d := range data {
		record, err := s.datum(call, namespace, d)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	if *in.err != nil {
		return nil, *in.err
	}
	for _, record := range records {
		record()
	}
	return nil, nil
}

// datum checks one entry of MetricData and returns what records it.
func (s *Service) datum(call wire.Call, namespace string, d input) (func(), error) {
	m := Metric{Namespace: namespace, Name: d.str("MetricName"), Dimensions: dimensions(d)}
	switch {
	case m.Name == "":
		return nil, missing("MetricData.member.1.MetricName")
	case len(m.Dimensions) > 30:
		return nil, invalidValue("The collection Dimensions must not have a size greater than 30.")
	}
	resolution := d.integer("StorageResolution", 60)
	if resolution != 1 && resolution != 60 {
		return nil, invalidValue("The parameter MetricData.member.1.StorageResolution must be 1 or 60.")
	}
	at, now := d.time("Timestamp"), time.Now()
	switch {
	case at.IsZero():
		at = now
	case at.Before(now.Add(-14 * 24 * time.Hour)):
		return nil, invalidValue("The parameter MetricData.member.1.Timestamp must specify a time no more than two weeks in the past.")
	case at.After(now.Add(2 * time.Hour)):
		return nil, invalidValue("The parameter MetricData.member.1.Timestamp must specify a time within the next two hours.")
	}
	samples, err := values(d)
	if err != nil {
		return nil, err
	}
	unit := d.str("Unit")
	return func() {
		for _, v := range samples {
			s.record(call.Region, m, at, int64(resolution), unit, v)
		}
	}, nil
}

// values reads the one of three ways in which a datum carries its values.
func values(d input) ([]sample, error) {
	given := 0
	for _, name := range []string{"Value", "Values", "StatisticValues"} {
		if d.has(name) {
			given++
		}
	}
	if given != 1 {
		return nil, refuse("InvalidParameterCombinationException", "InvalidParameterCombination",
			"Exactly one of the parameters Value, Values and StatisticValues must be specified.")
	}
	switch {
	case d.has("Value"):
		return []sample{one(d.number("Value"))}, nil
	case d.has("StatisticValues"):
		v := d.structure("StatisticValues")
		return []sample{{count: v.number("SampleCount"), sum: v.number("Sum"), min: v.number("Minimum"), max: v.number("Maximum")}}, nil
	}
	counts := d.list("Counts")
	list := d.list("Values")
	if counts != nil && len(counts) != len(list) {
		return nil, invalidValue("The parameters Values and Counts must have the same size.")
	}
	out := make([]sample, len(list))
	for i, v := range list {
		f, n := d.float("Values", v), 1.0
		if counts != nil {
			n = d.float("Counts", counts[i])
		}
		out[i] = sample{count: n, sum: f * n, min: f, max: f}
	}
	return out, nil
}

func checkPeriod(period int) error {
	switch period {
	case 1, 5, 10, 20, 30:
		return nil
	}
	if period < 60 || period%60 != 0 {
		return invalidValue("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
	}
	return nil
}

func (s *Service) getMetricData(call wire.Call, in input) (cbor.Map, error) {
	from, to := in.time("StartTime"), in.time("EndTime")
	queries := in.structs("MetricDataQueries")
	if len(queries) == 0 {
		return nil, missing("MetricDataQueries")
	}
	if !from.Before(to) {
		return nil, refuse("ValidationError", "ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
	}
	results := cbor.List{}
	for _, q := range queries {
		if q.has("Expression") {
			return nil, wire.NotEmulated("cloudwatch", "metric math (Expression) in GetMetricData")
		}
		r, err := s.result(call, in, q, from, to)
		if err != nil {
			return nil, err
		}
		if q.boolean("ReturnData", true) {
			results = append(results, r)
		}
	}
	if *in.err != nil {
		return nil, *in.err
	}
	return cbor.Map{"MetricDataResults": results, "Messages": cbor.List{}}, nil
}

func (s *Service) result(call wire.Call, in, q input, from, to time.Time) (cbor.Map, error) {
	stat := q.structure("MetricStat")
	metric := stat.structure("Metric")
	m := Metric{Namespace: metric.str("Namespace"), Name: metric.str("MetricName"), Dimensions: dimensions(metric)}
	period := stat.integer("Period", 0)
	if err := checkPeriod(period); err != nil {
		return nil, err
	}
	if _, ok := one(0).stat(stat.str("Stat")); !ok {
		return nil, wire.NotEmulated("cloudwatch", "statistic "+stat.str("Stat"))
	}
	points := s.regions[call.Region].points(m, int64(period), from, to)
	if in.str("ScanBy") != "TimestampAscending" {
		slices.Reverse(points) // newest first is the default
	}
	label := q.str("Label")
	if label == "" {
		label = m.Name
	}
	times, values := cbor.List{}, cbor.List{}
	for _, p := range points {
		v, _ := p.stat(stat.str("Stat"))
		times, values = append(times, timestamp(p.at)), append(values, cbor.Float64(v))
	}
	return cbor.Map{
		"Id": cbor.String(q.str("Id")), "Label": cbor.String(label), "StatusCode": cbor.String("Complete"),
		"Timestamps": times, "Values": values,
	}, nil
}

func (s *Service) getMetricStatistics(call wire.Call, in input) (cbor.Map, error) {
	m := Metric{Namespace: in.str("Namespace"), Name: in.str("MetricName"), Dimensions: dimensions(in)}
	period := in.integer("Period", 0)
	if err := checkPeriod(period); err != nil {
		return nil, err
	}
	stats := in.strings("Statistics")
	if in.has("ExtendedStatistics") {
		return nil, wire.NotEmulated("cloudwatch", "percentiles (ExtendedStatistics)")
	}
	if len(stats) == 0 {
		return nil, missing("Statistics")
	}
	from, to := in.time("StartTime"), in.time("EndTime")
	if *in.err != nil {
		return nil, *in.err
	}
	if !from.Before(to) {
		return nil, refuse("InvalidParameterCombinationException", "InvalidParameterCombination", "The parameter StartTime must be less than the parameter EndTime.")
	}
	st := s.regions[call.Region]
	datapoints := cbor.List{}
	for _, p := range st.points(m, int64(period), from, to) {
		d := cbor.Map{"Timestamp": timestamp(p.at)}
		if unit := st.series[m.key()].unit; unit != "" {
			d["Unit"] = cbor.String(unit)
		}
		for _, name := range stats {
			v, ok := p.stat(name)
			if !ok {
				return nil, invalidValue("The value %s for parameter Statistics is invalid.", name)
			}
			d[name] = cbor.Float64(v)
		}
		datapoints = append(datapoints, d)
	}
	return cbor.Map{"Label": cbor.String(m.Name), "Datapoints": datapoints}, nil
}
