package measure

import (
	"cmp"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// findOutages returns every outage among ops since that time, oldest first.
// A write that was over before since belongs to the time before.
func findOutages(ops []workload.Op, since time.Duration, s Sustain, interval time.Duration) []Outage {
	ops = slices.Clone(ops)
	slices.SortStableFunc(ops, func(a, b workload.Op) int { return cmp.Compare(a.Intended, b.Intended) })
	w := newWindows(ops, s, interval)
	var bad, ok []workload.Op
	for _, op := range ops {
		switch {
		case op.Outcome == workload.OK:
			ok = append(ok, op)
		case op.End >= since:
			bad = append(bad, op)
		}
	}
	byEnd(ok)

	var out []Outage
	var cursor time.Duration
	next := 0
	for _, op := range bad {
		if len(out) > 0 && op.Intended < cursor {
			continue // part of the outage before
		}
		o := Outage{Start: op.Intended, End: max(w.end, op.Intended), Capped: true}
		for next < len(ok) && ok[next].End <= o.Start {
			next++
		}
		for ; next < len(ok); next++ {
			if w.sustained(ok[next].End) {
				o.End, o.Capped = ok[next].End, false
				break
			}
		}
		out, cursor = append(out, o), o.End
		if o.Capped {
			break
		}
	}
	return out
}

// windows answers how well writes did in a stretch of intended times.
type windows struct {
	Sustain
	clients []client
	end     time.Duration // of the observation
}

// client is what one client wrote. Each client must recover: two Regions that
// write happily would otherwise hide the first seconds of a third that doesn't.
type client struct {
	intended []time.Duration
	oks      []int // oks[i] counts the ok writes among the first i
}

// newWindows takes ops in the order of intended times.
func newWindows(ops []workload.Op, s Sustain, interval time.Duration) *windows {
	w := &windows{Sustain: s.withDefaults()}
	index := map[string]int{}
	for _, op := range ops {
		i, seen := index[op.Client]
		if !seen {
			i = len(w.clients)
			index[op.Client] = i
			w.clients = append(w.clients, client{oks: []int{0}})
		}
		c := &w.clients[i]
		n := c.oks[len(c.oks)-1]
		if op.Outcome == workload.OK {
			n++
		}
		c.intended, c.oks = append(c.intended, op.Intended), append(c.oks, n)
		w.end = op.Intended + interval
	}
	return w
}

// sustained reports whether writes kept succeeding from t on, and did so at
// once: what a window tolerates must not be spent on the tail of the outage. The
// window of a late t would reach beyond the observation; then the last full
// window before the end counts.
func (w *windows) sustained(t time.Duration) bool {
	for _, c := range w.clients {
		i, _ := slices.BinarySearch(c.intended, t)
		if i < len(c.intended) && c.oks[i+1] == c.oks[i] {
			return false // the client's next write was not ok
		}
	}
	from := min(t, w.end-w.Window)
	return w.good(from, from+w.Window)
}

// good reports whether enough of the writes that each client meant for
// [from, to) were ok. Nothing is proven about a client that has none in it.
func (w *windows) good(from, to time.Duration) bool {
	for _, c := range w.clients {
		i, _ := slices.BinarySearch(c.intended, from)
		j, _ := slices.BinarySearch(c.intended, to)
		if i == j || float64(c.oks[j]-c.oks[i]) < w.Success*float64(j-i) {
			return false
		}
	}
	return true
}

// longest returns the longest outage, the first of equals, and whether any of
// them had not ended: then the true length is at least that.
func longest(outages []Outage) (worst Outage, capped bool) {
	for i, o := range outages {
		if i == 0 || o.Length() > worst.Length() {
			worst = o
		}
		capped = capped || o.Capped
	}
	return worst, capped
}

// capAt treats what ended after the horizon as not ended: the drill heals the
// fault then, and a service that only comes back with the heal has not recovered.
func capAt(outages []Outage, horizon time.Duration) []Outage {
	for i, o := range outages {
		if o.Start < horizon && o.End > horizon {
			outages[i].End, outages[i].Capped = horizon, true
		}
	}
	return outages
}

// firstOK returns the time from the outage's start to the first ok among the
// writes that were meant to start in it, or Unknown.
func firstOK(ops []workload.Op, start time.Duration) time.Duration {
	first := Unknown
	for _, op := range ops {
		if op.Outcome == workload.OK && op.Intended >= start && (first == Unknown || op.End-start < first) {
			first = op.End - start
		}
	}
	return first
}
