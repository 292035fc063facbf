package history

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// answer says how a call ends: as the same one ended, or the nearest of its kind.
func (p *player) answer(at time.Duration, e Effect, same *Event) (Answer, time.Duration, error) {
	a := Answer{Outcome: "ok", Seq: e.Seq, Awake: true}
	if e.What == "role" {
		var known bool
		if a.Writer, known = p.writer(at); !known {
			a.Outcome = "error"
		}
		return a, 0, nil
	}
	if same != nil && !same.Call() {
		same = nil
	}
	if same == nil {
		if same = p.nearest(at, e.What); e.What == "beat" {
			// What comes of a heartbeat write hangs on what was opened and closed before.
			same = p.next(at, e.What)
		}
		switch {
		case same == nil:
			return a, 0, nil // the recorded guard never asked that
		case e.What == "beat" && same.Outcome == "ok" && p.closed:
			a.Outcome = "readonly"
			return a, same.Took, nil
		}
	}
	a.Outcome = same.Outcome
	if a.Outcome == "cancelled" || a.Outcome == "never" || a.Outcome == "dead" {
		a.Outcome = "timeout"
		return a, max(same.Took, e.Until-at), nil
	}
	if a.Outcome != "ok" || len(same.Answer) == 0 {
		return a, same.Took, nil
	}
	var err error
	switch e.What {
	case "read":
		a.Lease, err = lease(same.Answer)
	case "check":
		a.Awake = same.Answer[0] == "true"
	case "replicated":
		var epoch uint64
		var n int64
		epoch, n, err = pair(same.Answer[0])
		a.Epoch, a.Seq = dr.Epoch(epoch), p.arrived(n)
	}
	return a, same.Took, err
}

// arrived returns the machine's newest heartbeat write that was sent no later than the one
// that was recorded to have arrived, or zero if that was none of this guard.
func (p *player) arrived(recorded int64) (seq uint64) {
	for _, r := range p.recorded["beat"] {
		if _, n, err := pair(r.Args[1]); err != nil || n != recorded {
			continue
		}
		for _, s := range p.sent {
			if s.at <= r.At {
				seq = max(seq, s.seq)
			}
		}
	}
	return seq
}

// next returns the first recorded call of a kind that began no earlier than at a time, or
// the last one.
func (p *player) next(at time.Duration, what string) (next *Event) {
	for _, r := range p.recorded[what] {
		if r.Call() && (next == nil || next.At < at) {
			next = r.Event
		}
	}
	return next
}

// nearest returns the recorded call of a kind that began nearest to a time.
func (p *player) nearest(at time.Duration, what string) *Event {
	var best *Event
	for _, r := range p.recorded[what] {
		if r.Call() && (best == nil || (r.At-at).Abs() < (best.At-at).Abs()) {
			best = r.Event
		}
	}
	return best
}

// writer reports whether the server takes itself for the writer, as it has shown, or as
// another Region's lease lets expect. Before it has shown it, nothing is known.
func (p *player) writer(at time.Duration) (is, known bool) {
	if !p.known || p.lease.Holder != p.g.Region {
		return false, p.known
	}
	shown := time.Duration(-1)
	for _, what := range []string{"open", "beat"} {
		for _, r := range p.recorded[what] {
			if end := r.At + r.Took; end <= at && end > shown && (r.Outcome == "ok" || r.Outcome == "notwriter") {
				is, shown = r.Outcome == "ok", end
			}
		}
	}
	return is, shown >= 0
}
