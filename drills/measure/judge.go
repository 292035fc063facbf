package measure

import (
	"fmt"
	"time"
)

// Judge holds a result against what a scenario expects. Failed beats
// Inconclusive, Inconclusive beats Passed, and every reason is given: a drill
// with a thin load that also acknowledged twice has failed.
func Judge(r Result, e Expect) Verdict {
	j := judge{r: r, e: e}
	j.soundness()
	j.dual()
	j.movement()
	j.recovery()
	j.loss()

	v := Verdict{Outcome: Passed, Reasons: append(j.failures, j.doubts...), Notes: j.notes}
	switch {
	case len(j.failures) > 0:
		v.Outcome = Failed
	case len(j.doubts) > 0:
		v.Outcome = Inconclusive
	}
	return v
}

type judge struct {
	r        Result
	e        Expect
	failures []string
	doubts   []string
	notes    []string
}

func (j *judge) fail(format string, args ...any) {
	j.failures = append(j.failures, fmt.Sprintf(format, args...))
}

func (j *judge) doubt(format string, args ...any) {
	j.doubts = append(j.doubts, fmt.Sprintf(format, args...))
}

func (j *judge) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

// soundness asks whether the run can prove anything.
func (j *judge) soundness() {
	r := j.r
	for _, p := range r.Problems {
		j.doubt("the run can't be measured: %s", p)
	}
	if err := j.e.Validate(); err != nil {
		j.doubt("the scenario is not valid: %v", err)
	}
	if r.Steady == Unknown {
		j.doubt("no steady state: the run has no %s mark, so nothing is known about the time before the fault", MarkSteady)
	}
	switch {
	case j.e.NoFault && r.Injected != Unknown:
		j.doubt("a fault was injected at %v in a drill that has none", r.Injected)
	case j.e.NoFault:
	case r.Injected == Unknown:
		j.doubt("no fault: the run has no %s mark", MarkInjected)
	case r.Effective == Unknown:
		j.doubt("the fault had no effect that a probe could see: no %s mark after the injection at %s", MarkEffective, at(r.Injected))
	}
	if r.Effective != Unknown {
		for _, f := range r.Unseen {
			j.doubt("nothing showed that %s did what it says", f)
		}
	}
	if j.e.Unguarded && r.Guarded != Unknown {
		j.doubt("the monitor of %s fenced its writer at %s, before it was dead: this drill has not shown what it is for", r.OldWriter, at(r.Guarded))
	}
	if j.e.Suspects && r.Suspected == Unknown {
		j.doubt("no controller suspected anything: one that is less careful would not have failed over either")
	}
	if held := r.Injected + j.e.HeldUntil; j.e.HeldUntil > 0 && r.Injected != Unknown && r.Promoted != Unknown && r.Promoted < held {
		j.doubt("promoted at %s, and the fault holds a promotion back until %s: it was asked for before, and this drill has not shown what it is for", at(r.Promoted), at(held))
	}
	j.load()
	if n := r.Writes.Unexpected; n > 0 {
		j.doubt("%d writes were counted as failed or dropped and yet are present, 0 allowed: the classification of errors is wrong", n)
	}
}

// load asks whether there was enough traffic to measure with.
func (j *judge) load() {
	b, least := j.r.Before, j.e.MinRate
	if least == 0 {
		least = 0.8
	}
	if j.r.Steady != Unknown && (j.e.NoFault || j.r.Injected != Unknown) {
		switch {
		case b.Sent == 0:
			j.doubt("load too thin: no write was on record between steady state and the fault")
		case b.Achieved() < least*b.Offered:
			j.doubt("load too thin: %.1f writes/s were acknowledged before the fault, at least %.1f of the offered %.1f are needed",
				b.Achieved(), least*b.Offered, b.Offered)
		}
		if b.Sent > 0 && float64(b.OK) < 0.99*float64(b.Sent) {
			j.doubt("no steady state: %d of %d writes before the fault were ok, at least 99 %% are needed", b.OK, b.Sent)
		}
	}
	if n := j.r.DroppedOutside; n > 0 {
		j.doubt("%d writes were dropped while no fault excused it, 0 allowed: give the load more MaxInFlight or this machine less to do", n)
	}
}

// movement asks whether the writer moved when it should, and only then.
func (j *judge) movement() {
	r := j.r
	moved := r.FailedOver()
	switch j.e.Behaviour {
	case MustNotFailOver:
		if moved {
			j.fail("failed over %d times, 0 allowed: the writer went from %s to %s", r.Failovers, r.OldWriter, r.NewWriter)
		}
	case MustFailOver:
		switch {
		case !moved:
			j.fail("failed over 0 times, 1 required: the writer is still in %s", r.OldWriter)
		case r.Failovers > 1:
			j.fail("failed over %d times, 1 required", r.Failovers)
		}
		if r.Acknowledged != Unknown {
			j.fail("a person had to acknowledge at %s, the failover was required to be automatic", at(r.Acknowledged))
		}
	case MustRefuse:
		j.refusal(moved)
	case MayFailOver:
		j.stopped(moved)
	}
}

func (j *judge) refusal(moved bool) {
	r := j.r
	if r.Operator == Unknown {
		j.fail("no person was asked: the run has no %s mark, 1 required", MarkOperator)
	}
	switch {
	case r.Acknowledged == Unknown && moved:
		j.fail("failed over %d times without an acknowledgement, 0 allowed", r.Failovers)
	case r.Acknowledged == Unknown:
		j.doubt("no person acknowledged: the run has no %s mark, so the failover that must follow was not seen", MarkAcknowledged)
	case r.Promoted != Unknown && r.Promoted < r.Acknowledged:
		j.fail("promoted at %s, before the acknowledgement at %s", at(r.Promoted), at(r.Acknowledged))
	case !moved:
		j.fail("failed over 0 times after the acknowledgement at %s, 1 required", at(r.Acknowledged))
	case r.Failovers > 1:
		j.fail("failed over %d times, 1 required", r.Failovers)
	}
}

// recovery holds the outage against the objective.
func (j *judge) recovery() {
	r := j.r
	rto, limit, from := r.RTO, r.Objectives.RTO, ""
	if j.e.MaxRTO > 0 {
		limit = min(limit, j.e.MaxRTO)
	}
	if j.e.Behaviour == MayFailOver && !r.FailedOver() {
		j.resumed(limit)
		return
	}
	if n := len(r.Outages); j.e.NoOutage && n > 0 {
		j.fail("clients saw %d outages of %s together, 0 allowed: the longest began at %s", n, Span(r.Bad), at(r.Start))
	}
	waited := j.e.Behaviour == MustRefuse && r.Acknowledged > r.Start && r.Acknowledged < r.End
	if waited && r.FailedOver() && (r.Promoted == Unknown || r.Promoted >= r.Acknowledged) {
		rto, from = r.End-r.Acknowledged, " from the acknowledgement"
		j.note("the client's whole outage was %s; the objective is held against the %s after a person acknowledged", Span(r.RTO), Span(rto))
	}
	switch {
	case r.Capped && rto > limit:
		j.fail("RTO is more than %s%s, the objective is %s: the service had not recovered when the run ended", Span(rto), from, Span(limit))
	case r.Capped:
		j.doubt("the run ended in an outage, so RTO is known only to be more than %s (objective %s): watch for longer", Span(rto), Span(limit))
	case rto > limit:
		j.fail("RTO is %s%s, the objective is %s: over by %s", Span(rto), from, Span(limit), Span(rto-limit))
	case r.Bad > limit && from == "":
		j.fail("%d outages took %s together, the objective is %s: the longest was %s", len(r.Outages), Span(r.Bad), Span(limit), Span(rto))
	}
}

// loss holds what is gone against what was allowed.
func (j *judge) loss() {
	r := j.r
	if r.OrderLoss > 0 {
		j.fail("%d lost writes were acknowledged before a surviving one began, 0 allowed: the loss is a hole, not a tail", r.OrderLoss)
	}
	if j.e.nothing() || j.e.Behaviour == MayFailOver && !r.FailedOver() {
		if r.Writes.Lost > 0 {
			j.fail("lost %d of %d acknowledged writes, 0 allowed", r.Writes.Lost, r.Writes.OK)
		}
		return
	}
	allowed, objective := j.e.allowedLoss(r), r.Objectives.RPO
	beyond := ""
	if allowed > objective {
		beyond = fmt.Sprintf("; the scenario allows %s more than the objective of %s", Span(allowed-objective), Span(objective))
	}
	switch {
	case r.RPO > allowed:
		j.fail("RPO is %s, %s is allowed%s: over by %s", Span(r.RPO), Span(allowed), beyond, Span(r.RPO-allowed))
	case r.RPO > objective:
		j.note("RPO is %s: within the %s that this scenario allows, and %s over the objective of %s", Span(r.RPO), Span(allowed), Span(r.RPO-objective), Span(objective))
	case beyond != "":
		j.note("this scenario allows a loss of %s, which is more than the objective of %s; RPO is %s", Span(allowed), Span(objective), Span(r.RPO))
	}
	j.unexplained()
}

// unexplained counts the lost writes that neither lag nor the cut accounts for. A
// run that doesn't know when its fault bit can't tell; it is inconclusive already.
func (j *judge) unexplained() {
	if j.r.Injected != Unknown && j.r.Effective == Unknown {
		return
	}
	lag := j.e.lag(j.r)
	n, example := 0, LostWrite{}
	for _, w := range j.r.Lost {
		if !j.explains(w, lag) {
			n, example = n+1, w
		}
	}
	if n > 0 {
		j.fail("%d of %d lost writes are explained neither by %s of lag nor by a partition window of %s, 0 allowed: such as write %d, acknowledged by %q at %s",
			n, len(j.r.Lost), Span(lag), Span(j.e.PartitionWindow), example.ID, example.Server, at(example.End))
	}
}

// explains reports whether the scenario accounts for w. The fault bites at some
// instant between its injection and the moment a probe saw it, so each side is
// given the benefit of that uncertainty. A write under way at the cut may have
// been acknowledged by the server before it.
func (j *judge) explains(w LostWrite, lag time.Duration) bool {
	r := j.r
	switch w.Kind {
	case Lag:
		return w.End >= r.Injected-lag-r.Resolution
	case Partition:
		cut := max(r.Injected, r.Effective)
		return w.Start <= cut || w.End <= cut+j.e.PartitionWindow || w.End <= j.unfencedUntil()
	}
	return false
}
