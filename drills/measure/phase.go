package measure

import "time"

// phaseSteps are the phases of a failover in their order.
var phaseSteps = []struct {
	name string
	ends string // the mark that ends it; empty for the end of the outage
}{
	{"detect", MarkSuspected},
	{"decide", MarkDecided},
	{"fence", MarkFenced},
	{"promote", MarkPromoted},
	{"redirect", MarkRedirected},
	{"converge", ""},
}

// divide splits the outage into phases that, with the rest that it returns, sum
// to its length. A mark outside the outage is moved to its edge, and one that
// comes before its predecessor is moved up to it: the phase is then zero, never
// negative. A phase with an end that no mark tells is not known, and its time
// belongs to the rest.
func divide(o Outage, marks []Mark, since time.Duration) (phases []Phase, rest time.Duration) {
	ends := phaseEnds(marks, since)
	rest = o.Length()
	at, known := o.Start, true
	for i, step := range phaseSteps {
		end := ends[i]
		if step.ends == "" && !o.Capped {
			end = o.End
		}
		p := Phase{Name: step.name, From: at, To: at}
		if end != Unknown {
			end = min(max(end, at), o.End)
			if known {
				p.To, p.Known = end, true
				rest -= p.Length()
			} else {
				p.From, p.To = end, end
			}
			at, known = end, true
		} else {
			known = false
		}
		phases = append(phases, p)
	}
	return phases, rest
}

// phaseEnds returns when each phase ended, or Unknown: the first mark of its kind
// since the fault. A suspicion that came and went is thus part of the decision,
// not of the detection: the controller had seen something.
func phaseEnds(marks []Mark, since time.Duration) []time.Duration {
	ends := make([]time.Duration, len(phaseSteps))
	for i, step := range phaseSteps {
		ends[i] = Unknown
		if step.ends != "" {
			ends[i] = firstMark(marks, step.ends, since)
		}
	}
	return ends
}
