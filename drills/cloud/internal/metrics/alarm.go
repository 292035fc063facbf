package metrics

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// States of an alarm.
const (
	stateOK           = "OK"
	stateAlarm        = "ALARM"
	stateInsufficient = "INSUFFICIENT_DATA"
)

type alarm struct {
	name, description string
	metric            Metric
	statistic, unit   string
	period            int
	periods, needed   int // EvaluationPeriods, DatapointsToAlarm
	threshold         float64
	comparison        string
	missing           string // TreatMissingData
	enabled           bool
	actions           map[string][]string // by member name

	state, reason string
	updatedAt     time.Time
	evaluatedAt   time.Time // tick of the last evaluation
}

func (s *Service) putMetricAlarm(call wire.Call, in input) (cbor.Map, error) {
	for _, name := range []string{"Metrics", "ExtendedStatistic", "ThresholdMetricId", "EvaluateLowSampleCountPercentile"} {
		if in.has(name) {
			return nil, wire.NotEmulated("cloudwatch", "parameter "+name+" of PutMetricAlarm")
		}
	}
	a := &alarm{
		name: in.str("AlarmName"), description: in.str("AlarmDescription"),
		metric:    Metric{Namespace: in.str("Namespace"), Name: in.str("MetricName"), Dimensions: dimensions(in)},
		statistic: in.str("Statistic"), unit: in.str("Unit"),
		period: in.integer("Period", 0), periods: in.integer("EvaluationPeriods", 0),
		threshold: in.number("Threshold"), comparison: in.str("ComparisonOperator"),
		missing: in.str("TreatMissingData"), enabled: in.boolean("ActionsEnabled", true),
		actions: map[string][]string{}, state: stateInsufficient, reason: "Unchecked: Initial alarm creation", updatedAt: time.Now(),
	}
	a.needed = in.integer("DatapointsToAlarm", a.periods)
	for _, name := range []string{"AlarmActions", "OKActions", "InsufficientDataActions"} {
		a.actions[name] = in.strings(name)
	}
	if *in.err != nil {
		return nil, *in.err
	}
	if a.missing == "" {
		a.missing = "missing"
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	alarms := s.regions[call.Region].alarms
	if old := alarms[a.name]; old != nil { // an update keeps the state
		a.state, a.reason, a.updatedAt = old.state, old.reason, old.updatedAt
	}
	alarms[a.name] = a
	return nil, nil
}

func validationError(format string, args ...any) error {
	return refuse("ValidationError", "ValidationError", format, args...)
}

func (a *alarm) check() error {
	required := map[string]string{
		"AlarmName": a.name, "MetricName": a.metric.Name, "Namespace": a.metric.Namespace,
		"Statistic": a.statistic, "ComparisonOperator": a.comparison,
	}
	for _, name := range slices.Sorted(maps.Keys(required)) {
		if required[name] == "" {
			return missing(name)
		}
	}
	switch {
	case !slices.Contains([]int{10, 20, 30}, a.period) && (a.period < 60 || a.period%60 != 0):
		return validationError("Period must be 10, 20, 30 or a multiple of 60")
	case a.periods < 1:
		return validationError("EvaluationPeriods must be at least 1")
	case a.needed < 1 || a.needed > a.periods:
		return validationError("DatapointsToAlarm must be between 1 and EvaluationPeriods")
	case a.period*a.periods > 86400 && a.period < 3600:
		return validationError("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)")
	case !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, a.missing):
		return validationError("Invalid TreatMissingData: %s", a.missing)
	}
	if _, ok := one(0).stat(a.statistic); !ok {
		return validationError("Invalid Statistic: %s", a.statistic)
	}
	if _, ok := breaches(a.comparison, 0, 0); !ok {
		return wire.NotEmulated("cloudwatch", "comparison operator "+a.comparison)
	}
	return nil
}

func (s *Service) describeAlarms(call wire.Call, in input) (cbor.Map, error) {
	names, prefix, state := in.strings("AlarmNames"), in.str("AlarmNamePrefix"), in.str("StateValue")
	if *in.err != nil {
		return nil, *in.err
	}
	if len(names) > 0 && prefix != "" {
		return nil, refuse("InvalidParameterCombinationException", "InvalidParameterCombination", "AlarmNames and AlarmNamePrefix can't be specified together.")
	}
	st := s.regions[call.Region]
	found := slices.SortedFunc(maps.Values(st.alarms), func(a, b *alarm) int { return cmp.Compare(a.name, b.name) })
	list := cbor.List{}
	for _, a := range found {
		st.evaluate(a, time.Now())
		if len(names) > 0 && !slices.Contains(names, a.name) || !strings.HasPrefix(a.name, prefix) || state != "" && state != a.state {
			continue
		}
		list = append(list, a.describe(s.cfg.Account, call))
	}
	return cbor.Map{"MetricAlarms": list, "CompositeAlarms": cbor.List{}}, nil
}

func (a *alarm) describe(account string, call wire.Call) cbor.Map {
	dims := cbor.List{}
	for _, d := range a.metric.Dimensions {
		dims = append(dims, cbor.Map{"Name": cbor.String(d.Name), "Value": cbor.String(d.Value)})
	}
	m := cbor.Map{
		"AlarmName":  cbor.String(a.name),
		"AlarmArn":   cbor.String(fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", call.Region, account, a.name)),
		"MetricName": cbor.String(a.metric.Name), "Namespace": cbor.String(a.metric.Namespace), "Dimensions": dims,
		"Statistic": cbor.String(a.statistic), "Period": cbor.Uint(a.period),
		"EvaluationPeriods": cbor.Uint(a.periods), "DatapointsToAlarm": cbor.Uint(a.needed),
		"Threshold": cbor.Float64(a.threshold), "ComparisonOperator": cbor.String(a.comparison),
		"TreatMissingData": cbor.String(a.missing), "ActionsEnabled": cbor.Bool(a.enabled),
		"StateValue": cbor.String(a.state), "StateReason": cbor.String(a.reason),
		"StateUpdatedTimestamp": timestamp(a.updatedAt),
	}
	if a.description != "" {
		m["AlarmDescription"] = cbor.String(a.description)
	}
	if a.unit != "" {
		m["Unit"] = cbor.String(a.unit)
	}
	for name, list := range a.actions {
		m[name] = stringList(list)
	}
	return m
}

// setAlarmState overrides the state until the next evaluation, as CloudWatch
// does.
func (s *Service) setAlarmState(call wire.Call, in input) (cbor.Map, error) {
	name, state, reason := in.str("AlarmName"), in.str("StateValue"), in.str("StateReason")
	if *in.err != nil {
		return nil, *in.err
	}
	a := s.regions[call.Region].alarms[name]
	switch {
	case a == nil:
		return nil, notFound()
	case !slices.Contains([]string{stateOK, stateAlarm, stateInsufficient}, state):
		return nil, validationError("Invalid StateValue: %s", state)
	}
	now := time.Now()
	a.set(state, reason, now)
	a.evaluatedAt = now
	return nil, nil
}

func notFound() error {
	e := wire.Refuse(404, "ResourceNotFound", "The specified alarm does not exist.")
	return e
}

func (s *Service) deleteAlarms(call wire.Call, in input) (cbor.Map, error) {
	names := in.strings("AlarmNames")
	if *in.err != nil {
		return nil, *in.err
	}
	alarms := s.regions[call.Region].alarms
	for _, name := range names {
		if alarms[name] == nil {
			return nil, notFound()
		}
	}
	for _, name := range names {
		delete(alarms, name)
	}
	return nil, nil
}
