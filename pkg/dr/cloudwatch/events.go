package cloudwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// EventsConfig says where events are written and what they carry.
type EventsConfig struct {
	// Writer receives one line per event; in a Lambda it is os.Stdout.
	Writer        io.Writer
	Region        dr.Region
	GlobalCluster string
}

// Events writes what happens as lines in CloudWatch's embedded metric format: a log
// line that CloudWatch turns into a metric without any call. Every kind of event is
// counted by the dimensions Region and GlobalCluster; the rest of the line is for
// searching.
type Events struct {
	cfg EventsConfig

	mu  sync.Mutex
	err error // the first error of the writer
}

// NewEvents returns the writer of events, or everything that its configuration lacks.
func NewEvents(cfg EventsConfig) (*Events, error) {
	if cfg.Writer == nil || cfg.Region == "" || cfg.GlobalCluster == "" {
		return nil, errors.New("cloudwatch: events: Writer, Region and GlobalCluster are required")
	}
	return &Events{cfg: cfg}, nil
}

// Trace returns a trace that writes every event. The metrics are VerdictChanges,
// StateChanges, LeaseChanges and Problems, and ExecutionsSettled, ExecutionsAborted
// and ExecutionsOperator for executions that end or ask a person.
func (e *Events) Trace() *dr.Trace {
	return &dr.Trace{
		Verdict: func(c dr.VerdictChange) {
			e.write(c.At, []string{"VerdictChanges"}, map[string]any{"Vantage": c.Vantage, "Subject": c.Subject, "State": c.State, "Why": c.Why})
		},
		State: func(c dr.StateChange) {
			metrics := []string{"StateChanges"}
			switch failover.State(c.State) {
			case failover.Settled, failover.Aborted, failover.Operator:
				metrics = append(metrics, "Executions"+c.State)
			}
			e.write(c.At, metrics, map[string]any{
				"Execution": c.Execution, "From": c.From, "To": c.To, "Epoch": c.Epoch, "State": c.State, "Code": c.Code, "Detail": c.Detail,
			})
		},
		Lease: func(c dr.LeaseChange) {
			e.write(c.At, []string{"LeaseChanges"}, map[string]any{"Epoch": c.Epoch, "What": c.What, "Detail": c.Detail})
		},
		Problem: func(p dr.Problem) {
			e.write(p.At, []string{"Problems"}, map[string]any{"Op": p.Op, "Error": fmt.Sprint(p.Err)})
		},
	}
}

// Err returns the first error that writing has met; a trace has nowhere to return it.
func (e *Events) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// directive is the part of a line that CloudWatch reads (CloudWatch user guide,
// embedded metric format specification).
type directive struct {
	Timestamp         int64 // milliseconds
	CloudWatchMetrics []metricDirective
}

type metricDirective struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metricName
}

type metricName struct {
	Name string
	Unit string
}

func (e *Events) write(at time.Time, metrics []string, fields map[string]any) {
	m := metricDirective{Namespace: Namespace, Dimensions: [][]string{{"Region", "GlobalCluster"}}}
	for _, name := range metrics {
		m.Metrics = append(m.Metrics, metricName{name, "Count"})
		fields[name] = 1
	}
	fields["_aws"] = directive{at.UnixMilli(), []metricDirective{m}}
	fields["Region"], fields["GlobalCluster"] = e.cfg.Region, e.cfg.GlobalCluster
	line, err := json.Marshal(fields) // a map's keys come out sorted
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		_, err = e.cfg.Writer.Write(append(line, '\n'))
	}
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("cloudwatch: write an event: %w", err)
	}
}
