package dr

import (
	"errors"
	"fmt"
	"time"
)

// Objectives are what the business asks for. They are measured by drills and
// never asserted: AWS documents Aurora's own promotion as "a few minutes" and
// gives no RPO bound for Aurora MySQL (Aurora User Guide, disaster recovery).
type Objectives struct {
	// RTO is how long writes may fail, as a client sees it. Default 60 s.
	RTO time.Duration
	// RPO is how much acknowledged work, in time, may be lost. Default 1 s.
	RPO time.Duration
	// OwnShare is the part of RTO that everything but Aurora's promotion may
	// spend: detect, decide, fence, ask, redirect, verify. Default 20 s.
	OwnShare time.Duration
}

// Witnessless says what is given up when a topology has no witness Region.
type Witnessless string

const (
	// AskOperator gives up automatic failover: a person decides every time. It is
	// the default.
	AskOperator Witnessless = "ask-operator"
	// TrustExpiry gives up the majority: failover stays automatic, and a cut
	// between the two Regions can leave both with a writer.
	TrustExpiry Witnessless = "trust-expiry"
)

// Policy bounds detection, fencing, data loss and automation. The zero value of
// each field means its default; [Policy.WithDefaults] fills them in and
// [Policy.Validate] judges the filled policy.
type Policy struct {
	Objectives Objectives

	// ProbeInterval is the time between two samples of the writer's Region.
	// Default 2 s, at least 500 ms.
	ProbeInterval time.Duration
	// ProbeTimeout is the deadline of one question. Default 1.5 s; it must be
	// below ProbeInterval, so that a silent Region can't delay the next sample.
	ProbeTimeout time.Duration
	// Confirm is how many consecutive samples a family of evidence must be dark
	// before it counts. Default 3, at least 2. Fewer mistakes a restart for a loss.
	Confirm int
	// MinVantages is how many vantages must agree. Default 2, at least 2: one
	// vantage can't tell a dead Region from its own broken link.
	MinVantages int
	// InRegionGrace is how long a dead writer is left to Aurora's failover inside
	// its Region, when the Region answers and holds another instance. Default
	// 30 s: AWS gives "typically < 60 s, often < 30 s" (Aurora User Guide, high
	// availability). A member with no other instance gets no grace.
	InRegionGrace time.Duration

	// LeaseTTL is how long a renewal of the writer's lease lasts. Default 6 s. It
	// bounds the partition window: what an isolated writer may still acknowledge.
	LeaseTTL time.Duration
	// LeaseMargin is how long before the end of LeaseTTL the writer's Region makes
	// its own writer read-only. Default 1.5 s; it must be below LeaseTTL.
	LeaseMargin time.Duration
	// LeaseDrift is added to LeaseTTL by the Region that waits for it to run out.
	// Default 250 ms: 4 % of a 6 s lease, where clocks of EC2 differ in rate by
	// less than 0.1 %.
	LeaseDrift time.Duration
	// RenewInterval is the time between two renewals. Default 500 ms; at most a
	// quarter of LeaseTTL, so that three lost calls don't stop writes.
	RenewInterval time.Duration
	// ObserveInterval is how often the other Region reads the lease. Default
	// 250 ms. It delays the fence proof by as much, and detection by up to four times as
	// much where the lease is the last evidence.
	ObserveInterval time.Duration

	// MaxDataLoss is the RPO lag above which nobody promotes without an operator's
	// acknowledgement. Default 1 s.
	MaxDataLoss time.Duration
	// MaxLagAge is how old that lag may have been when the evidence went dark.
	// Default 5 s. Older, or missing, is unknown, and unknown is never zero.
	MaxLagAge time.Duration
	// RPOGuard makes the writer read-only when its Region's monitor can't confirm,
	// four times a second, that the lag is under MaxDataLoss. Off by default. On,
	// the loss of a partition stays under MaxDataLoss, and the price is that a cut
	// link between the Regions stops writes.
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
	// 100 drills lambda-down-watched in virtual time 99 failed over, of 100 with an
	// agent instead of the functions 25. Nothing was acknowledged twice and nothing
	// lost in any of them.
	Watchdog bool

	// CallTimeout is the deadline of one call to AWS. Default 1.5 s. The SDK's own
	// defaults run to tens of seconds against a dead Region.
	CallTimeout time.Duration
	// PollInterval is the time between two looks at a running promotion and at
	// clients' endpoint. Default 250 ms.
	PollInterval time.Duration
	// EffectTimeout is how long one step is retried before an operator is asked.
	// Default 10 min: AWS says "a few minutes" for a promotion.
	EffectTimeout time.Duration
	// EndpointTTL is the TTL of the global writer endpoint, after which clients
	// look it up again. Default 5 s (Aurora User Guide: cache at most 5 s).
	EndpointTTL time.Duration

	// MaxFailovers is how many automatic failovers may happen in FailoverWindow.
	// Default 2 in 1 h; the next one asks an operator. A budget and no ban: the
	// second real disaster of a day must still be handled.
	MaxFailovers   int
	FailoverWindow time.Duration

	// Witnessless says what is given up without a witness Region. Default
	// AskOperator.
	Witnessless Witnessless
}

// DefaultPolicy returns the policy with every default filled in.
func DefaultPolicy() Policy { return Policy{}.WithDefaults() }

// WithDefaults returns a copy in which every zero field holds its default.
func (p Policy) WithDefaults() Policy {
	fill(&p.Objectives.RTO, 60*time.Second)
	fill(&p.Objectives.RPO, time.Second)
	fill(&p.Objectives.OwnShare, 20*time.Second)
	fill(&p.ProbeInterval, 2*time.Second)
	fill(&p.ProbeTimeout, 1500*time.Millisecond)
	fill(&p.Confirm, 3)
	fill(&p.MinVantages, 2)
	fill(&p.InRegionGrace, 30*time.Second)
	fill(&p.LeaseTTL, 6*time.Second)
	fill(&p.LeaseMargin, 1500*time.Millisecond)
	fill(&p.LeaseDrift, 250*time.Millisecond)
	fill(&p.RenewInterval, 500*time.Millisecond)
	fill(&p.ObserveInterval, 250*time.Millisecond)
	fill(&p.MaxDataLoss, time.Second)
	fill(&p.MaxLagAge, 5*time.Second)
	fill(&p.CallTimeout, 1500*time.Millisecond)
	fill(&p.PollInterval, 250*time.Millisecond)
	fill(&p.EffectTimeout, 10*time.Minute)
	fill(&p.EndpointTTL, 5*time.Second)
	fill(&p.MaxFailovers, 2)
	fill(&p.FailoverWindow, time.Hour)
	fill(&p.Witnessless, AskOperator)
	return p
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with the policy at once, defaults
// applied. A policy that passes can meet its own share of the RTO.
func (p Policy) Validate() error {
	p = p.WithDefaults()
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("dr: policy: "+format, args...))
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"Objectives.RTO", p.Objectives.RTO}, {"Objectives.RPO", p.Objectives.RPO}, {"Objectives.OwnShare", p.Objectives.OwnShare},
		{"ProbeTimeout", p.ProbeTimeout}, {"InRegionGrace", p.InRegionGrace}, {"LeaseTTL", p.LeaseTTL},
		{"LeaseMargin", p.LeaseMargin}, {"LeaseDrift", p.LeaseDrift}, {"RenewInterval", p.RenewInterval},
		{"ObserveInterval", p.ObserveInterval}, {"MaxDataLoss", p.MaxDataLoss}, {"MaxLagAge", p.MaxLagAge},
		{"CallTimeout", p.CallTimeout}, {"PollInterval", p.PollInterval}, {"EffectTimeout", p.EffectTimeout},
		{"EndpointTTL", p.EndpointTTL}, {"FailoverWindow", p.FailoverWindow},
	} {
		refuse(d.value < 0, "%s %v is negative: give a positive duration, or 0 for the default", d.name, d.value)
	}
	refuse(p.ProbeInterval < 500*time.Millisecond, "ProbeInterval %v is below 500ms: probes would load what they measure", p.ProbeInterval)
	refuse(p.ProbeTimeout >= p.ProbeInterval, "ProbeTimeout %v must be below ProbeInterval %v, or a silent Region delays the next sample", p.ProbeTimeout, p.ProbeInterval)
	refuse(p.Confirm < 2, "Confirm %d is below 2: one sample can't tell a lost packet from a lost Region", p.Confirm)
	refuse(p.MinVantages < 2, "MinVantages %d is below 2: one vantage can't tell a dead Region from its own broken link", p.MinVantages)
	refuse(p.LeaseMargin >= p.LeaseTTL, "LeaseMargin %v must be below LeaseTTL %v, or the writer would fence itself at once", p.LeaseMargin, p.LeaseTTL)
	refuse(p.LeaseMargin < p.LeaseTTL/10, "LeaseMargin %v must be at least a tenth of LeaseTTL %v: fencing takes time", p.LeaseMargin, p.LeaseTTL)
	refuse(p.RenewInterval > p.LeaseTTL/4, "RenewInterval %v must be at most a quarter of LeaseTTL %v, or one lost call stops writes", p.RenewInterval, p.LeaseTTL)
	refuse(p.ObserveInterval > p.LeaseTTL/4, "ObserveInterval %v must be at most a quarter of LeaseTTL %v", p.ObserveInterval, p.LeaseTTL)
	refuse(p.MaxFailovers < 0, "MaxFailovers %d is negative", p.MaxFailovers)
	refuse(p.Witnessless != AskOperator && p.Witnessless != TrustExpiry, "Witnessless %q is unknown: use %q or %q", p.Witnessless, AskOperator, TrustExpiry)
	refuse(p.RPOGuard && p.MaxDataLoss < 600*time.Millisecond, "RPOGuard needs MaxDataLoss of at least 600ms, got %v: two samples a round trip apart must fit", p.MaxDataLoss)
	least := max(2*time.Second, 2*p.RenewInterval)
	refuse(p.Watchdog && p.WatchdogAfter() < least, "Watchdog would fire %v after the last heartbeat, which needs %v at least: raise LeaseTTL %v or lower RenewInterval %v",
		p.WatchdogAfter(), least, p.LeaseTTL, p.RenewInterval)
	b := p.Budget()
	if over := b.Own() - p.Objectives.OwnShare; over > 0 {
		worst := b.Longest()
		refuse(true, "worst case %v is %v over the share of %v (%s): %s alone takes %v; shorten it or raise Objectives.OwnShare",
			b.Own(), over, p.Objectives.OwnShare, b, worst.Name, worst.Worst)
	}
	refuse(p.Objectives.OwnShare > p.Objectives.RTO, "Objectives.OwnShare %v is above Objectives.RTO %v: nothing is left for Aurora's promotion", p.Objectives.OwnShare, p.Objectives.RTO)
	return errors.Join(errs...)
}

// SilentAfter is how long a lease may be unchanged before it counts as silent, by default
// 1.5 s: two renewals and two looks, so that one lost call is forgiven.
func (p Policy) SilentAfter() time.Duration {
	p = p.WithDefaults()
	return 2*p.RenewInterval + 2*p.ObserveInterval
}

// RenewalTimeout is the deadline of one call on the path of a renewal: CallTimeout, or a
// sixth of LeaseTTL when that is less, so that a beat and a renewal that hang leave time
// to fence.
func (p Policy) RenewalTimeout() time.Duration {
	p = p.WithDefaults()
	return min(p.CallTimeout, p.LeaseTTL/6)
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
	return p.LeaseTTL - watchdogTick - 3*p.RenewInterval - p.RenewalTimeout()
}
