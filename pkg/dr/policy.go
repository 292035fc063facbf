package dr

import "time"

// Objectives are what the business asks for. They are measured by drills and
// never asserted: AWS documents Aurora's own promotion as "a few minutes" and
// gives no RPO bound for Aurora MySQL (Aurora User Guide, disaster recovery).
type Objectives struct {
	// RTO is how long writes may fail, as a client sees it. Default 60 s. At most 1 h,
	// because slower is no automatic failover.
	RTO time.Duration
	// RPO is how much acknowledged work, in time, may be lost. Default 1 s. At least 10 ms,
	// which is what a write needs to arrive in another Region; at most 5 min,
	// because that is far behind for any replica that serves a failover.
	RPO time.Duration
	// OwnShare is the part of RTO that everything but Aurora's promotion may
	// spend: detect, decide, fence, ask, redirect, verify. Default 20 s. At most RTO.
	OwnShare time.Duration
}

// NoWitness says what is given up when a topology has no witness Region.
type NoWitness string

const (
	// AskOperator gives up automatic failover: a person decides every time. It is
	// the default.
	AskOperator NoWitness = "ask-operator"
	// TrustExpiry gives up the majority: failover stays automatic, and a cut
	// between the two Regions can leave both with a writer.
	TrustExpiry NoWitness = "trust-expiry"
)

// Automatic says what Lifeboat may do without a person.
type Automatic string

const (
	// AutomaticAlways lets Lifeboat act within the policy. It is the default.
	AutomaticAlways Automatic = "always"
	// AutomaticNever only observes: evidence is gathered, judged, explained and
	// reported as ever, and people are told once of each lost Region, but no failover
	// begins by itself. What a person asks for is carried out, and a writer that other hands have moved is adopted. The guard works
	// as always, because servers boot read-only.
	AutomaticNever Automatic = "never"
)

// Policy bounds detection, fencing, data loss and automation. The zero value of
// each field means its default, which is the one of Preset; [Policy.WithDefaults]
// fills them in, [Policy.Validate] judges the filled policy, and [Policy.ValidateFor]
// judges it together with a topology. Every bound that a field names is refused from
// outside by Validate.
//
// # What keeps a writer open
//
// A writer accepts writes while at least one of two grants is valid, and is made
// read-only LeaseMargin before the last one runs out:
//
//   - The store grant: the guard beside the writer has renewed the lease in the lease
//     store. It is valid for LeaseTTL, counted from before the renewal was sent. Members
//     reach the store through both Regions' replicas of the table.
//   - The peer grant: the other member, which is the only one that could promote, has
//     written into the writer's database that it has read the guard's heartbeat. By that
//     it promises not to take the lease for LeaseTTL + LeaseDrift. It is valid for LeaseTTL,
//     counted from when the guard wrote the heartbeat that is named.
//
// No clock is compared with another one: each grant is a duration on the clock of the
// one that counts it.
//
//   - The store is down in one Region: the other Region's replica answers, and both
//     grants stay valid. Clients see nothing.
//   - The store is down everywhere: the peer grant keeps the writer open. No failover is
//     possible, because no epoch can be taken, and people are told.
//   - Peering is down, the store answers: the store grant keeps the writer open.
//   - Both are down for the writer's Region: no grant is left, and the writer is made
//     read-only at most LeaseTTL after the last one began. It must be, because the other
//     Region may promote.
//   - The monitor beside the writer is dead: both grants run out, and the writer stays open
//     while clients reach it, unless Watchdog is on. The other Region asks a person if it
//     saw the writer serve after the monitor went silent.
type Policy struct {
	// Preset names the defaults of every other field: [Normal], which is the default,
	// [Fast] or [Cautious].
	Preset Preset

	Objectives Objectives

	// Automatic says what Lifeboat may do without a person. Default AutomaticAlways.
	Automatic Automatic

	// ProbeInterval is the time between two samples of the writer's Region.
	// Default 2 s. At least 500 ms, because probes would load what they measure; at most
	// 30 s, because a fault would be seen too late for any RTO.
	ProbeInterval time.Duration
	// ProbeTimeout is the deadline of one question. Default 1.5 s. At least 100 ms,
	// because a healthy Region far away needs as long to answer; below ProbeInterval, so
	// that a silent Region can't delay the next sample.
	ProbeTimeout time.Duration
	// Confirm is how many consecutive samples a family of evidence must be dark
	// before it counts. Default 3. At least 2, because one sample mistakes a restart for
	// a loss; at most 10, because more proves no more and only takes time.
	Confirm int
	// MinVantages is how many vantages must agree. Default 2. At least 2, because one
	// vantage can't tell a dead Region from its own broken link; at most 3, and 2 without
	// a witness, because there are no more: the other member, the lease store, the witness.
	MinVantages int
	// InRegionGrace is how long a dead writer is left to Aurora's failover inside
	// its Region, when the Region answers and holds another instance. Default
	// 30 s: AWS gives "typically < 60 s, often < 30 s" (Aurora User Guide, high
	// availability). A member with no other instance gets no grace. At most 5 min,
	// and together with what follows it (the budget without detection and fence, by default
	// 9.75 s) Objectives.RTO, because writes fail meanwhile.
	InRegionGrace time.Duration
	// ControlInterval is the time between two questions to a Region's RDS API while the
	// data plane answers; while it does not, or may not, they come with every sample.
	// Default 30 s, because RDS throttles the account. At least ProbeInterval, because a
	// sample asks once at most; at most 5 min, because the instance that a guard may have
	// to restart must be known.
	ControlInterval time.Duration
	// Clusters is how many global databases Lifeboat watches in this AWS account: all of
	// them share what RDS answers in a Region. Default 1. At most what [Policy.RDSCalls]
	// leaves room for.
	Clusters int

	// LeaseTTL is how long a renewal of the writer's lease lasts. Default 6 s. It
	// bounds the partition window: what an isolated writer may still acknowledge. At least
	// 1 s, because a renewal crosses Regions and a fence takes time; at most 1 min, because
	// so long may a writer that is cut off acknowledge what is then lost.
	LeaseTTL time.Duration
	// LeaseMargin is how long before the end of LeaseTTL the writer's Region makes
	// its own writer read-only. Default 1.5 s. At least a tenth of LeaseTTL, because fencing
	// takes time; at most half of it, because two renewals must fit before the fence.
	LeaseMargin time.Duration
	// LeaseDrift is added to LeaseTTL by the Region that waits for it to run out.
	// Default 250 ms: 4 % of a 6 s lease, where clocks of EC2 differ in rate by
	// less than 0.1 %. At least LeaseTTL / 500, which is what two such clocks may differ
	// by; at most LeaseTTL, because no clock is so wrong.
	LeaseDrift time.Duration
	// RenewInterval is the time between two renewals. Default 500 ms. At least 50 ms,
	// because each is a write that is paid for; at most a quarter of LeaseTTL, so that
	// three lost calls don't stop writes.
	RenewInterval time.Duration
	// ObserveInterval is how often the other Region reads the lease. Default
	// 250 ms. It delays the fence proof by as much, and detection by up to four times as
	// much where the lease is the last evidence. At least 20 ms, because each is a read
	// that is paid for; at most a quarter of LeaseTTL.
	ObserveInterval time.Duration

	// MaxDataLoss is the RPO lag above which Lifeboat does not promote without an operator's
	// acknowledgement. Default 1 s. At least 10 ms, because the lag that a
	// secondary shows is a way between Regions and back at best, so that less would always ask; at most Objectives.RPO, because more would give
	// up, unasked, what the objective promises.
	MaxDataLoss time.Duration
	// MaxLagAge is how old that lag may have been when the evidence went dark.
	// Default 5 s. Older, or missing, is unknown, and unknown is never zero. At least
	// ProbeInterval, because the lag is read once per sample, so that less would always
	// ask; at most 1 min, because what came after the lag was read is not in it.
	MaxLagAge time.Duration
	// RPOGuard makes the writer read-only when its Region's monitor can't confirm,
	// four times a second, that the lag is under MaxDataLoss. Off by default. On,
	// the loss of a partition stays under MaxDataLoss, and the price is that writes stop
	// when the link between the Regions is cut, and when the other Region's database or its
	// login can't be read.
	// A monitor that can't ask its own server (no login, too many connections) knows no lag
	// and closes nothing: while that lasts the bound doesn't hold, and failover asks a person
	// when the lag is older than MaxLagAge.
	//
	// It is armed by the first lag that is confirmed in an epoch. A process that takes
	// over from another one goes on guarding, as the other's heartbeat says.
	RPOGuard bool
	// Watchdog installs a MySQL event that makes the server read-only when its
	// heartbeat row has not been renewed for most of LeaseTTL: by default 2.5 s after
	// the last heartbeat, seen within one second more. Off by default; on, that no
	// two Regions acknowledge needs no assumption about the monitor surviving a cut.
	//
	// The price is that an outage of the monitor stops writes, although its Region and
	// its database are fine. When the function service is down in the writer's Region,
	// the writer stops 3.5 s later at most. What brings writes back depends on what the
	// other Region saw in that moment. If its samples show a lease that fell silent and
	// a writer that stopped at once, it fails over. If one sample shows the lease silent
	// and the writer still serving, an expired lease proves no fence, and it asks a
	// person; writes stay stopped until the answer, or until the monitor is back. Which
	// of the two it is depends on where the samples fall, so count on the second: of
	// 100 drills lambda-down-watched in virtual time 31 failed over (2026-11-30).
	// Nothing was acknowledged twice and nothing lost in any of them.
	Watchdog bool

	// CallTimeout is the deadline of one call to AWS. Default 1.5 s. The SDK's own
	// defaults run to tens of seconds against a dead Region. At least 100 ms, because a
	// healthy service far away needs as long; at most 10 s and below LeaseTTL, because a
	// call that outlives the lease decides nothing.
	CallTimeout time.Duration
	// PollInterval is the time between two looks at a running promotion and at
	// clients' endpoint. Default 250 ms. At least 10 ms, because each look is a call; at
	// most 10 s, because a promotion would be seen too late.
	PollInterval time.Duration
	// EffectTimeout is how long one step is retried before an operator is asked.
	// Default 10 min: AWS says "a few minutes" for a promotion. Above LeaseTTL +
	// LeaseDrift + ObserveInterval, because the lease must be able to run out; at most 1 h,
	// because a person must hear of a step that does not succeed.
	EffectTimeout time.Duration
	// EndpointTTL is the TTL of the global writer endpoint, after which clients
	// look it up again. Default 5 s (Aurora User Guide: cache at most 5 s). At most 5 min,
	// because clients write to the old endpoint for as long.
	EndpointTTL time.Duration

	// MaxFailovers is how many automatic failovers may happen in FailoverWindow; the
	// next one asks an operator. Default 2, which nil means; 0 means none, so that each
	// one asks. A budget and no ban: the second real disaster of a day must still be
	// handled. At most 24, because a budget that is never used up stops no flapping.
	MaxFailovers *int
	// FailoverWindow is the time in which MaxFailovers counts. Default 1 h. At least
	// Objectives.RTO, because a shorter one has forgotten a failover before it is done; at
	// most 168 h, because the budget must come back.
	FailoverWindow time.Duration

	// NoWitness says what is given up without a witness Region. Default
	// AskOperator.
	NoWitness NoWitness
}

// SilentAfter is how long a lease may be unchanged before it counts as silent, by default
// 1.5 s: two renewals and two looks, so that one lost call is forgiven.
func (p Policy) SilentAfter() time.Duration {
	p = p.WithDefaults()
	return 2*p.RenewInterval + 2*p.ObserveInterval
}

// GuardTimeout is the deadline of one heartbeat write of a guard, of one order to its
// server and of one look at the lease by a guard that hands over: CallTimeout, or a sixth of
// LeaseTTL when that is less, so that a call that hangs leaves time to fence.
func (p Policy) GuardTimeout() time.Duration {
	p = p.WithDefaults()
	return min(p.CallTimeout, p.LeaseTTL/6)
}

// RenewalTimeout is the deadline of one renewal of the lease, by default 2.25 s: half the
// time that a renewal keeps the writer open. Slow is not down: a store that answers every
// renewal that late still keeps the writer open, because the next renewal is heard before
// the last one has run out; one that is slower can't, whatever the deadline. The fence
// doesn't wait for a renewal that hangs.
//
// Under Watchdog it is GuardTimeout, by default 1 s: a grant that is heard of later is too old
// for the heartbeat row from which the server counts.
func (p Policy) RenewalTimeout() time.Duration {
	p = p.WithDefaults()
	if p.Watchdog {
		return p.GuardTimeout()
	}
	return (p.LeaseTTL - p.LeaseMargin) / 2
}

// watchdogTick is how late a database may notice that its heartbeat row is stale: a
// MySQL event runs at most once a second.
const watchdogTick = time.Second

// WatchdogAfter is how old the heartbeat row may become under Watchdog, by default 2.5 s.
// A beat is at most three renewals younger than the lease, takes a call to commit, and is
// judged up to a second late: all of that must end within LeaseTTL. Under Watchdog,
// Validate demands 2 s and two renewals at least.
func (p Policy) WatchdogAfter() time.Duration {
	p = p.WithDefaults()
	return p.LeaseTTL - watchdogTick - 3*p.RenewInterval - p.GuardTimeout()
}

// FailoverLimit is MaxFailovers, or its default.
func (p Policy) FailoverLimit() int { return *p.WithDefaults().MaxFailovers }
