package failover

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Answer is the payload that a person sends to the failover trigger of an execution's
// Region: as the answer to a question, or to call it off.
type Answer struct {
	Mode      string    `json:"mode"`
	Target    dr.Region `json:"target_region"`
	Execution string    `json:"execution"`
	Question  string    `json:"question,omitempty"`
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
}

// AnswerForm returns the answer to the open question of an execution, for a person to fill
// in; false when it asks nothing.
func (x Execution) AnswerForm() (Answer, bool) {
	if x.State != AwaitingApproval {
		return Answer{}, false
	}
	return Answer{"acknowledge", x.To, x.ID, x.Question.ID, "YOUR NAME", "WHY"}, true
}

// WayOut returns what ends an execution without moving the writer: an abort before the
// epoch was taken, a return after it; false when there is none any more.
func (x Execution) WayOut() (Answer, bool) {
	at := x.at()
	switch {
	case x.State.Ended() || at.hasPromoted() || at == Returning || x.Mode == ModeAdopt && !at.beforeEpoch(), x.State == AwaitingApproval && x.Code == CodeSuperseded:
		return Answer{}, false
	case at.beforeEpoch():
		return Answer{"abort", x.To, x.ID, "", "YOUR NAME", "WHY"}, true
	}
	return Answer{"return", x.To, x.ID, "", "YOUR NAME", "WHY"}, true
}

// command is how an answer is sent.
func command(a Answer, trigger string) string {
	payload, err := json.Marshal(a)
	if err != nil {
		return err.Error() // of strings: it can't fail
	}
	if trigger == "" {
		return string(payload)
	}
	return fmt.Sprintf("aws lambda invoke --region %s --function-name %s --cli-binary-format raw-in-base64-out --payload '%s' /dev/stdout", a.Target, trigger, payload)
}

// message writes what an execution owes to people. It is pure.
func (x Execution) message(n Notice, trigger string) Message {
	switch n.What {
	case NoticeMoved:
		return Message{Subject: fmt.Sprintf("%s: the writer moved from %s to %s", x.Mode, x.From, x.To), Body: x.Report() + x.adopted()}
	case NoticeReturned:
		why := "the lease was given back: " + x.Detail
		if x.Back == 0 {
			why = x.Detail + "; " + x.From.String() + " takes the lease over by itself"
		}
		return Message{Subject: fmt.Sprintf("%s to %s has ended: the writer is in %s", x.Mode, x.To, x.From), Body: x.Report() + why + "\n"}
	case NoticeWithdrawn:
		code := x.Code
		if len(x.Question.Codes) > 0 {
			code = x.Question.Codes[0]
		}
		return Message{
			Subject: fmt.Sprintf("%s to %s needs no answer any more: %s", x.Mode, x.To, code),
			Body:    x.Report() + fmt.Sprintf("Question %s was withdrawn. Nothing has to be done.\n", n.Question),
		}
	}
	var b strings.Builder
	b.WriteString(x.Report())
	fmt.Fprintf(&b, "\nat stake: %s\n", x.stake())
	fmt.Fprintf(&b, "if there is no answer: %s\n", x.unanswered())
	if a, ok := x.AnswerForm(); ok {
		fmt.Fprintf(&b, "\nto %s:\n%s\n", x.Consent(), command(a, trigger))
	}
	if a, ok := x.WayOut(); ok {
		what := "to end it, nothing was touched"
		if a.Mode == "return" {
			what = "to give the writer back to " + x.From.String()
		}
		fmt.Fprintf(&b, "\n%s:\n%s\n", what, command(a, trigger))
	}
	if trigger == "" {
		fmt.Fprintf(&b, "\nThese are payloads for the failover trigger in %s.\n", x.To)
	}
	return Message{Subject: fmt.Sprintf("%s to %s waits for an answer: %s", x.Mode, x.To, x.Code), Body: b.String()}
}

func (x Execution) adopted() string {
	if x.Mode != ModeAdopt {
		return ""
	}
	when := ""
	if !x.MovedAt.IsZero() { // an older version has adopted it
		when = fmt.Sprintf(", as %s has seen at %s by its clock", x.To, x.MovedAt.UTC().Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("A person or AWS has moved the writer from %s to %s%s, and Lifeboat followed. Whether writes were lost in that move is not known to it.\n", x.From, x.To, when)
}

// noticeRetry is the longest pause between two attempts to tell people something.
const noticeRetry = 30 * time.Second

// tell sends a message and journals that it was accepted.
func (c *Controller) tell(ctx context.Context, x Execution, n Notice) (Execution, error) {
	call, cancel := context.WithTimeout(ctx, c.cfg.Policy.CallTimeout)
	err := c.cfg.Notifier.Notify(call, x.message(n, c.cfg.Trigger))
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			c.problem("notify", err)
		}
		return x, err
	}
	next, err := Step(c.cfg.Policy, x, Event{Kind: EvTold, Notice: n})
	if err != nil {
		return x, err
	}
	if next, err = c.append(ctx, x, next, EvTold); err != nil {
		return x, err
	}
	if c.cfg.OnTold != nil {
		c.cfg.OnTold(next)
	}
	return next, nil
}
