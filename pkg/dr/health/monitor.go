package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Prober asks one question about a Region. It must return by the context's deadline,
// whatever does not answer. Only an answer is Alive. A question that could not be put
// properly, that was called off, or that is about a Region which the prober does not know
// is Unknown, never Dead. Every observation names the subject that was given, as it was
// given; others don't count (see [Window.Refuses]) and are told as problems.
type Prober interface {
	Probe(ctx context.Context, subject dr.Region) []Observation
}

// SelfChecker reaches this vantage's own control target, such as its Region's
// lease store. An error means that this vantage may be the one that is cut off.
type SelfChecker interface {
	SelfCheck(ctx context.Context) error
}

// Config says what a Monitor watches and whom it tells.
type Config struct {
	Vantage dr.Region
	Policy  dr.Policy
	Probers []Prober
	Self    SelfChecker
	// Subject returns the Region to watch, normally the lease's holder, or "" to
	// pause: a Region doesn't watch itself. While it is "" it is asked ten times
	// in an ObserveInterval, so that the first sample does not wait for it.
	Subject func() dr.Region
	// OnVerdict receives every verdict. It must not block.
	OnVerdict func(Verdict)
	Trace     *dr.Trace
}

// Monitor samples a Region every ProbeInterval and judges it after each sample.
type Monitor struct {
	cfg    Config
	recall Window
}

// keep returns how many rounds a window holds: enough for the streak, the grace and
// the last lag from before them. A window that is too short would let the start of
// the darkness slide, and a grace that slides never ends.
func keep(p dr.Policy) int {
	return p.Confirm + int((p.InRegionGrace+p.MaxLagAge)/p.ProbeInterval) + 8
}

// NewMonitor returns a monitor, or everything that its configuration lacks.
func NewMonitor(cfg Config) (*Monitor, error) {
	errs := []error{cfg.Policy.Validate()}
	switch cfg.Vantage {
	case "":
		errs = append(errs, errors.New("health: monitor: Vantage is empty: give the Region that asks"))
	case Store:
		errs = append(errs, fmt.Errorf("health: monitor: Vantage %s is no Region: give the one that asks", Store))
	}
	if len(cfg.Probers) == 0 {
		errs = append(errs, errors.New("health: monitor: no Probers: nothing would be observed"))
	}
	for i, p := range cfg.Probers {
		if p == nil {
			errs = append(errs, fmt.Errorf("health: monitor: Probers[%d] is nil", i))
		}
	}
	if cfg.Self == nil || cfg.Subject == nil || cfg.OnVerdict == nil {
		errs = append(errs, errors.New("health: monitor: Self, Subject and OnVerdict are required"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = cfg.Policy.WithDefaults()
	return &Monitor{cfg: cfg}, nil
}

// Recall hands the monitor samples that a predecessor took. They count when the
// Region that is watched first is theirs, and they were taken from the same vantage. Call
// it before Run.
func (m *Monitor) Recall(w Window) { m.recall = w }

// Run samples until ctx ends, and returns after every question has.
func (m *Monitor) Run(ctx context.Context) error {
	tick := time.NewTicker(m.cfg.Policy.ProbeInterval)
	defer tick.Stop()
	var w Window
	last, refused := StateUnknown, ""
	for {
		subject := m.cfg.Subject()
		if subject != w.Subject {
			w, last = Window{Subject: subject, Vantage: m.cfg.Vantage}, StateUnknown
			if m.recall.fit(subject, m.cfg.Vantage) {
				w.Rounds = m.recall.Rounds
			}
			if subject != "" {
				m.recall = Window{}
			}
		}
		if subject != "" && subject != m.cfg.Vantage {
			w.Rounds = append(w.Rounds, m.sample(ctx, subject, w, last))
			w.Rounds = w.Rounds[max(0, len(w.Rounds)-keep(m.cfg.Policy)):]
			if ctx.Err() != nil {
				return nil
			}
			v := Evaluate(m.cfg.Policy, w, time.Now())
			if all := strings.Join(w.refused(v.At), "; "); all != refused {
				refused = all
				m.refused(v.At, all)
			}
			if v.State != last {
				m.cfg.Trace.OnVerdict(dr.VerdictChange{At: v.At, Vantage: m.cfg.Vantage, Subject: subject, State: v.State.String(), Since: v.DarkSince, Why: v.Why()})
				last = v.State
			}
			m.cfg.Trace.OnSample(told(m.cfg.Vantage, w.Rounds[len(w.Rounds)-1], v))
			m.cfg.OnVerdict(v)
		}
		var soon <-chan time.Time
		if subject == "" {
			soon = time.After(m.cfg.Policy.ObserveInterval / 10)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-soon: // a process that has just taken over must not lose a sample to its start
			if m.cfg.Subject() != "" {
				tick.Reset(m.cfg.Policy.ProbeInterval)
			}
		}
	}
}

// refused tells of observations that don't count, once for each set of them.
func (m *Monitor) refused(at time.Time, all string) {
	if all != "" {
		m.cfg.Trace.OnProblem(dr.Problem{At: at, Region: m.cfg.Vantage, Op: "count an observation", Err: errors.New("health: " + all)})
	}
}

// sample puts every question at once and waits until all are answered or late.
func (m *Monitor) sample(ctx context.Context, subject dr.Region, w Window, verdict State) Round {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.Policy.ProbeTimeout)
	defer cancel()
	var last *Round
	if n := len(w.Rounds); n > 0 {
		last = &w.Rounds[n-1]
	}
	l := newLook(m.cfg.Vantage, last, len(m.cfg.Probers), last != nil && verdict != Healthy)
	defer l.hasten(m.cfg.Policy)()
	asked := context.WithValue(ctx, lookKey{}, l)
	r := Round{At: time.Now(), SelfCheck: Dead}
	answers := make([][]Observation, len(m.cfg.Probers))
	var wg sync.WaitGroup
	for i, p := range m.cfg.Probers {
		wg.Go(func() {
			answers[i] = p.Probe(asked, subject)
			l.got(answers[i])
		})
	}
	wg.Go(func() {
		if m.cfg.Self.SelfCheck(ctx) == nil {
			r.SelfCheck = Alive
		}
	})
	wg.Wait()
	for _, a := range answers {
		r.Observations = append(r.Observations, a...)
	}
	return r
}

// told is a round for a trace, as the verdict counts it.
func told(vantage dr.Region, r Round, v Verdict) dr.Sample {
	s := dr.Sample{At: v.At, Vantage: vantage, Subject: v.Subject, State: v.State.String(), Took: v.At.Sub(r.At)}
	for _, o := range v.Observations {
		s.Observations = append(s.Observations, dr.Observation{Family: string(o.Family), Answer: o.Answer.String()})
		if o.Lag != nil && o.Lag.At.After(s.LagAt) {
			s.Lag, s.LagAt = o.Lag.Value, o.Lag.At
		}
	}
	return s
}
