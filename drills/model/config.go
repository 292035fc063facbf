package model

import "github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"

// Config bounds a search and says which assumptions hold.
type Config struct {
	// Watchdog: databases make themselves read-only without a heartbeat.
	Watchdog bool
	// Epochs bounds how often the lease changes hands. Default 2: one failover.
	Epochs uint8
	// Attempts bounds the executions for one epoch. Default 1.
	Attempts uint8
	// Triggers is how many processes of one Region may move the writer at once, 1 or 2.
	// Default 1.
	Triggers int
	// Cuts (of a link), Crashes (of a monitor or a trigger), Kills and Freezes (of a
	// database), Losses (of all that a Region has, at once), Lost (messages that are lost,
	// late or doubled), Stuck (effects that give up) and Asks (questions that only a person
	// can answer, and planned switchovers) are how many of each may happen in one run.
	Cuts, Crashes, Kills, Freezes, Losses, Lost, Stuck, Asks uint8
	// Outs are outages of the lease store: of a Region's own access to it, or of all of it.
	// Deaf is how often a monitor may lose its way to its own database, which serves on.
	// Moves are moves of the writer from outside, by a person or by AWS. Partitions cut both
	// links of a Region at once. Guards are crashes of a writer's monitor, Peers of the other
	// member's.
	Outs, Deaf, Moves, Partitions, Guards, Peers uint8
	// Unready is how often a secondary may become one that can't be promoted.
	Unready uint8
	// Returns is how often a person may want the lease given back to the old Region.
	Returns uint8
	// Aborts is how often a person may call an execution off.
	Aborts uint8
	// Kept: a person's answer is kept, with the execution and the question that it is to, and
	// read by who asks: later, twice, or when another question is open.
	Kept bool
	// Promises: members grant what the store can't, see failover's peer grant.
	Promises bool
	// Faults are those that may happen, in this order and as they are told, each at any moment.
	// Default: what the bounds above allow, in every order.
	Faults []string
	// Remember keeps in a state what no later step reads, for Result.Distinct to show
	// that forgetting it leaves nothing out. It takes about fifteen times as many states.
	Remember bool
	// Until ends the search at the first state that breaks this, besides [ErrDual] and
	// [ErrHarm]. Default none: a search goes on.
	Until error
	// Drop is a field of a guard's state that is forgotten on purpose, see Config.Forgets.
	Drop string
	// Without drops an assumption or builds a bug in; the search must then find what it
	// breaks. Default none.
	Without Without
}

// Without names an assumption that is dropped, or a bug that is built in.
type Without uint8

// The assumptions of ARCHITECTURE.md, and bugs that a failover tool could have.
const (
	Nothing Without = iota
	// MonitorSurvivesCut: the writer's monitor may crash while its Region is cut off.
	MonitorSurvivesCut
	// ReadOnlyPromotion: a promoted server comes up open.
	ReadOnlyPromotion
	// CutOff: a frozen server can't be cut off, and thaws as it was.
	CutOff
	// Drift: the observer waits for the lease without the drift of clocks.
	Drift
	// Fence: the controller waits for no proof.
	Fence
	// Inheritance: a guard that starts believes that nothing is open.
	Inheritance
	// RenewalFirst: a guard opens a closed writer before it has renewed.
	RenewalFirst
	// FenceRevision: a confirmed fence counts although the lease was renewed since.
	FenceRevision
	// MonitorSeen: the controller doesn't ask whether the writer's monitor had died first.
	MonitorSeen
	// CompareAndSwap: the epoch is taken whatever was renewed meanwhile.
	CompareAndSwap
	// Evidence: an execution begins whenever the lease is silent.
	Evidence
	// PromotedFirst: a guard opens its writer as soon as its Region holds the epoch.
	PromotedFirst
	// Resumption: no process continues an execution of a crashed trigger.
	Resumption
	// Learning: a guard doesn't read in the journal that its server is promoted.
	Learning
	// Consent: an unknown lag puts no question.
	Consent
	// ConsentByEpoch: a consent counts for its epoch, whatever execution and question it is to.
	ConsentByEpoch
	// Leftover: no process gives back what an aborted execution has taken.
	Leftover
	// LearningBack: a guard doesn't read in the journal that its lease was given back.
	LearningBack
	// Verification: a promotion counts as verified before anything has been committed.
	Verification
	// Confirmation: a person lets a switchover become a failover and doesn't make sure that the
	// old writer is stopped.
	Confirmation
	// OrderInTime: the control plane carries out an order to promote after the other Region
	// has taken the next epoch. No two writers come of it, but a person must move the writer.
	OrderInTime
	// OpeningBeat: a writer is opened without a beat, so that its watchdog closes it again.
	OpeningBeat
	// PromiseForgotten: a monitor that starts takes it that its predecessor promised nothing.
	PromiseForgotten
	// Statement: a trigger takes the lease's silence for a proof, whatever its monitor has
	// promised.
	Statement
	// PeerGrant: a guard goes by the store's grant alone.
	PeerGrant
	// ServerAnswer: a guard renews whatever its server has answered.
	ServerAnswer
	// Adoption: no guard hears that its server is no writer any more, and no execution follows
	// a move of the writer from outside.
	Adoption
)

var withouts = map[Without]string{
	Nothing: "nothing", MonitorSurvivesCut: "a monitor that survives a cut", ReadOnlyPromotion: "promotion into read-only",
	CutOff: "cutting a frozen server off", Drift: "waiting for the drift of clocks", Fence: "the fence",
	Inheritance: "an inherited deadline", RenewalFirst: "a renewal before an opening", FenceRevision: "the revision of a fence",
	MonitorSeen: "asking whether the monitor had died first", CompareAndSwap: "compare-and-swap", Evidence: "evidence", PromotedFirst: "a promotion before the opening",
	Resumption: "resumption", Learning: "reading the journal", Consent: "consent", Leftover: "giving back what an aborted execution has taken", LearningBack: "reading that the lease was given back", ConsentByEpoch: "consent by execution and question", Verification: "verification", Confirmation: "confirmation that the old writer is stopped",
	OrderInTime: "orders in time",
	OpeningBeat: "a beat with the opening", PromiseForgotten: "a promise that outlives its process", Statement: "the monitor's statement",
	PeerGrant: "the peer's grant", ServerAnswer: "the server's answer behind a renewal", Adoption: "adoption",
}

func (w Without) String() string { return withouts[w] }

func (c Config) withDefaults() Config {
	if c.Epochs == 0 {
		c.Epochs = 2
	}
	if c.Attempts == 0 {
		c.Attempts = 1
	}
	if c.Triggers == 0 {
		c.Triggers = 1
	}
	return c
}

// start is a healthy deployment: a serves, every process has seen its last renewal.
func (c *Config) start() State {
	held := lease{Epoch: 1, Holder: a, Renewed: true}
	s := State{
		Lease: held, Writer: a, Moving: none, Acknowledged: a, Harming: c.Promises || c.Outs > 0 || c.Deaf > 0,
		Left: budget{
			Cuts: c.Cuts, Crashes: c.Crashes, Kills: c.Kills, Freezes: c.Freezes, Losses: c.Losses, Lost: c.Lost, Stuck: c.Stuck, Asks: c.Asks,
			Outs: c.Outs, Deaf: c.Deaf, Moves: c.Moves, Partitions: c.Partitions, Guards: c.Guards, Peers: c.Peers, Unready: c.Unready,
			Returns: c.Returns, Aborts: c.Aborts,
		},
	}
	for r := range s.Member {
		s.Member[r] = member{Up: true, Known: true, Current: true, Sees: held, Beat: ttl - margin, Granted: ttl - margin, Noted: ttl - margin, G: guardian{
			Store: ttl - margin, Peer: ttl - margin, Tried: mostTried, Enforced: true, Asked: true, Role: guard.Secondary,
		}}
	}
	m := &s.Member[a]
	m.Primary, m.Open, m.Granted = true, true, 0
	if c.Promises {
		m.Beat = 0
	}
	m.G = guardian{Armed: true, Term: 1, TermCurrent: true, Peer: ttl - margin, Tried: mostTried, Rounded: true}
	if c.Watchdog {
		m.G.Watched = 1
	}
	for r := range uint8(2) {
		s.Member[r].G.forget(c.rulesOf(r))
	}
	if !c.Remember {
		s.forget()
	}
	return s
}
