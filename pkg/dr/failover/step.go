package failover

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Step returns the execution after an event. It is pure. A pair that [Table] does
// not hold returns the execution unchanged and a *[Refusal].
func Step(p dr.Policy, x Execution, e Event) (Execution, error) {
	to, ok := table[x.State][e.Kind]
	if !ok {
		return x, &Refusal{x.State, e.Kind, refusal(x.State, e.Kind)}
	}
	p = p.WithDefaults()
	asis, before := x, x.State
	refuse := func(format string, args ...any) (Execution, error) {
		return asis, &Refusal{before, e.Kind, fmt.Sprintf(format, args...)}
	}
	x.State = to
	if e.Kind != EvTold && e.Kind != EvPaused && e.Kind != EvResumed && e.Kind != EvEndorsed {
		x.Detail = e.Detail // these four change nothing of what is told
	}
	switch e.Kind {
	case EvConfirmed, EvRequested:
		x.Mode, x.Origin = ModeFailover, e.Origin
		if e.Kind == EvRequested {
			x.Mode = ModeSwitchover
		}
		// The gate is looked at before anything is touched: a Region that comes
		// back while a person thinks must find everything as it was.
		if codes, why := question(p, x); len(codes) > 0 {
			return ask(x, Confirmed, codes, why), nil
		}
	case EvAdopted:
		switch {
		case before == AwaitingApproval && x.Asked != Confirmed && x.Asked != Fenced && x.Asked != LossAccepted && x.Asked != Returning:
			return refuse("what is asked in %s is not about the move", x.Asked)
		case before == AwaitingApproval && x.Asked == Returning:
			x.State = EpochTaken
		case before == AwaitingApproval:
			x.State = x.Asked
		}
		x.Mode, x.Asked, x.Code, x.MovedAt = ModeAdopt, "", "", e.At
		x.Owed = without(x.Owed, NoticeQuestion)
	case EvEpochTaken:
		x.Epoch, x.TakenRev, x.Unchanged, x.Released, x.Followed = e.Epoch, e.Rev, e.Unchanged, e.Released, e.Followed
	case EvPromoted:
		x.Unnamed = e.Unnamed
	case EvFenceProven:
		x.Proof = e.Proof
	case EvGatePassed:
		if codes, why := question(p, x); len(codes) > 0 {
			return ask(x, Fenced, codes, why), nil
		}
	case EvStuck:
		return ask(x, before, []Code{e.Code}, e.Detail), nil
	case EvRecovered, EvAbortRequested:
		if before == AwaitingApproval && x.Asked != Confirmed {
			// The epoch is taken: the old Region can't have recovered its lease.
			return refuse("the epoch is taken")
		}
		x.Code = CodeRecovered
		if e.Kind == EvAbortRequested {
			x.Code, x.Last = CodeAbortRequested, e.Origin
			if e.Code != "" {
				x.Code = e.Code
			}
		}
		x = withdraw(x)
	case EvSuperseded:
		if to == AwaitingApproval {
			return ask(x, before, []Code{CodeSuperseded}, e.Detail), nil
		}
		x.Code = CodeSuperseded
		x = withdraw(x)
	case EvReady:
		if !x.Code.passes() {
			return refuse("%s is not over by itself", x.Code)
		}
		x.State, x.Asked, x.Code = x.Asked, "", ""
		x.Owed = without(x.Owed, NoticeQuestion)
	case EvReassessed:
		if x.Asked != Confirmed || e.Evidence == nil {
			return refuse("the epoch is taken")
		}
		x.Evidence = *e.Evidence
		codes, why := question(p, x)
		switch {
		case len(codes) == 0 && asis.Code == CodeMonitorBlind:
			x.State, x.Asked, x.Code = Confirmed, "", "" // the monitor has fallen silent, too
			x.Owed = without(x.Owed, NoticeQuestion)
		case len(codes) == 0:
			x.Detail = asis.Detail // the question stays as it was put
		case slices.Equal(codes, x.Question.Codes) && !worse(x.Evidence, x.Question):
			x.Detail = asis.Detail
		default:
			return ask(x, Confirmed, codes, why), nil
		}
	case EvReturnRequested:
		switch {
		case before == AwaitingApproval && x.Asked.beforeEpoch():
			return refuse("the epoch is not taken: abort it")
		case before == AwaitingApproval && x.Asked.hasPromoted():
			return refuse("the writer has moved: switch it over")
		case x.Mode == ModeAdopt:
			return refuse("the control plane has moved the writer here: move it back there")
		}
		x.Last, x.Code, x.Asked = e.Origin, "", ""
		x.Owed = without(x.Owed, NoticeQuestion)
	case EvMovedBack:
		if before == AwaitingApproval && x.Asked.beforeEpoch() {
			return refuse("the epoch is not taken")
		}
		x.Code, x.Asked = CodeMovedElsewhere, ""
		x.Owed = append(without(x.Owed, NoticeQuestion), Notice{What: NoticeReturned})
	case EvReturned:
		x.Back = e.Epoch
		x.Owed = append(without(x.Owed, NoticeQuestion), Notice{What: NoticeReturned})
	case EvRedirected:
		x.Owed = append(without(x.Owed, NoticeQuestion), Notice{What: NoticeMoved})
	case EvAnnounced, EvTold:
		if e.Notice.What == NoticeQuestion {
			x = noted(x, e.Notice.Question, func(q *Question) { q.Told = true })
		}
		x.Owed = slices.DeleteFunc(slices.Clone(x.Owed), func(n Notice) bool { return n == e.Notice })
	case EvPaused:
		x.Pause, x.Last = e.Pause, e.Origin
	case EvResumed:
		x.Pause, x.Last = nil, e.Origin
	case EvEndorsed:
		if x.Mode == ModeFailover && x.Origin.By == "" {
			x.Origin = e.Origin // from now on it is a person's, and no pause ends it
		} else {
			x.Last = e.Origin
		}
	case EvAcknowledged:
		if e.Ack == nil || e.Ack.Execution != x.ID || e.Ack.Question != x.Question.ID {
			return refuse("it must name execution %s and question %s", x.ID, x.Question.ID)
		}
		x.Accepted = accept(x)
		x = noted(x, x.Question.ID, func(q *Question) { q.Answered = true })
		x.Ack, x.State, x.Asked = e.Ack, x.Asked, ""
		x.Owed = without(x.Owed, NoticeQuestion)
		switch {
		case x.State == EpochTaken && x.Code != CodeSuperseded:
			// The question was the fence, and a person has confirmed it.
			x.State, x.Proof = Fenced, ProofOperator
		case (x.Code == CodePromotionStuck || x.Code == CodePromotionRefused) && x.Mode == ModeSwitchover:
			// A switchover needs both Regions, and this one has not come about: asking for
			// the same again would leave no writer for as long as the other Region is lost.
			// Aurora stops the old writer in a switchover but not in a failover, so for what
			// a switchover may take as a fence a failover needs a person's confirmation.
			x.Mode = ModeFailover
			if x.Proof == ProofExpired {
				x.Proof = ProofOperator
			}
		}
		x.Code = ""
	}
	return x, nil
}

// ask puts a question, and owes it to people. One that was put before, about the same and
// with the same at stake, is opened again: a cause that flaps is one question, and people
// hear of it once.
func ask(x Execution, from State, codes []Code, why string) Execution {
	q := Question{Codes: codes, Lag: x.Evidence.Lag, LagKnown: x.Evidence.LagKnown, Asked: from}
	x.State, x.Asked, x.Code, x.Detail = AwaitingApproval, from, codes[0], why
	x.Owed = without(x.Owed, NoticeQuestion)
	if i := slices.IndexFunc(x.Put, func(old Question) bool { return !old.Answered && old.same(q) }); i >= 0 {
		x.Question = x.Put[i]
	} else {
		n, _ := strconv.Atoi(x.Question.ID) // "" is 0
		q.ID = strconv.Itoa(max(n, len(x.Put)) + 1)
		x.Question, x.Put = q, append(slices.Clone(x.Put), q)
	}
	if !x.Question.Told {
		x.Owed = append(x.Owed, Notice{What: NoticeQuestion, Question: x.Question.ID})
	}
	return x
}

// noted returns the execution after a change of the question with an ID.
func noted(x Execution, id string, change func(*Question)) Execution {
	x.Put = slices.Clone(x.Put)
	for i := range x.Put {
		if x.Put[i].ID == id {
			change(&x.Put[i])
		}
	}
	if x.Question.ID == id {
		change(&x.Question)
	}
	return x
}

// accept returns what people have agreed to once they have answered the open question:
// that question, and what they had agreed to before while no more was at stake.
func accept(x Execution) Question {
	q := x.Question
	q.Codes = slices.Clone(q.Codes)
	if x.Ack != nil && !worse(x.Evidence, x.Accepted) {
		q.Codes = append(q.Codes, x.Accepted.Codes...)
	}
	return q
}

// withdraw tells people that the question which they have been told needs no answer any
// more. One that they have not been told yet, they need not hear of.
func withdraw(x Execution) Execution {
	x.Asked = ""
	if x.Question.ID == "" {
		return x
	}
	told := x.Question.Told || !slices.Contains(x.Owed, Notice{What: NoticeQuestion, Question: x.Question.ID})
	x.Owed = without(x.Owed, NoticeQuestion)
	if told {
		x.Owed = append(x.Owed, Notice{What: NoticeWithdrawn, Question: x.Question.ID})
	}
	return x
}

func without(owed []Notice, what NoticeKind) []Notice {
	var out []Notice
	for _, n := range owed {
		if n.What != what {
			out = append(out, n)
		}
	}
	return out
}

// worse reports whether more is at stake than when a question was put.
func worse(ev Evidence, q Question) bool {
	return q.LagKnown && (!ev.LagKnown || ev.Lag > q.Lag)
}

// question returns everything that a person must be asked before the execution may go on,
// and in words. What a consent has covered is not asked again, unless more is at stake.
func question(p dr.Policy, x Execution) (codes []Code, why string) {
	if x.Mode != ModeFailover {
		return nil, "" // nothing is lost, or it is lost already
	}
	ev := x.Evidence
	var words []string
	add := func(is bool, c Code, format string, args ...any) {
		if !is || x.Ack != nil && slices.Contains(x.Accepted.Codes, c) && !worse(ev, x.Accepted) {
			return
		}
		codes, words = append(codes, c), append(words, fmt.Sprintf(format, args...))
	}
	add(!ev.Witness && p.NoWitness == dr.AskOperator, CodeNoWitness, "the topology has no witness Region, so no majority can prove the fence")
	add(ev.Blind, CodeMonitorBlind, "%s renews its lease without a committed write: its monitor lives and can't ask its server, so the writer may be down, or serve clients that only this Region can't see; make sure that it does not serve", x.From)
	add(ev.MonitorDiedFirst, CodeNoFenceProof, "the writer's monitor went silent while the writer still served: its lease proves nothing; make sure that the old writer is stopped")
	switch {
	case !ev.LagKnown:
		add(true, CodeLagUnknown, "no replication lag was seen before the evidence went dark: the loss is unknown")
	case ev.Lag > p.MaxDataLoss:
		add(true, CodeLagAboveLimit, "the last replication lag was %v, the limit is %v", ev.Lag, p.MaxDataLoss)
	case ev.LagAge > p.MaxLagAge:
		add(true, CodeLagStale, "the last replication lag was %v old when the evidence went dark, the limit is %v", ev.LagAge, p.MaxLagAge)
	}
	add(ev.Recent >= p.FailoverLimit(), CodeFailoverBudget, "%d automatic failovers in %v, the budget is %d", ev.Recent, p.FailoverWindow, p.FailoverLimit())
	return codes, strings.Join(words, "; ")
}

// refusal names why a pair is not in the table.
func refusal(s State, k Kind) string {
	if s.Ended() {
		return "the execution has ended"
	}
	if s == AwaitingApproval {
		return "a person is asked"
	}
	switch k {
	case EvAcknowledged, EvReady, EvReassessed:
		return "nothing was asked"
	case EvSuspected, EvCleared, EvConfirmed, EvRequested:
		return "an execution is under way"
	case EvRecovered, EvAbortRequested:
		if !s.beforeEpoch() {
			return "the epoch is taken"
		}
	case EvReturnRequested, EvMovedBack:
		switch {
		case s.beforeEpoch():
			return "the epoch is not taken"
		case s == Returning:
			return "it is under way"
		}
		return "the writer has moved"
	case EvReturned:
		return "nothing is given back"
	case EvAdopted:
		return "the execution moves the writer itself"
	case EvStuck, EvSuperseded, EvTold:
		return "nothing is under way"
	case EvEndorsed:
		if s == Returning {
			return "it is given back"
		}
		return "nothing is under way"
	}
	if produced, ok := producer[k]; ok && slices.Index(states, s) > slices.Index(states, produced) {
		return "it has happened already"
	}
	return "it is too early"
}

// producer is the state whose effect brings an event about.
var producer = map[Kind]State{
	EvEpochTaken: Confirmed, EvFenceProven: EpochTaken, EvGatePassed: Fenced, EvPromoted: LossAccepted,
	EvVerified: Promoted, EvRedirected: Verified, EvAnnounced: Redirected,
}
