package model

import "fmt"

// action is one step of one party.
type action struct {
	what  what
	who   uint8 // a member, a link, or none
	which uint8 // a trigger, or a way to do it
}

type what uint8

const (
	// Faults.
	cutLink what = iota
	crashMonitor
	crashTrigger
	killDatabase
	freeze
	loseRegion
	stuck
	lose
	storeOut
	deafen
	moveOutside
	partition
	unready
	// Everything after this goes on by itself when nothing breaks any more.
	lastFault

	healLink
	startMonitor
	thaw
	tick

	storeBack
	hear
	ready
	clock
	release
	unanswered
	abstain
	promiseRow
	displaced

	readLease
	publish
	learn
	zombie
	giveUp
	answered
	open
	fence
	isolate

	begin
	perform
	journal
	consent
	answers
	passed
	wantsBack
	join
	order
	promote
	cancel
	timeOut
	rejoin
	restart
	watchdog
)

var whats = map[what]string{
	cutLink: "the link is cut", crashMonitor: "the monitor crashes", crashTrigger: "the trigger crashes",
	killDatabase: "the database is killed and comes back read-only", freeze: "the database freezes",
	loseRegion: "the Region is lost: links, monitor, trigger and database", stuck: "the trigger's effect gives up", lose: "a message is lost",

	healLink: "the link is healed", startMonitor: "a monitor starts", thaw: "the database thaws", tick: "a tick passes",

	readLease: "reads the lease", publish: "publishes its heartbeat", learn: "learns that it is promoted",
	storeOut: "its Region loses the store's quorum", storeBack: "its Region reaches the store's quorum again",
	deafen: "the monitor loses its way to its own database", hear: "the monitor can ask its own database again",
	wantsBack: "a person wants the lease given back", join: "the trigger sees that the journal is ahead of it",
	partition: "the Region is cut off from both others",
	unready:   "it can't be promoted any more", ready: "it can be promoted again", passed: "the trigger sees that what it asked about is over",
	moveOutside: "an order from outside moves the writer here", displaced: "learns from its control plane where the writer is",
	clock: "its clock has moved on: beats, renews, or decides to close", release: "gives the lease back",
	unanswered: "waits in vain for its database", abstain: "stops promising, or begins again", promiseRow: "promises in the other's database",
	zombie: "the store carries out a late renewal", giveUp: "waits in vain for the answer to the renewal",
	answered: "the answer to the renewal arrives", open: "opens its database", fence: "makes its database read-only",
	isolate: "cuts its database off",

	begin: "a trigger begins or resumes", perform: "the trigger carries out its effect", journal: "the trigger journals the outcome",
	consent: "a person's consent is taken", answers: "a person answers", order: "the control plane takes the order", promote: "the promotion is done",
	timeOut: "the trigger's effect has had its time", cancel: "the switchover is called off",
	rejoin: "the old writer rejoins as a secondary", restart: "a person starts the database again",
	watchdog: "the watchdog makes the database read-only",
}

func (x action) fault() bool { return x.what < lastFault }

// How a message is lost.
const (
	lostAnswer  uint8 = iota
	lostAndLate       // the answer is lost, and the request is carried out once more, later
	doubled           // the request is carried out once more, later
	lostRequest       // the request never arrives
	lostOpening       // the statement that opens the database is lost
)

var losses = [...]string{
	"the answer is lost", "the answer is lost, and the request will be carried out once more",
	"the request will be carried out once more", "the request is lost", "the opening is lost",
}

var links = [3]string{"a-b", "a-witness", "b-witness"}

func (x action) String() string {
	switch {
	case x.what == tick && x.which != 0:
		return fmt.Sprintf("%s: %s of %s", whats[x.what], [...]string{"", "but not on the clock", "and two on the clock"}[x.which], name(x.who))
	case x.what == tick:
		return whats[x.what]
	case x.what == cutLink || x.what == healLink:
		return links[x.who] + ": " + whats[x.what]
	case x.what == storeOut && x.which == 1:
		return "both " + whats[x.what]
	case x.what == freeze && x.which == 1:
		return name(x.who) + ": " + whats[x.what] + ", with a heartbeat write in its socket"
	case x.what == wantsBack && x.which == 1:
		return name(x.who) + ": a person calls the execution off"
	case x.what == lose:
		return name(x.who) + ": " + losses[x.which]
	case x.what == begin:
		return fmt.Sprintf("%s: %s%s", name(x.who), whats[x.what], [...]string{"", " without a lag", " a switchover", " an adoption"}[x.which>>1])
	}
	return name(x.who) + ": " + whats[x.what]
}

// step collects what may follow a state.
type step struct {
	Config
	steps map[key]stepped // of guards, which repeat themselves
	s, t  State           // t is room for what may follow
	all   int             // faults that may happen in a run
	emit  func(action, *State)
	// real belongs to t and was to s when they are kept beside what is remembered: see
	// Config.Forgets.
	real, was *real
}

func newStep(c Config, steps map[key]stepped) *step {
	left := c.start().Left
	return &step{Config: c, steps: steps, all: left.sum()}
}

// next calls emit with every state that may follow w.s. What emit gets is gone after it.
func (w *step) next() {
	w.faults()
	w.repairs()
	w.time()
	for r := range uint8(2) {
		w.monitor(r)
		for k := range uint8(w.Triggers) {
			w.trigger(r, k)
		}
		w.plane(r)
		w.person(r)
		w.wantsBack(r)
	}
}

// to emits what f makes of the state, if f says that it can happen.
func (w *step) to(x action, f func(*State) bool) {
	if x.fault() && w.Faults != nil {
		if n := w.all - w.s.Left.sum(); n >= len(w.Faults) || x.String() != w.Faults[n] {
			return
		}
	}
	w.t = w.s
	t := &w.t
	if w.real != nil {
		*w.real = *w.was
	}
	if !f(t) {
		return
	}
	t.age()
	if !w.Remember {
		t.forget()
	}
	// Clients write all the time, so what can be acknowledged is.
	if t.Member[t.Writer].serves() {
		t.Acknowledged = t.Writer
	}
	if *t != w.s {
		w.emit(x, t)
	}
}
