package aurora

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// ControlConfig says whose control planes are asked.
type ControlConfig struct {
	// Vantage is the Region that asks.
	Vantage dr.Region
	// Family is health.Control, the default, or health.Witness for the third
	// Region.
	Family health.Family
	// Members are the identifiers of the member clusters by Region.
	Members map[dr.Region]string
	// Clients returns the API of a Region, or nil when there is none.
	Clients func(dr.Region) MemberAPI
	// Interval is the time between two questions while the data plane answers, see
	// health.Suspicious and dr.Policy.ControlInterval. 0 means that each sample asks.
	Interval time.Duration
}

// Validate reports everything that is wrong with the configuration at once.
func (c ControlConfig) Validate() error {
	var errs []error
	if c.Vantage == "" {
		errs = append(errs, errors.New("aurora: control: Vantage is empty: name the Region that asks"))
	}
	if len(c.Members) == 0 || c.Clients == nil {
		errs = append(errs, errors.New("aurora: control: Members and Clients are required"))
	}
	if c.Family != "" && c.Family != health.Control && c.Family != health.Witness {
		errs = append(errs, fmt.Errorf("aurora: control: Family is none that a control plane can be: use %q or %q", health.Control, health.Witness))
	}
	if c.Interval < 0 {
		errs = append(errs, fmt.Errorf("aurora: control: Interval %v is negative: give dr.Policy.ControlInterval, or 0 to ask with each sample", c.Interval))
	}
	return errors.Join(errs...)
}

// Control asks the RDS API of a Region about the member there. It implements
// health.Prober.
//
// Alive: the API answers and the member's writer is available. Dead: the API
// doesn't answer by the deadline, answers with an error of its own, or says that
// the writer instance is down. Unknown: the API throttles or denies, its name does
// not resolve, or it says something else than available.
//
// RDS throttles an account, so a Region whose data plane answers is asked once per
// ControlConfig.Interval, by one call that shows the cluster; if that does not show it to
// be available, and while the data plane may be dark, the instances are asked for too. In
// between the last answer is repeated with the time at which it was given, so that the
// evaluation drops it when it is old. A Dead is never repeated.
type Control struct {
	cfg ControlConfig

	mu   sync.Mutex
	last map[dr.Region]health.Observation // in a steady state
}

var _ health.Prober = (*Control)(nil)

// NewControl returns the prober, or everything that its configuration lacks.
func NewControl(cfg ControlConfig) (*Control, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Family == "" {
		cfg.Family = health.Control
	}
	return &Control{cfg: cfg, last: make(map[dr.Region]health.Observation)}, nil
}

// Probe implements health.Prober.
func (c *Control) Probe(ctx context.Context, subject dr.Region) []health.Observation {
	o := health.Observation{
		Subject: subject, Vantage: c.cfg.Vantage, Family: c.cfg.Family, Method: "RDS API", At: time.Now(), OtherInstances: -1,
	}
	cluster, api := c.cfg.Members[subject], c.cfg.Clients(subject)
	if cluster == "" || api == nil {
		o.Cause = "no member cluster or API client is configured for " + subject.String()
		return []health.Observation{o}
	}
	calm := c.cfg.Interval > 0 && !health.Suspicious(ctx)
	if calm {
		c.mu.Lock()
		last, ok := c.last[subject]
		c.mu.Unlock()
		if ok && time.Since(last.At) < c.cfg.Interval {
			return []health.Observation{last}
		}
		o.At = time.Now()
	}
	o = c.ask(ctx, api, cluster, o, calm)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.last, subject)
	if calm && o.Answer != health.Dead {
		c.last[subject] = o
	}
	return []health.Observation{o}
}

// ask fills an observation in. A calm one leaves the instances out while the cluster is
// available.
func (c *Control) ask(ctx context.Context, api MemberAPI, cluster string, o health.Observation, calm bool) health.Observation {
	began := time.Now()
	var m member
	var states map[string]string
	var errCluster, errInstances error
	var wg sync.WaitGroup
	if !calm {
		wg.Go(func() { m, errCluster = describeCluster(ctx, api, cluster) })
		wg.Go(func() { states, errInstances = describeInstances(ctx, api, cluster) })
		wg.Wait()
	} else if m, errCluster = describeCluster(ctx, api, cluster); errCluster == nil {
		if m.writer != "" && m.status == "available" {
			o.Latency, o.RegionAnswers, o.Answer = time.Since(began), true, health.Alive
			return o
		}
		states, errInstances = describeInstances(ctx, api, cluster)
	} else {
		errInstances = errCluster
	}
	m.states = states
	o.Latency = time.Since(began)
	o.RegionAnswers = answered(errCluster) || answered(errInstances)
	err := errCluster
	if err == nil {
		err = errInstances
	}
	switch {
	case err != nil && (o.RegionAnswers || unasked(err)):
		o.Cause = cause(err)
	case err != nil:
		o.Answer, o.Cause = health.Dead, cause(err)
	default:
		o.OtherInstances = m.others()
		o.Answer, o.Cause = m.judge()
	}
	return o
}

// judge says whether a member that was shown serves writes.
func (m member) judge() (health.Answer, string) {
	state := m.states[m.writer]
	switch {
	case m.writer == "":
		return health.Unknown, "the API names no writer instance"
	case down[state]:
		return health.Dead, fmt.Sprintf("writer instance %s is %s", m.writer, state)
	case state != "available":
		return health.Unknown, fmt.Sprintf("writer instance %s is %q", m.writer, state)
	case m.status != "available":
		return health.Unknown, fmt.Sprintf("the member cluster is %q", m.status)
	}
	return health.Alive, ""
}

// unasked reports whether a question never left: it was called off, or the API's
// name did not resolve.
func unasked(err error) bool {
	var dns *net.DNSError
	return errors.Is(err, context.Canceled) || errors.As(err, &dns)
}

// cause shortens the SDK's words to what an evidence line needs.
func cause(err error) string {
	if code := errorCode(err); code != "" {
		return code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	return err.Error()
}
