package lease

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// View is the lease as one party has read it last, if it has.
type View struct {
	Known  bool
	Seen   Record
	SeenAt Instant // when the last read had returned
}

// See returns the view after a call that has returned at a time showed r. An older revision
// than the known one is an answer that was overtaken; it says nothing.
func (v View) See(r Record, at Instant) View {
	if v.Overtaken(r) {
		return v
	}
	return View{true, r, at}
}

// Overtaken reports whether a later revision than r is known.
func (v View) Overtaken(r Record) bool { return v.Known && r.Rev < v.Seen.Rev }

// Age returns how long ago the lease was read, and a time longer than any other while it
// never was.
func (v View) Age(now Instant) time.Duration {
	if !v.Known {
		return now - Never
	}
	return now - v.SeenAt
}

// Observer is what one party knows of the lease that it reads. The zero Observer knows
// nothing.
type Observer struct {
	View
	rev     Still[uint64]
	service Still[service]
	moved   bool

	vacant     bool
	answered   bool    // the store has said that there is a lease
	answeredAt Instant // when it last did
}

// service changes when the writer's Region serves: with a renewal that has a committed write
// behind it, or with another epoch.
type service struct {
	epoch  dr.Epoch
	served uint64
}

// Observe returns what is known after a read that has returned at a time showed r.
func (o Observer) Observe(r Record, at Instant) Observer {
	if o.Overtaken(r) {
		return o
	}
	now := service{r.Epoch, r.Served}
	o.moved = o.moved || o.Known && now != o.service.Value
	o.View, o.rev, o.service = o.See(r, at), o.rev.Observe(r.Rev, at), o.service.Observe(now, at)
	o.answered, o.answeredAt, o.vacant = true, at, false
	return o
}

// ObserveNone returns what is known after a read that was sent at a time said that no lease
// exists. One that was overtaken by a lease says nothing.
func (o Observer) ObserveNone(asked Instant) Observer {
	o.vacant = o.vacant || !o.answered || asked > o.answeredAt
	return o
}

// ObserveSome returns what is known after the store has refused to make the first lease,
// because one exists that this party has not read yet.
func (o Observer) ObserveSome(at Instant) Observer {
	if !o.Known {
		o.answered, o.answeredAt, o.vacant = true, at, false
	}
	return o
}

// Adopt takes over what another party has told now: that it had read a revision for a time
// without a change.
func (o Observer) Adopt(rev uint64, unchanged time.Duration, now Instant) Observer {
	o.rev = o.rev.Adopt(rev, unchanged, now)
	return o
}

// Unchanged returns for how long the lease has provably not been renewed, up to the last read:
// nothing is known of the time since.
func (o Observer) Unchanged() time.Duration { return o.rev.Unchanged(o.SeenAt) }

// Unserved returns for how long no renewal with a committed write behind it was seen, up to
// the last read. It is never less than Unchanged.
func (o Observer) Unserved() time.Duration {
	return max(o.service.Unchanged(o.SeenAt), o.Unchanged())
}

// Moved reports whether the writer's Region has been seen to serve: a renewal with a committed
// write behind it has come, or another epoch. Before that a short silence says nothing: this
// party may have begun to look later than the silence did.
func (o Observer) Moved() bool { return o.moved }

// Vacant reports whether the store has last said that no lease exists.
func (o Observer) Vacant() bool { return o.vacant }

// Fresh reports whether the lease was read within a time before now.
func (o Observer) Fresh(now Instant, within time.Duration) bool { return o.Age(now) <= within }
