package trigger

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// refuse refuses a request about an execution, and says how that stands.
func refuse(code event.Refusal, x failover.Execution, why, do string) event.Response {
	r := event.Of(x, 0)
	r.Refused, r.Do = code, do
	r.Detail = fmt.Sprintf("execution %s: %s; it is %s", x.ID, why, x.State)
	return r
}

// another refuses a request that names another execution than the newest one, or one of
// the other Region's trigger.
func (h *Handler) another(s scene, w event.Request) (event.Response, bool) {
	x := s.last
	switch {
	case x.ID == "":
		return event.Refuse(event.NothingBegun, "no execution has ever begun", "ask for the status first"), true
	case x.ID != w.Execution:
		return refuse(event.OtherExecution, x, "it is the newest one, and another one was named", "ask for the status, and name the execution that it shows"), true
	case x.To != h.cfg.Agent.Region:
		r := h.elsewhere(x.To)
		r.Do = fmt.Sprintf("execution %s moves the writer to %s: call function %s there", x.ID, x.To, h.cfg.Name)
		return r, true
	}
	return event.Response{}, false
}

// unanswerable refuses an acknowledgement that answers no open question.
func unanswerable(x failover.Execution, w event.Request) (event.Response, bool) {
	switch {
	case x.State.Ended():
		return refuse(event.Ended, x, "it has ended", "nothing is to be answered"), true
	case x.State != failover.AwaitingApproval:
		return refuse(event.NothingAsked, x, "it asks nothing", "let it ask first"), true
	case event.QuestionOf(x) != w.Question:
		return refuse(event.OtherQuestion, x, "it asks question "+event.QuestionOf(x)+" now: "+x.Detail, "read this question, then answer it by its own name"), true
	}
	return event.Response{}, false
}

// rests reports whether the automation may begin nothing by itself.
func (h *Handler) rests(s scene) bool {
	return h.cfg.Agent.Policy.Automatic == dr.AutomaticNever || s.last.Pause.Active(time.Now())
}

// resting refuses what the automation asks for while it rests. A person who asks for the
// same is not refused.
func (h *Handler) resting(s scene) event.Response {
	do := h.byHand()
	if p := s.last.Pause; p.Active(time.Now()) {
		return event.Refuse(event.Paused, fmt.Sprintf("%s has paused the automation until %s: %s", p.By, p.Until.UTC().Format(time.RFC3339), p.Reason),
			`send {"mode":"resume","by":"YOUR NAME","reason":"WHY"} first; or `+do)
	}
	return event.Refuse(event.ObserveOnly, "the policy is to observe only (Automatic: never): nothing begins by itself", do)
}

// byHand says how a person has the trigger do what the automation may not.
func (h *Handler) byHand() string {
	return fmt.Sprintf(`send {"mode":"failover","target_region":%q,"by":"YOUR NAME","reason":"WHY"}, which is carried out all the same`, h.cfg.Agent.Region)
}

// answered refuses an answer to a question that has another one, which no controller has
// used yet. It names the first one's author, when the store tells.
func (h *Handler) answered(ctx context.Context, s scene, w event.Request) event.Response {
	why := "question " + w.Question + " has another answer"
	if now, err := h.read(ctx); err == nil && now.ack != nil && now.ack.Execution == w.Execution && now.ack.Question == w.Question {
		why = fmt.Sprintf("%s has answered question %s: %s", now.ack.By, w.Question, now.ack.Reason)
	}
	return refuse(event.AlreadyAnswered, s.last, why, "ask for {\"mode\":\"status\"}: the first answer counts, and the execution goes on by it")
}
