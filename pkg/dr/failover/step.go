package failover

import (
	"fmt"
	"slices"

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
	x.State, x.Detail = to, e.Detail
	switch e.Kind {
	case EvConfirmed, EvRequested:
		x.Mode = ModeFailover
		if e.Kind == EvRequested {
			x.Mode = ModeSwitchover
		}
		// The gate is looked at before anything is touched: a Region that comes
		// back while a person thinks must find everything as it was.
		if code, why := question(p, x); code != "" {
			return ask(x, Confirmed, code, why), nil
		}
	case EvEpochTaken:
		x.Epoch, x.TakenRev, x.Unchanged = e.Epoch, e.Rev, e.Unchanged
	case EvFenceProven:
		x.Proof = e.Proof
	case EvGatePassed:
		if code, why := question(p, x); code != "" {
			return ask(x, Fenced, code, why), nil
		}
	case EvStuck:
		return ask(x, before, e.Code, e.Detail), nil
	case EvRecovered:
		if before == AwaitingApproval && x.Asked != Confirmed {
			// The epoch is taken: the old Region can't have recovered its lease.
			return asis, &Refusal{before, e.Kind, "the epoch is taken"}
		}
		x.Code = CodeRecovered
	case EvSuperseded:
		if to == AwaitingApproval {
			return ask(x, before, CodeSuperseded, e.Detail), nil
		}
		x.Code = CodeSuperseded
	case EvAcknowledged:
		if e.Ack == nil || e.Ack.Epoch != x.Epoch {
			return asis, &Refusal{before, e.Kind, fmt.Sprintf("it must name epoch %d", x.Epoch)}
		}
		x.Ack, x.State, x.Asked = e.Ack, x.Asked, ""
		switch {
		case x.State == EpochTaken:
			// The question was the fence, and a person vouches for it.
			x.State, x.Proof = Fenced, ProofOperator
		case x.Code == CodePromotionStuck && x.Mode == ModeSwitchover:
			// A switchover needs both Regions, and this one has not come about: asking for
			// the same again would leave no writer for as long as the other Region is lost.
			// Aurora stops the old writer in a switchover and nobody does in a failover, so
			// what a switchover may take for a fence a person must vouch for.
			x.Mode = ModeFailover
			if x.Proof == ProofExpired {
				x.Proof = ProofOperator
			}
		}
		x.Code = ""
	}
	return x, nil
}

func ask(x Execution, from State, code Code, why string) Execution {
	x.State, x.Asked, x.Code, x.Detail = AwaitingApproval, from, code, why
	return x
}

// question returns what an operator must be asked before the execution may go on,
// or nothing. An acknowledgement for the execution's epoch answers everything.
func question(p dr.Policy, x Execution) (Code, string) {
	ev := x.Evidence
	switch {
	case x.Mode == ModeSwitchover, x.Ack != nil && x.Ack.Epoch == x.Epoch:
		return "", ""
	case !ev.Witness && p.NoWitness == dr.AskOperator:
		return CodeNoWitness, "the topology has no witness Region, so no majority can prove the fence"
	case ev.MonitorDiedFirst:
		return CodeNoFenceProof, "the writer's monitor went silent while the writer still served: its lease proves nothing; make sure that the old writer is stopped"
	case !ev.LagKnown:
		return CodeLagUnknown, "no replication lag was seen before the evidence went dark: the loss is unknown"
	case ev.Lag > p.MaxDataLoss:
		return CodeLagAboveLimit, fmt.Sprintf("the last replication lag was %v, the limit is %v", ev.Lag, p.MaxDataLoss)
	case ev.LagAge > p.MaxLagAge:
		return CodeLagStale, fmt.Sprintf("the last replication lag was %v old when the evidence went dark, the limit is %v", ev.LagAge, p.MaxLagAge)
	case ev.Recent >= p.FailoverLimit():
		return CodeFailoverBudget, fmt.Sprintf("%d automatic failovers in %v, the budget is %d", ev.Recent, p.FailoverWindow, p.FailoverLimit())
	}
	return "", ""
}

// refusal names why a pair is not in the table.
func refusal(s State, k Kind) string {
	if s.Ended() {
		return "the execution has ended"
	}
	if s == AwaitingApproval {
		return "an operator is asked"
	}
	switch k {
	case EvAcknowledged:
		return "nothing was asked"
	case EvSuspected, EvCleared, EvConfirmed, EvRequested:
		return "an execution is under way"
	case EvRecovered:
		if slices.Index(states, s) >= slices.Index(states, EpochTaken) {
			return "the epoch is taken"
		}
	case EvStuck, EvSuperseded:
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
