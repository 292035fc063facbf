package measure

import "time"

// stopped judges whether a writer that had to stop has done so, and whether writes came
// back: after a failover, or after a person was asked.
func (j *judge) stopped(moved bool) {
	r := j.r
	switch {
	case r.RTO == 0:
		j.doubt("no write failed: this drill has not shown what it is for")
	case moved && r.Failovers > 1:
		j.fail("failed over %d times, at most 1 allowed", r.Failovers)
	case moved && r.Acknowledged != Unknown:
		j.fail("a person acknowledged at %s in a drill that allows no acknowledgement", at(r.Acknowledged))
	case moved:
		j.note("the writer went from %s to %s by itself", r.OldWriter, r.NewWriter)
	case r.Operator == Unknown:
		j.fail("writes stopped, the writer did not move, and no person was asked: the run has no %s mark", MarkOperator)
	default:
		j.note("a person was asked at %s and gave no answer; writes came back at the heal", at(r.Operator))
	}
}

// resumed holds the time from the heal to the end of the outage against the limit:
// what came before was a person's to decide.
func (j *judge) resumed(limit time.Duration) {
	r := j.r
	switch {
	case r.RTO == 0:
	case r.Healed == Unknown:
		j.doubt("the run has no %s mark, so nothing is known about what came after it", MarkHealed)
	case r.Capped:
		j.fail("writes had not come back when the run ended, %s after the heal", Span(max(time.Duration(0), r.End-r.Healed)))
	case r.End-r.Healed > limit:
		j.fail("writes came back %s after the heal, the objective is %s: over by %s", Span(r.End-r.Healed), Span(limit), Span(r.End-r.Healed-limit))
	}
}
