package trigger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// tell puts what is known together. It is pure but for the handler's configuration.
func (h *Handler) tell(k *known, now time.Time) event.Response {
	a := h.cfg.Agent
	s := event.Situation{Region: a.Region, Cluster: a.Topology.GlobalCluster, Unknown: k.unknown}
	s.Writer = h.writer(k)
	s.Monitors = h.monitors(k, now)
	s.Lag = lagOf(k.reports, now)
	r := event.Response{State: failover.Steady, Status: &s}
	var evidence []string
	if k.lease != nil && k.reports != nil {
		e := failover.Explain(a.Policy, a.Topology, h.verdict(k, now), k.recent)
		s.Verdict = &event.Verdict{Subject: e.Verdict.Subject, State: e.Verdict.State.String(), Would: e.Would, Question: e.Question, Missing: e.Missing}
		s.Writer.Servers = servers(e.Verdict, now)
		evidence = append(evidence, e.String())
	}
	if k.entry != nil {
		x := k.entry.Execution
		r.Execution, r.Mode, r.State, r.Code, r.Epoch = x.ID, x.Mode, x.State, x.Code, x.Epoch
		s.Execution = &event.Execution{
			ID: x.ID, Mode: x.Mode, From: x.From, To: x.To, Epoch: x.Epoch, State: x.State, Code: x.Code, Detail: x.Detail,
			Since: k.entry.At, WaitsFor: waitsFor(x), Driven: !x.State.Ended() && x.To == a.Region && k.driven(),
		}
		s.Question = question(x)
		if p := x.Pause; p.Active(now) {
			s.Pause = &event.PauseUntil{Until: p.Until, By: p.By, Reason: p.Reason}
		}
		evidence = append(evidence, x.Report())
	}
	r.Detail = summary(s, k)
	if s.Question != nil {
		r.Do = fmt.Sprintf("to %s: call function %s in %s with the question's answer", s.Question.Consent, h.cfg.Name, s.Question.Call)
	}
	r.Evidence = strings.Join(evidence, "\n")
	return r
}

// driven reports whether an invocation was seen to drive.
func (k *known) driven() bool {
	now := k.driver[1]
	return now.Number > 0 && !now.Released && now != k.driver[0]
}

// writer is where the writer is by control plane and by lease.
func (h *Handler) writer(k *known) event.Writer {
	w := event.Writer{Agree: "unknown"}
	if k.cluster != nil {
		w.ControlPlane = &event.ControlPlane{Region: k.cluster.Writer, MovingTo: k.cluster.MovingTo, Status: k.cluster.Status}
	}
	if k.lease != nil {
		silent := h.silence(k)
		w.Lease = &event.Lease{Holder: k.lease.Holder, Epoch: k.lease.Epoch, SilentFor: event.Took(silent), Expired: silent >= h.cfg.Agent.Policy.LeaseTTL}
	}
	if w.ControlPlane != nil && w.Lease != nil {
		w.Agree = "no"
		if w.ControlPlane.Region == w.Lease.Holder && w.ControlPlane.MovingTo == "" {
			w.Agree = "yes"
		}
	}
	return w
}

// silence is how long the lease has not been renewed, by the monitors' reports.
func (h *Handler) silence(k *known) (d time.Duration) {
	for _, r := range k.reports {
		if r.LeaseRev == k.lease.Rev {
			d = max(d, r.LeaseUnchanged)
		}
	}
	return d
}

func (h *Handler) monitors(k *known, now time.Time) (out []event.Monitor) {
	if k.reports == nil && len(k.first) == 0 {
		return nil
	}
	for _, region := range h.cfg.Agent.Topology.Vantages() {
		m := event.Monitor{Region: region}
		for _, r := range k.reports {
			if r.Region == region {
				m.Reports = k.fresh(r)
				m.Age = event.Took(max(0, now.Sub(r.At)))
			}
		}
		out = append(out, m)
	}
	return out
}

// fresh reports whether a monitor has reported between the two looks.
func (k *known) fresh(r failover.Report) bool {
	before, was := k.first[r.Region]
	return !was || before != r.Seq
}

// lagOf is the newest lag that any monitor reports.
func lagOf(reports []failover.Report, now time.Time) (out *event.Lag) {
	var at time.Time
	for _, r := range reports {
		if r.Lag != nil && r.Lag.At.After(at) {
			at = r.Lag.At
			out = &event.Lag{Value: event.Took(r.Lag.Value), Age: event.Took(max(0, now.Sub(at))), SeenBy: r.Region}
		}
	}
	return out
}

// verdict judges what the monitors report of the lease's holder, as the other member's
// monitor would. Nothing is asked for it: a probe of the database is a write.
func (h *Handler) verdict(k *known, now time.Time) health.Verdict {
	p, subject := h.cfg.Agent.Policy, k.lease.Holder
	w := health.Window{Subject: subject, Vantage: h.cfg.Agent.Region}
	if w.Vantage == subject { // a Region is no vantage for itself
		w.Vantage = h.cfg.Agent.Topology.Peer(subject)
	}
	silent := h.silence(k)
	lease := health.Observation{Subject: subject, Vantage: health.Store, Family: health.Heartbeat, Method: "lease renewals, as reported", OtherInstances: -1, Answer: health.Alive}
	if silent >= p.SilentAfter() {
		lease.Answer, lease.DarkFor = health.Dead, silent
		lease.Cause = fmt.Sprintf("not renewed for %v", silent.Round(10*time.Millisecond))
	}
	for ago := p.Confirm; ago >= 1; ago-- {
		r := health.Round{At: now.Add(-time.Duration(ago-1) * p.ProbeInterval), SelfCheck: health.Alive}
		lease.At = r.At
		r.Observations = append(r.Observations, lease)
		for _, report := range k.reports {
			if !k.fresh(report) || report.Region == subject {
				continue
			}
			for _, s := range report.Observations {
				if s.Subject == subject && (s.Samples >= ago || ago == 1) {
					r.Observations = append(r.Observations, health.Observation{
						Subject: s.Subject, Vantage: report.Region, Family: s.Family, Method: s.Method, Answer: s.Answer, Cause: s.Cause,
						At: r.At.Add(-s.Age), RegionAnswers: s.RegionAnswers, OtherInstances: -1, Lag: report.Lag,
					})
				}
			}
		}
		w.Rounds = append(w.Rounds, r)
	}
	return health.Evaluate(p, w, now)
}

// servers is what was last seen of databases.
func servers(v health.Verdict, now time.Time) (out []event.Server) {
	for _, o := range v.Votes {
		if o.Family != health.SQL {
			continue
		}
		says := "it commits writes"
		if o.Answer != health.Alive {
			says = o.Answer.String() + ": " + event.Plain(o.Cause)
		}
		out = append(out, event.Server{Region: o.Subject, Says: says, SeenBy: o.Vantage, Age: event.Took(max(0, now.Sub(o.At)))})
	}
	slices.SortStableFunc(out, func(a, b event.Server) int { return strings.Compare(string(a.SeenBy), string(b.SeenBy)) })
	return out
}

// waitsFor says what an execution waits for.
func waitsFor(x failover.Execution) string {
	switch x.State {
	case failover.Confirmed:
		return "the epoch: the lease of " + x.From.String() + " must be silent for long enough, or released"
	case failover.EpochTaken:
		return "a proof that the writer in " + x.From.String() + " accepts no writes"
	case failover.Fenced:
		return "the judgement whether the known loss is acceptable"
	case failover.LossAccepted:
		return "Aurora: the promotion of " + x.To.String()
	case failover.Promoted:
		return "a write that commits in " + x.To.String()
	case failover.Verified:
		return "a write through the clients' endpoint that lands in " + x.To.String()
	case failover.Redirected:
		return "the message to people"
	case failover.AwaitingApproval:
		return "a person's answer"
	case failover.Returning:
		return "the next epoch, for " + x.From.String()
	}
	return ""
}

// question is what an execution asks, with the answer to send.
func question(x failover.Execution) *event.Question {
	if x.State != failover.AwaitingApproval {
		return nil
	}
	return &event.Question{Code: x.Code, Asks: x.Detail, Consent: x.Consent(), Call: x.To, Answer: event.AnswerTo(x, "YOUR NAME", "WHY")}
}

// summary is a status in one line.
func summary(s event.Situation, k *known) string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	cp, lease := s.Writer.ControlPlane, s.Writer.Lease
	switch {
	case k.none:
		say("no lease was ever taken: the writer's monitor takes the first one")
	case s.Writer.Agree == "yes":
		say("the writer is in %s", lease.Holder)
	case s.Writer.Agree == "no":
		say("the control plane names %s the writer, and %s holds the lease", orNone(cp.Region), lease.Holder)
	case cp != nil:
		say("the control plane names %s the writer; the lease is unknown", orNone(cp.Region))
	case lease != nil:
		say("%s holds the lease; the control plane's writer is unknown", lease.Holder)
	default:
		say("where the writer is could not be told")
	}
	if lease != nil && lease.Expired {
		say("its lease has not been renewed for %v", time.Duration(lease.SilentFor).Round(time.Second))
	}
	if s.Verdict != nil {
		say("it is %s", s.Verdict.State)
	}
	if x := s.Execution; x != nil && !x.State.Ended() {
		say("execution %s to %s is %s and waits for %s", x.ID, x.To, x.State, x.WaitsFor)
	}
	if s.Pause != nil {
		say("%s has paused the automation until %s", s.Pause.By, s.Pause.Until.UTC().Format(time.RFC3339))
	}
	if len(s.Unknown) > 0 {
		say("%d parts are unknown", len(s.Unknown))
	}
	return strings.Join(parts, "; ")
}

func orNone(r dr.Region) string {
	if r == "" {
		return "no Region"
	}
	return r.String()
}
