package trigger

import (
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
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
		e := failover.Explain(a.Policy, a.Topology, h.verdict(k, now), h.known(k, now))
		s.Verdict = &event.Verdict{Subject: e.Verdict.Subject, State: e.Verdict.State.String(), Would: e.Would, Question: e.Question, Missing: e.Missing}
		s.Writer.Servers = append(servers(e.Verdict, now), s.Writer.Servers...)
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
	case cp != nil && lease != nil:
		say("the control plane names %s the writer, and %s holds the lease", orNone(cp.Region), lease.Holder)
	case cp != nil:
		say("the control plane names %s the writer; the lease is unknown", orNone(cp.Region))
	case lease != nil:
		say("%s holds the lease; the control plane's writer is unknown", lease.Holder)
	default:
		say("where the writer is could not be told")
	}
	if cp != nil && cp.MovingTo != "" {
		say("AWS moves it to %s", cp.MovingTo)
	}
	if s.Writer.Agree == "no" && k.ready != nil && k.ready.Role != "" {
		say("the server of %s says that it is the %s", s.Region, k.ready.Role)
	}
	if lease != nil && lease.Released {
		say("%s has given its lease back", lease.Holder)
	}
	if lease != nil && lease.UnservedFor > 0 {
		say("its lease has been renewed without a committed write for about %v", time.Duration(lease.UnservedFor).Round(time.Second))
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
