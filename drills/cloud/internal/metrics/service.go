// Package metrics emulates CloudWatch: metrics of one-second and one-minute
// resolution, and alarms on single metrics that are evaluated when a call
// describes them.
//
// Not emulated: metric math, percentiles, composite alarms, alarm actions,
// anomaly detection, metric streams.
package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Config describes the emulated service.
type Config struct {
	Account string
	Regions []dr.Region
	// Delay is how long after its minute a point of an AWS/ namespace shows.
	Delay time.Duration
}

// Service is the emulated CloudWatch. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu      sync.Mutex
	regions map[dr.Region]*store
}

// store is what one Region has: nothing is shared between Regions.
type store struct {
	series map[string]*series
	alarms map[string]*alarm
}

// New returns a Service without metrics or alarms.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg, regions: map[dr.Region]*store{}}
	for _, r := range cfg.Regions {
		s.regions[r] = &store{series: map[string]*series{}, alarms: map[string]*alarm{}}
	}
	return s
}

// Serve answers one call.
func (s *Service) Serve(_ context.Context, call wire.Call) ([]byte, error) {
	handlers := map[string]func(wire.Call, input) (cbor.Map, error){
		"PutMetricData":       s.putMetricData,
		"GetMetricData":       s.getMetricData,
		"GetMetricStatistics": s.getMetricStatistics,
		"PutMetricAlarm":      s.putMetricAlarm,
		"DescribeAlarms":      s.describeAlarms,
		"SetAlarmState":       s.setAlarmState,
		"DeleteAlarms":        s.deleteAlarms,
	}
	handler := handlers[call.Operation]
	if handler == nil {
		return nil, wire.NotEmulated("cloudwatch", "operation "+call.Operation)
	}
	in, err := decode(call.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := handler(call, in)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, nil // an operation without output has an empty body
	}
	return cbor.Encode(out), nil
}

// refuse makes an error of CloudWatch's model: shape is its modeled name, code
// the one that older SDKs know.
func refuse(shape, code, format string, args ...any) error {
	e := wire.Refuse(400, code, format, args...)
	e.Shape = shape
	return e
}

func invalidValue(format string, args ...any) error {
	return refuse("InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

func missing(name string) error {
	return refuse("MissingRequiredParameterException", "MissingParameter", "The parameter %s is required.", name)
}
