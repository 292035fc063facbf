package guard_test

import (
	"fmt"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// learn hands the guard an input, and judges and begins what it asks for.
func (w *world) learn(in guard.Input) {
	w.t.Helper()
	in.Now = w.now
	before := w.s
	next, all := guard.Step(w.r, before, in)
	again, same := guard.Step(w.r, before, in)
	if again != next || fmt.Sprint(same) != fmt.Sprint(all) {
		w.fail("two steps of one state and input differ")
	}
	w.s = next
	if in.Kind != guard.Tick {
		w.note("learns %d %v: id %d, seq %d, %+v", in.Kind, in.Result, in.ID, in.Seq, in.Lease)
	}
	for _, e := range all {
		w.note("%s %d: epoch %d, rev %d, until %v %s%s", e.Kind, e.ID, e.Epoch, e.Lease.Rev, e.Until, e.What, e.Why)
		w.judge(e)
		w.begin(e)
	}
	w.rest()
}

// judge holds an effect against what the guard was told and against the truth.
func (w *world) judge(e guard.Effect) {
	w.t.Helper()
	call := e.Kind < guard.Tell
	switch {
	case call && (e.ID == 0 || w.ids[e.ID]):
		w.fail("%s has the number of another call", e.Kind)
	case call && e.Until <= w.now:
		w.fail("%s is to be over before it has begun", e.Kind)
	case w.s.Behind && (e.Kind == guard.Open || e.Kind == guard.Renew || e.Kind == guard.Release || e.Kind == guard.Beat && e.Row != guard.RowBehind):
		w.fail("%s by a guard that stays behind", e.Kind)
	}
	w.ids[e.ID] = true
	held := w.now < w.granted+w.r.Valid
	switch e.Kind {
	case guard.Open:
		w.opens++
		w.cut = false
		switch {
		case !held:
			w.fail("opens the writer without a grant")
		case w.s.Seen.Holder != w.r.Region || w.s.Seen.Released:
			w.fail("opens the writer without the lease")
		case w.s.Seen.Execution != "" && w.s.Seen.Rev <= w.s.Seen.TakenRev && w.s.Told != w.s.Seen.Epoch:
			w.fail("opens a server that is not promoted")
		case w.closed != nil && w.closed.Epoch == e.Epoch && w.s.Term.Rev <= w.closed.Rev:
			w.fail("opens the writer at revision %d, and has acknowledged that it is closed at %d", w.s.Term.Rev, w.closed.Rev)
		case w.secnd == e.Epoch:
			w.fail("opens a server that is a secondary")
		}
	case guard.Renew:
		switch {
		case e.Lease.Holder != w.r.Region || e.Lease.Released:
			w.fail("renews a lease that is not its own: %+v", e.Lease)
		case e.Epoch == w.gave:
			w.fail("renews an epoch that it has given back")
		case w.secnd == e.Epoch:
			w.fail("renews for a secondary")
		}
	case guard.Fence:
		if e.Quiet || w.s.Confirms && e.ID == w.s.Fencing.ID {
			break // of a server that is closed already
		}
		w.fences++
		if w.harmless && held && !w.cut {
			w.fail("fences the writer while a grant holds")
		}
	case guard.Isolate:
		w.cut = true
		if w.harmless && held {
			w.fail("cuts the writer off while a grant holds")
		}
		if w.harmless && w.s.Others == guard.OthersAlive && w.now-w.s.OthersAt <= w.r.Look && w.now-w.s.SeenAt <= w.r.Look {
			w.fail("cuts off a writer that another Region sees serving")
		}
	case guard.Release:
		if w.s.Demoted == 0 || !w.s.Closing.Acked {
			w.fail("gives back the lease of a writer that may be open")
		}
	}
}

// rest judges the state that a step has left: nothing that is due is left undone.
func (w *world) rest() {
	w.t.Helper()
	s := &w.s
	if next := guard.Next(&w.r, s, w.now); next <= w.now {
		w.fail("is to be stepped again at %v", next)
	}
	if s.Behind || s.Finished {
		return
	}
	late := s.Armed && w.now >= s.GrantEnd(&w.r) && !(s.Closing.On && s.Closing.Acked)
	if late && s.Fencing.ID == 0 && s.Opening.ID == 0 && s.Isolating.ID == 0 && w.now >= s.Closing.RetryAt {
		w.fail("lets the writer outlive its grants: %+v", s.Closing)
	}
	if s.Armed && !s.Inherited && w.harmless && s.StoreAt > w.granted {
		w.fail("counts a grant from %v that it was not given, newest %v", s.StoreAt, w.granted)
	}
}

// arrive gives the guard an answer, and notes what it says.
func (w *world) arrive(f flight) {
	w.t.Helper()
	in, s := f.in, &w.s
	done := in.Result == guard.Done
	switch f.e.Kind {
	case guard.Renew:
		if done && !s.Behind {
			w.granted = max(w.granted, f.sent)
		}
	case guard.ReadPromise:
		for _, b := range w.beats {
			if done && b.Seq == in.Seq && b.Epoch == s.Term.Epoch {
				w.granted = max(w.granted, w.sentAt(in.Seq))
			}
		}
	case guard.Fence:
		own := !s.Enforces && !s.Confirms && f.e.ID == s.Fencing.ID
		if done && own && s.Closing.On && !s.Closing.ByRPO && !s.Closing.Acked {
			defer func() { w.closed = &lease.Record{Epoch: s.Closing.Epoch, Rev: s.Closing.Rev} }()
		}
	case guard.Open:
		w.closed = nil
	case guard.Release:
		if done {
			defer func() { w.gave = in.Lease.Epoch }()
		}
	case guard.AskRole:
		switch {
		case done && in.Server == guard.Secondary && f.sent > s.TermAt && s.Serves(&w.r) && s.Role != guard.Writer:
			w.secnd = s.Term.Epoch
		case done && in.Server == guard.Writer:
			w.secnd = 0
		}
	case guard.Beat:
		sees := f.e.Epoch == s.Term.Epoch && s.Serves(&w.r) && !f.e.Quiet
		switch {
		case in.Result == guard.NotWriter && sees:
			w.secnd = s.Term.Epoch
		case done:
			w.secnd = 0
		}
	case guard.AskPlane:
		if done && in.Here {
			w.secnd = 0
		}
	}
	w.learn(in)
}

func (w *world) sentAt(seq uint64) guard.Instant {
	for _, x := range w.s.Sent {
		if x.Seq == seq {
			return x.Sent
		}
	}
	return guard.Never
}
