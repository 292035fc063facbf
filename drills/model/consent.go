package model

import (
	"slices"
	"strconv"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// put is a question that was put and has no answer yet. Its ID is its place in
// execution.Put, counted from 1, so that IDs don't grow without end.
type put struct {
	Asked    uint8
	Codes    uint8 // index into asks and one; 0 is none
	Answered bool  // which the journal does not hold yet
}

var policy = dr.DefaultPolicy()

// mostPut bounds the questions of one execution that are open or have passed unanswered.
const mostPut = 3

// answer is a consent as it is kept.
type answer struct {
	Epoch, Try uint8
	Question   uint8 // 0: one that was answered by it
}

// needs are what only a person may allow before a promotion.
type needs uint8

const (
	theLoss   needs = 1 << iota // an unknown lag
	theProof                    // a fence that the lease does not prove
	theTarget                   // a target that can't be promoted, which is no condition
)

// needed is what an execution needs consent to.
func (x *execution) needed() (n needs) {
	if x.Switchover || x.Adopt {
		return 0
	}
	if x.LagUnknown {
		n |= theLoss
	}
	if x.DiedFirst {
		n |= theProof
	}
	return n
}

// asks are the questions that occur.
var asks = [][]failover.Code{
	{failover.CodeLagUnknown}, {failover.CodeNoFenceProof}, {failover.CodeNoFenceProof, failover.CodeLagUnknown},
	{failover.CodeLeaseStoreStuck}, {failover.CodePromotionStuck}, {failover.CodeVerifyStuck}, {failover.CodeRedirectStuck},
	{failover.CodeSuperseded}, {failover.CodeTargetNotReady}, {failover.CodePromotionRefused},
	{failover.CodeReturnStuck},
}

// stuckAt are the codes of effects that give up.
var stuckAt = map[failover.State]failover.Code{
	failover.Confirmed: failover.CodeLeaseStoreStuck, failover.EpochTaken: failover.CodeNoFenceProof, failover.Fenced: failover.CodeNoFenceProof,
	failover.LossAccepted: failover.CodePromotionStuck, failover.Promoted: failover.CodeVerifyStuck,
	failover.Returning: failover.CodeReturnStuck, failover.Verified: failover.CodeRedirectStuck, failover.Redirected: failover.CodeRedirectStuck,
}

func codesIndex(codes []failover.Code) uint8 {
	i := slices.IndexFunc(asks, func(c []failover.Code) bool { return slices.Equal(c, codes) })
	if i < 0 {
		panic("model: an unknown question: " + string(codes[0]))
	}
	return uint8(i + 1)
}

// code is what the open question is about, or "".
func (x *execution) code() failover.Code {
	if x.State != operator {
		return ""
	}
	return asks[x.Put[x.Question-1].Codes-1][0]
}

func executionID(epoch, try uint8) string { return strconv.Itoa(int(epoch)*10 + int(try)) }

// full is the execution as the real table knows it.
func (x *execution) full(without Without) failover.Execution {
	full := failover.Execution{
		ID: executionID(x.Epoch, x.Try), State: states[x.State], Epoch: dr.Epoch(x.Epoch), Mode: failover.ModeFailover,
		Evidence: failover.Evidence{Witness: true, LagKnown: !x.LagUnknown || without == Consent, MonitorDiedFirst: x.DiedFirst},
	}
	switch {
	case x.Switchover:
		full.Mode = failover.ModeSwitchover
	case x.Adopt:
		full.Mode = failover.ModeAdopt
	}
	for i, p := range x.Put {
		if p.Codes != 0 {
			full.Question = failover.Question{
				ID: strconv.Itoa(i + 1), Codes: asks[p.Codes-1], Asked: states[p.Asked], LagKnown: full.Evidence.LagKnown, Told: true, Answered: p.Answered,
			}
			full.Put = append(full.Put, full.Question)
		}
	}
	if x.State == operator {
		full.Question, full.Asked, full.Code = full.Put[x.Question-1], states[x.Asked], x.code()
	}
	if x.Accepted != 0 {
		full.Ack, full.Accepted.LagKnown = &failover.Acknowledgement{}, full.Evidence.LagKnown
		if x.Accepted&theLoss != 0 {
			full.Accepted.Codes = append(full.Accepted.Codes, failover.CodeLagUnknown)
		}
		if x.Accepted&theProof != 0 {
			full.Accepted.Codes = append(full.Accepted.Codes, failover.CodeNoFenceProof)
		}
		if x.Accepted&theTarget != 0 {
			full.Accepted.Codes = append(full.Accepted.Codes, failover.CodeTargetNotReady)
		}
	}
	return full
}

// follow asks the real table what comes of an event. It panics on a refusal: the model
// brings about no event that the controller would not.
func (x execution) follow(e failover.Event, without Without) execution {
	next, err := x.try(e, without)
	if err != nil {
		panic(err)
	}
	return next
}

// try is follow for an event that the real table may refuse.
func (x execution) try(e failover.Event, without Without) (execution, error) {
	next, err := failover.Step(policy, x.full(without), e)
	if err != nil {
		return x, err
	}
	x.State, x.Asked, x.Question, x.Accepted = index(next.State), 0, 0, 0
	if next.State == failover.AwaitingApproval {
		x.Asked = index(next.Asked)
		id, _ := strconv.Atoi(next.Question.ID)
		x.Question = uint8(id)
	}
	x.Put = [mostPut]put{}
	for i, q := range next.Put {
		x.Put[i] = put{Asked: index(q.Asked), Codes: codesIndex(q.Codes), Answered: q.Answered}
	}
	if next.Ack != nil {
		x.Accepted = about(next.Accepted.Codes)
	}
	x.Switchover = next.Mode == failover.ModeSwitchover
	x.Adopt = next.Mode == failover.ModeAdopt // a consent may turn one into a failover
	x.Proven = next.Proof != "" || x.Proven && x.State != returning
	if x.State == returning {
		x.Allowed = 0
	}
	x.Seq = written
	return x, nil
}

// about returns what a consent to a question with these codes allows.
func about(codes []failover.Code) (n needs) {
	if slices.Contains(codes, failover.CodeLagUnknown) {
		n |= theLoss
	}
	if slices.Contains(codes, failover.CodeNoFenceProof) {
		n |= theProof
	}
	if slices.Contains(codes, failover.CodeTargetNotReady) {
		n |= theTarget
	}
	return n
}

// renumber takes the questions that have their answer out of what the journal holds. Where
// no answer is kept, those that have passed make no difference either.
func (s *State) renumber(kept bool) {
	j := &s.Journal
	var left [mostPut]put
	var at [mostPut + 1]uint8
	n := uint8(0)
	for i, p := range j.Put {
		if p.Codes != 0 && !p.Answered && (kept || i+1 == int(j.Question)) {
			left[n] = p
			n++
			at[i+1] = n
		}
	}
	j.Put, j.Question = left, at[j.Question]
	if s.Answer.Epoch == j.Epoch && s.Answer.Try == j.Try {
		s.Answer.Question = at[s.Answer.Question]
	}
}

// stops has a person make sure of what an execution asks about: where the fence is in doubt,
// that the old writer is stopped. It returns what is allowed by that.
func (w *step) stops(t *State, x *execution) needs {
	// A switchover becomes a failover, and its fence may have been proven by the lease of a
	// monitor that was not there.
	unproven := x.Switchover && x.Asked == gated && w.Without != Confirmation
	if x.DiedFirst || x.Asked == epochTaken || unproven {
		old := &t.Member[peer(x.To)]
		old.Stopped, old.Open = true, false
	}
	return allowed(x)
}

// allowed is what a consent to the open question of an execution allows.
func allowed(x *execution) needs {
	n := about(asks[x.Put[x.Question-1].Codes-1])
	if x.Switchover && x.Asked == gated {
		n |= theProof | theLoss // nothing else is asked before it goes on as a failover
	}
	return n &^ theTarget
}

// person is what people answer, where answers are kept.
func (w *step) person(r uint8) {
	j := &w.s.Journal
	if !w.Kept || j.State != operator || j.To != r || !w.s.majority(r) {
		return
	}
	to := answer{j.Epoch, j.Try, j.Question}
	if w.s.Answer == to {
		return
	}
	w.to(action{what: answers, who: r}, func(t *State) bool {
		w.stops(t, j)
		t.Answer = to
		return true
	})
}

// question waits for a person, who consents only when the old writer can't serve: where
// the fence is in doubt, by stopping it.
func (w *step) question(r, k uint8, outcome outcome) {
	m := w.s.Member[r]
	x := m.Trigger[k].X
	if !x.Switchover && x.Asked == confirmed && w.s.current(r) && m.Sees.Epoch < x.Epoch && !x.RevCurrent {
		outcome(action{what: perform, who: r, which: k}, failover.Event{Kind: failover.EvRecovered}, nil)
	}
	if !w.s.majority(r) {
		return
	}
	w.passes(r, k, outcome)
	own := answer{x.Epoch, x.Try, x.Question}
	given := own
	if w.Kept {
		given = w.s.Answer
	}
	switch {
	case given.Epoch == 0:
		return
	case w.Without == ConsentByEpoch && given.Epoch == x.Epoch:
		given = own
	}
	e := failover.Event{Kind: failover.EvAcknowledged, Ack: &failover.Acknowledgement{
		Execution: executionID(given.Epoch, given.Try), Question: strconv.Itoa(int(given.Question)),
	}}
	if _, err := x.try(e, w.Without); err != nil {
		return // it is to another question
	}
	outcome(action{what: consent, who: r, which: k}, e, func(t *State, _ *member, x *execution) {
		switch {
		case !w.Kept:
			x.Allowed |= w.stops(t, x)
		case t.Answer == own:
			x.Allowed |= allowed(x)
		}
	})
}

// passes looks whether what the open question is about is over. A promotion that was refused
// or has not come about is asked for again.
func (w *step) passes(r, k uint8, outcome outcome) {
	m := w.s.Member[r]
	x := m.Trigger[k].X
	does := action{what: passed, who: r, which: k}
	over := failover.Event{Kind: failover.EvReady}
	free := w.s.Moving == none && m.Order == nothing && w.s.Lease.Epoch == x.Epoch && w.s.Lease.Holder == r && !m.Unready
	switch code := x.code(); {
	case code == failover.CodeReturnStuck && w.reports(peer(r)):
		outcome(does, over, nil)
	case code == failover.CodeTargetNotReady && !m.Unready:
		outcome(does, over, nil)
	case code != failover.CodePromotionRefused && code != failover.CodePromotionStuck || x.Adopt:
	case w.s.Writer == r && w.s.Moving == none, w.s.Moving == r && code == failover.CodePromotionRefused:
		outcome(does, over, nil)
	case free && w.s.Writer != r && code == failover.CodePromotionRefused:
		outcome(does, over, func(_ *State, m *member, x *execution) { m.Order = x.order() })
	case free && w.s.Writer != r:
		w.on(does, func(_ *State, m *member) bool { m.Order = x.order(); return true })
	}
}

// order is what an execution asks the control plane for.
func (x *execution) order() uint8 {
	if x.Switchover {
		return toSwitchOver
	}
	return toFailOver
}
