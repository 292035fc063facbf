package cloudwatch

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// summary gathers the samples and reports of a time. It has no clock: events say when
// they were.
type summary struct {
	began, last time.Time

	reports   int
	delivered int
	holder    dr.Region
	epoch     dr.Epoch
	leaseAges []float64

	samples  int
	subject  dr.Region
	state    string
	took     time.Duration // the longest sample
	commits  []float64
	verdicts []int
	answers  map[string]*tally // by family
	lags     []float64
	newest   time.Time // when the newest lag was true; kept from summary to summary
}

// tally counts answers.
type tally struct {
	Alive   int `json:",omitempty"`
	Dead    int `json:",omitempty"`
	Unknown int `json:",omitempty"`
}

func (s *summary) full() bool { return max(s.reports, s.samples) >= maxValues }

func (s *summary) report(r dr.Report) {
	s.reports++
	if r.Delivered {
		s.delivered++
	}
	if r.Holder != "" {
		s.holder, s.epoch = r.Holder, r.Epoch
		s.leaseAges = append(s.leaseAges, milliseconds(r.LeaseAge))
	}
	if r.Commits {
		s.commits = append(s.commits, milliseconds(r.SinceCommit))
	}
}

func (s *summary) sample(x dr.Sample) {
	if x.Subject != s.subject {
		s.subject, s.newest = x.Subject, time.Time{} // a lag of the other direction
	}
	s.samples++
	s.state = x.State
	s.took = max(s.took, x.Took)
	s.verdicts = append(s.verdicts, level(x.State))
	if s.answers == nil {
		s.answers = make(map[string]*tally)
	}
	for _, a := range x.Observations {
		t := s.answers[a.Family]
		if t == nil {
			t = &tally{}
			s.answers[a.Family] = t
		}
		switch a.Answer {
		case health.Alive.String():
			t.Alive++
		case health.Dead.String():
			t.Dead++
		default:
			t.Unknown++
		}
	}
	if !x.LagAt.IsZero() {
		s.lags = append(s.lags, milliseconds(x.Lag))
		if x.LagAt.After(s.newest) {
			s.newest = x.LagAt
		}
	}
}

// level is the state of a Region as a number. What is not known by name is Unknown.
func level(state string) int {
	for _, s := range []health.State{health.Healthy, health.Degraded, health.Impaired} {
		if s.String() == state {
			return int(s)
		}
	}
	return int(health.StateUnknown)
}

// line returns what the summary's line says. What was not seen is missing, and not zero.
func (s *summary) line() ([]metric, map[string]any) {
	metrics := []metric{count("MonitorHeartbeats", s.delivered)}
	fields := map[string]any{"Reports": s.reports}
	if len(s.leaseAges) > 0 {
		metrics = append(metrics, metric{"LeaseAge", unitMilliseconds, s.leaseAges})
		fields["Holder"], fields["Epoch"] = s.holder, s.epoch
	}
	if len(s.commits) > 0 {
		metrics = append(metrics, metric{"SinceCommit", unitMilliseconds, s.commits})
	}
	if s.samples == 0 {
		return metrics, fields
	}
	var all tally
	for _, t := range s.answers {
		all.Alive, all.Dead, all.Unknown = all.Alive+t.Alive, all.Dead+t.Dead, all.Unknown+t.Unknown
	}
	metrics = append(metrics, metric{"Verdict", unitNone, s.verdicts},
		count("ProbesAlive", all.Alive), count("ProbesDead", all.Dead), count("ProbesUnknown", all.Unknown))
	fields["Subject"], fields["State"] = s.subject, s.state
	fields["Probes"], fields["SlowestSample"] = s.answers, milliseconds(s.took)
	if len(s.lags) > 0 {
		metrics = append(metrics, metric{"RPOLag", unitMilliseconds, s.lags})
	}
	if !s.newest.IsZero() {
		metrics = append(metrics, millis("RPOLagAge", s.last.Sub(s.newest)))
	}
	return metrics, fields
}
