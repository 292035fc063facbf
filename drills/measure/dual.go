package measure

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// DualWrite is a write that the old writer acknowledged after the new one had
// begun to.
type DualWrite struct {
	ID     int64
	Client string
	Server dr.Region     // the old writer
	Start  time.Duration // when it began
	End    time.Duration // when it was acknowledged
	// Survived: it is on the new writer at the end all the same. If not, it is in
	// Result.Lost, too.
	Survived bool
}

// dual lists the acknowledgements by the old writer that came strictly after the
// first one by the new writer, in the order in which they came.
func (l ledger) dual() []DualWrite {
	if !l.run.failedOver() {
		return nil
	}
	first := Unknown
	var out []DualWrite
	for _, op := range l.acked {
		switch {
		case op.Server == l.run.NewWriter:
			if first == Unknown {
				first = op.End
			}
		case op.Server == l.run.OldWriter && first != Unknown && op.End > first:
			out = append(out, DualWrite{ID: op.ID, Client: op.Client, Server: op.Server, Start: op.Start, End: op.End, Survived: l.present[op.ID]})
		}
	}
	return out
}

// dual holds what both writers acknowledged against what the scenario demands.
func (j *judge) dual() {
	r, n := j.r, j.r.Writes.DualAcknowledged
	if listed := len(r.Dual); listed != n {
		j.fail("%d dual-acknowledged writes were counted and %d are listed: each must be named", n, listed)
	}
	if j.e.Unfenced == 0 {
		if n > 0 {
			j.fail("split brain: %s acknowledged %d writes after the first acknowledgement by %s, 0 allowed", r.OldWriter, n, r.NewWriter)
		}
		return
	}
	lost := make(map[int64]bool, len(r.Lost))
	for _, w := range r.Lost {
		lost[w.ID] = true
	}
	silent, late := 0, 0
	for _, w := range r.Dual {
		if !w.Survived && !lost[w.ID] {
			silent++
		}
		if end := j.unfencedUntil(); end != Unknown && w.End > end {
			late++
		}
	}
	switch {
	case r.Healed == Unknown:
		j.doubt("the run has no %s mark, so nothing is known about what the old writer did after the heal", MarkHealed)
	case n == 0:
		j.doubt("no write was acknowledged twice: the old writer was fenced or had no client, so this drill has not shown what it is for")
	}
	if silent > 0 {
		j.fail("%d dual-acknowledged writes are gone and not counted as lost, 0 allowed: a loss must never be silent", silent)
	}
	if late > 0 {
		j.fail("%s still acknowledged %d writes more than %s after the heal, 0 allowed", r.OldWriter, late, Span(j.e.Unfenced))
	}
	if n > 0 {
		j.note("nothing fenced the old writer, as this scenario means it to be: %s acknowledged %d writes after the first acknowledgement by %s, the last at %s; each is listed",
			r.OldWriter, n, r.NewWriter, at(r.Dual[len(r.Dual)-1].End))
	}
}

// unfencedUntil returns until when an old writer that nothing fences may
// acknowledge, or Unknown.
func (j *judge) unfencedUntil() time.Duration {
	if j.e.Unfenced == 0 || j.r.Healed == Unknown {
		return Unknown
	}
	return j.r.Healed + j.e.Unfenced
}
