package cloudwatch

import (
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
	// Every is the time that one line about samples and reports covers. Default 10 s.
	Every time.Duration
}

// Events writes what happens as lines in CloudWatch's embedded metric format: a log
// line that CloudWatch turns into metrics without any call. The package's
// documentation lists them. The rest of a line is for searching.
type Events struct {
	cfg EventsConfig

	mu      sync.Mutex
	summary summary
	first   dr.StateChange // of the last execution that this process has seen begin
	err     error          // the first error of the writer
}

// NewEvents returns the writer of events, or everything that its configuration lacks.
func NewEvents(cfg EventsConfig) (*Events, error) {
	var errs []error
	if cfg.Writer == nil || cfg.Region == "" || cfg.GlobalCluster == "" {
		errs = append(errs, errors.New("cloudwatch: events: Writer, Region and GlobalCluster are required"))
	}
	if cfg.Every < 0 {
		errs = append(errs, fmt.Errorf("cloudwatch: events: Every %v is negative: give a positive duration, or 0 for 10s", cfg.Every))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Every == 0 {
		cfg.Every = 10 * time.Second
	}
	return &Events{cfg: cfg}, nil
}

// Trace returns a trace that writes every event. Samples and reports are gathered: a
// line about them is written with the first event after EventsConfig.Every, and when the
// loop stops. A process that reports nothing writes none.
func (e *Events) Trace() *dr.Trace {
	return &dr.Trace{
		Verdict: func(c dr.VerdictChange) {
			fields := map[string]any{"Vantage": c.Vantage, "Subject": c.Subject, "State": c.State, "Why": clip(c.Why)}
			if !c.Since.IsZero() {
				fields["Since"] = c.Since.UTC()
			}
			e.write(c.At, []metric{count("VerdictChanges", 1)}, fields)
		},
		State: e.state,
		Lease: func(c dr.LeaseChange) {
			e.write(c.At, []metric{count("LeaseChanges", 1)}, map[string]any{"Epoch": c.Epoch, "What": c.What, "Detail": clip(c.Detail)})
		},
		Problem: func(p dr.Problem) {
			e.write(p.At, []metric{count("Problems", 1)}, map[string]any{"Op": p.Op, "Error": clip(fmt.Sprint(p.Err))})
		},
		Sample: func(s dr.Sample) {
			e.gather(s.At, func(sum *summary) { sum.sample(s) })
		},
		Report: func(r dr.Report) {
			e.gather(r.At, func(sum *summary) { sum.report(r) })
		},
		MonitorLease: e.monitorLease,
	}
}

func (e *Events) state(c dr.StateChange) {
	metrics := []metric{count("StateChanges", 1)}
	switch failover.State(c.State) {
	case failover.Settled, failover.Aborted:
		metrics = append(metrics, count("Executions"+string(c.State), 1))
	case failover.AwaitingApproval:
		metrics = append(metrics, count("ExecutionsOperator", 1))
	}
	e.mu.Lock()
	if c.Before == "" && failover.State(c.State) == failover.Confirmed {
		e.first = c
	}
	var began time.Time
	if e.first.Execution == c.Execution {
		began = e.first.At
	}
	e.mu.Unlock()
	metrics = append(metrics, phases(c, began)...)
	e.write(c.At, metrics, map[string]any{
		"Execution": c.Execution, "From": c.From, "To": c.To, "Epoch": c.Epoch, "State": c.State, "Code": c.Code, "Detail": clip(c.Detail),
	})
}

func (e *Events) monitorLease(c dr.MonitorLeaseChange) {
	var metrics []metric
	switch c.What {
	case dr.MonitorLeaseTaken:
		metrics = append(metrics, millis("MonitorGap", c.Gap))
	case dr.MonitorLeaseLapsed, dr.MonitorLeaseUsurped:
		metrics = append(metrics, count("MonitorLeaseLosses", 1))
	}
	switch c.What {
	case dr.MonitorLeaseYielded, dr.MonitorLeaseUsurped, dr.MonitorLeaseReleased: // of MonitorLeaseLapsed the work goes on
		e.mu.Lock()
		e.end()
		e.summary.newest = time.Time{} // who works next knows better
		e.mu.Unlock()
	}
	e.write(c.At, metrics, map[string]any{"Process": clip(c.Process), "Number": c.Number, "MonitorLease": c.What})
}

// gather adds to the summary, and begins another one when its time is over or it is full.
func (e *Events) gather(at time.Time, add func(*summary)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := &e.summary; s.began.IsZero() || at.Sub(s.began) >= e.cfg.Every || s.full() {
		e.end()
		s.began = at
	}
	e.summary.last = at
	add(&e.summary)
}

// end writes the summary and empties it. The lock must be held.
func (e *Events) end() {
	if s := &e.summary; s.reports > 0 {
		metrics, fields := s.line()
		e.put(s.last, metrics, fields)
	}
	e.summary = summary{subject: e.summary.subject, newest: e.summary.newest}
}

// Err returns the first error that writing has met; a trace has nowhere to return it.
func (e *Events) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *Events) write(at time.Time, metrics []metric, fields map[string]any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.put(at, metrics, fields)
}

// put writes a line. The lock must be held.
func (e *Events) put(at time.Time, metrics []metric, fields map[string]any) {
	line, err := format(e.cfg.Region, e.cfg.GlobalCluster, at, metrics, fields)
	if err == nil {
		_, err = e.cfg.Writer.Write(line)
	}
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("cloudwatch: write an event: %w", err)
	}
}
